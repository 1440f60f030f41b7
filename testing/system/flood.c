/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flood - makes events as fast as it can; all parts of an event contain one number.
 *
 *   flood memfd COUNT [THREADS]    COUNT memfds; the comm of a thread is its number, the name is number and serial
 *   flood tty COUNT [THREADS]      COUNT writes to a terminal, with letter and length depending on the thread's number
 *   flood exec COUNT [THREADS]     COUNT processes that execute a program with the number as an argument, and exit
 *   flood forks COUNT [THREADS]    COUNT processes that create a thread each, and exit
 *   flood threads COUNT [THREADS]  COUNT threads, which are no events
 *
 * Prints {"kind":K,"count":N,"threads":T,"pid":P}.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static const char *kind;
static long per_thread;
static int tty_master = -1, tty_slave = -1;

static void name_thread(long number)
{
    char name[16];

    snprintf(name, sizeof(name), "flood%ld", number);
    prctl(PR_SET_NAME, name);
}

static void *flood_memfd(void *arg)
{
    long number = (long)arg;
    char name[128];

    name_thread(number);
    for (long i = 0; i < per_thread; i++) {
        /* the length depends on the number too */
        snprintf(name, sizeof(name), "flood%ld-%ld-%.*s", number, i, (int)number,
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        int fd = memfd_create(name, 0);

        if (fd < 0) {
            perror("memfd_create");
            exit(1);
        }
        close(fd);
    }
    return NULL;
}

static void *flood_tty(void *arg)
{
    long number = (long)arg;
    char text[64];

    name_thread(number);
    memset(text, 'a' + (int)number % 26, sizeof(text));
    for (long i = 0; i < per_thread; i++)
        if (write(tty_slave, text, 10 + (size_t)number % 26) < 0) {
            perror("write");
            exit(1);
        }
    return NULL;
}

static void *flood_exec(void *arg)
{
    char number[16];

    snprintf(number, sizeof(number), "flood%ld", (long)arg);
    for (long i = 0; i < per_thread; i++) {
        pid_t pid = vfork();

        if (!pid) {
            execl("/bin/true", number, number, number, NULL);
            _exit(127);
        }
        if (pid < 0 || waitpid(pid, NULL, 0) != pid) {
            perror("vfork");
            exit(1);
        }
    }
    return NULL;
}

static void *end_at_once(void *arg)
{
    return arg;
}

/*
 * In a child of a process with threads, only functions that are safe in a signal handler may be called: so no pthreads.
 */
static int thread_main(void *arg)
{
    (void)arg;
    syscall(SYS_exit, 0);
    return 0;
}

static void child_main(void)
{
    static char stack[16384] __attribute__((aligned(16)));

    clone(thread_main, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL);
    _exit(0);
}

static void *flood_forks(void *arg)
{
    (void)arg;
    for (long i = 0; i < per_thread; i++) {
        pid_t pid = fork();

        if (!pid)
            child_main();
        if (pid < 0 || waitpid(pid, NULL, 0) != pid) {
            perror("fork");
            exit(1);
        }
    }
    return NULL;
}

static void *flood_threads(void *arg)
{
    (void)arg;
    for (long i = 0; i < per_thread; i++) {
        pthread_t id;

        if (pthread_create(&id, NULL, end_at_once, NULL) || pthread_join(id, NULL)) {
            perror("pthread_create");
            exit(1);
        }
    }
    return NULL;
}

static void *drain(void *arg)
{
    char buffer[4096];

    (void)arg;
    while (read(tty_master, buffer, sizeof(buffer)) > 0)
        ;
    return NULL;
}

/* A pseudo terminal whose other side is read continuously. */
static int open_tty(void)
{
    struct termios raw;
    pthread_t thread;

    tty_master = posix_openpt(O_RDWR | O_NOCTTY);
    if (tty_master < 0 || grantpt(tty_master) || unlockpt(tty_master))
        return -1;
    tty_slave = open(ptsname(tty_master), O_RDWR | O_NOCTTY);
    if (tty_slave < 0 || tcgetattr(tty_slave, &raw))
        return -1;
    cfmakeraw(&raw);
    tcsetattr(tty_slave, TCSANOW, &raw);
    return pthread_create(&thread, NULL, drain, NULL) ? -1 : 0;
}

int main(int argc, char **argv)
{
    long count = argc > 2 ? atol(argv[2]) : 0;
    long threads = argc > 3 ? atol(argv[3]) : 1;
    void *(*run)(void *) = NULL;
    pthread_t ids[64];

    kind = argc > 1 ? argv[1] : "";
    if (!strcmp(kind, "memfd"))
        run = flood_memfd;
    else if (!strcmp(kind, "tty"))
        run = flood_tty;
    else if (!strcmp(kind, "exec"))
        run = flood_exec;
    else if (!strcmp(kind, "forks"))
        run = flood_forks;
    else if (!strcmp(kind, "threads"))
        run = flood_threads;
    if (!run || count < 1 || threads < 1 || threads > 64) {
        fprintf(stderr, "usage: flood memfd|tty|exec|forks|threads COUNT [THREADS]\n");
        return 2;
    }
    if (run == flood_tty && open_tty()) {
        perror("pty");
        return 1;
    }
    per_thread = count / threads;
    for (long i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, run, (void *)(i + 1)))
            return 1;
    for (long i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    printf("{\"kind\":\"%s\",\"count\":%ld,\"threads\":%ld,\"pid\":%d}\n", kind, per_thread * threads, threads,
           getpid());
    return 0;
}
