// SPDX-License-Identifier: BSD-2-Clause
/* TraceEvents.c - see TraceEvents.h. */
#include "TraceEvents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "TraceCaller.h"
#include "TraceConnections.h"
#include "TraceDatagrams.h"
#include "TraceFiles.h"
#include "TraceIdentity.h"
#include "TraceLife.h"
#include "TraceProcess.h"
#include "TraceRoot.h"
#include "TraceTty.h"

#define RING_BYTES (UINT64_C(1) << 20)
#define ROOM_FOR_MORE (UINT64_C(64) << 10) /* for what a record makes beside one event: the ends of a socket's flows */

/* ---------------------------------------------------------------------- records */

void *trace_event__begin(struct trace_events *events, enum ebpf_ring ring, enum ebpf_event_type type, size_t size,
                         const struct trace_values *v)
{
    struct ebpf_event_header *hdr = trace_ring__reserve(&events->rings[ring]);

    if (hdr) {
        events->delivered[type]++;
        events->seqs[ring]++;
    } else {
        hdr = events->spare;
        events->missed[type]++;
    }
    memset(hdr, 0, size);
    hdr->ts_boot_ns = v->time_ns;
    hdr->stream_seq = events->seqs[ring];
    hdr->size = (uint32_t)size;
    hdr->type = (uint16_t)type;
    return hdr;
}

void trace_event__end(struct trace_events *events, enum ebpf_ring ring, const struct ebpf_event_header *hdr)
{
    if (hdr != events->spare)
        trace_ring__submit(&events->rings[ring], hdr->size);
}

/* ----------------------------------------------------------------------- events */

bool trace_event__is_wanted(struct trace_events *events, enum ebpf_event_type type, const struct trace_actor *actor,
                            uint32_t tgid)
{
    if (!ebpf_event_set__has(events->wanted, type))
        return false;
    if (tgid != events->self && trace_selection__passes(&events->selection, actor))
        return true;
    events->filtered[type]++;
    return false;
}

void trace_event__drop(struct trace_events *events, enum ebpf_ring ring, const struct ebpf_event_header *hdr)
{
    if (hdr == events->spare) {
        events->missed[hdr->type]--;
    } else {
        events->seqs[ring]--;
        events->delivered[hdr->type]--;
    }
    events->filtered[hdr->type]++;
}

void trace_events__take(struct trace_events *events, const struct trace_values *values)
{
    const struct thread *t = threads__known(&events->threads, values->tid);

    events->mounts.time_ns = values->time_ns;
    events->mounts.ns = t ? t->ns.mnt : 0;
    switch (values->probe) {
    case TRACE_PROBE_group:
        trace_caller__note_group(events, values);
        return;
    case TRACE_PROBE_credentials:
        trace_caller__note_creds(events, values);
        return;
    case TRACE_PROBE_namespaces:
        trace_caller__note_namespaces(events, values);
        return;
    case TRACE_PROBE_session:
        trace_session__take(events, values);
        return;
    case TRACE_PROBE_ids:
        trace_ids__take(events, values);
        return;
    case TRACE_PROBE_old_uids:
    case TRACE_PROBE_old_gids:
    case TRACE_PROBE_committing:
        trace_ids__note(&events->ids, values);
        return;
    default:
        if (!trace_life__take(events, values) && !trace_process__take(events, values) &&
            !trace_chroot__take(events, values))
            trace_tty__take(events, values);
        trace_connections__take(events, values);
        trace_datagrams__take(events, values);
        trace_files__take(events, values);
        return;
    }
}

void trace_events__move(struct trace_events *events, uint32_t tgid, struct slice cgroup)
{
    struct process *p = processes__find(&events->processes, tgid);

    if (p && cgroup.len)
        process__set_cgroup(p, cgroup.data, cgroup.len);
}

bool trace_events__have_room(const struct trace_events *events)
{
    for (int i = 0; i < EBPF_RING_COUNT; i++) {
        if (!trace_ring__has_room(&events->rings[i], ROOM_FOR_MORE))
            return false;
    }
    return true;
}

int trace_events__init(struct trace_events *events, const struct ebpf_source_opts *opts, struct ebpf_ringbuf *ret_rings)
{
    struct stat st;
    int err = 0;

    events->self = (uint32_t)getpid();
    events->env = opts->env;
    events->host_mnt_ns = stat("/proc/self/ns/mnt", &st) ? 0 : (uint32_t)st.st_ino;
    events->spare = malloc(TRACE_RECORD_MAX);
    err = events->spare ? 0 : -ENOMEM;
    for (int i = 0; i < EBPF_RING_COUNT && !err; i++)
        err = trace_ring__init(&events->rings[i], RING_BYTES, &ret_rings[i]);
    if (!err)
        err = trace_ids__init(&events->ids);
    if (!err)
        err = trace_sockets__init(&events->sockets);
    if (!err)
        err = trace_flows__init(&events->flows);
    if (!err)
        err = trace_files__init(events);
    return err ? err : trace_mounts__init(&events->mounts);
}

void trace_events__fini(struct trace_events *events)
{
    for (int i = 0; i < EBPF_RING_COUNT; i++)
        trace_ring__fini(&events->rings[i]);
    free(events->spare);
    trace_selection__fini(&events->selection);
    trace_mounts__fini(&events->mounts);
    processes__fini(&events->processes);
    threads__fini(&events->threads);
    trace_args__fini(&events->args);
    trace_ids__fini(&events->ids);
    trace_sockets__fini(&events->sockets);
    trace_flows__fini(&events->flows);
    trace_files__fini(events);
}
