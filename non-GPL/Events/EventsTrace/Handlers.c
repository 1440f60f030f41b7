/* SPDX-License-Identifier: BSD-2-Clause */
/* Handlers.c - see Handlers.h. */
#include "Handlers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "Message.h"

#define LINE_MAX_BYTES OUTPUT_LINE_MAX

static void on_log(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    static const char *const prefix[] = {"EventsTrace: ", "EventsTrace: warning: ", "EventsTrace: "};

    (void)user;
    if (level != EBPF_LOG_DEBUG) {
        message__vwrite(prefix[level], format, args);
        return;
    }
    char *text;
    int len = vasprintf(&text, format, args); /* libbpf's: some of its messages have several lines */

    if (len < 0)
        return;
    message__put(text, (size_t)len);
    free(text);
}

/* Return how many events a line stands for. */
static uint64_t event__count(const struct ebpf_event *event)
{
    bool is_several = event->hdr->type == EBPF_EVENT_FILE_MODIFY && event->hdr->flags & EBPF_MODIFY_F_COUNT;

    return is_several ? ((const struct ebpf_file_modify_event *)event->hdr)->count : 1;
}

/* Write an event as a line, beginning with room that almost always suffices. */
static int on_event(void *user, const struct ebpf_event *event)
{
    struct trace *trace = user;
    int (*write_line)(const struct ebpf_event *event, char *buf, size_t size) =
        trace->options.format == FORMAT_ELASTIC ? ebpf_event__json_elastic : ebpf_event__json;
    size_t room = 8192;

    if (trace->out.interrupted)
        trace__look(trace);
    for (;;) {
        char *line = output__reserve(&trace->out, room);

        if (!line)
            return -ENOSPC;
        int len = write_line(event, line, room);

        if (len >= 0) {
            output__commit_events(&trace->out, (size_t)len, event->hdr->type, event__count(event));
            return 0;
        }
        if (room >= LINE_MAX_BYTES)
            break;
        room = room * 4 > LINE_MAX_BYTES ? LINE_MAX_BYTES : room * 4;
    }
    return -EMSGSIZE;
}

/* Commit a reserved line of `len` bytes, unless that is a negative errno. Returns 0, or that. */
static int notice__commit(struct trace *trace, int len)
{
    if (len < 0)
        return len;
    output__commit(&trace->out, (size_t)len);
    return 0;
}

static int on_loss(void *user, const struct ebpf_loss *loss)
{
    struct trace *trace = user;
    char *line = output__reserve_notice(&trace->out, OUTPUT_NOTICE_MAX - 1);

    return notice__commit(trace, line ? ebpf_loss__json(loss, line, OUTPUT_NOTICE_MAX - 1) : -ENOSPC);
}

static int on_over_budget(void *user, const struct ebpf_over_budget *over)
{
    struct trace *trace = user;
    char *line = output__reserve_notice(&trace->out, OUTPUT_NOTICE_MAX - 1);

    return notice__commit(trace, line ? ebpf_over_budget__json(over, line, OUTPUT_NOTICE_MAX - 1) : -ENOSPC);
}

/* Return whether a signal has come while the probes are being loaded, which can take seconds. */
static bool is_cancelled(void *user)
{
    struct trace *trace = user;

    signals__look(&trace->signals);
    return trace->signals.stop;
}

static bool is_elastic(void *user, const struct ebpf_event_header *hdr)
{
    (void)user;
    return ebpf_event__is_elastic(hdr);
}

struct ebpf_source_opts handlers__source_opts(struct trace *trace)
{
    const struct options *o = &trace->options;

    return (struct ebpf_source_opts){
        .sz = sizeof(struct ebpf_source_opts),
        .events = o->events,
        .handler = on_event,
        .loss_handler = on_loss,
        .log = on_log,
        .user = trace,
        .env = o->env,
        .low_latency = o->unbuffered,
        .libbpf_log = o->libbpf_verbose,
        .disable_hooks = o->disable_hooks,
        .attach = (enum ebpf_attach)o->attach,
        .backend = (enum ebpf_backend_kind)o->backend,
        .ring_bytes = o->ring_bytes,
        .coalesce_ms = o->coalesce_ms,
        .condition_count = o->condition_count,
        .conditions = o->conditions,
        .is_cancelled = is_cancelled,
        .is_wanted = o->format == FORMAT_ELASTIC ? is_elastic : NULL,
        .budget = o->budget,
        .over_budget_handler = on_over_budget,
        .helpers = trace->writers,
        .helper_count = trace->writer_count,
    };
}
