// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceFileChanges.c - see TraceFileChanges.h.
 *
 * At the entry of a function the file is known, at its return whether it was changed; both are paired by the thread.
 * What the file is afterwards cannot be fetched at a return. The size follows from where was written, and how much;
 * attributes are those that the file system copies to the inode (setattr_copy).
 */
#include "TraceFileChanges.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "TraceFiles.h"
#include "TraceTask.h"

#define NS_PER_S UINT64_C(1000000000)
#define NO_VALUE TRACE_VALUE_COUNT
#define OVERLAY_PREFIX "trusted.overlay."

/* How a return shows success. */
enum change_result {
    RETURNS_BYTES,
    RETURNS_LENGTH, /* bytes that are now shared, not written */
    RETURNS_ZERO,
};

/* A kind of change: its probes, the values of the file, of its mount, and of its flags. */
static const struct change_row {
    enum trace_probe_id begins, ends;
    enum ebpf_change_type type;
    enum change_result result;
    enum trace_value file, mount, flags;
} rows[] = {
#define BY_FILE(n) TRACE_VALUE_file##n##_name0, TRACE_VALUE_file##n##_mount
#define BY_PATH TRACE_VALUE_path1_name0, TRACE_VALUE_path1_mount, NO_VALUE
#define BY_DENTRY TRACE_VALUE_changed_name0, NO_VALUE, NO_VALUE
#define ROW(begins, ends, type, result, ...)                                                                           \
    {                                                                                                                  \
        TRACE_PROBE_##begins, TRACE_PROBE_##ends, EBPF_CHANGE_##type, result, __VA_ARGS__                              \
    }
    ROW(writing, written, CONTENT, RETURNS_BYTES, BY_FILE(1), TRACE_VALUE_file1_flags),
    ROW(writing_vector, written_vector, CONTENT, RETURNS_BYTES, BY_FILE(1), TRACE_VALUE_file1_flags),
    ROW(splicing, spliced, CONTENT, RETURNS_BYTES, BY_FILE(3), TRACE_VALUE_file3_flags),
    ROW(sending, sent, CONTENT, RETURNS_BYTES, BY_FILE(3), TRACE_VALUE_file3_flags),
    ROW(copying, copied, CONTENT, RETURNS_BYTES, BY_FILE(3), TRACE_VALUE_file3_flags),
    ROW(cloning, cloned, CONTENT, RETURNS_LENGTH, BY_FILE(3), NO_VALUE),
    ROW(allocating, allocated, CONTENT, RETURNS_ZERO, BY_FILE(1), NO_VALUE),
    ROW(truncating_path, truncated, CONTENT, RETURNS_ZERO, BY_PATH),
    ROW(truncating_file, truncated, CONTENT, RETURNS_ZERO, BY_FILE(1), NO_VALUE),
    ROW(submitting, submitted, CONTENT, RETURNS_ZERO, TRACE_VALUE_kiocb1_name0, TRACE_VALUE_kiocb1_mount, NO_VALUE),
    ROW(changing_mode, changed_mode, PERMISSIONS, RETURNS_ZERO, BY_PATH),
    ROW(changing_owner, changed_owner, OWNER, RETURNS_ZERO, BY_PATH),
    ROW(changing_times, changed_times, TIMES, RETURNS_ZERO, BY_PATH),
    ROW(changing_old_times, changed_old_times, TIMES, RETURNS_ZERO, BY_PATH),
    ROW(setting_xattr, set_xattr, XATTRS, RETURNS_ZERO, BY_DENTRY),
    ROW(removing_xattr, removed_xattr, XATTRS, RETURNS_ZERO, BY_DENTRY),
    ROW(setting_acl, set_acl, XATTRS, RETURNS_ZERO, BY_DENTRY),
    ROW(removing_acl, removed_acl, XATTRS, RETURNS_ZERO, BY_DENTRY),
#undef ROW
#undef BY_DENTRY
#undef BY_PATH
#undef BY_FILE
};

#define ROWS (sizeof(rows) / sizeof(*rows))

static uint64_t value__number(const struct trace_values *v, enum trace_value value)
{
    return value == NO_VALUE ? 0 : v->of[value].number;
}

/* ------------------------------------------------------------------------- begin */

static uint64_t change__position(const struct change_row *row, const struct trace_values *v, uint64_t size)
{
    if (value__number(v, row->flags) & O_APPEND)
        return size;
    switch (row->begins) {
    case TRACE_PROBE_splicing:
        return NUMBER(v, pointer4) ? NUMBER(v, position4) : NUMBER(v, file3_pos);
    case TRACE_PROBE_copying:
    case TRACE_PROBE_cloning:
        return NUMBER(v, pointer4);
    case TRACE_PROBE_submitting:
        return NUMBER(v, kiocb1_pos);
    default:
        return NUMBER(v, position4);
    }
}

/* Return the size of a file after fallocate. */
static uint64_t allocated__size(const struct trace_values *v, uint64_t size)
{
    const uint64_t mode = NUMBER(v, argument2), end = NUMBER(v, pointer3) + NUMBER(v, pointer4);

    if (mode & FALLOC_FL_COLLAPSE_RANGE)
        return size - NUMBER(v, pointer4);
    if (mode & FALLOC_FL_INSERT_RANGE)
        return size + NUMBER(v, pointer4);
    return mode & FALLOC_FL_KEEP_SIZE || end < size ? size : end;
}

/*
 * Return whether a call may be that of an overlay for its layer. The file that it has open there has the path of its
 * own file, so where it calls the same function it seems to be for the same file.
 */
static bool change__is_layers(const struct trace_op *op, const struct trace_values *v, const struct change_row *row)
{
    return row == &rows[op->flags] && op->dentry == trace_file__number(v, row->file, TRACE_FILE_DENTRY) &&
           (row->begins == TRACE_PROBE_copying || row->begins == TRACE_PROBE_cloning ||
            row->begins == TRACE_PROBE_allocating);
}

/*
 * Return whether a call is within one that the thread has begun and not ended: a part of a copy, or that of an overlay
 * for its layer, which is another file system. If it is neither, the kernel could not follow that one to its return.
 */
static bool change__is_within(const struct trace_op *op, const struct trace_values *v, const struct change_row *row)
{
    const struct change_row *outer = &rows[op->flags];
    const uint64_t device = trace_file__number(v, row->file, TRACE_FILE_DEVICE);

    if (op->kind != TRACE_OP_CHANGE || v->time_ns - op->time_ns > NS_PER_S || outer->ends == TRACE_PROBE_truncated)
        return false;
    return device != trace_device__of(&op->info) || change__is_layers(op, v, row) ||
           (outer->begins == TRACE_PROBE_copying &&
            (row->begins == TRACE_PROBE_sending || row->begins == TRACE_PROBE_cloning));
}

/* Return whether a thread is of this process, whose calls are no events. */
static bool thread__is_own(struct trace_events *events, uint32_t tid)
{
    const struct thread *t = threads__find(&events->threads, tid);

    return t && t->tgid == events->self;
}

/* Leave out a call that is within another one of the thread. True: it is none; one that has no end is lost. */
static bool change__is_new(struct trace_events *events, struct trace_op *op, const struct trace_values *v,
                           const struct change_row *row)
{
    if (change__is_within(op, v, row)) {
        if (rows[op->flags].ends == row->ends)
            op->depth++;
        return false;
    }
    if (op->kind == TRACE_OP_CHANGE && rows[op->flags].ends != TRACE_PROBE_truncated && !thread__is_own(events, v->tid))
        events->missed[EBPF_EVENT_FILE_MODIFY]++;
    op->kind = TRACE_OP_NONE;
    return true;
}

/*
 * Return whether a change is one that an overlay makes in its upper layer, for itself: by a mount of its own, or while
 * its thread has access to another file system.
 */
static bool change__is_internal(struct trace_events *events, const struct trace_values *v, const struct change_row *row,
                                int mount)
{
    const struct slice name = v->of[TRACE_VALUE_xattr_name].text;
    const bool is_overlays =
        name.len > strlen(OVERLAY_PREFIX) && !memcmp(name.data, OVERLAY_PREFIX, strlen(OVERLAY_PREFIX));

    if (mount < 0 || (row->begins != TRACE_PROBE_sending && row->type != EBPF_CHANGE_XATTRS))
        return false;
    const struct trace_mount *found = trace_mounts__find(&events->mounts, mount, v->tid);

    if (!found)
        return row->begins == TRACE_PROBE_sending || is_overlays;
    return row->type == EBPF_CHANGE_XATTRS &&
           trace_file__number(v, row->file, TRACE_FILE_DEVICE) != trace_device__of(found);
}

static void change__begin(struct trace_events *events, const struct trace_values *v, uint32_t n)
{
    const struct change_row *row = &rows[n];
    const struct slice comm = v->of[TRACE_VALUE_caller_comm].text;
    const enum trace_value info = (enum trace_value)((int)row->file + TRACE_FILE_INFO);
    struct trace_op *op = trace_ops__get(&events->files->changes, v->tid);

    events->missed[EBPF_EVENT_FILE_MODIFY] += events->files->changes.evicted;
    events->files->changes.evicted = 0;
    if (!op || !change__is_new(events, op, v, row))
        return;
    op->mount = row->mount == NO_VALUE ? op->wanted ? op->wanted : -1 : (int)value__number(v, row->mount);
    if (change__is_internal(events, v, row, op->mount))
        return;
    if (row->type == EBPF_CHANGE_CONTENT && !S_ISREG(trace_file__number(v, info, TRACE_INODE_MODE)))
        return;
    op->kind = TRACE_OP_CHANGE;
    op->flags = n;
    op->depth = 0;
    op->time_ns = v->time_ns;
    op->dentry = trace_file__number(v, row->file, TRACE_FILE_DENTRY);
    op->inode = trace_file__number(v, row->file, TRACE_FILE_INODE);
    memset(op->comm, 0, sizeof(op->comm));
    memcpy(op->comm, comm.data ? comm.data : "", comm.len < EBPF_COMM_LEN ? comm.len : EBPF_COMM_LEN - 1);
    trace_file__fill_info(&op->info, v, info, trace_file__number(v, row->file, TRACE_FILE_DEVICE));
    trace_file__fill_path(events, &op->path, v, row->file);
    if (!trace_file__number(v, row->file, TRACE_FILE_HASHED) &&
        (!op->info.nlink || trace_directories__has_removed(&events->files->directories, op->dentry, op->info.inode)) &&
        !(op->path.flags & (EBPF_VARLEN_NAME_ONLY | EBPF_VARLEN_UNREACHABLE)))
        op->path.flags |= EBPF_VARLEN_DELETED;
    op->position = change__position(row, v, op->info.size);
    op->other = NUMBER(v, argument); /* a struct kiocb */
    const struct slice target = row->type == EBPF_CHANGE_XATTRS ? v->of[TRACE_VALUE_xattr_name].text
                                                                : trace_file__text(v, info, TRACE_INODE_TARGET);

    op->target_len = (uint32_t)(target.len < sizeof(op->target) ? target.len : sizeof(op->target));
    memcpy(op->target, target.data ? target.data : "", op->target_len);
    if (row->begins == TRACE_PROBE_allocating)
        op->info.size = allocated__size(v, op->info.size);
    if (row->begins == TRACE_PROBE_changing_mode) /* for file systems that do not pass setattr_copy */
        op->info.mode = (op->info.mode & S_IFMT) | ((uint32_t)NUMBER(v, argument2) & ~(uint32_t)S_IFMT);
}

/* ----------------------------------------------------------------------- between */

/* A file is about to be truncated: its new size. */
static void truncating__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = trace_ops__of(&events->files->changes, v->tid);

    if (op && op->kind == TRACE_OP_CHANGE && rows[op->flags].ends == TRACE_PROBE_truncated &&
        op->dentry == NUMBER(v, changed_dentry))
        op->info.size = NUMBER(v, truncated_to);
}

/* Bits of ia_valid. */
#define ATTR_MODE 1
#define ATTR_UID 2
#define ATTR_GID 4
#define ATTR_ATIME 16
#define ATTR_MTIME 32
#define ATTR_CTIME 64

static int64_t time__of(uint64_t seconds, uint64_t ns)
{
    return (int64_t)(seconds * NS_PER_S + ns);
}

/* The attributes of an inode are set: of an overlay, those in its upper layer. */
static void attributes__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = trace_ops__of(&events->files->changes, v->tid);
    const uint64_t valid = NUMBER(v, iattr_valid), owner = NUMBER(v, iattr_owner);

    if (!op || op->kind != TRACE_OP_CHANGE)
        return;
    struct ebpf_file_info *info = &op->info;

    if (valid & ATTR_MODE)
        info->mode = (uint32_t)NUMBER(v, iattr_mode);
    if (valid & ATTR_UID)
        info->uid = (uint32_t)owner;
    if (valid & ATTR_GID)
        info->gid = trace_values__upper(owner);
    if (valid & ATTR_ATIME)
        info->atime = time__of(NUMBER(v, iattr_atime), NUMBER(v, iattr_atime_ns));
    if (valid & ATTR_MTIME)
        info->mtime = time__of(NUMBER(v, iattr_mtime), NUMBER(v, iattr_mtime_ns));
    if (valid & ATTR_CTIME)
        info->ctime = time__of(NUMBER(v, iattr_ctime), NUMBER(v, iattr_ctime_ns));
}

/* A thread gets access to a mount; within a change an overlay gets that to its upper layer's. */
static void wanting__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = trace_ops__get(&events->files->changes, v->tid);

    if (op && (op->kind != TRACE_OP_CHANGE || v->time_ns - op->time_ns > NS_PER_S))
        op->wanted = (int)(v->probe == TRACE_PROBE_wanting ? NUMBER(v, vfsmount1_mount) : NUMBER(v, file1_mount));
}

/* What the file is once its attribute is set. */
static void xattr__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = trace_ops__find(&events->files->changes, v->tid, TRACE_OP_CHANGE, NUMBER(v, dentry1_dentry));
    struct ebpf_file_info info;

    if (!op || rows[op->flags].type != EBPF_CHANGE_XATTRS)
        return;
    trace_file__fill_info(&info, v, TRACE_VALUE_dentry1_mode, 0);
    info.dev_major = op->info.dev_major;
    info.dev_minor = op->info.dev_minor;
    op->info = info;
}

/* --------------------------------------------------------------------------- end */

static void change__emit(struct trace_events *events, const struct trace_values *v, struct trace_op *op, int64_t bytes)
{
    const enum ebpf_change_type type = rows[op->flags].type;
    struct trace_caller caller;

    trace_caller__find(&caller, events, v);
    memcpy(caller.comm, op->comm, sizeof(op->comm));
    if ((caller.process && caller.process->is_kernel) ||
        !trace_caller__is_wanted(events, &caller, EBPF_EVENT_FILE_MODIFY))
        return;
    struct ebpf_file_modify_event *e =
        (void *)trace_file_event__begin(events, EBPF_EVENT_FILE_MODIFY, sizeof(*e), v, &caller);

    e->change_type = type;
    e->file_info = op->info;
    if (bytes >= 0) {
        e->hdr.flags |= EBPF_MODIFY_F_BYTES;
        e->bytes = (uint64_t)bytes;
    }
    if (op->mount >= 0)
        trace_file__place(events, &op->path, op->mount, &caller);
    else
        trace_file__place_by_device(events, &op->path, &op->info, &caller);
    trace_file_event__add_path(&e->hdr, EBPF_TAG_PATH, &op->path);
    if (type == EBPF_CHANGE_XATTRS)
        trace_file_event__add_text(&e->hdr, EBPF_TAG_XATTR_NAME, (struct slice){op->target, op->target_len});
    trace_file_event__end(events, &e->hdr, &caller,
                          op->info.type == EBPF_FILE_TYPE_SYMLINK && type != EBPF_CHANGE_XATTRS
                              ? (struct slice){op->target, op->target_len}
                              : (struct slice){0});
}

static void change__grow(struct trace_op *op, uint64_t bytes)
{
    if (op->info.size < op->position + bytes)
        op->info.size = op->position + bytes;
}

static void change__end(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = trace_ops__of(&events->files->changes, v->tid);
    const int64_t returned = (int64_t)NUMBER(v, result);

    if (!op || op->kind != TRACE_OP_CHANGE || rows[op->flags].ends != v->probe)
        return;
    if (op->depth) {
        op->depth--;
        return;
    }
    op->kind = TRACE_OP_NONE;
    if (rows[op->flags].result == RETURNS_ZERO) {
        if (!(int32_t)returned)
            change__emit(events, v, op, -1);
        return;
    }
    if (returned <= 0)
        return;
    change__grow(op, (uint64_t)returned);
    change__emit(events, v, op, rows[op->flags].result == RETURNS_BYTES ? returned : -1);
}

/* A write by aio is done at once; one that continues is reported at the end of its submission. */
static void completed__take(struct trace_events *events, const struct trace_values *v)
{
    struct trace_op *op = trace_ops__of(&events->files->changes, v->tid);
    const int64_t bytes = (int64_t)NUMBER(v, argument2);

    if (!op || op->kind != TRACE_OP_CHANGE || rows[op->flags].ends != TRACE_PROBE_submitted ||
        op->other != NUMBER(v, argument))
        return;
    op->kind = TRACE_OP_NONE;
    if (bytes <= 0)
        return;
    change__grow(op, (uint64_t)bytes);
    change__emit(events, v, op, bytes);
}

bool trace_file_changes__take(struct trace_events *events, const struct trace_values *v)
{
    switch (v->probe) {
    case TRACE_PROBE_truncating:
        truncating__take(events, v);
        return true;
    case TRACE_PROBE_attributes:
        attributes__take(events, v);
        return true;
    case TRACE_PROBE_wanting:
    case TRACE_PROBE_wanting_file:
        wanting__take(events, v);
        return true;
    case TRACE_PROBE_have_xattr:
    case TRACE_PROBE_have_acl:
        xattr__take(events, v);
        return true;
    case TRACE_PROBE_completed:
        completed__take(events, v);
        return true;
    default:
        break;
    }
    for (uint32_t n = 0; n < ROWS; n++) {
        if (rows[n].begins == v->probe) {
            change__begin(events, v, n);
            return true;
        }
        if (rows[n].ends == v->probe) {
            change__end(events, v);
            return true;
        }
    }
    return false;
}
