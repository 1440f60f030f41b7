/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle-hogs - an attack by unprivileged processes where the kernel preempts probes: many processes of the lowest
 * scheduling class change files, fork and execute without end, and a few of the normal class leave them no processor,
 * so that they stay where they were preempted. Meanwhile the operations of a victim must all be reported.
 *
 *   idle-hogs FILLERS HOGS ROUNDS [changes]
 *
 * The fillers and hogs run as nobody. Prints as JSON the number of the victim's operations of each kind, which are
 * about files below /tmp/victim, memfds "marked-N", and children that start a session, become nobody and execute "true
 * marked-N"; with "changes" also those that are reported at the ends of functions: changes of these files, "marked-N"
 * on a terminal, shared memory with a key of MARKED_KEY or more, and attempts to attach to itself. It has a program of
 * its own, /tmp/bin/true, because a process that maps a file waits for every other one that is about to map it, however
 * seldom that runs.
 */
#include <err.h>
#include <fcntl.h>
#include <pty.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define CHECK(done) ((done) ? (void)0 : err(1, "%s", #done))
#define NOBODY 65534
#define WAIT_S 300 /* as long as may pass on a loaded machine */
#define HOGGING_S 30 /* at most: a filler that does not get to run may hold a lock that the victim needs */

#define MARKED_KEY 0x6d610000
#define PAGE 4096
#define CHANGES 12 /* of a file, in change_file */

static bool changes; /* are made as well */
static atomic_int *running; /* fillers that have done everything once, and hogs */

/* Make these operations, each of which is an event. Return whether all succeeded. */
static bool change_file(int fd, const char *name)
{
    const struct iovec vector = {"vector", 6};
    off_t from = 0, to = 2 * PAGE;
    int other = open(name, O_WRONLY);
    bool done = other >= 0 && pwrite(fd, "bytes", 5, 0) == 5 && pwritev(fd, &vector, 1, 0) == 6 &&
                !ftruncate(fd, 4 * PAGE) && !fallocate(fd, 0, 0, PAGE) &&
                copy_file_range(fd, &from, fd, &to, PAGE, 0) == PAGE && sendfile(other, fd, &from, 5) == 5;

    done = done && !fchmod(fd, 0640) && !fchown(fd, getuid(), getgid()) && !futimens(fd, NULL) && !truncate(name, 0) &&
           !fsetxattr(fd, "user.mark", "", 0, 0) && !fremovexattr(fd, "user.mark");
    return done && !close(other);
}

/*
 * Make the operations that are reported at the ends of functions, except for changes of files. Return whether all
 * succeeded.
 */
static bool do_others(int terminal, key_t key, const char *mark)
{
    int memory = shmget(key, 1, IPC_CREAT | 0600);

    return memory >= 0 && !shmctl(memory, IPC_RMID, NULL) && ptrace(PTRACE_ATTACH, getpid(), NULL, NULL) < 0 &&
           write(terminal, mark, strlen(mark)) > 0;
}

static void execute(const char *program, const char *mark)
{
    pid_t pid = vfork();

    if (!pid) {
        setsid();
        if (setgid(NOBODY) || setuid(NOBODY))
            _exit(126);
        execl(program, "true", mark, NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

static void change_files(int terminal)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);

    if (changes) {
        change_file(fd, "f");
        do_others(terminal, IPC_PRIVATE, "filler");
    }
    close(fd);
    rename("f", "g");
    link("g", "h");
    unlink("h");
    unlink("g");
    mkdir("d", 0700);
    rmdir("d");
    symlink("target", "s");
    unlink("s");
    close(memfd_create("filler", 0));
}

static void fill(int id)
{
    static const struct sched_param none;
    char dir[32];
    int master, terminal;

    snprintf(dir, sizeof(dir), "/tmp/fillers/%d", id);
    CHECK(!mkdir(dir, 0700) && !chdir(dir));
    CHECK(!openpty(&master, &terminal, NULL, NULL, NULL) && !fcntl(terminal, F_SETFL, O_NONBLOCK));
    CHECK(!sched_setscheduler(0, SCHED_IDLE, &none));
    for (bool again = false;; again = true) {
        change_files(terminal);
        tcflush(master, TCIFLUSH);
        if (id % 4 == 0)
            execute("/bin/true", "filler");
        if (!again)
            (*running)++;
    }
}

static void await_running(int count)
{
    time_t until = time(NULL) + WAIT_S;

    while (*running < count) {
        CHECK(time(NULL) <= until);
        usleep(10000);
    }
}

static void be_nobody(int fillers, int hogs)
{
    CHECK(!setpgid(0, 0));
    CHECK(!setgroups(0, NULL) && !setgid(NOBODY) && !setuid(NOBODY));
    for (int i = 0; i < fillers; i++) {
        if (!fork())
            fill(i);
    }
    await_running(fillers);
    for (int i = 0; i < hogs; i++) {
        if (fork())
            continue;
        alarm(HOGGING_S);
        (*running)++;
        for (;;)
            ;
    }
    pause();
}

static void be_victim(int round, int terminal)
{
    char file[32], renamed[32], mark[32];

    snprintf(file, sizeof(file), "f%d", round);
    snprintf(renamed, sizeof(renamed), "r%d", round);
    snprintf(mark, sizeof(mark), "marked-%d", round);
    int fd = open(file, O_CREAT | O_EXCL | O_RDWR, 0600);

    CHECK(fd >= 0 && (!changes || (change_file(fd, file) && do_others(terminal, MARKED_KEY + round, mark))));
    CHECK(!close(fd));
    CHECK(!rename(file, renamed));
    CHECK(!link(renamed, file));
    CHECK(!unlink(file) && !unlink(renamed));
    CHECK(!mkdir(file, 0700) && !rmdir(file));
    CHECK(!symlink("target", file) && !unlink(file));
    CHECK(!mkfifo(file, 0600) && !unlink(file));
    int memfd = memfd_create(mark, 0);

    CHECK(memfd >= 0 && !close(memfd));
    execute("/tmp/bin/true", mark);
}

int main(int argc, char **argv)
{
    int fillers = argc > 3 ? atoi(argv[1]) : 0, hogs = argc > 3 ? atoi(argv[2]) : 0;
    int rounds = argc > 3 ? atoi(argv[3]) : 0, master, terminal;

    changes = argc > 4 && !strcmp(argv[4], "changes");
    if (fillers < 1 || rounds < 1)
        errx(2, "usage: idle-hogs FILLERS HOGS ROUNDS [changes]");
    CHECK(!openpty(&master, &terminal, NULL, NULL, NULL));
    CHECK(!mkdir("/tmp/fillers", 0777) && !chmod("/tmp/fillers", 0777));
    CHECK(!mkdir("/tmp/victim", 0755) && !chdir("/tmp/victim"));
    running = mmap(NULL, sizeof(*running), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(running != MAP_FAILED);
    pid_t group = fork();

    CHECK(group >= 0);
    if (!group)
        be_nobody(fillers, hogs);
    await_running(fillers + hogs);
    for (int i = 0; i < rounds; i++) {
        be_victim(i, terminal);
        usleep(1000);
    }
    CHECK(!kill(-group, SIGKILL));
    CHECK(waitpid(group, NULL, 0) == group);
    printf("{\"FILE_CREATE\":%d,\"FILE_RENAME\":%d,\"FILE_LINK\":%d,\"FILE_DELETE\":%d,", 4 * rounds, rounds, rounds,
           5 * rounds);
    printf("\"PROCESS_SETUID\":%d,\"PROCESS_SETGID\":%d,", rounds, rounds);
    printf("\"PROCESS_FORK\":%d,\"PROCESS_EXEC\":%d,\"PROCESS_EXIT\":%d,", rounds, rounds, rounds);
    if (changes)
        printf("\"FILE_MODIFY\":%d,\"PROCESS_TTY_WRITE\":%d,\"PROCESS_SHMGET\":%d,\"PROCESS_PTRACE\":%d,",
               CHANGES * rounds, rounds, rounds, rounds);
    printf("\"PROCESS_MEMFD_CREATE\":%d,\"PROCESS_SETSID\":%d}\n", rounds, rounds);
    return 0;
}
