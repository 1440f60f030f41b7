/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Main.c - EventsTrace: opens a source, writes its events to standard output until a signal or the end of the reader.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "Options.h"
#include "Output.h"

#define LINE_MAX_BYTES OUTPUT_LINE_MAX
#define LAST_WRITES_MS 1000 /* of the two seconds that an end may take */
#define STATS_MAX_BYTES 65536

struct trace {
    struct options options;
    struct ebpf_source *source;
    struct output out;
    uint64_t too_long; /* lines that did not fit */
};

static volatile sig_atomic_t stop_signal;

static void on_signal(int signal)
{
    stop_signal = signal;
}

/* Without SA_RESTART: a write or a wait that a signal interrupts must return. */
static void signals__install(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void on_log(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    static const char *const prefix[] = {"EventsTrace: ", "EventsTrace: warning: ", "EventsTrace: ", ""};

    (void)user;
    flockfile(stderr);
    fputs(prefix[level], stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    funlockfile(stderr);
}

/* The writers tell when a line does not fit, so begin with what almost always suffices. */
static int on_event(void *user, const struct ebpf_event *event)
{
    struct trace *trace = user;
    size_t room = 8192;

    for (;;) {
        char *line = output__reserve(&trace->out, room);

        if (!line)
            return -ENOSPC;
        int len = ebpf_event__json(event, line, room);

        if (len >= 0) {
            output__commit(&trace->out, (size_t)len);
            return 0;
        }
        if (room >= LINE_MAX_BYTES)
            break;
        room = room * 4 > LINE_MAX_BYTES ? LINE_MAX_BYTES : room * 4;
    }
    trace->too_long++;
    return -EMSGSIZE;
}

static void on_loss(void *user, const struct ebpf_loss *loss)
{
    struct trace *trace = user;
    char *line = output__reserve(&trace->out, STATS_MAX_BYTES);
    int len = line ? ebpf_loss__json(loss, line, STATS_MAX_BYTES) : -1;

    if (len >= 0)
        output__commit(&trace->out, (size_t)len);
}

static void stats__print(const struct trace *trace)
{
    struct ebpf_stats stats;
    char *line = malloc(STATS_MAX_BYTES);

    if (line && !ebpf_source__stats(trace->source, &stats) && ebpf_stats__json(&stats, line, STATS_MAX_BYTES) >= 0)
        fprintf(stderr, "%s\n", line);
    free(line);
}

static void features__print(struct trace *trace)
{
    struct ebpf_features features = ebpf_source__features(trace->source);
    char *line = output__reserve(&trace->out, 256);

    if (!line)
        return;
    int len = snprintf(line, 256, "{\"probes_initialized\": true, \"features\": {\"bpf_tramp\": %s, \"ipv6\": %s}}",
                       features.bpf_tramp ? "true" : "false", features.ipv6 ? "true" : "false");

    output__commit(&trace->out, (size_t)len);
    output__flush(&trace->out);
}

static time_t seconds__now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* A line leaves within a second of its event: the poll returns at least five times as often. */
static int trace__loop(struct trace *trace)
{
    time_t stats_at = seconds__now() + 1;

    while (!stop_signal) {
        int n = ebpf_source__poll(trace->source, -1);

        if (n < 0 && n != -EINTR) {
            fprintf(stderr, "EventsTrace: cannot wait for events: %s\n", strerror(-n));
            return EXIT_FAILED;
        }
        if (!output__flush(&trace->out))
            break;
        if (trace->options.stats && seconds__now() >= stats_at) {
            stats__print(trace);
            stats_at = seconds__now() + 1;
        }
    }
    return EXIT_OK;
}

static void trace__drain(struct trace *trace)
{
    output__hurry(&trace->out, LAST_WRITES_MS);
    ebpf_source__detach(trace->source);
    while (ebpf_source__consume(trace->source) > 0)
        output__flush(&trace->out);
    output__flush(&trace->out);
}

static int trace__result(const struct trace *trace)
{
    if (trace->out.error) {
        fprintf(stderr, "EventsTrace: cannot write to standard output: %s; check where it goes\n",
                strerror(trace->out.error));
        return EXIT_OUTPUT;
    }
    return EXIT_OK;
}

static int exit__of(int err)
{
    switch (ebpf_source__classify(err)) {
    case EBPF_SOURCE_OK:
        return EXIT_OK;
    case EBPF_SOURCE_INVALID:
        return EXIT_USAGE;
    case EBPF_SOURCE_NO_PRIVILEGE:
        return EXIT_NO_PRIVILEGE;
    case EBPF_SOURCE_UNSUPPORTED:
        return EXIT_UNSUPPORTED;
    case EBPF_SOURCE_NO_HOOK:
        return EXIT_NO_HOOK;
    default:
        return EXIT_FAILED;
    }
}

static int trace__run(struct trace *trace)
{
    const struct options *o = &trace->options;
    struct ebpf_source_opts opts = {
        .sz = sizeof(opts),
        .events = o->events,
        .handler = on_event,
        .loss_handler = on_loss,
        .log = on_log,
        .user = trace,
        .env = o->env,
        .low_latency = o->unbuffered,
        .libbpf_log = o->libbpf_verbose,
        .disable_hooks = o->disable_hooks,
    };
    int err = ebpf_source__open(&opts, &trace->source);

    if (err)
        return exit__of(err);
    if (o->features_line)
        features__print(trace);
    int code = trace__loop(trace);

    trace__drain(trace);
    stats__print(trace);
    ebpf_source__close(trace->source);
    return code;
}

static int trace__start(const struct options *options)
{
    struct trace trace = {.options = *options};

    /* what events hold is other people's: no core dump, and none by who may attach to us */
    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    signals__install();
    if (output__init(&trace.out, STDOUT_FILENO)) {
        fprintf(stderr, "EventsTrace: out of memory; free some\n");
        return EXIT_FAILED;
    }
    int code = trace__run(&trace);

    output__fini(&trace.out);
    return code ? code : trace__result(&trace);
}

int main(int argc, char **argv)
{
    struct options options;

    if (options__parse(&options, argc, argv))
        return EXIT_USAGE;
    switch (options.action) {
    case ACTION_HELP:
        options__help();
        return EXIT_OK;
    case ACTION_VERSION:
        printf("EventsTrace %s\n", EBPF_EVENTS_VERSION);
        return EXIT_OK;
    case ACTION_SCHEMA:
        printf("%s\n", ebpf_schema__json());
        return EXIT_OK;
    case ACTION_TRACE:
        break;
    }
    return trace__start(&options);
}
