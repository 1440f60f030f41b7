/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-ids: two threads whose ids are equal modulo a power of two, which would share an entry of a small table.
 * Each creates and removes directories at the same time as the other, one of them through a bind mount. They do so in
 * different directories, because the lock of a common one would serialize them.
 */
#include "file-ops.h"

#define MODULUS 4096
#define COUNT 1000
#define STACK_SIZE 65536

struct maker {
    const char *dir;
    pid_t want, tid; /* `want`: a thread with another id, modulo MODULUS, ends at once; 0: any id will do */
};

static pthread_barrier_t begin;

static void *make_directories(void *arg)
{
    struct maker *maker = arg;
    char name[64];

    maker->tid = thread__id();
    if (maker->want && maker->tid % MODULUS != maker->want % MODULUS)
        return NULL;
    pthread_barrier_wait(&begin);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof(name), "%s/%d-%d", maker->dir, (int)maker->tid, i);
        CHECK(!mkdir(name, 0755) && !rmdir(name));
    }
    return maker;
}

static void fact__maker(const struct maker *maker)
{
    char path[sizeof(case_dir) + 32];

    snprintf(path, sizeof(path), "%s/%s", case_dir, maker->dir);
    fact__object(NULL);
    fact__int("tid", maker->tid);
    fact__str("dir", path);
    fact__object_end();
}

int main(void)
{
    struct maker plain = {.dir = "plain/one"}, bound = {.dir = "bound/two"};
    pthread_t first, second;
    pthread_attr_t attr;
    void *made = NULL;

    CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    case__dir();
    CHECK(!mkdir("plain", 0755) && !mkdir("bound", 0755) && !mount("plain", "bound", NULL, MS_BIND, NULL));
    CHECK(!mkdir("plain/one", 0755) && !mkdir("plain/two", 0755));
    CHECK(!pthread_barrier_init(&begin, NULL, 2));
    CHECK(!pthread_attr_init(&attr) && !pthread_attr_setstacksize(&attr, stack__least(STACK_SIZE)));
    CHECK(!pthread_create(&first, &attr, make_directories, &plain));
    while (!*(volatile pid_t *)&plain.tid)
        usleep(1000);
    for (bound.want = plain.tid; !made;)
        CHECK(!pthread_create(&second, &attr, make_directories, &bound) && !pthread_join(second, &made));
    CHECK(!pthread_join(first, NULL));

    fact__int("pid", getpid());
    fact__int("modulus", MODULUS);
    fact__int("count", COUNT);
    fact__array("makers");
    fact__maker(&plain);
    fact__maker(&bound);
    fact__array_end();
    return facts__print();
}
