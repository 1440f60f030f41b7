// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceFileOpens.c - see TraceFileOpens.h.
 *
 * security_file_open, which each open passes. A memfd has its name in no directory; a file under /dev/shm is on a mount
 * of that name.
 */
#include "TraceFileOpens.h"

#include <string.h>
#include <sys/stat.h>

#include "TraceFileOps.h"
#include "TraceFiles.h"
#include "TraceTask.h"

#define MEMFD "memfd:"
#define SHM "/dev/shm"

static bool text__begins(struct slice text, const char *prefix)
{
    return text.len >= strlen(prefix) && !memcmp(text.data, prefix, strlen(prefix));
}

static bool mount__is_shm(const struct trace_mount *mount)
{
    size_t len = mount ? strlen(mount->point) : 0;

    return len >= strlen(SHM) && !strcmp(mount->point + len - strlen(SHM), SHM);
}

/* Return the type of event that an open is; 0: none. */
static unsigned int open__type(struct trace_events *events, const struct trace_values *v)
{
    if (!S_ISREG(NUMBER(v, file1_mode)))
        return 0;
    if (NUMBER(v, file1_dentry) == NUMBER(v, file1_parent))
        return text__begins(v->of[TRACE_VALUE_file1_name0].text, MEMFD) ? EBPF_EVENT_FILE_MEMFD_OPEN : 0;
    if (!ebpf_event_set__has(events->wanted, EBPF_EVENT_FILE_SHMEM_OPEN) ||
        !mount__is_shm(trace_mounts__find(&events->mounts, (int)NUMBER(v, file1_mount), v->tid)))
        return 0;
    return trace_file_ops__has_created(events, v->tid, NUMBER(v, file1_dentry)) ? 0 : EBPF_EVENT_FILE_SHMEM_OPEN;
}

void trace_file_open__take(struct trace_events *events, const struct trace_values *v)
{
    const unsigned int type = open__type(events, v);
    struct trace_caller caller;
    struct trace_path path;

    if (!type)
        return;
    trace_caller__find(&caller, events, v);
    if ((caller.process && caller.process->is_kernel) ||
        !trace_caller__is_wanted(events, &caller, (enum ebpf_event_type)type))
        return;
    struct ebpf_file_create_event *e =
        trace_file_event__begin(events, (enum ebpf_event_type)type, sizeof(*e), v, &caller);

    trace_file__fill_info(&e->file_info, v, TRACE_VALUE_file1_mode, 0);
    trace_file__fill_device(events, &e->file_info, (int)NUMBER(v, file1_mount), v->tid);
    trace_file__fill_path(events, &path, v, TRACE_VALUE_file1_name0);
    trace_file__place(events, &path, (int)NUMBER(v, file1_mount), &caller);
    trace_file_event__add_path(&e->hdr, EBPF_TAG_PATH, &path);
    trace_file_event__end(events, &e->hdr, &caller, (struct slice){0});
}
