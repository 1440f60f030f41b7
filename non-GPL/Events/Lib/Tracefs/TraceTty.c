// SPDX-License-Identifier: BSD-2-Clause
/*
 * TraceTty.c - see TraceTty.h.
 *
 * PROCESS_TTY_WRITE: the end of n_tty_write, which returns how much the terminal has accepted. What it is is noted at
 * the beginning: the first bytes as numbers, so that there may be NULs among them, the rest as a text up to its first
 * NUL, in a record of its own, since it may be too long for the kernel to keep.
 */
#include "TraceTty.h"

#include <string.h>

#include "TraceCaller.h"
#include "TraceNotes.h"
#include "TraceRecord.h"
#include "TraceTask.h"

#define PTY_MASTER_MAJOR 2
#define UNIX98_PTY_MASTER_MAJOR 128
#define UNIX98_PTY_MAJOR_COUNT 8
#define WORDS (TRACE_VALUE_written31 - TRACE_VALUE_written0 + 1)
#define WORDS_BYTES (WORDS * 8)

enum { TTY_DRIVER, TTY_INDEX, TTY_SIZE, TTY_SESSION }; /* of a note */

/* Input goes through the other side of a pseudo terminal; it contains passwords. */
static bool driver__is_pty_master(uint64_t driver)
{
    uint32_t major = (uint32_t)driver;

    return major == PTY_MASTER_MAJOR || major - UNIX98_PTY_MASTER_MAJOR < UNIX98_PTY_MAJOR_COUNT;
}

static void tty_rest__note(struct trace_events *events, const struct trace_values *v)
{
    trace_note__make(events, v, v->of[TRACE_VALUE_written_rest].text, (struct slice){0});
}

static void tty_write__note(struct trace_events *events, const struct trace_values *v)
{
    const struct trace_note *rest = trace_note__find(events, v, TRACE_PROBE_tty_rest);
    const uint64_t len = NUMBER(v, written_len);
    struct slice text = rest && len > WORDS_BYTES ? (struct slice){rest->text, rest->len} : (struct slice){0};
    uint64_t words[WORDS];

    for (int i = 0; i < WORDS; i++)
        words[i] = v->of[TRACE_VALUE_written0 + i].number;
    if (driver__is_pty_master(NUMBER(v, written_tty_driver))) {
        trace_note__drop(events, v);
        return;
    }
    struct slice head = {(const char *)words, len < sizeof(words) ? len : sizeof(words)};
    struct trace_note *note = trace_note__make(events, v, head, text);

    if (!note) {
        events->missed[EBPF_EVENT_PROCESS_TTY_WRITE]++;
        return;
    }
    note->of[TTY_DRIVER] = NUMBER(v, written_tty_driver);
    note->of[TTY_INDEX] = NUMBER(v, written_tty_index);
    note->of[TTY_SIZE] = NUMBER(v, written_tty_size);
    note->of[TTY_SESSION] = NUMBER(v, written_tty_session);
}

static struct ebpf_tty_dev note__tty(const struct trace_note *note)
{
    return (struct ebpf_tty_dev){
        .major = (uint32_t)note->of[TTY_DRIVER],
        .minor = trace_values__upper(note->of[TTY_DRIVER]) + (uint32_t)note->of[TTY_INDEX],
        .winsize_rows = note->of[TTY_SIZE] & 0xffff,
        .winsize_cols = note->of[TTY_SIZE] >> 16 & 0xffff,
    };
}

/* Fill in the event of a write of which the terminal has accepted some bytes. */
static void tty_write__report(struct trace_events *events, const struct trace_values *v, const struct trace_note *note,
                              uint64_t written)
{
    struct trace_caller caller;
    const uint64_t most = note->len < EBPF_TTY_MAX ? note->len : EBPF_TTY_MAX;
    const uint32_t len = (uint32_t)(written < most ? written : most);

    trace_caller__find(&caller, events, v);
    if (!trace_caller__is_wanted(events, &caller, EBPF_EVENT_PROCESS_TTY_WRITE))
        return;
    struct ebpf_process_tty_write_event *e =
        trace_event__begin(events, EBPF_RING_BULK, EBPF_EVENT_PROCESS_TTY_WRITE, sizeof(*e), v);

    memcpy(e->hdr.comm, caller.comm, sizeof(caller.comm));
    e->pids = caller.pids;
    e->tty_out_truncated = (uint32_t)(written - len);
    e->tty = note__tty(note);
    if (note->of[TTY_SESSION] && note->of[TTY_SESSION] == caller.pids.sid)
        e->ctty = e->tty;
    else if (caller.process)
        e->ctty = caller.process->ctty;
    trace_record__add(&e->hdr, EBPF_TAG_TTY_OUT, note->text, len, (uint32_t)written,
                      len < written ? EBPF_VARLEN_TRUNCATED : 0);
    trace_event__end(events, EBPF_RING_BULK, &e->hdr);
}

static void tty_wrote__take(struct trace_events *events, const struct trace_values *v)
{
    const struct trace_note *note = trace_note__find(events, v, TRACE_PROBE_tty_write);
    const int64_t written = (int64_t)NUMBER(v, result);

    if (note && written > 0)
        tty_write__report(events, v, note, (uint64_t)written);
    trace_note__drop(events, v);
}

bool trace_tty__take(struct trace_events *events, const struct trace_values *v)
{
    switch (v->probe) {
    case TRACE_PROBE_tty_rest:
        tty_rest__note(events, v);
        return true;
    case TRACE_PROBE_tty_write:
        tty_write__note(events, v);
        return true;
    case TRACE_PROBE_tty_wrote:
        tty_wrote__take(events, v);
        return true;
    default:
        return false;
    }
}
