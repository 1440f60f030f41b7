/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load - performs one kind of operation many times and prints the cost of one.
 *
 *   load [OPTION]... MODE...
 *
 *   --pids PID,PID   the tracer and the reader of its output: the CPU time that they take to catch up after the
 *                    operations is added
 *   --freeze PID     the tracer to be stopped during the operations; it catches up between the rounds
 *   --rounds         many short rounds, each of which leaves no more records than an eighth of a ring of 4 MiB, because
 *                    above that a ring wakes its reader with each record; --freeze implies it
 *   --share PERCENT  fewer rounds; their length does not change, because the cost of one operation depends on it
 *   --ops N          one round of N operations, without a warm-up
 *   --label WORD     the "phase" of the printed line
 *   --thread         the process has a second thread, which does nothing
 *
 * A mode prints one line of JSON. Nanoseconds are instructions in a guest with --icount. Before each round there is a
 * pause; the first round is a warm-up of equal size and does not count.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DIRECTORY "/tmp/bench"
#define PIDS_MAX 8
#define TIME_WAIT_S 61
/* The reader wakes itself every 200 ms: only after that time does its idleness mean anything. */
#define WAKE_MS 500
#define LOOK_MS 100
#define LOOKS_MAX 300
#define IDLE_MS 2000
#define LONG_ROUNDS 3
/* CPU time that a process that only polls may use between two looks. */
#define LOOK_NOISE_NS 20000

static int kept_fd, listen_fd, zero_fd, null_fd;
static struct sockaddr_in address;

static long long clock_ns(clockid_t clock)
{
    struct timespec ts;

    if (clock_gettime(clock, &ts))
        err(1, "a process that is watched is gone");
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void sleep_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&ts, NULL);
}

/* --- the operations ----------------------------------------------------------------------------------------------- */

static void do_exec(void)
{
    static char *const argv[] = {"nop", NULL}, *const environment[] = {NULL};
    pid_t pid = vfork();

    if (!pid) {
        execve("/opt/bin/nop", argv, environment);
        _exit(127);
    }
    int status;

    if (waitpid(pid, &status, 0) != pid || status)
        errx(1, "nop did not run");
}

static void do_file(void)
{
    int fd = open(DIRECTORY "/a", O_WRONLY | O_CREAT, 0600);

    if (fd < 0 || write(fd, "hello", 5) != 5 || close(fd) || rename(DIRECTORY "/a", DIRECTORY "/b") ||
        unlink(DIRECTORY "/b"))
        err(1, "file");
}

static void do_write(void)
{
    if (pwrite(kept_fd, "hello", 5, 0) != 5)
        err(1, "pwrite");
}

static void do_open(void)
{
    if (close(open(DIRECTORY "/kept", O_RDONLY)))
        err(1, "open");
}

/* On a file system that has neither memfds nor /dev/shm. */
static void do_proc(void)
{
    if (close(open("/proc/version", O_RDONLY)))
        err(1, "open");
}

static void do_net(void)
{
    int client = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(client, (struct sockaddr *)&address, sizeof(address)))
        err(1, "connect");
    int server = accept(listen_fd, NULL, NULL);

    if (server < 0 || close(client) || close(server))
        err(1, "accept");
}

static void do_pread(void)
{
    char buffer[5];

    if (pread(kept_fd, buffer, sizeof(buffer), 0) != sizeof(buffer))
        err(1, "pread");
}

static void do_zero(void)
{
    char byte;

    if (read(zero_fd, &byte, 1) != 1)
        err(1, "read");
}

static void do_null(void)
{
    if (write(null_fd, "x", 1) != 1)
        err(1, "write");
}

static void do_getppid(void)
{
    syscall(SYS_getppid);
}

static const struct mode {
    const char *name;
    void (*operation)(void);
    int ops, rounds; /* of a round: 3 records of 1 KiB an exec, 4 of 700 bytes a file, 1 a write, 4 of 400 a net */
} modes[] = {
    {"exec", do_exec, 100, 10},    {"file", do_file, 100, 10},         {"write", do_write, 500, 10},
    {"open", do_open, 1000, 10},   {"proc", do_proc, 500, 10},         {"net", do_net, 200, 10},
    {"pread", do_pread, 5000, 10}, {"getppid", do_getppid, 20000, 10}, {"zero", do_zero, 5000, 10},
    {"null", do_null, 5000, 10},
};

static void *do_nothing(void *arg)
{
    pause();
    return arg;
}

static void prepare(void)
{
    socklen_t length = sizeof(address);

    /* A program at fixed addresses always takes the same page faults. */
    personality(ADDR_NO_RANDOMIZE);
    mkdir(DIRECTORY, 0700);
    kept_fd = open(DIRECTORY "/kept", O_RDWR | O_CREAT, 0600);
    do_write();
    zero_fd = open("/dev/zero", O_RDONLY);
    null_fd = open("/dev/null", O_WRONLY);
    listen_fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) || listen(listen_fd, 9) ||
        getsockname(listen_fd, (struct sockaddr *)&address, &length))
        err(1, "listen");
}

/*
 * --- the watched processes
 * --------------------------------------------------------------------------------------------
 */

static clockid_t watched[PIDS_MAX];
static int n_watched;
static pid_t frozen;
static double idle_per_ms;

static void watch(char *pids)
{
    for (char *pid = strtok(pids, ","); pid; pid = strtok(NULL, ",")) {
        /* The clock of the whole process: of all its threads, including those that have ended. */
        if (n_watched == PIDS_MAX || clock_getcpuclockid(atoi(pid), &watched[n_watched++]))
            errx(1, "no process %s", pid);
    }
}

static long long used(void)
{
    long long sum = 0;

    for (int i = 0; i < n_watched; i++)
        sum += clock_ns(watched[i]);
    return sum;
}

static void measure_idle(void)
{
    long long begin = used();

    sleep_ms(IDLE_MS);
    idle_per_ms = (double)(used() - begin) / IDLE_MS;
}

/*
 * Wait until the watched processes have caught up: in two successive looks they only idled. Return the CPU time that
 * they took for it, without what they would have used in that time anyway.
 */
static double catch_up(long long used_before)
{
    int still = 0, waited = WAKE_MS;

    sleep_ms(WAKE_MS);
    for (int i = 0; n_watched && still < 2; i++) {
        long long before = used();

        if (i == LOOKS_MAX)
            errx(1, "the tracer does not come to rest");
        sleep_ms(LOOK_MS);
        waited += LOOK_MS;
        still = used() - before <= 2 * idle_per_ms * LOOK_MS + LOOK_NOISE_NS ? still + 1 : 0;
    }
    double extra = (double)(used() - used_before) - idle_per_ms * waited;

    return extra > 0 ? extra : 0;
}

static void freeze(void)
{
    char path[64], state = 0;

    snprintf(path, sizeof(path), "/proc/%d/stat", frozen);
    kill(frozen, SIGSTOP);
    while (state != 'T') {
        FILE *file = fopen(path, "r");

        if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            errx(1, "no process %d", frozen);
        fclose(file);
        sleep_ms(10);
    }
}

/* --- rounds ------------------------------------------------------------------------------------------------------- */

/* The cost of a round; *after is the part after the operations. */
static double run_round(const struct mode *mode, int ops, double *after)
{
    if (frozen)
        freeze();
    else
        sleep_ms(10);
    long long used_before, elapsed, begin = clock_ns(CLOCK_MONOTONIC);

    for (int i = 0; i < ops; i++)
        mode->operation();
    elapsed = clock_ns(CLOCK_MONOTONIC) - begin;
    used_before = used();
    if (frozen)
        kill(frozen, SIGCONT);
    *after = catch_up(used_before);
    if (frozen)
        *after = 0;
    return elapsed + *after;
}

static void run(const struct mode *mode, const char *label, int ops, int rounds, int warm_up)
{
    double sum = 0, after_sum = 0, least = 0, most = 0, after;

    if (!strcmp(mode->name, "net"))
        sleep_ms(TIME_WAIT_S * 1000); /* until the connections of the previous run are forgotten */
    if (n_watched)
        measure_idle();
    if (warm_up)
        run_round(mode, ops, &after);
    for (int i = 0; i < rounds; i++) {
        double per_op = run_round(mode, ops, &after) / (ops ? ops : 1);

        sum += per_op;
        after_sum += after / (ops ? ops : 1);
        least = !i || per_op < least ? per_op : least;
        most = per_op > most ? per_op : most;
    }
    printf("{\"phase\":\"%s\",\"mode\":\"%s\",\"ops\":%d,\"rounds\":%d,\"per_op\":%.1f,\"after_per_op\":%.1f,"
           "\"least\":%.1f,\"most\":%.1f,\"idle_per_s\":%.0f}\n",
           label, mode->name, ops * rounds, rounds, sum / rounds, after_sum / rounds, least, most, idle_per_ms * 1000);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"pids", 1, NULL, 'p'}, {"freeze", 1, NULL, 'f'}, {"rounds", 0, NULL, 'r'}, {"share", 1, NULL, 's'},
        {"ops", 1, NULL, 'o'},  {"label", 1, NULL, 'l'},  {"thread", 0, NULL, 't'}, {NULL, 0, NULL, 0},
    };
    const char *label = "";
    pthread_t thread;
    int option, in_rounds = 0, share = 100, ops = -1;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (option) {
        case 'p':
            watch(optarg);
            break;
        case 'f':
            frozen = atoi(optarg);
            in_rounds = 1;
            break;
        case 'r':
            in_rounds = 1;
            break;
        case 's':
            share = atoi(optarg);
            break;
        case 'o':
            ops = atoi(optarg);
            break;
        case 't':
            if (pthread_create(&thread, NULL, do_nothing, NULL))
                errx(1, "no thread");
            break;
        case 'l':
            label = optarg;
            break;
        default:
            return 2;
        }
    prepare();
    for (; optind < argc; optind++) {
        const struct mode *mode = modes;
        const struct mode *end = modes + sizeof(modes) / sizeof(modes[0]);

        while (mode < end && strcmp(mode->name, argv[optind]))
            mode++;
        if (mode == end)
            errx(2, "no mode %s", argv[optind]);
        if (ops >= 0)
            run(mode, label, ops, 1, 0);
        else if (in_rounds)
            run(mode, label, mode->ops, (mode->rounds * share + 99) / 100, 1);
        else
            run(mode, label, mode->ops * mode->rounds, (LONG_ROUNDS * share + 99) / 100, 1);
    }
    return 0;
}
