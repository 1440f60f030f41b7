// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceFileOps.c - see TraceFileOps.h.
 *
 * FILE_CREATE and FILE_LINK: security_path_mknod (which also an open that creates passes), _mkdir, _symlink and _link,
 * then d_instantiate, d_instantiate_new or d_make_persistent. FILE_DELETE: security_path_unlink and _rmdir, then
 * d_delete. FILE_RENAME: security_path_rename, then d_move or d_exchange, where both dentries still are in their old
 * directories.
 */
#include "TraceFileOps.h"

#include <string.h>
#include <sys/stat.h>

#include "TraceFiles.h"
#include "TraceTask.h"

#define RENAME_FLAGS 7 /* RENAME_NOREPLACE, _EXCHANGE and _WHITEOUT, whose bits are those of the event's flags */

static void op__set_text(struct trace_op *op, struct slice text)
{
    op->target_len = (uint32_t)(text.len < sizeof(op->target) ? text.len : sizeof(op->target));
    memcpy(op->target, text.data ? text.data : "", op->target_len);
}

static struct slice op__target(const struct trace_op *op, uint32_t type)
{
    return type == EBPF_FILE_TYPE_SYMLINK ? (struct slice){op->target, op->target_len} : (struct slice){0};
}

/* Begin the operation of a thread; what a record before this one has noted for it stays. */
static struct trace_op *op__begin(struct trace_events *events, const struct trace_values *v, enum trace_op_kind kind,
                                  uint64_t dentry, int mount)
{
    const struct slice comm = v->of[TRACE_VALUE_caller_comm].text;
    struct trace_op *op = trace_ops__get(&events->files->ops, v->tid);

    if (!op)
        return NULL;
    op->kind = kind;
    op->time_ns = v->time_ns;
    op->dentry = dentry;
    op->mount = mount;
    memset(op->comm, 0, sizeof(op->comm));
    memcpy(op->comm, comm.data ? comm.data : "", comm.len < EBPF_COMM_LEN ? comm.len : EBPF_COMM_LEN - 1);
    return op;
}

/* Find who does an operation. False if its event is not wanted. */
static bool op__find_caller(struct trace_caller *ret_caller, struct trace_events *events, const struct trace_values *v,
                            const struct trace_op *op, enum ebpf_event_type type)
{
    trace_caller__find(ret_caller, events, v);
    memcpy(ret_caller->comm, op->comm, sizeof(op->comm));
    return !(ret_caller->process && ret_caller->process->is_kernel) &&
           trace_caller__is_wanted(events, ret_caller, type);
}

/* ------------------------------------------------------------ creations, links */

static void target__note(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = op__begin(events, v, TRACE_OP_TARGET, NUMBER(v, dentry2_dentry), 0);

    if (op)
        op__set_text(op, v->of[TRACE_VALUE_link_target].text);
}

static void creation__note(struct trace_events *events, const struct trace_values *v)
{
    const uint64_t dentry = NUMBER(v, dentry2_dentry);

    if (!trace_ops__find(&events->files->ops, v->tid, TRACE_OP_TARGET, dentry)) {
        struct trace_op *none = trace_ops__get(&events->files->ops, v->tid);

        if (none)
            none->target_len = 0;
    }
    struct trace_op *op = op__begin(events, v, TRACE_OP_CREATE, dentry, (int)NUMBER(v, path1_mount));

    if (!op)
        return;
    trace_file__fill_path(events, &op->path, v, TRACE_VALUE_dentry2_name0);
    if (v->probe == TRACE_PROBE_making_directory)
        op->other_path = op->path;
}

/* The file that is about to be linked; one that has no name yet (O_TMPFILE) is created by that. */
static void linked_file__note(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = op__begin(events, v, TRACE_OP_LINKED, NUMBER(v, pointer3), (int)NUMBER(v, path2_mount));

    if (!op)
        return;
    op->flags = NUMBER(v, dentry1_nlink) || NUMBER(v, dentry1_hashed) ? EBPF_EVENT_FILE_LINK : EBPF_EVENT_FILE_CREATE;
    trace_file__fill_path(events, &op->other_path, v, TRACE_VALUE_dentry1_name0);
    op__set_text(op, v->of[TRACE_VALUE_dentry1_target].text);
}

static void link__note(struct trace_events *events, const struct trace_values *v)
{
    const uint64_t dentry = NUMBER(v, dentry3_dentry);

    if (!trace_ops__find(&events->files->ops, v->tid, TRACE_OP_LINKED, dentry))
        return;
    struct trace_op *op = op__begin(events, v, TRACE_OP_LINK, dentry, (int)NUMBER(v, path2_mount));

    if (op)
        trace_file__fill_path(events, &op->path, v, TRACE_VALUE_dentry3_name0);
}

/* An open that has created its file, by the same thread, is none of an existing one. */
bool trace_file_ops__has_created(struct trace_events *events, uint32_t tid, uint64_t dentry)
{
    struct trace_op *op = trace_ops__find(&events->files->ops, tid, TRACE_OP_NONE, dentry);

    if (op)
        op->dentry = 0;
    return op;
}

static void creation__end(struct trace_events *events, const struct trace_values *v, struct trace_op *op,
                          const struct ebpf_file_info *info)
{
    struct trace_caller caller;

    if (info->type == EBPF_FILE_TYPE_DIR)
        trace_directories__learn(&events->files->directories, op->dentry, info->inode,
                                 (struct slice){op->other_path.data, op->other_path.len}, op->other_path.flags);
    if (!op__find_caller(&caller, events, v, op, EBPF_EVENT_FILE_CREATE))
        return;
    struct ebpf_file_create_event *e = trace_file_event__begin(events, EBPF_EVENT_FILE_CREATE, sizeof(*e), v, &caller);

    e->file_info = *info;
    trace_file__place(events, &op->path, op->mount, &caller);
    trace_file_event__add_path(&e->hdr, EBPF_TAG_PATH, &op->path);
    trace_file_event__end(events, &e->hdr, &caller, op__target(op, info->type));
}

static void link__end(struct trace_events *events, const struct trace_values *v, struct trace_op *op,
                      const struct ebpf_file_info *info)
{
    struct trace_caller caller;

    if (!op__find_caller(&caller, events, v, op, EBPF_EVENT_FILE_LINK))
        return;
    struct ebpf_file_link_event *e =
        (void *)trace_file_event__begin(events, EBPF_EVENT_FILE_LINK, sizeof(*e), v, &caller);

    e->file_info = *info;
    trace_file__place(events, &op->path, op->mount, &caller);
    trace_file__place(events, &op->other_path, op->mount, &caller);
    trace_file_event__add_path(&e->hdr, EBPF_TAG_OLD_PATH, &op->other_path);
    trace_file_event__add_path(&e->hdr, EBPF_TAG_NEW_PATH, &op->path);
    trace_file_event__end(events, &e->hdr, &caller, op__target(op, info->type));
}

/* A dentry gets an inode. */
static void instantiated__take(struct trace_events *events, const struct trace_values *v)
{
    const uint64_t dentry = NUMBER(v, dentry1_dentry);
    struct trace_ops *ops = &events->files->ops;
    struct trace_op *op = trace_ops__find(ops, v->tid, TRACE_OP_CREATE, dentry);
    bool is_link = !op && (op = trace_ops__find(ops, v->tid, TRACE_OP_LINK, dentry));
    struct ebpf_file_info info;

    if (!op)
        return;
    op->kind = TRACE_OP_NONE;
    trace_file__fill_info(&info, v, TRACE_VALUE_inode2_mode, NUMBER(v, dentry1_device));
    if (is_link && op->flags == EBPF_EVENT_FILE_LINK)
        link__end(events, v, op, &info);
    else
        creation__end(events, v, op, &info);
}

/* --------------------------------------------------------------------- deletions */

static void deletion__note(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = op__begin(events, v, TRACE_OP_DELETE, NUMBER(v, dentry2_dentry), (int)NUMBER(v, path1_mount));

    if (!op)
        return;
    trace_file__fill_path(events, &op->path, v, TRACE_VALUE_dentry2_name0);
    trace_file__fill_info(&op->info, v, TRACE_VALUE_dentry2_mode, NUMBER(v, dentry2_device));
    op__set_text(op, v->of[TRACE_VALUE_dentry2_target].text);
}

static void deleted__take(struct trace_events *events, const struct trace_values *v)
{
    const uint64_t dentry = NUMBER(v, dentry1_dentry);
    struct trace_op *op = trace_ops__find(&events->files->ops, v->tid, TRACE_OP_DELETE, dentry);
    struct trace_caller caller;

    trace_directories__remove(&events->files->directories, dentry, NUMBER(v, dentry1_number));
    if (!op)
        return;
    op->kind = TRACE_OP_NONE;
    if (!op__find_caller(&caller, events, v, op, EBPF_EVENT_FILE_DELETE))
        return;
    struct ebpf_file_delete_event *e =
        (void *)trace_file_event__begin(events, EBPF_EVENT_FILE_DELETE, sizeof(*e), v, &caller);

    e->file_info = op->info;
    trace_file__place(events, &op->path, op->mount, &caller);
    trace_file_event__add_path(&e->hdr, EBPF_TAG_PATH, &op->path);
    trace_file_event__end(events, &e->hdr, &caller, op__target(op, op->info.type));
}

/* ----------------------------------------------------------------------- renames */

static void rename__note(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = op__begin(events, v, TRACE_OP_RENAME, NUMBER(v, dentry2_dentry), (int)NUMBER(v, path1_mount));

    if (!op)
        return;
    op->other = NUMBER(v, pointer4);
    op->flags = (uint32_t)NUMBER(v, rename_flags) & RENAME_FLAGS;
    op->other_path.flags = EBPF_VARLEN_TRUNCATED;
    op->other_path.len = 0;
    op->inode = 0;
}

/* Where a dentry is about to be moved. */
static void move__note(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = trace_ops__of(&events->files->ops, v->tid);

    if (!op || op->kind != TRACE_OP_RENAME || op->other != NUMBER(v, dentry2_dentry))
        return;
    trace_file__fill_path(events, &op->other_path, v, TRACE_VALUE_dentry2_name0);
    if (NUMBER(v, dentry2_inode)) {
        op->inode = NUMBER(v, dentry2_number);
        op->nlink = (uint32_t)NUMBER(v, dentry2_nlink);
    }
}

static void rename__fill(struct ebpf_file_rename_event *e, const struct trace_op *op)
{
    e->hdr.flags = (uint16_t)op->flags;
    if (op->flags & EBPF_RENAME_F_EXCHANGE) {
        e->exchanged_inode = op->inode;
    } else if (op->inode) {
        e->hdr.flags |= EBPF_RENAME_F_REPLACED;
        e->replaced_inode = op->inode;
        e->replaced_nlink = op->nlink;
    }
}

static void moved__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = trace_ops__find(&events->files->ops, v->tid, TRACE_OP_RENAME, NUMBER(v, dentry1_dentry));
    struct ebpf_file_info info;
    struct trace_caller caller;

    trace_file__fill_info(&info, v, TRACE_VALUE_dentry1_mode, NUMBER(v, dentry1_device));
    if (op)
        trace_file__fill_path(events, &op->path, v, TRACE_VALUE_dentry1_name0);
    if (info.type == EBPF_FILE_TYPE_DIR || v->probe == TRACE_PROBE_exchanged)
        trace_directories__forget_all(&events->files->directories);
    if (!op)
        return;
    op->kind = TRACE_OP_NONE;
    if (!op__find_caller(&caller, events, v, op, EBPF_EVENT_FILE_RENAME))
        return;
    struct ebpf_file_rename_event *e =
        (void *)trace_file_event__begin(events, EBPF_EVENT_FILE_RENAME, sizeof(*e), v, &caller);

    e->file_info = info;
    rename__fill(e, op);
    op__set_text(op, v->of[TRACE_VALUE_dentry1_target].text);
    trace_file__place(events, &op->path, op->mount, &caller);
    trace_file__place(events, &op->other_path, op->mount, &caller);
    trace_file_event__add_path(&e->hdr, EBPF_TAG_OLD_PATH, &op->path);
    trace_file_event__add_path(&e->hdr, EBPF_TAG_NEW_PATH, &op->other_path);
    trace_file_event__end(events, &e->hdr, &caller, op__target(op, info.type));
}

void trace_file_ops__take(struct trace_events *events, const struct trace_values *v)
{
    switch (v->probe) {
    case TRACE_PROBE_making_node:
    case TRACE_PROBE_making_directory:
    case TRACE_PROBE_making_symlink:
        creation__note(events, v);
        return;
    case TRACE_PROBE_symlink_target:
        target__note(events, v);
        return;
    case TRACE_PROBE_linked_file:
        linked_file__note(events, v);
        return;
    case TRACE_PROBE_linking:
        link__note(events, v);
        return;
    case TRACE_PROBE_created:
    case TRACE_PROBE_created_new:
    case TRACE_PROBE_created_persistent:
        instantiated__take(events, v);
        return;
    case TRACE_PROBE_unlinking:
    case TRACE_PROBE_removing:
        deletion__note(events, v);
        return;
    case TRACE_PROBE_deleted:
        deleted__take(events, v);
        return;
    case TRACE_PROBE_renaming:
        rename__note(events, v);
        return;
    case TRACE_PROBE_moved_to:
    case TRACE_PROBE_exchanged_with:
        move__note(events, v);
        return;
    case TRACE_PROBE_moved:
    case TRACE_PROBE_exchanged:
        moved__take(events, v);
        return;
    default:
        return;
    }
}
