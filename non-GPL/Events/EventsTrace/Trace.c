/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace.c - see Trace.h. */
#include "Trace.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "Handlers.h"
#include "Message.h"

#define LAST_WRITES_MS 800 /* of the two seconds that an end may take */
#define LAST_MESSAGES_MS 300
#define STATS_MAX_BYTES 65536
#define LARGE_ALLOCATION (256 << 10)

/*
 * Return whether to go on. Without a command, a signal or the end of the reader ends the tracing. With one, the first
 * signal is passed on to the command, unless the terminal has sent it to both, and the tracing ends with the command or
 * with the second signal.
 */
static bool trace__goes_on(struct trace *trace)
{
    struct signals *signals = &trace->signals;

    signals__look(signals);
    if (!trace->command.pid)
        return !signals->stop && !trace->out.closed && !trace->out.error;
    if (command__has_ended(&trace->command))
        return false;
    if (signals->stop && !trace->signalled) {
        if (signals->by_process || signals->stop != SIGINT)
            command__signal(&trace->command, signals->stop);
        trace->signalled = true;
        signals->stop = 0;
    }
    return !signals->stop;
}

/* Stop sourcing, and limit the time that the reader is waited for. */
static void trace__end(struct trace *trace)
{
    if (!trace->out.has_deadline)
        output__set_deadline(&trace->out, LAST_WRITES_MS);
    ebpf_source__stop(trace->source);
}

void trace__look(struct trace *trace)
{
    trace->out.interrupted = false;
    if (!trace__goes_on(trace))
        trace__end(trace);
}

static void stats__write(const struct ebpf_stats *stats)
{
    char *line = malloc(STATS_MAX_BYTES);
    int len = line ? ebpf_stats__json(stats, line, STATS_MAX_BYTES) : -ENOMEM;

    if (len >= 0)
        message__put(line, (size_t)len);
    free(line);
}

static void stats__print(const struct trace *trace)
{
    const struct ebpf_stats *stats;

    if (!ebpf_source__stats(trace->source, &stats))
        stats__write(stats);
}

/* Count the lines as lost that could not be written. Returns how many there are. */
static size_t trace__drop_lines(const struct trace *trace)
{
    const struct output_line *lines;
    size_t count = output__left(&trace->out, &lines);

    for (size_t i = 0; i < count; i++) {
        if (lines[i].events)
            ebpf_source__drop(trace->source, lines[i].type, lines[i].events);
    }
    return count;
}

static void features__print(struct trace *trace)
{
    struct ebpf_features features = {.sz = sizeof(features)};
    char *line = output__reserve(&trace->out, 256);

    if (!line || ebpf_source__features(trace->source, &features))
        return;
    int len = snprintf(line, 256,
                       "{\"probes_initialized\": true, \"features\": {\"bpf_tramp\": %s, \"ipv6\": %s, "
                       "\"backend\": \"%s\"}, \"event_type\": \"STARTED\"}",
                       features.bpf_tramp ? "true" : "false", features.ipv6 ? "true" : "false",
                       features.backend == EBPF_BACKEND_TRACEFS ? "tracefs" : "bpf");

    output__commit(&trace->out, (size_t)len);
    output__flush(&trace->out);
}

static time_t seconds__now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void warn_when_full(struct trace *trace)
{
    if (trace->out.full && !trace->warned_of_full)
        message__warn("standard output is full: %s; make room: until then events are lost, and counted",
                      strerror(trace->out.full));
    trace->warned_of_full = trace->out.full;
}

/* Wait for events, a signal, or the end of the reader. 0 or a negative errno. */
static int trace__wait(struct trace *trace)
{
    struct pollfd ready[] = {{.fd = ebpf_source__fd(trace->source), .events = POLLIN},
                             {.fd = trace->signals.fd, .events = POLLIN},
                             output__watch(&trace->out)};

    if (poll(ready, sizeof(ready) / sizeof(*ready), -1) < 0)
        return errno == EINTR ? 0 : -errno;
    output__look(&trace->out, &ready[2]);
    return 0;
}

/* Trace until the end. A line is written within a second of its event: the source is ready at least every 200 ms. */
static int trace__loop(struct trace *trace)
{
    time_t stats_at = seconds__now() + 1;

    while (trace__goes_on(trace)) {
        int err = trace__wait(trace);
        int n = err ? err : ebpf_source__consume(trace->source);

        if (n < 0) {
            message__write("cannot wait for events: %s; report it", strerror(-n));
            return EXIT_FAILED;
        }
        output__flush(&trace->out);
        message__flush();
        warn_when_full(trace);
        if (trace->options.stats && seconds__now() >= stats_at) {
            stats__print(trace);
            stats_at = seconds__now() + 1;
        }
    }
    return EXIT_OK;
}

static void trace__drain(struct trace *trace)
{
    trace__end(trace);
    while (ebpf_source__consume(trace->source) > 0)
        output__flush(&trace->out);
    output__flush(&trace->out);
}

/* Return the exit code of an output with `left` lines that are not written. A reader that is gone is no error. */
static int trace__result(const struct trace *trace, size_t left)
{
    const struct output *out = &trace->out;

    if (out->error == ECHILD) {
        message__write("cannot write to standard output: the process that writes it was killed; start again");
        return EXIT_OUTPUT;
    }
    if (out->error) {
        message__write("cannot write to standard output: %s; check where it goes", strerror(out->error));
        return EXIT_OUTPUT;
    }
    if (!left || out->closed)
        return EXIT_OK;
    message__write("%zu lines were not written: %s; they are counted as lost", left,
                   out->full      ? "standard output is full, make room"
                   : out->regular ? "the file system of standard output does not answer, check it"
                                  : "nobody reads standard output, check where it goes");
    return EXIT_OUTPUT;
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

/*
 * Detaching may take the kernel seconds, during which the last process that has the hooks is held up. That is a child,
 * which ends after this process, so that this one can end at once. Tracefs is quicker, and cannot be cleaned up while a
 * child has its buffers open.
 */
static void source__release(const struct trace *trace)
{
    struct ebpf_features features = {.sz = sizeof(features)};
    int alive[2];

    if (!ebpf_source__features(trace->source, &features) && features.backend != EBPF_BACKEND_TRACEFS &&
        !pipe2(alive, O_CLOEXEC)) {
        if (fork() == 0) {
            char byte;

            output__abandon(&trace->out);
            message__abandon();
            close(STDIN_FILENO);
            close(STDOUT_FILENO);
            close(STDERR_FILENO);
            close(alive[1]);
            _exit(read(alive[0], &byte, 1) != 0); /* the pipe ends with this process */
        }
        close(alive[0]); /* the other end stays open */
    }
    ebpf_source__close(trace->source);
}

static void warn_of_no_event(const struct options *o)
{
    if (!o->events.bits)
        message__warn("no event is selected, so none will be reported; select with --process, --file, --net, --all or "
                      "an option for one event, such as --process-exec; EventsTrace --help lists them");
}

/* Announce on a terminal that the tracing has begun. */
static void begin__announce(const struct trace *trace)
{
    int count = __builtin_popcountll(ebpf_source__events(trace->source).bits);

    if (!isatty(STDERR_FILENO))
        return;
    message__write("tracing has begun, of %d kind%s of events%s", count, count == 1 ? "" : "s",
                   trace->command.pid ? "" : "; Ctrl-C ends it");
}

/* Note the processes that write for this one. */
static void trace__note_writers(struct trace *trace)
{
    const pid_t writers[] = {trace->out.writer.pid, message__writer()};

    for (size_t i = 0; i < sizeof(writers) / sizeof(*writers); i++) {
        if (writers[i])
            trace->writers[trace->writer_count++] = (uint32_t)writers[i];
    }
}

/* Name the required events that are unavailable. Returns whether there are any. */
static bool trace__lacks_required(const struct trace *trace)
{
    uint64_t missing = trace->options.required.bits & ~ebpf_source__events(trace->source).bits;
    enum ebpf_event_type type = 0;

    while ((type = ebpf_event_type__next(type))) {
        if (missing >> type & 1)
            message__write("cannot trace %s, which is required: %s; see EventsTrace --doctor",
                           ebpf_event_type__option(type), ebpf_source__unavailable(trace->source, type));
    }
    return missing;
}

static int trace__run(struct trace *trace)
{
    trace__note_writers(trace);

    const struct options *o = &trace->options;
    struct ebpf_source_opts opts = handlers__source_opts(trace);
    int err = ebpf_source__open(&opts, &trace->source);

    if (err == -ECANCELED) {
        stats__write(NULL); /* it has ended before it began */
        return EXIT_OK;
    }
    if (err)
        return exit__of(err);
    if (trace__lacks_required(trace)) {
        source__release(trace);
        return EXIT_NO_HOOK;
    }
    warn_of_no_event(o);
    begin__announce(trace);
    if (o->features_line)
        features__print(trace);
    if (trace->command.pid)
        command__go(&trace->command);
    int code = trace__loop(trace);

    trace__drain(trace);
    size_t left = trace__drop_lines(trace);

    stats__print(trace);
    source__release(trace);
    if (!code)
        code = trace__result(trace, left);
    return trace->command.ended ? command__exit_code(&trace->command) : code;
}

/* Make the process of the command, whose tree is traced. It inherits everything as this program did. */
static int trace__prepare_command(struct trace *trace)
{
    struct options *o = &trace->options;
    struct signals_saved saved;

    signals__prepare(&saved);
    if (!o->command)
        return EXIT_OK;
    int err = command__prepare(&trace->command, o->command, &o->user, &saved);

    if (err)
        return err == -EPERM ? EXIT_NO_PRIVILEGE : EXIT_FAILED;
    o->conditions[o->condition_count++] =
        (struct ebpf_condition){.kind = EBPF_SELECT_TREE, .id = (uint32_t)trace->command.pid};
    return EXIT_OK;
}

/* Events hold data of other people: allow no core dump, and no debugger to attach. */
static void process__harden(void)
{
    struct rlimit core;

    prctl(PR_SET_DUMPABLE, 0);
    if (!getrlimit(RLIMIT_CORE, &core)) {
        core.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &core);
    }
}

int trace__start(const struct options *options)
{
    struct trace trace = {.options = *options};
    /* the kernel's BTF is read into memory twice, which is to be unmapped each time and not kept for small objects */
    mallopt(M_MMAP_THRESHOLD, LARGE_ALLOCATION);
    int code = trace__prepare_command(&trace);

    if (code)
        return code;
    process__harden();
    int err = signals__open(&trace.signals);

    if (!err)
        err = message__begin();
    if (err) {
        message__write("cannot begin: %s; see ulimit -n", strerror(-err));
        return EXIT_FAILED;
    }
    err = output__init(&trace.out, STDOUT_FILENO, OUTPUT_BUFFER, true, trace.signals.fd);
    if (err)
        message__write("cannot write to standard output: %s; check where it goes", strerror(-err));
    code = err ? EXIT_OUTPUT : trace__run(&trace);
    output__fini(&trace.out);
    message__end(LAST_MESSAGES_MS);
    return code;
}
