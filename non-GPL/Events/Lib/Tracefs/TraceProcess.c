// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceProcess.c - see TraceProcess.h.
 *
 * PROCESS_PTRACE: proc_ptrace_connector, when an attach has succeeded; the end of ptrace_attach, if it is refused. What
 * was asked for is noted at its beginning. PROCESS_MEMFD_CREATE: the end of shmem_file_setup and hugetlb_file_setup,
 * where the file has its name; the flags are noted at the call. PROCESS_SHMGET: the end of ipcget. PROCESS_LOAD_MODULE:
 * do_init_module; the version and the checksum of the source are noted where the module gets them.
 */
#include "TraceProcess.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <unistd.h>

#include "TraceCaller.h"
#include "TraceNotes.h"
#include "TraceRecord.h"
#include "TraceTask.h"

#define MEMFD "memfd:"
#define MFD_FLAGS 0x1f /* the schema numbers its bits as the kernel does */

static const struct slice no_text;

/* ------------------------------------------------------------------------- ptrace */

enum { ATTACH_TID, ATTACH_PARENT, ATTACH_REQUEST }; /* of a note */

static void attaching__note(struct trace_events *events, const struct trace_values *v)
{
    struct trace_note *note = trace_note__make(events, v, no_text, no_text);

    if (!note) {
        events->missed[EBPF_EVENT_PROCESS_PTRACE]++;
        return;
    }
    note->of[ATTACH_TID] = (uint32_t)NUMBER(v, tids);
    note->of[ATTACH_PARENT] = trace_values__upper(NUMBER(v, parent_tids));
    note->of[ATTACH_REQUEST] = NUMBER(v, request);
}

/* Report an attach of the caller that is noted, if the process is not the caller's child. */
static void attach__report(struct trace_events *events, const struct trace_values *v, const struct trace_note *note,
                           uint32_t error)
{
    struct trace_caller caller;

    trace_caller__find(&caller, events, v);
    if (note->of[ATTACH_PARENT] == caller.pids.tgid ||
        !trace_caller__is_wanted(events, &caller, EBPF_EVENT_PROCESS_PTRACE))
        return;
    struct ebpf_process_ptrace_event *e =
        trace_event__begin(events, EBPF_RING_MAIN, EBPF_EVENT_PROCESS_PTRACE, sizeof(*e), v);

    memcpy(e->hdr.comm, caller.comm, sizeof(caller.comm));
    e->hdr.flags = error ? EBPF_PTRACE_F_DENIED : 0;
    e->pids = caller.pids;
    e->creds = caller.creds;
    e->child_pid = (uint32_t)note->of[ATTACH_TID];
    e->request = (uint32_t)note->of[ATTACH_REQUEST];
    e->error_number = error;
    trace_event__end(events, EBPF_RING_MAIN, &e->hdr);
}

static void attached__take(struct trace_events *events, const struct trace_values *v)
{
    const struct trace_note *note = trace_note__find(events, v, TRACE_PROBE_attaching);

    if (NUMBER(v, which) != PTRACE_ATTACH || !note || note->of[ATTACH_TID] != (uint32_t)NUMBER(v, tids))
        return;
    attach__report(events, v, note, 0);
    trace_note__drop(events, v);
}

static void attach_refused__take(struct trace_events *events, const struct trace_values *v)
{
    const struct trace_note *note = trace_note__find(events, v, TRACE_PROBE_attaching);
    int result = (int)NUMBER(v, result);

    if (!note)
        return;
    if (result == -EPERM || result == -EACCES)
        attach__report(events, v, note, (uint32_t)-result);
    trace_note__drop(events, v);
}

/* ------------------------------------------------------------------------- memfds */

static void memfd_call__note(struct trace_events *events, const struct trace_values *v, uint32_t flags)
{
    struct trace_note *note = trace_note__make(events, v, no_text, no_text);

    if (!note) {
        events->missed[EBPF_EVENT_PROCESS_MEMFD_CREATE]++;
        return;
    }
    note->probe = TRACE_PROBE_memfd_call; /* of both calls */
    note->of[0] = flags;
}

static void memfd__take(struct trace_events *events, const struct trace_values *v)
{
    const struct trace_note *note = trace_note__find(events, v, TRACE_PROBE_memfd_call);
    struct slice name = v->of[TRACE_VALUE_memfd_name].text;
    const uint32_t prefix = strlen(MEMFD);
    struct trace_caller caller;

    if (!note || name.len < prefix || memcmp(name.data, MEMFD, prefix))
        return;
    uint32_t flags = (uint32_t)note->of[0];

    trace_note__drop(events, v);
    trace_caller__find(&caller, events, v);
    if (!trace_caller__is_wanted(events, &caller, EBPF_EVENT_PROCESS_MEMFD_CREATE))
        return;
    struct ebpf_process_memfd_create_event *e =
        trace_event__begin(events, EBPF_RING_MAIN, EBPF_EVENT_PROCESS_MEMFD_CREATE, sizeof(*e), v);

    memcpy(e->hdr.comm, caller.comm, sizeof(caller.comm));
    e->hdr.flags = flags & MFD_FLAGS;
    e->pids = caller.pids;
    e->creds = caller.creds;
    e->flags = flags;
    trace_record__add(&e->hdr, EBPF_TAG_NAME, name.data + prefix, (uint32_t)name.len - prefix, 0, 0);
    trace_event__end(events, EBPF_RING_MAIN, &e->hdr);
}

/* ----------------------------------------------------------------------- segments */

enum { SHM_KEY, SHM_FLAGS, SHM_SIZE }; /* of a note */

/* The table of segments is at the same place in each IPC namespace, which this thread's own call has shown. */
void trace_shm__learn(struct trace_events *events)
{
    events->shm_teacher = (uint32_t)gettid();
    shmget(IPC_PRIVATE, 0, 0); /* a segment of no bytes cannot be made */
}

static void shm_call__note(struct trace_events *events, const struct trace_values *v)
{
    uint64_t distance = NUMBER(v, argument2) - NUMBER(v, argument);

    if (!events->shm_distance && v->tid == events->shm_teacher)
        events->shm_distance = distance;
    else if (!events->shm_distance) /* the record of that call was lost */
        trace_shm__learn(events);
    if (distance != events->shm_distance) { /* a note is of a call whose end was not seen */
        trace_note__drop(events, v);
        return;
    }
    struct trace_note *note = trace_note__make(events, v, no_text, no_text);

    if (!note) {
        events->missed[EBPF_EVENT_PROCESS_SHMGET]++;
        return;
    }
    note->of[SHM_KEY] = NUMBER(v, shm_key);
    note->of[SHM_FLAGS] = NUMBER(v, shm_flags);
    note->of[SHM_SIZE] = NUMBER(v, shm_size);
}

static void shm_got__take(struct trace_events *events, const struct trace_values *v)
{
    const struct trace_note *found = trace_note__find(events, v, TRACE_PROBE_shm_call);
    struct trace_caller caller;

    if (!found)
        return;
    const struct trace_note note = *found;

    trace_note__drop(events, v);
    if ((int)NUMBER(v, result) < 0)
        return;
    trace_caller__find(&caller, events, v);
    if (!trace_caller__is_wanted(events, &caller, EBPF_EVENT_PROCESS_SHMGET))
        return;
    struct ebpf_process_shmget_event *e =
        trace_event__begin(events, EBPF_RING_MAIN, EBPF_EVENT_PROCESS_SHMGET, sizeof(*e), v);

    memcpy(e->hdr.comm, caller.comm, sizeof(caller.comm));
    e->pids = caller.pids;
    e->creds = caller.creds;
    e->key = (uint32_t)note.of[SHM_KEY];
    e->shmflg = (int32_t)note.of[SHM_FLAGS];
    e->size = note.of[SHM_SIZE];
    trace_event__end(events, EBPF_RING_MAIN, &e->hdr);
}

/* ------------------------------------------------------------------------ modules */

/* Of a note; its text is the version, then the checksum. The latter's bits say which of the two the module has. */
enum { MODULE_ADDRESS, MODULE_VERSION_LEN, MODULE_HAS, MODULE_TAINTS };

#define HAS_VERSION 1
#define HAS_SRCVERSION 2
#define HAS_TAINTS 4

static void module_version__note(struct trace_events *events, const struct trace_values *v)
{
    const struct slice text = v->of[TRACE_VALUE_module_text].text;
    struct trace_note *note = trace_note__make(events, v, text, no_text);

    if (!note)
        return;
    note->probe = TRACE_PROBE_module;
    note->of[MODULE_ADDRESS] = NUMBER(v, argument);
    note->of[MODULE_VERSION_LEN] = text.len;
    note->of[MODULE_HAS] = NUMBER(v, argument2) ? HAS_VERSION : 0;
}

static void module_srcversion__note(struct trace_events *events, const struct trace_values *v)
{
    const struct trace_note *note = trace_note__find(events, v, TRACE_PROBE_module);

    if (!note || note->of[MODULE_ADDRESS] != NUMBER(v, argument))
        return;
    const struct trace_note before = *note;
    struct trace_note *whole =
        trace_note__make(events, v, (struct slice){note->text, note->len}, v->of[TRACE_VALUE_module_text].text);

    if (!whole)
        return;
    memcpy(whole->of, before.of, sizeof(before.of));
    whole->probe = before.probe;
    whole->of[MODULE_HAS] |= NUMBER(v, argument2) ? HAS_SRCVERSION : 0;
}

static void module_taints__note(struct trace_events *events, const struct trace_values *v)
{
    struct trace_note *note = trace_note__find(events, v, TRACE_PROBE_module);

    if (!note)
        return;
    note->of[MODULE_TAINTS] = NUMBER(v, taints);
    note->of[MODULE_HAS] |= HAS_TAINTS;
}

/* Add what was noted of a module; what was not is an empty text that is cut. */
static void module__add_texts(struct ebpf_event_header *hdr, const struct trace_note *note)
{
    if (!note) {
        trace_record__add(hdr, EBPF_TAG_MOD_VERSION, "", 0, 0, EBPF_VARLEN_TRUNCATED);
        trace_record__add(hdr, EBPF_TAG_MOD_SRCVERSION, "", 0, 0, EBPF_VARLEN_TRUNCATED);
        return;
    }
    const uint32_t len = (uint32_t)note->of[MODULE_VERSION_LEN];

    if (note->of[MODULE_HAS] & HAS_VERSION)
        trace_record__add(hdr, EBPF_TAG_MOD_VERSION, note->text, len, 0, 0);
    if (note->of[MODULE_HAS] & HAS_SRCVERSION)
        trace_record__add(hdr, EBPF_TAG_MOD_SRCVERSION, note->text + len, note->len - len, 0, 0);
}

static void module__take(struct trace_events *events, const struct trace_values *v)
{
    const struct trace_note *note = trace_note__find(events, v, TRACE_PROBE_module);
    const struct slice name = v->of[TRACE_VALUE_module_name].text;
    struct trace_caller caller;

    if (note && note->of[MODULE_ADDRESS] != NUMBER(v, argument))
        note = NULL;
    trace_caller__find(&caller, events, v);
    if (trace_caller__is_wanted(events, &caller, EBPF_EVENT_PROCESS_LOAD_MODULE)) {
        struct ebpf_process_load_module_event *e =
            trace_event__begin(events, EBPF_RING_MAIN, EBPF_EVENT_PROCESS_LOAD_MODULE, sizeof(*e), v);

        memcpy(e->hdr.comm, caller.comm, sizeof(caller.comm));
        e->pids = caller.pids;
        e->creds = caller.creds;
        e->taints = note ? note->of[MODULE_TAINTS] : 0;
        trace_record__add(&e->hdr, EBPF_TAG_NAME, name.data, (uint32_t)name.len, 0, 0);
        module__add_texts(&e->hdr, note);
        trace_event__end(events, EBPF_RING_MAIN, &e->hdr);
    }
    trace_note__drop(events, v);
}

/* -------------------------------------------------------------------------- probes */

bool trace_process__take(struct trace_events *events, const struct trace_values *v)
{
    switch (v->probe) {
    case TRACE_PROBE_attaching:
        attaching__note(events, v);
        return true;
    case TRACE_PROBE_attached:
        attached__take(events, v);
        return true;
    case TRACE_PROBE_attach_refused:
        attach_refused__take(events, v);
        return true;
    case TRACE_PROBE_memfd_call:
        memfd_call__note(events, v, (uint32_t)NUMBER(v, memfd_flags));
        return true;
#if !defined(__aarch64__)
    case TRACE_PROBE_memfd_call_32:
        memfd_call__note(events, v, (uint32_t)NUMBER(v, memfd_flags_32));
        return true;
#endif
    case TRACE_PROBE_memfd:
    case TRACE_PROBE_memfd_huge:
        memfd__take(events, v);
        return true;
    case TRACE_PROBE_shm_call:
        shm_call__note(events, v);
        return true;
    case TRACE_PROBE_shm_got:
        shm_got__take(events, v);
        return true;
    case TRACE_PROBE_module_version:
        module_version__note(events, v);
        return true;
    case TRACE_PROBE_module_srcversion:
        module_srcversion__note(events, v);
        return true;
    case TRACE_PROBE_module_taints:
        module_taints__note(events, v);
        return true;
    case TRACE_PROBE_module:
        module__take(events, v);
        return true;
    default:
        return false;
    }
}
