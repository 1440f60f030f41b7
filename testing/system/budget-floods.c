/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * budget-floods - executes programs beside floods of events by an unprivileged user.
 *
 *   budget-floods KIND COUNT EXECS
 *   budget-floods list               print each KIND, and the option of the event that it makes
 *
 * Processes of the user nobody repeat the operation KIND. After COUNT times, and when each process has done it, root
 * executes EXECS programs with the argument "marked-KIND", and then ends the flood. Prints
 * {"kind":K,"pid":P,"made":N}.
 *
 *   memfd, shmget, listen   the call; listen also connects to the listener, and closes both
 *   connect                 attempts that are refused
 *   denied                  attempts to attach to the first process
 *   fork, setsid            children that end, after setsid
 *   chroot                  the call, in a user namespace, where anybody may make it
 *   setuid, setgid          effective and saved id change places
 *   threads                 memfds by several threads of one process
 *   processes               memfds by many processes
 *   ids                     memfds by many processes in a user namespace of many ids, of which each uses one after the
 *                           other: more than the probes know users
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define SAVED_ID 65533 /* as after a set-user-ID program of that user */
#define THREADS 4
#define PROCESSES 60
#define IDS 4096 /* in the user namespace, from FIRST_ID on outside of it, as /etc/subuid grants them */
#define FIRST_ID 100000
#define NICE 19 /* there are many, and the programs are to be executed meanwhile */
#define REFUSED_PORT 1
#define DEADLINE_S 300

struct progress {
    atomic_long done;
    atomic_int ready;  /* number of processes that wait for the others before they begin */
    atomic_int active; /* number of processes that have begun */
};

static struct progress *progress; /* shared with the flood */
static int segment;

static void check(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int tcp__connect(const struct sockaddr_in *to)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    check(fd >= 0, "socket");
    int err = connect(fd, (const void *)to, sizeof(*to));

    close(fd);
    return err;
}

static void do_memfd(void)
{
    int fd = memfd_create("flood", 0);

    check(fd >= 0, "memfd_create");
    close(fd);
}

static void do_memfd_by_next_id(void)
{
    static uid_t id;

    id = (id ? id + PROCESSES : (uid_t)getpid()) % IDS;
    check(!setresuid(id, (uid_t)-1, (uid_t)-1), "setresuid"); /* the effective user remains root of the namespace */
    do_memfd();
}

static void do_shmget(void)
{
    check(shmget((key_t)segment, 4096, 0) >= 0, "shmget");
}

static void do_denied(void)
{
    check(ptrace(PTRACE_ATTACH, 1, NULL, NULL) < 0, "ptrace is allowed");
}

static void do_connect(void)
{
    struct sockaddr_in to = loopback(REFUSED_PORT);

    check(tcp__connect(&to) < 0, "connect is not refused");
}

static void do_listen(void)
{
    struct sockaddr_in here = loopback(0);
    socklen_t len = sizeof(here);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    check(fd >= 0 && !bind(fd, (void *)&here, len) && !listen(fd, 1) && !getsockname(fd, (void *)&here, &len),
          "listen");
    check(!tcp__connect(&here), "connect");
    close(fd);
}

static void child__run(int is_session)
{
    pid_t pid = fork();

    if (!pid)
        _exit(is_session && setsid() < 0);
    int status = 1;

    check(pid > 0 && waitpid(pid, &status, 0) == pid && !status, "fork");
}

static void do_fork(void)
{
    child__run(0);
}

static void do_setsid(void)
{
    child__run(1);
}

static void do_chroot(void)
{
    static int may;

    if (!may) {
        check(!unshare(CLONE_NEWUSER), "unshare");
        may = 1;
    }
    check(!chroot("/"), "chroot");
}

static void do_setuid(void)
{
    uid_t real, effective, saved;

    check(!getresuid(&real, &effective, &saved) && !setresuid((uid_t)-1, saved, effective), "setresuid");
}

static void do_setgid(void)
{
    gid_t real, effective, saved;

    check(!getresgid(&real, &effective, &saved) && !setresgid((gid_t)-1, saved, effective), "setresgid");
}

/* Each event that is BUDGETED has a flood, which scripts/lint checks. */
static const struct kind {
    const char *name, *option;
    void (*act)(void);
    int threads, processes, has_ids;
} kinds[] = {
    {"memfd", "process-memfd-create", do_memfd, 1, 1, 0},
    {"shmget", "process-shmget", do_shmget, 1, 1, 0},
    {"denied", "process-ptrace", do_denied, 1, 1, 0},
    {"connect", "net-conn-attempt", do_connect, 1, 1, 0},
    {"listen", "net-listen", do_listen, 1, 1, 0},
    {"fork", "process-fork", do_fork, 1, 1, 0},
    {"setsid", "process-setsid", do_setsid, 1, 1, 0},
    {"chroot", "process-chroot", do_chroot, 1, 1, 0},
    {"setuid", "process-setuid", do_setuid, 1, 1, 0},
    {"setgid", "process-setgid", do_setgid, 1, 1, 0},
    {"threads", "process-memfd-create", do_memfd, THREADS, 1, 0},
    {"processes", "process-memfd-create", do_memfd, 1, PROCESSES, 0},
    {"ids", "process-memfd-create", do_memfd_by_next_id, 1, PROCESSES, 1},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(*kinds))

static void *flood__run(void *arg)
{
    const struct kind *kind = arg;

    for (;;) {
        kind->act();
        atomic_fetch_add(&progress->done, 1);
    }
    return NULL;
}

/* Begin when all processes are there: those that are forked first would leave the others no time to be forked. */
static void process__run(const struct kind *kind)
{
    pthread_t thread;

    atomic_fetch_add(&progress->ready, 1);
    while (atomic_load(&progress->ready) < kind->processes)
        usleep(1000);
    for (int i = 1; i < kind->threads; i++)
        check(!pthread_create(&thread, NULL, flood__run, (void *)kind), "pthread_create");
    kind->act();
    atomic_fetch_add(&progress->active, 1);
    flood__run((void *)kind);
}

/* Make a user namespace, and become its root when the parent has mapped its ids. */
static void namespace__enter(int parent)
{
    char byte = 0;

    check(!unshare(CLONE_NEWUSER) && write(parent, &byte, 1) == 1 && read(parent, &byte, 1) == 1 && !setresuid(0, 0, 0),
          "become root of a user namespace");
}

/* Map the ids of the user namespace that a process makes, as newuidmap(1) does for whom /etc/subuid lists. */
static void namespace__map(pid_t pid, int child)
{
    char path[32], map[64], byte;

    snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
    int len = snprintf(map, sizeof(map), "0 %d %d\n", FIRST_ID, IDS), fd = -1;

    check(read(child, &byte, 1) == 1 && (fd = open(path, O_WRONLY | O_CLOEXEC)) >= 0 && write(fd, map, len) == len &&
              write(child, &byte, 1) == 1,
          "map ids");
    close(fd);
}

/*
 * The flood is a process group, which is killed as a whole. It ends with its first process, if that has not ended
 * before, and that one ends with this process.
 */
static void flood__begin(const struct kind *kind, int parent)
{
    check(nice(NICE) == NICE && !setresgid(NOBODY, NOBODY, SAVED_ID) && !setresuid(NOBODY, NOBODY, SAVED_ID),
          "become nobody");
    if (kind->has_ids)
        namespace__enter(parent);
    check(!prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
    sleep(1); /* what has been done so far has taken from the budget of a second, which is over then */
    for (int i = 1; i < kind->processes; i++) {
        pid_t pid = fork();

        check(pid >= 0, "fork");
        if (!pid) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != getpgrp())
                _exit(0);
            process__run(kind);
        }
    }
    process__run(kind);
}

static void execute(const char *mark)
{
    pid_t pid = vfork();

    if (!pid) {
        execl("/bin/true", "true", mark, NULL);
        _exit(127);
    }
    int status = 1;

    check(pid > 0 && waitpid(pid, &status, 0) == pid && !status, "execute");
}

static const struct kind *kind__find(const char *name)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

static int kinds__print(void)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        printf("%s --%s\n", kinds[i].name, kinds[i].option);
    return 0;
}

int main(int argc, char **argv)
{
    const struct kind *kind = argc == 4 ? kind__find(argv[1]) : NULL;
    char mark[32];

    if (argc == 2 && !strcmp(argv[1], "list"))
        return kinds__print();
    if (!kind) {
        fprintf(stderr, "usage: budget-floods list|KIND COUNT EXECS\n");
        return 2;
    }
    alarm(DEADLINE_S);
    segment = getpid();
    int shm = shmget((key_t)segment, 4096, IPC_CREAT | 0666);

    check(shm >= 0, "shmget");
    progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(progress != MAP_FAILED, "mmap");
    int ends[2];

    check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    pid_t flood = fork();

    check(flood >= 0, "fork");
    setpgid(flood, flood); /* by both, because one of them might be too late */
    close(ends[flood ? 1 : 0]);
    if (!flood)
        flood__begin(kind, ends[1]);
    if (kind->has_ids)
        namespace__map(flood, ends[0]);
    while ((atomic_load(&progress->done) < atol(argv[2]) || atomic_load(&progress->active) < kind->processes) &&
           !waitpid(flood, NULL, WNOHANG))
        usleep(1000);
    snprintf(mark, sizeof(mark), "marked-%s", kind->name);
    for (long i = atol(argv[3]); i > 0; i--)
        execute(mark);
    check(!kill(-flood, SIGKILL) && waitpid(flood, NULL, 0) == flood, "the flood has ended");
    shmctl(shm, IPC_RMID, NULL);
    printf("{\"kind\":\"%s\",\"pid\":%d,\"made\":%ld}\n", kind->name, flood, atomic_load(&progress->done));
    return 0;
}
