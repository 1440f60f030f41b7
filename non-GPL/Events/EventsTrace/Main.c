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

#define LINE_MAX_BYTES OUTPUT_LINE_MAX
#define LAST_WRITES_MS 1000 /* of the two seconds that an end may take */
#define STATS_MAX_BYTES 65536
#define LARGE_ALLOCATION (256 << 10)

struct trace {
    struct options options;
    struct ebpf_source *source;
    struct output out;
    struct command command;
    bool signalled; /* the command was */
    bool told_full;
};

static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t stop_by_process; /* it was sent by one, and not by the terminal */

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)context;
    stop_by_process = info->si_code <= 0;
    stop_signal = signal;
}

/* That a child has ended is asked for where it is waited for: this only ends the wait. */
static void on_child(int signal)
{
    (void)signal;
}

/*
 * Blocked but where something is waited for: so a signal can neither be missed just before a wait nor cut what is being
 * done. Gives the mask for waiting.
 */
static void signals__install(sigset_t *ret_waiting)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    struct sigaction child = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
    sigset_t ours;

    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    sigaddset(&ours, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ours, ret_waiting);
    sigdelset(ret_waiting, SIGTERM);
    sigdelset(ret_waiting, SIGINT);
    sigdelset(ret_waiting, SIGHUP);
    sigdelset(ret_waiting, SIGCHLD);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGCHLD, &child, NULL);
    signal(SIGPIPE, SIG_IGN);
}

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
    flockfile(stderr);
    vfprintf(stderr, format, args); /* libbpf's: some of its messages have several lines */
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

/* The type of an event's line; 0 of another one. */
static int line__type(const char *line, size_t len)
{
    static const char start[] = "{\"event_type\":\"";
    const size_t skip = sizeof(start) - 1;

    if (len < skip || memcmp(line, start, skip))
        return 0;
    for (int type = 1; type < EBPF_EVENT_TYPE_COUNT; type++) {
        const char *name = ebpf_event_type__name(type);
        size_t name_len = name ? strlen(name) : len;

        if (len > skip + name_len && !memcmp(line + skip, name, name_len) && line[skip + name_len] == '"')
            return type;
    }
    return 0;
}

/* Lines that could not be written any more were given to nobody. Returns how many there are. */
static size_t stats__take_back(const struct trace *trace, struct ebpf_stats *stats)
{
    size_t pos = 0, len, lines = 0;
    const char *line;

    for (; output__left(&trace->out, &pos, &line, &len); lines++) {
        int type = line__type(line, len);

        if (!type)
            continue;
        stats->types[type].delivered--;
        stats->types[type].lost[EBPF_REASON_HANDLER]++;
    }
    return lines;
}

static void stats__write(const struct ebpf_stats *stats)
{
    char *line = malloc(STATS_MAX_BYTES);

    if (line && ebpf_stats__json(stats, line, STATS_MAX_BYTES) >= 0)
        fprintf(stderr, "%s\n", line);
    free(line);
}

static void stats__print(const struct trace *trace)
{
    struct ebpf_stats stats;

    if (!ebpf_source__stats(trace->source, &stats))
        stats__write(&stats);
}

/* The final counts, when nothing more will be written. Returns how many lines were not. */
static size_t stats__print_final(const struct trace *trace)
{
    struct ebpf_stats stats;
    size_t left = 0;

    if (!ebpf_source__stats(trace->source, &stats)) {
        left = stats__take_back(trace, &stats);
        stats__write(&stats);
    }
    return left;
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

static void warn_when_full(struct trace *trace)
{
    if (trace->out.full && !trace->told_full)
        fprintf(stderr, "EventsTrace: warning: standard output is full; make room: until then events are lost, and "
                        "counted\n");
    trace->told_full = trace->out.full;
}

/* Wait for events or a signal. 0 or a negative errno. */
static int trace__wait(const struct trace *trace)
{
    struct pollfd ready = {.fd = ebpf_source__fd(trace->source), .events = POLLIN};

    return ppoll(&ready, 1, NULL, &trace->out.signals) < 0 && errno != EINTR ? -errno : 0;
}

/*
 * Whether to go on. A signal ends the tracing; of a command it is the command that it is meant for, and the tracing
 * ends with that, or with the second signal. What the terminal sends, the command has got as well.
 */
static bool trace__goes_on(struct trace *trace)
{
    if (!trace->command.pid)
        return !stop_signal;
    if (command__has_ended(&trace->command))
        return false;
    if (stop_signal && !trace->signalled) {
        if (stop_by_process || stop_signal != SIGINT)
            command__signal(&trace->command, stop_signal);
        trace->signalled = true;
        stop_signal = 0;
    }
    return !stop_signal;
}

/* A line leaves within a second of its event: the source is ready at least five times as often. */
static int trace__loop(struct trace *trace)
{
    time_t stats_at = seconds__now() + 1;

    while (trace__goes_on(trace)) {
        int err = trace__wait(trace);
        int n = err ? err : ebpf_source__consume(trace->source);

        if (n < 0) {
            fprintf(stderr, "EventsTrace: cannot wait for events: %s; report it\n", strerror(-n));
            return EXIT_FAILED;
        }
        if (!output__flush(&trace->out))
            break;
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
    output__hurry(&trace->out, LAST_WRITES_MS);
    ebpf_source__stop(trace->source);
    while (ebpf_source__consume(trace->source) > 0)
        output__flush(&trace->out);
    output__flush(&trace->out);
}

/* What became of the output, `left` lines of which are not written. A reader that has gone is a quiet end. */
static int trace__result(const struct trace *trace, size_t left)
{
    const struct output *out = &trace->out;

    if (out->error) {
        fprintf(stderr, "EventsTrace: cannot write to standard output: %s; check where it goes\n",
                strerror(out->error));
        return EXIT_OUTPUT;
    }
    if (!left || out->closed)
        return EXIT_OK;
    fprintf(stderr, "EventsTrace: %zu lines were not written: %s; they are counted as lost\n", left,
            out->full ? "standard output is full, make room" : "nobody reads standard output, see what it goes to");
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
static void source__release(struct ebpf_source *source)
{
    int alive[2];

    if (!pipe2(alive, O_CLOEXEC)) {
        if (fork() == 0) {
            char byte;

            close(STDIN_FILENO);
            close(STDOUT_FILENO);
            close(STDERR_FILENO);
            close(alive[1]);
            _exit(read(alive[0], &byte, 1) != 0); /* the end of this process is the end of the pipe */
        }
        close(alive[0]); /* the other end stays open */
    }
    ebpf_source__close(source);
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
        .coalesce_ms = o->coalesce_ms,
        .condition_count = o->condition_count,
        .conditions = o->conditions,
    };
    int err = ebpf_source__open(&opts, &trace->source);

    if (err)
        return exit__of(err);
    if (o->features_line)
        features__print(trace);
    if (trace->command.pid)
        command__go(&trace->command);
    int code = trace__loop(trace);

    trace__drain(trace);
    size_t left = stats__print_final(trace);

    source__release(trace->source);
    if (!code)
        code = trace__result(trace, left);
    return trace->command.ended ? command__exit_code(&trace->command) : code;
}

/* The command's process, whose tree is what is traced. */
static int trace__prepare_command(struct trace *trace, const sigset_t *waiting)
{
    struct options *o = &trace->options;

    if (!o->command)
        return EXIT_OK;
    int err = command__prepare(&trace->command, o->command, waiting);

    if (err) {
        fprintf(stderr, "EventsTrace: cannot start a process: %s; see ulimit -u\n", strerror(-err));
        return EXIT_FAILED;
    }
    o->conditions[o->condition_count++] =
        (struct ebpf_condition){.kind = EBPF_SELECT_TREE, .id = (uint32_t)trace->command.pid};
    return EXIT_OK;
}

static int trace__start(const struct options *options)
{
    struct trace trace = {.options = *options};
    sigset_t waiting;

    /* the kernel's BTF is read twice into memory: to be given back each time, and not to be kept for what is small */
    mallopt(M_MMAP_THRESHOLD, LARGE_ALLOCATION);
    /* what events hold is other people's: no core dump, and none by who may attach to us */
    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    signals__install(&waiting);
    int err = output__init(&trace.out, STDOUT_FILENO, &waiting);

    if (err) {
        fprintf(stderr, "EventsTrace: cannot write to standard output: %s; check where it goes\n", strerror(-err));
        return EXIT_OUTPUT;
    }
    int code = trace__prepare_command(&trace, &waiting);

    if (!code)
        code = trace__run(&trace);
    output__fini(&trace.out);
    return code;
}

/* Of an action that prints something and ends. */
static int printed(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return EXIT_OK;
    fprintf(stderr, "EventsTrace: cannot write to standard output: %s; check where it goes\n", strerror(errno));
    return EXIT_OUTPUT;
}

int main(int argc, char **argv)
{
    struct options options;

    if (!descriptors__complete()) {
        fprintf(stderr, "EventsTrace: cannot write to standard output: it is closed; direct it somewhere\n");
        return EXIT_OUTPUT;
    }
    if (options__parse(&options, argc, argv))
        return EXIT_USAGE;
    switch (options.action) {
    case ACTION_HELP:
        options__help();
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
