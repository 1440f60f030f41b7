/* SPDX-License-Identifier: BSD-2-Clause */
/* System V shared memory: segments that are created, found and refused, by 64-bit and 32-bit callers. */
#include "case.h"

#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define INT80_SHMGET 395
#define INT80_IPC 117
#define IPC_CALL_SHMGET 23

#define KEY 0x5e1f0001
#define NEGATIVE_KEY (-0x5e1f0001)
#define ABSENT_KEY 0x5e1f0002
#define MORE_THAN_32_BITS (UINT64_C(5) << 30)

static void fact__call(const char *by, int key, uint64_t size, int flags, long id)
{
    fact__object(NULL);
    fact__str("by", by);
    fact__bool("succeeds", id >= 0);
    fact__int("key", (uint32_t)key);
    fact__int("size", size);
    fact__int("shmflg", flags);
    fact__object_end();
}

static int get(int key, uint64_t size, int flags)
{
    int id = shmget(key, size, flags);

    fact__call("64-bit", key, size, flags, id);
    return id;
}

static void succeed(void)
{
    int ids[] = {
        get(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600),
        get(NEGATIVE_KEY, 12288, IPC_CREAT | 0640),
        get(IPC_PRIVATE, MORE_THAN_32_BITS, IPC_CREAT | SHM_NORESERVE | 0600),
    };

    CHECK(get(KEY, 0, 0) == ids[0]);
    CHECK(get(KEY, 100, IPC_CREAT) == ids[0]);
    CHECK(get(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600) == -1);
    CHECK(get(KEY, 8192, 0) == -1);
    CHECK(get(ABSENT_KEY, 4096, 0) == -1);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        CHECK(ids[i] >= 0 && !shmctl(ids[i], IPC_RMID, NULL));
}

static void succeed_int80(void)
{
    int id = int80(INT80_SHMGET, KEY, 4096, IPC_CREAT | 0600, 0);

    fact__call("int80", KEY, 4096, IPC_CREAT | 0600, id);
    int same = int80(INT80_IPC, IPC_CALL_SHMGET, KEY, 4096, 0);

    fact__call("int80 ipc", KEY, 4096, 0, same);
    CHECK(id >= 0 && same == id && !shmctl(id, IPC_RMID, NULL));
}

/* Semaphores and message queues with the key of a segment; in another namespace the key means another segment. */
static void succeed_elsewhere(void)
{
    int semaphores = semget(KEY, 1, IPC_CREAT | 0600), queue = msgget(KEY, IPC_CREAT | 0600);

    CHECK(semaphores >= 0 && !semctl(semaphores, 0, IPC_RMID) && queue >= 0 && !msgctl(queue, IPC_RMID, NULL));
    CHECK(get(IPC_PRIVATE, 0, 0600) == -1 && get(KEY, 4096, IPC_CREAT | SHM_HUGETLB | (60 << 26) | 0600) == -1);
    CHECK(!unshare(CLONE_NEWIPC));
    int id = get(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600);

    CHECK(id >= 0 && !shmctl(id, IPC_RMID, NULL));
}

static void get_as_nobody(void *unused)
{
    (void)unused;
    become_nobody();
    int id = shmget(IPC_PRIVATE, 4096, 0600);

    CHECK(id >= 0 && !shmctl(id, IPC_RMID, NULL));
}

int main(void)
{
    fact__int("pid", getpid());
    bool with_int80 = int80__available();

    fact__array("calls");
    succeed();
    if (with_int80)
        succeed_int80();
    succeed_elsewhere();
    fact__array_end();
    fact__int("nobody", child__run(get_as_nobody, NULL));
    return facts__print();
}
