// SPDX-License-Identifier: BSD-2-Clause
/* test-threads.c - the table of threads: who is read from /proc, found, replaced, removed. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "Threads.h"
#include "check.h"

#define ABSENT UINT32_C(5000000) /* no thread has it: the kernel's maximum is 2^22 */
#define MANY 5000

static struct threads table;
static sem_t is_there, may_end;
static uint32_t other_tid;

static uint32_t own_tid(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

static void *other_thread(void *unused)
{
    (void)unused;
    other_tid = own_tid();
    sem_post(&is_there);
    sem_wait(&may_end);
    return NULL;
}

static void check_own(const struct thread *t)
{
    struct stat st;

    CHECK(t != NULL);
    if (!t)
        return;
    CHECK(t->tgid == (uint32_t)getpid());
    CHECK(t->creds.ruid == getuid() && t->creds.euid == geteuid());
    CHECK(t->creds.rgid == getgid() && t->creds.egid == getegid());
    CHECK(!stat("/proc/self/ns/mnt", &st) && t->ns.mnt == (uint32_t)st.st_ino);
    CHECK(!stat("/proc/self/ns/user", &st) && t->ns.user == (uint32_t)st.st_ino);
}

/* Threads that were there, one that came later, one that is not there. */
static void test_proc(void)
{
    pthread_t thread;

    CHECK(threads__init(&table) == 0);
    check_own(threads__find(&table, own_tid()));
    const uint32_t count = table.count;

    sem_init(&is_there, 0, 0);
    sem_init(&may_end, 0, 0);
    if (pthread_create(&thread, NULL, other_thread, NULL))
        abort();
    sem_wait(&is_there);
    CHECK(other_tid != own_tid());
    check_own(threads__find(&table, other_tid));
    CHECK(table.count == count + 1);
    threads__remove(&table, other_tid);
    CHECK(table.count == count);
    sem_post(&may_end);
    pthread_join(thread, NULL);
    CHECK(!threads__find(&table, ABSENT));
    CHECK(table.count == count);
    threads__remove(&table, ABSENT);
    CHECK(table.count == count);
    threads__fini(&table);
}

/* A number that another process uses again has nothing of the earlier thread. */
static void test_again(void)
{
    CHECK(threads__init(&table) == 0);
    struct thread *t = threads__get(&table, ABSENT, ABSENT + 1);

    CHECK(t && t->tid == ABSENT && t->tgid == ABSENT + 1 && !t->creds.ruid && !t->ns.mnt);
    if (!t)
        abort();
    t->creds.ruid = 7;
    t->ns.mnt = 9;
    CHECK(threads__find(&table, ABSENT) == t && threads__get(&table, ABSENT, ABSENT + 1) == t && t->creds.ruid == 7);
    t = threads__get(&table, ABSENT, ABSENT + 2);
    CHECK(t && t->tgid == ABSENT + 2 && !t->creds.ruid && !t->ns.mnt);
    threads__fini(&table);
}

static void test_many(void)
{
    CHECK(threads__init(&table) == 0);
    const uint32_t count = table.count;

    for (uint32_t i = 0; i < MANY; i++)
        CHECK(threads__get(&table, ABSENT + i, ABSENT) != NULL);
    CHECK(table.count == count + MANY && table.mask + 1 >= MANY);
    check_own(threads__find(&table, own_tid()));
    for (uint32_t i = 0; i < MANY; i += 2)
        threads__remove(&table, ABSENT + i);
    for (uint32_t i = 0; i < MANY; i++)
        CHECK(!!threads__find(&table, ABSENT + i) == (i % 2 != 0));
    CHECK(table.count == count + MANY / 2);
    threads__fini(&table);
}

int main(void)
{
    test_proc();
    test_again();
    test_many();
    return check__report();
}
