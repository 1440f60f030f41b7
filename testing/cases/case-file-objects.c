/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-objects: files that special calls create and delete: message queues, with and without a mount of their file
 * system, and pinned BPF objects.
 */
#include "file-ops.h"

#include <linux/bpf.h>
#include <mqueue.h>

enum { INT80_MQ_OPEN = 277, INT80_MQ_UNLINK = 278 };

static const char *queues; /* where their file system is mounted; NULL: nowhere */

static void expect(const char *what, const char *event_type, const char *name, const struct stat *st)
{
    char path[300];

    if (queues)
        snprintf(path, sizeof(path), "%s/%s", queues, name);
    else
        snprintf(path, sizeof(path), "/%s", name);
    expected__begin(what, event_type);
    expected__path("path", path);
    fact__bool("unreachable", !queues);
    fact__int("inode", st->st_ino);
    fact__int("mode", st->st_mode);
    fact__object_end();
}

/* The name is as the system call has it, without a slash. */
static int open_queue(const char *name, int flags)
{
    struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 8};

    return syscall(SYS_mq_open, name, flags, 0640, &attributes);
}

static void by_call(void)
{
    struct stat st;
    int fd = open_queue("case-queue", O_CREAT | O_RDWR);

    CHECK(fd >= 0 && !fstat(fd, &st));
    expect("mq_open", "FILE_CREATE", "case-queue", &st);
    CHECK(!close(fd));
    CHECK(open_queue("case-queue", O_CREAT | O_EXCL | O_RDWR) < 0);
    CHECK(!close(open_queue("case-queue", O_CREAT | O_RDWR)) && !close(open_queue("case-queue", O_RDONLY)));
    CHECK(!syscall(SYS_mq_unlink, "case-queue"));
    expect("mq_unlink", "FILE_DELETE", "case-queue", &st);
    CHECK(syscall(SYS_mq_unlink, "case-queue") < 0);
}

static void by_int80(void)
{
    static char name[] = "case-int80";
    struct stat st;
    int fd = int80(INT80_MQ_OPEN, (long)name, O_CREAT | O_RDWR, 0600, 0);

    CHECK(fd >= 0 && !fstat(fd, &st));
    expect("int80 mq_open", "FILE_CREATE", name, &st);
    CHECK(!close(fd) && !int80(INT80_MQ_UNLINK, (long)name, 0, 0, 0));
    expect("int80 mq_unlink", "FILE_DELETE", name, &st);
}

/* Like any other file. */
static void by_mount(void)
{
    int fd = open("queues/file", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    struct stat st;

    CHECK(fd >= 0 && !fstat(fd, &st));
    expect("open", "FILE_CREATE", "file", &st);
    CHECK(!close(fd) && !unlink("queues/file"));
    expect("unlink", "FILE_DELETE", "file", &st);
}

static void queue__create(const char *name, struct stat *ret_st)
{
    int fd = open_queue(name, O_CREAT | O_EXCL | O_RDWR);

    CHECK(fd >= 0 && !fstat(fd, ret_st));
    expect(name, "FILE_CREATE", name, ret_st);
    CHECK(!close(fd));
}

static void queue__unlink(const char *name, const struct stat *st)
{
    CHECK(!syscall(SYS_mq_unlink, name));
    expect(name, "FILE_DELETE", name, st);
}

/*
 * The calls for queues pass no path hook. What other operations on the same name have left there, even through a mount
 * that is gone, neither hides them nor gives them its path.
 */
static void after_others(void)
{
    struct stat st;

    queue__create("renamed-to-itself", &st);
    CHECK(!rename("queues/renamed-to-itself", "queues/renamed-to-itself"));
    queue__unlink("renamed-to-itself", &st);

    queue__create("not-renamed", &st);
    CHECK(rename("queues/not-renamed", "queues/else") < 0);
    queue__unlink("not-renamed", &st);

    CHECK(!mknod("queues/by-mknod", S_IFREG | 0640, 0) && !stat("queues/by-mknod", &st));
    expect("mknod", "FILE_CREATE", "by-mknod", &st);
    queue__unlink("by-mknod", &st);

    queue__create("not-unlinked", &st);
    CHECK(!mount("others", "others", "mqueue", 0, NULL));
    CHECK(!mount("/proc/version", "others/not-unlinked", NULL, MS_BIND, NULL));
    CHECK(unlink("others/not-unlinked") < 0 && errno == EBUSY);
    CHECK(!umount2("others/not-unlinked", 0) && !umount2("others", 0));
    queue__unlink("not-unlinked", &st);

    CHECK(!mount("others", "others", "mqueue", 0, NULL));
    CHECK(mknod("others/not-made", S_IFCHR | 0600, 0) < 0);
    CHECK(!umount2("others", 0));
    queue__create("not-made", &st);
    queue__unlink("not-made", &st);
}

static void make_directory(void *name)
{
    CHECK(!mkdir(name, 0755));
}

static void pin(const char *pins)
{
    union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
    union bpf_attr object = {.pathname = (uintptr_t)"pins/map"};
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    struct stat st;

    CHECK(!setrlimit(RLIMIT_MEMLOCK, &unlimited)); /* which counts maps on 5.10 */
    object.bpf_fd = syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
    CHECK((int)object.bpf_fd >= 0 && !syscall(SYS_bpf, BPF_OBJ_PIN, &object, sizeof(object)));
    CHECK(!stat("pins/map", &st));
    queues = pins;
    expect("BPF_OBJ_PIN", "FILE_CREATE", "map", &st);
    CHECK(syscall(SYS_bpf, BPF_OBJ_PIN, &object, sizeof(object)) < 0 && errno == EEXIST);
    CHECK(!unlink("pins/map"));
    expect("unlink", "FILE_DELETE", "map", &st);
}

int main(void)
{
    static char mounted[300], pins[300];

    CHECK(!unshare(CLONE_NEWIPC | CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    case__dir();
    fact__int("pid", getpid());
    child__run(make_directory, (void *)"queues");
    child__run(make_directory, (void *)"renamed");
    CHECK(!rename("renamed", "others"));
    child__run(make_directory, (void *)"pins");
    bool int80_works = child__wait(child__start(int80__getpid, NULL)) == 0;

    fact__array("expected");
    by_call();
    if (int80_works)
        by_int80();
    CHECK(!mount("queues", "queues", "mqueue", 0, NULL) && !mount("pins", "pins", "bpf", 0, NULL));
    snprintf(mounted, sizeof(mounted), "%s/queues", case_dir);
    snprintf(pins, sizeof(pins), "%s/pins", case_dir);
    queues = mounted;
    by_call();
    by_mount();
    after_others();
    pin(pins);
    fact__array_end();
    return facts__print();
}
