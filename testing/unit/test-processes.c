// SPDX-License-Identifier: BSD-2-Clause
/* test-processes.c - the table of processes: who is found, added, inherited from, remembered after the end. */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "Processes.h"
#include "check.h"

/* Ids of processes that are not there, above the kernel's maximum of 2^22. */
#define ABSENT UINT32_C(5000000)
#define START_NS UINT64_C(123456789012347) /* not a multiple of a tick */

static struct processes table;

static struct process *parent;

static struct process *get(uint32_t tgid, uint64_t start_time_ns)
{
    return processes__get(&table, tgid, start_time_ns, parent);
}

/* Begin with the processes of this machine and a parent with a value in all that is inherited. */
static void begin(void)
{
    if (processes__init(&table))
        abort();
    parent = NULL;
    parent = get(ABSENT - 1, START_NS);
    if (!parent)
        abort();
    parent->ns =
        (struct ebpf_ns_info){.uts = 1, .ipc = 2, .mnt = 3, .net = 4, .cgroup = 5, .time = 6, .pid = 7, .user = 8};
    parent->ctty = (struct ebpf_tty_dev){.major = 136, .minor = 9};
    parent->trees = 5;
    parent->chosen = 2;
    parent->pids.pgid = 11;
    parent->pids.sid = 12;
    process__set_cgroup(parent, "/parent", strlen("/parent"));
}

/* Return how many processes a walk through the table meets. */
static uint32_t count_walk(void)
{
    uint32_t count = 0;

    for (struct process *p = processes__next(&table, NULL); p; p = processes__next(&table, p))
        count++;
    return count;
}

static void test_get(void)
{
    begin();
    const uint32_t before = table.count;

    CHECK(!processes__find(&table, ABSENT));
    struct process *p = get(ABSENT, START_NS);

    CHECK(p && processes__find(&table, ABSENT) == p && table.count == before + 1);
    CHECK(p->pids.tid == ABSENT && p->pids.tgid == ABSENT && p->pids.start_time_ns == START_NS && !p->has_ended);
    CHECK(get(ABSENT, START_NS) == p && table.count == before + 1);
    struct process *alone = processes__get(&table, ABSENT + 1, START_NS, NULL);

    CHECK(alone && alone->pids.tgid == ABSENT + 1 && alone->pids.start_time_ns == START_NS);
    CHECK(!alone->cgroup && !alone->ns.pid && !alone->trees && !alone->pids.sid);
    CHECK(count_walk() == table.count);
    processes__fini(&table);
}

static void test_inherit(void)
{
    begin();
    struct process *p = get(ABSENT, START_NS);

    CHECK(!memcmp(&p->ns, &parent->ns, sizeof(p->ns)) && p->trees == 5 && p->pids.pgid == 11 && p->pids.sid == 12);
    CHECK(p->ctty.major == 136 && p->ctty.minor == 9 && p->cgroup != parent->cgroup);
    CHECK_SAME(p->cgroup, "/parent");
    CHECK(!p->chosen); /* a condition on a process is not on its children */
    process__set_cgroup(parent, "/moved/away", strlen("/moved"));
    CHECK_SAME(parent->cgroup, "/moved");
    CHECK_SAME(p->cgroup, "/parent");
    parent->trees = 1;
    CHECK(get(ABSENT, START_NS)->trees == 5); /* what is there does not inherit again */
    processes__fini(&table);
}

/* Another start is another process. */
static void test_ids_used_again(void)
{
    begin();
    struct process *p = get(ABSENT, START_NS);
    const uint32_t count = table.count;

    p->chosen = 8;
    p->is_kernel = true;
    process__set_cgroup(p, "/own", strlen("/own"));
    p = get(ABSENT, START_NS + 1);
    CHECK(p && table.count == count && processes__find(&table, ABSENT) == p && p->pids.start_time_ns == START_NS + 1);
    CHECK(!p->chosen && !p->is_kernel && p->trees == 5 && p->pids.tid == ABSENT);
    CHECK_SAME(p->cgroup, "/parent");
    processes__end(&table, p);
    p = get(ABSENT, START_NS + 1);
    CHECK(p->has_ended && table.count == count); /* its last threads may come by later */
    p = get(ABSENT, START_NS + 2);
    CHECK(!p->has_ended && table.count == count);
    for (uint32_t i = 1; i <= 2 * PROCESSES_ENDED; i++)
        processes__end(&table, get(ABSENT + i, START_NS));
    CHECK(processes__find(&table, ABSENT) == p && p->pids.start_time_ns == START_NS + 2);
    processes__end(&table, p);
    CHECK(p->has_ended);
    processes__fini(&table);
}

/* Starts from /proc are cut to ticks. */
static void test_ticks(void)
{
    const uint64_t tick = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);

    begin();
    struct process *p = get(ABSENT, 1000 * tick);

    p->chosen = 1;
    p = get(ABSENT, 1000 * tick + tick / 2);
    CHECK(p->chosen == 1 && p->pids.start_time_ns == 1000 * tick + tick / 2);
    p = get(ABSENT, 1000 * tick + tick - 1); /* the exact start is in the table now */
    CHECK(!p->chosen);
    p = get(ABSENT + 1, 1000 * tick);
    p->chosen = 1;
    p = get(ABSENT + 1, 1001 * tick + 1);
    CHECK(!p->chosen);
    processes__fini(&table);
}

static void test_ends(void)
{
    begin();
    const uint32_t before = table.count;

    for (uint32_t i = 0; i < PROCESSES_ENDED; i++)
        processes__end(&table, get(ABSENT + i, START_NS));
    CHECK(table.count == before + PROCESSES_ENDED);
    for (uint32_t i = 0; i < PROCESSES_ENDED; i++)
        CHECK(processes__find(&table, ABSENT + i) && processes__find(&table, ABSENT + i)->has_ended);
    for (uint32_t i = 0; i < PROCESSES_ENDED; i++) {
        processes__end(&table, get(ABSENT + PROCESSES_ENDED + i, START_NS));
        CHECK(!processes__find(&table, ABSENT + i)); /* the one that ended first is forgotten first */
        CHECK(i + 1 == PROCESSES_ENDED || processes__find(&table, ABSENT + i + 1));
    }
    CHECK(table.count == before + PROCESSES_ENDED && count_walk() == table.count);
    processes__fini(&table);
}

static void test_growth(void)
{
    enum { MANY = 10000 };
    begin();
    const uint32_t before = table.count, mask = table.mask;

    for (uint32_t i = 0; i < MANY; i++)
        get(ABSENT + i * 3, START_NS + i);
    CHECK(table.count == before + MANY && count_walk() == table.count);
    CHECK(table.mask > mask && table.count <= (table.mask + 1) * 2 && !(table.mask & (table.mask + 1)));
    for (uint32_t i = 0; i < MANY; i++) {
        const struct process *p = processes__find(&table, ABSENT + i * 3);

        CHECK(p && p->pids.start_time_ns == START_NS + i && !processes__find(&table, ABSENT + i * 3 + 1));
    }
    CHECK(processes__find(&table, (uint32_t)getpid()) && processes__find(&table, ABSENT - 1) == parent);
    processes__fini(&table);
}

/* Processes that come and go do not fill the table. */
static void test_bound(void)
{
    uint32_t most = 0;

    begin();
    const uint32_t before = table.count;

    for (uint32_t i = 0; i < 100000; i++) {
        processes__end(&table, get(ABSENT + i % 30011, START_NS + i));
        most = table.count > most ? table.count : most;
    }
    CHECK(most >= before + PROCESSES_ENDED && most <= before + PROCESSES_ENDED + 1);
    CHECK(table.count == before + PROCESSES_ENDED && count_walk() == table.count);
    processes__fini(&table);
}

static uint32_t namespace_of(const char *name)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
    return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

/* Return the path of this process in a hierarchy of cgroups. */
static const char *cgroup_of(int hierarchy)
{
    static char line[8192];
    FILE *file = fopen("/proc/self/cgroup", "re");
    const char *found = NULL;

    while (file && !found && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        if (atoi(line) == hierarchy)
            found = strchr(strchr(line, ':') + 1, ':') + 1;
    }
    if (file)
        fclose(file);
    return found;
}

static void check_self(const struct process *p)
{
    CHECK(p->pids.tgid == (uint32_t)getpid() && p->pids.tid == (uint32_t)getpid() && !p->has_ended && !p->is_kernel);
    CHECK(p->pids.ppid == (uint32_t)getppid() && p->pids.pgid == (uint32_t)getpgrp());
    CHECK(p->pids.sid == (uint32_t)getsid(0));
    CHECK(p->ns.uts == namespace_of("uts") && p->ns.ipc == namespace_of("ipc") && p->ns.mnt == namespace_of("mnt"));
    CHECK(p->ns.net == namespace_of("net") && p->ns.cgroup == namespace_of("cgroup") &&
          p->ns.pid == namespace_of("pid"));
    CHECK(p->ns.time == namespace_of("time") && p->ns.user == namespace_of("user") && p->ns.pid && p->ns.mnt);
    const char *cgroup = cgroup_of(processes__hierarchy());

    if (cgroup)
        CHECK_SAME(p->cgroup, cgroup);
    CHECK(cgroup || !p->cgroup);
}

static void test_self(void)
{
    begin();
    struct process *self = processes__find(&table, (uint32_t)getpid());

    if (CHECK(self))
        check_self(self);
    CHECK(self->pids.start_time_ns > 0);
    const uint64_t start = self->pids.start_time_ns;

    /* A process whose beginning was missed: it is read when it is asked for. */
    CHECK(processes__get(&table, (uint32_t)getpid(), start + UINT64_C(1000000000), NULL) == self);
    check_self(self);
    processes__fini(&table);
}

static void test_child(void)
{
    begin();
    pid_t child = fork();

    if (!child) {
        pause();
        _exit(0);
    }
    if (!CHECK(child > 0))
        return;
    const struct process *p = processes__get(&table, (uint32_t)child, START_NS, NULL);

    CHECK(p && p->pids.ppid == (uint32_t)getpid() && p->ns.pid == namespace_of("pid"));
    CHECK(p->pids.start_time_ns == START_NS);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    processes__fini(&table);
}

/* A process whose parent is gone has another one; it is looked for if the table does not have the parent alive. */
static void test_parent(void)
{
    begin();
    struct process *self = processes__find(&table, (uint32_t)getpid());

    if (!CHECK(self))
        return;
    self->pids.ppid = 0x7ffffff0;
    process__update_parent(&table, self);
    CHECK(self->pids.ppid == (uint32_t)getppid());
    self->pids.ppid = 1;
    process__update_parent(&table, self); /* process 1 is alive: nothing is read */
    CHECK(self->pids.ppid == 1);
    self->pids.ppid = 0x7ffffff0;
    self->pids.start_time_ns -= 1000000000; /* of an earlier process with this id */
    process__update_parent(&table, self);
    CHECK(self->pids.ppid == 0x7ffffff0);
    processes__fini(&table);
}

int main(void)
{
    test_parent();
    test_get();
    test_inherit();
    test_ids_used_again();
    test_ticks();
    test_ends();
    test_growth();
    test_bound();
    test_self();
    test_child();
    return check__report();
}
