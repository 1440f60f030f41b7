/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run-case: run cases under EventsTrace, inside a guest.
 *
 *   run-case OUTDIR SESSION [VARIABLE=VALUE]... EVENTSTRACE-OPTION... -- NAME COMMAND... [-- NAME COMMAND...]...
 *
 * The variables are for EventsTrace only.
 * All of them share one EventsTrace, because its start takes most of the time. Leaves in OUTDIR: SESSION.ndjson and
 * SESSION.err (output of EventsTrace), NAME.facts and NAME.log (output of COMMAND), SESSION.status and NAME.result (how
 * it went, JSON). It gives no verdicts: the host does (run-cases).
 *
 * A marker process, which runs after COMMAND, shows when all events of COMMAND are there: once its events have arrived,
 * so have those before them. Nothing here sleeps: the growth of a file is awaited with inotify, the end of a process
 * with its pidfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* As long as may pass on a loaded machine. That a signal ends EventsTrace in two seconds is tested by system/end.sh. */
#define START_DEADLINE_MS 300000
#define COMMAND_DEADLINE_MS 300000
#define MARKER_DEADLINE_MS 300000
#define STOP_DEADLINE_MS 300000
#define OPTIONS_MAX 64

/* One case. */
struct job {
    const char *name;
    char **command;
    pid_t marker;
    int command_status;
    const char *problem;
};

/* An EventsTrace and what is run under it. */
struct session {
    const char *outdir, *name;
    char **variables; /* of EventsTrace, at the beginning of the remaining arguments */
    char *options[OPTIONS_MAX];
    char **jobs;    /* the remaining arguments: NAME COMMAND... -- NAME COMMAND... */
    bool with_exit; /* PROCESS_EXIT is selected */

    pid_t tracer;
    int tracer_pidfd;
    int inotify;
    int ndjson;
    char *text; /* the ndjson read so far */
    size_t len, size;
    size_t job_start; /* offset at which the running job's events begin, at the earliest */

    int tracer_status;
    long start_ms, stop_ms;
    const char *problem;
};

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static void die(const char *what)
{
    fprintf(stderr, "run-case: %s: %s\n", what, strerror(errno));
    exit(125);
}

static int output(const char *outdir, const char *name, const char *suffix)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s.%s", outdir, name, suffix);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0)
        die(path);
    return fd;
}

/* Start a program with its output redirected to two files, and with the variables at the head of a list. */
static pid_t start(char **argv, char **variables, int out, int err)
{
    pid_t pid = fork();

    if (pid < 0)
        die("fork");
    if (pid)
        return pid;
    if (dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    for (; *variables && (*variables)[0] != '-'; variables++)
        putenv(*variables);
    execvp(argv[0], argv);
    fprintf(stderr, "run-case: cannot run '%s': %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Return its exit status as wait reports it, or -1 after killing it at the deadline. */
static int wait_for(pid_t pid, int deadline_ms)
{
    int status, pidfd = syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    bool late = poll(&ended, 1, deadline_ms) != 1;

    if (late)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    close(pidfd);
    return late ? -1 : status;
}

/* ------------------------------------------------------------- EventsTrace */

static void read_more(struct session *session)
{
    ssize_t n;

    do {
        if (session->size - session->len < 65536) {
            session->size = session->size * 2 + 131072;
            session->text = realloc(session->text, session->size);
            if (!session->text)
                die("realloc");
        }
        n = pread(session->ndjson, session->text + session->len, session->size - session->len - 1, session->len);
        if (n > 0)
            session->len += n;
    } while (n > 0);
    session->text[session->len] = '\0';
}

/* Return whether a complete line of the running job has both strings. */
static bool has_line(const struct session *session, const char *a, const char *b)
{
    const char *end, *line = session->text + session->job_start;

    for (; (end = strchr(line, '\n')); line = end + 1) {
        if (memmem(line, end - line, a, strlen(a)) && memmem(line, end - line, b, strlen(b)))
            return true;
    }
    return false;
}

/* Wait for a line with both strings. Return false at the deadline, or if EventsTrace has ended without it. */
static bool wait_line(struct session *session, const char *a, const char *b, int64_t deadline)
{
    struct pollfd fds[] = {{.fd = session->inotify, .events = POLLIN}, {.fd = session->tracer_pidfd, .events = POLLIN}};
    char drain[4096];

    for (;;) {
        bool ended = fds[1].revents;

        read_more(session);
        if (has_line(session, a, b))
            return true;
        int64_t left = deadline - now_ms();

        if (ended || left <= 0)
            return false;
        if (poll(fds, 2, left) > 0 && fds[0].revents && read(session->inotify, drain, sizeof(drain)) < 0)
            die("inotify");
    }
}

static void ndjson_watch(struct session *session)
{
    char path[512];

    session->ndjson = output(session->outdir, session->name, "ndjson");
    snprintf(path, sizeof(path), "%s/%s.ndjson", session->outdir, session->name);
    session->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (inotify_add_watch(session->inotify, path, IN_MODIFY) < 0)
        die("inotify");
}

static bool tracer_start(struct session *session)
{
    int64_t begin = now_ms();
    int err = output(session->outdir, session->name, "err");

    ndjson_watch(session);
    session->tracer = start(session->options, session->variables, session->ndjson, err);
    session->tracer_pidfd = syscall(SYS_pidfd_open, session->tracer, 0);
    close(err);
    bool started = wait_line(session, "\"probes_initialized\"", "true", begin + START_DEADLINE_MS);

    session->start_ms = now_ms() - begin;
    return started;
}

static bool tracer_stop(struct session *session)
{
    int64_t begin = now_ms();

    kill(session->tracer, SIGTERM);
    session->tracer_status = wait_for(session->tracer, STOP_DEADLINE_MS);
    session->stop_ms = now_ms() - begin;
    return session->tracer_status >= 0;
}

static bool tracer_ended(const struct session *session)
{
    struct pollfd ended = {.fd = session->tracer_pidfd, .events = POLLIN};

    return poll(&ended, 1, 0) == 1;
}

/* --------------------------------------------------------------- the cases */

static void command_run(const struct session *session, struct job *job)
{
    char *none[] = {NULL};
    int out = output(session->outdir, job->name, "facts"), err = output(session->outdir, job->name, "log");

    job->command_status = wait_for(start(job->command, none, out, err), COMMAND_DEADLINE_MS);
    close(out);
    close(err);
    if (job->command_status)
        job->problem = job->command_status < 0 ? "the program took longer than 90 s" : "the program failed";
}

static void marker_run(struct session *session, struct job *job)
{
    char token[128], tgid[32];

    snprintf(token, sizeof(token), "marker-%s-%d", job->name, getpid());
    job->marker = fork();
    if (job->marker == 0) {
        execl("/proc/self/exe", "run-case", "--marker", token, NULL);
        _exit(127);
    }
    wait_for(job->marker, MARKER_DEADLINE_MS);
    int64_t deadline = now_ms() + MARKER_DEADLINE_MS;

    snprintf(tgid, sizeof(tgid), "\"tgid\":%d,", job->marker);
    if (!(wait_line(session, "\"PROCESS_EXEC\"", token, deadline) &&
          (!session->with_exit || wait_line(session, "\"PROCESS_EXIT\"", tgid, deadline))) &&
        !job->problem)
        job->problem = "the events of the marker did not arrive in 20 s";
}

static void write_result(const struct session *session, const struct job *job)
{
    FILE *file = fdopen(output(session->outdir, job->name, "result"), "w");

    if (!file)
        die("fdopen");
    fprintf(file, "{\"session\":\"%s\",\"marker_pid\":%d,\"command_status\":%d,\"problem\":", session->name,
            job->marker, job->command_status);
    fprintf(file, job->problem ? "\"%s\"}\n" : "null}\n", job->problem);
    if (fclose(file))
        die("result");
}

/* Take the next job from the arguments. Return false if there is none. */
static bool job_next(char ***args, struct job *job)
{
    char **arg = *args;

    *job = (struct job){0};
    if (!arg[0] || !arg[1])
        return false;
    job->name = arg[0];
    job->command = arg + 1;
    while (*arg && strcmp(*arg, "--"))
        arg++;
    if (*arg)
        *arg++ = NULL;
    *args = arg;
    return true;
}

static void run_jobs(struct session *session)
{
    struct job job;

    while (job_next(&session->jobs, &job)) {
        session->job_start = session->len;
        while (session->job_start && session->text[session->job_start - 1] != '\n')
            session->job_start--;
        command_run(session, &job);
        marker_run(session, &job);
        write_result(session, &job);
    }
}

static void run_session(struct session *session)
{
    if (tracer_start(session))
        run_jobs(session);
    else
        session->problem = "EventsTrace did not report within 300 s that the probes are attached";
    if (tracer_ended(session))
        session->problem = "EventsTrace ended by itself";
    if (!tracer_stop(session) && !session->problem)
        session->problem = "EventsTrace did not end within 30 s of SIGTERM";
}

static void write_status(const struct session *session)
{
    FILE *file = fdopen(output(session->outdir, session->name, "status"), "w");

    if (!file)
        die("fdopen");
    fprintf(file, "{\"tracer_pid\":%d,\"tracer_status\":%d,", session->tracer, session->tracer_status);
    fprintf(file, "\"start_ms\":%ld,\"stop_ms\":%ld,\"problem\":", session->start_ms, session->stop_ms);
    fprintf(file, session->problem ? "\"%s\"}\n" : "null}\n", session->problem);
    if (fclose(file))
        die("status");
}

static bool is_exit_option(const char *option)
{
    return !strcmp(option, "--process-exit") || !strcmp(option, "--all") || !strcmp(option, "-a");
}

static void parse(struct session *session, int argc, char **argv)
{
    static char *const always[] = {"EventsTrace", "-i", "-u", "--process-exec"};
    int n = sizeof(always) / sizeof(always[0]), i = 3;

    memcpy(session->options, always, sizeof(always));
    session->variables = argv + i;
    while (i < argc && argv[i][0] != '-')
        i++;
    for (; i < argc && strcmp(argv[i], "--") && n < OPTIONS_MAX - 1; i++) {
        session->with_exit |= is_exit_option(argv[i]);
        session->options[n++] = argv[i];
    }
    if (i >= argc - 2 || strcmp(argv[i], "--")) {
        fprintf(stderr,
                "usage: run-case OUTDIR SESSION [VARIABLE=VALUE]... EVENTSTRACE-OPTION... -- NAME COMMAND...\n"
                "       [-- NAME COMMAND...]...\n");
        exit(2);
    }
    session->outdir = argv[1];
    session->name = argv[2];
    session->jobs = argv + i + 1;
}

int main(int argc, char **argv)
{
    struct session session = {0};

    if (argc > 1 && !strcmp(argv[1], "--marker"))
        return 0;
    parse(&session, argc, argv);
    run_session(&session);
    write_status(&session);
    if (session.problem)
        fprintf(stderr, "run-case: %s: %s\n", session.name, session.problem);
    return session.problem != NULL;
}
