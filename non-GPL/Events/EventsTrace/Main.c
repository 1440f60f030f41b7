/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Main.c - EventsTrace: opens a source, writes its events to standard output until a signal or the end of the reader.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "Command.h"
#include "Message.h"
#include "Options.h"
#include "Output.h"
#include "Signals.h"

#define LINE_MAX_BYTES OUTPUT_LINE_MAX
#define LAST_WRITES_MS 1000 /* of the two seconds that an end may take */
#define LAST_MESSAGES_MS 500
#define STATS_MAX_BYTES 65536
#define LARGE_ALLOCATION (256 << 10)

struct trace {
    struct options options;
    struct ebpf_source *source;
    struct output out;
    struct signals signals;
    struct command command;
    bool signalled; /* the command was */
    bool told_full;
};

/* Descriptors that are missing would be given to something else, and messages written into that. */
static bool descriptors__complete(void)
{
    bool has_output = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    return has_output;
}

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

/*
 * Whether to go on. A signal ends the tracing; of a command it is the command that it is meant for, and the tracing
 * ends with that, or with the second signal. What the terminal sends, the command has got as well. Without a command
 * the end of the reader is the end.
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

/* No more events; from now on who reads is waited for only so long. */
static void trace__end(struct trace *trace)
{
    if (!trace->out.hurry)
        output__hurry(&trace->out, LAST_WRITES_MS);
    ebpf_source__stop(trace->source);
}

/* The wait for who reads was ended, in the middle of a round: that is looked at before the next event. */
static void trace__look(struct trace *trace)
{
    trace->out.interrupted = false;
    if (!trace__goes_on(trace))
        trace__end(trace);
}

/* How many events a line stands for. */
static uint64_t event__count(const struct ebpf_event *event)
{
    bool is_several = event->hdr->type == EBPF_EVENT_FILE_MODIFY && event->hdr->flags & EBPF_MODIFY_F_COUNT;

    return is_several ? ((const struct ebpf_file_modify_event *)event->hdr)->count : 1;
}

/* The writers tell when a line does not fit, so begin with what almost always suffices. */
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

static int on_loss(void *user, const struct ebpf_loss *loss)
{
    struct trace *trace = user;
    char *line = output__reserve_notice(&trace->out, OUTPUT_NOTICE_MAX - 1);
    int len = line ? ebpf_loss__json(loss, line, OUTPUT_NOTICE_MAX - 1) : -ENOSPC;

    if (len < 0)
        return len;
    output__commit(&trace->out, (size_t)len);
    return 0;
}

static int on_over_budget(void *user, const struct ebpf_over_budget *over)
{
    struct trace *trace = user;
    char *line = output__reserve_notice(&trace->out, OUTPUT_NOTICE_MAX - 1);
    int len = line ? ebpf_over_budget__json(over, line, OUTPUT_NOTICE_MAX - 1) : -ENOSPC;

    if (len < 0)
        return len;
    output__commit(&trace->out, (size_t)len);
    return 0;
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
                       "{\"probes_initialized\": true, \"features\": {\"bpf_tramp\": %s, \"ipv6\": %s}, "
                       "\"event_type\": \"STARTED\"}",
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

static void warn_when_full(struct trace *trace)
{
    if (trace->out.full && !trace->told_full)
        message__warn("standard output is full: %s; make room: until then events are lost, and counted",
                      strerror(trace->out.full));
    trace->told_full = trace->out.full;
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

/* A line leaves within a second of its event: the source is ready at least five times as often. */
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

/* What became of the output, `left` lines of which are not written. A reader that has gone is a quiet end. */
static int trace__result(const struct trace *trace, size_t left)
{
    const struct output *out = &trace->out;

    if (out->error) {
        message__write("cannot write to standard output: %s; check where it goes", strerror(out->error));
        return EXIT_OUTPUT;
    }
    if (!left || out->closed)
        return EXIT_OK;
    message__write("%zu lines were not written: %s; they are counted as lost", left,
                   out->full ? "standard output is full, make room"
                             : "nobody reads standard output, see what it goes to");
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
 * The kernel may take seconds to give all hooks back, which falls on the last process that has them: a child, which
 * ends after this process, so that it can end at once.
 */
static void source__release(const struct trace *trace)
{
    int alive[2];

    if (!pipe2(alive, O_CLOEXEC)) {
        if (fork() == 0) {
            char byte;

            output__abandon(&trace->out);
            message__abandon();
            close(STDIN_FILENO);
            close(STDOUT_FILENO);
            close(STDERR_FILENO);
            close(alive[1]);
            _exit(read(alive[0], &byte, 1) != 0); /* the end of this process is the end of the pipe */
        }
        close(alive[0]); /* the other end stays open */
    }
    ebpf_source__close(trace->source);
}

static void warn_of_no_event(const struct options *o)
{
    if (!o->events.bits)
        message__warn("no event is selected, so none will be reported; select with --process, --file, --net, --all or "
                      "an option for one event, as --process-exec; EventsTrace --help lists them");
}

/* Somebody who looks on need not wonder whether it works yet. */
static void begin__tell(const struct trace *trace)
{
    int count = __builtin_popcountll(ebpf_source__events(trace->source).bits);

    if (!isatty(STDERR_FILENO))
        return;
    message__write("tracing has begun, of %d kind%s of events%s", count, count == 1 ? "" : "s",
                   trace->command.pid ? "" : "; Ctrl-C ends it");
}

/* Whether to give up while the probes are being loaded, which can take seconds. */
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
        .ring_bytes = o->ring_bytes,
        .coalesce_ms = o->coalesce_ms,
        .condition_count = o->condition_count,
        .conditions = o->conditions,
        .is_cancelled = is_cancelled,
        .is_wanted = o->format == FORMAT_ELASTIC ? is_elastic : NULL,
        .budget = o->budget,
        .over_budget_handler = on_over_budget,
    };
    int err = ebpf_source__open(&opts, &trace->source);

    if (err == -ECANCELED) {
        stats__write(NULL); /* it has ended before it began */
        return EXIT_OK;
    }
    if (err)
        return exit__of(err);
    warn_of_no_event(o);
    begin__tell(trace);
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

/* The command's process, whose tree is what is traced. It has everything as this program was given it. */
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

/* What events hold is other people's: no core dump, and none by who may attach to us. */
static void process__harden(void)
{
    struct rlimit core;

    prctl(PR_SET_DUMPABLE, 0);
    if (!getrlimit(RLIMIT_CORE, &core)) {
        core.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &core);
    }
}

static int trace__start(const struct options *options)
{
    struct trace trace = {.options = *options};
    /* the kernel's BTF is read twice into memory: to be given back each time, and not to be kept for what is small */
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

/* Of an action that prints something and ends. */
static int printed(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return EXIT_OK;
    message__write("cannot write to standard output: %s; check where it goes", strerror(errno));
    return EXIT_OUTPUT;
}

int main(int argc, char **argv)
{
    struct options options;

    if (!descriptors__complete()) {
        message__write("cannot write to standard output: it is closed; direct it somewhere");
        return EXIT_OUTPUT;
    }
    if (options__parse(&options, argc, argv))
        return EXIT_USAGE;
    switch (options.action) {
    case ACTION_HELP:
        options__help();
        return printed();
    case ACTION_USAGE:
        options__usage();
        return printed();
    case ACTION_VERSION:
        printf("EventsTrace %s\n", EBPF_EVENTS_VERSION);
        return printed();
    case ACTION_SCHEMA:
        printf("%s\n", ebpf_schema__json());
        return printed();
    case ACTION_TRACE:
        break;
    }
    return trace__start(&options);
}
