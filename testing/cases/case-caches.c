/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-caches: an unprivileged user has more mounts and more cgroups than there are cache entries for them, and acts in
 * each; meanwhile this process acts in its own, and opens a file in /dev/shm.
 */
#include "file-ops.h"

#define CGROUPS "/sys/fs/cgroup"
#define SHM_FILE "/dev/shm/case-caches"
#define MOUNTS 300
#define USES 3 /* one after the other for each mount */
#define CHILDREN 600
#define ROUNDS 200

static char cgroup[64];
static int events_of_rounds;

static void nothing(void *unused)
{
    (void)unused;
}

static void cgroup__enter(const char *path)
{
    char file[160];

    snprintf(file, sizeof(file), "%s/cgroup.procs", path);
    file__puts(file, "0");
}

static void become_root_of_namespaces(void)
{
    CHECK(!prctl(PR_SET_DUMPABLE, 1) && !unshare(CLONE_NEWUSER | CLONE_NEWNS));
    file__puts("/proc/self/setgroups", "deny");
    file__puts("/proc/self/uid_map", "0 65534 1");
    file__puts("/proc/self/gid_map", "0 65534 1");
    CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static void fill(void *unused)
{
    char name[128];

    (void)unused;
    cgroup__enter(cgroup);
    become_nobody();
    become_root_of_namespaces();
    for (int i = 0; i < MOUNTS; i++) {
        snprintf(name, sizeof(name), "theirs-%d", i);
        CHECK(!mkdir(name, 0755) && !mount("theirs", name, "tmpfs", 0, NULL));
        snprintf(name, sizeof(name), "theirs-%d/file", i);
        CHECK(!close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
        CHECK(!close(open(name, O_RDONLY | O_CLOEXEC))); /* of a tmpfs that is not /dev/shm */
    }
    for (int i = 0; i < USES * MOUNTS; i++) {
        snprintf(name, sizeof(name), "theirs-%d/dir-%d", i % MOUNTS, i / MOUNTS);
        CHECK(!mkdir(name, 0755));
    }
    for (int i = 0; i < CHILDREN; i++) {
        snprintf(name, sizeof(name), "%s/%d", cgroup, i);
        CHECK(!mkdir(name, 0755));
        cgroup__enter(name);
        child__run(nothing, NULL);
    }
}

static void operate(const char *dir)
{
    char name[32];

    snprintf(name, sizeof(name), "%s/dir", dir);
    CHECK(!mkdir(name, 0755));
    created("mkdir", name);
    expected__begin("rmdir", "FILE_DELETE");
    expected__path("path", name);
    expected__file(name);
    CHECK(!rmdir(name));
    expected__begin("open", "FILE_SHMEM_OPEN");
    fact__str("path", SHM_FILE);
    fact__object_end();
    CHECK(!close(open(SHM_FILE, O_RDONLY | O_CLOEXEC)));
    child__run(nothing, NULL);
    events_of_rounds++;
}

static void cgroup__make(void)
{
    char file[128];

    snprintf(cgroup, sizeof(cgroup), CGROUPS "/case-caches-%d", getpid());
    if (mkdir(cgroup, 0755))
        case__skip("no cgroup v2 hierarchy that can be written at " CGROUPS);
    snprintf(file, sizeof(file), "%s/cgroup.procs", cgroup);
    CHECK(!chown(cgroup, 65534, 65534) && !chown(file, 65534, 65534));
}

/* Done by another process, so that it is no event of this one. */
static void make_places(void *unused)
{
    (void)unused;
    CHECK(!close(open(SHM_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
    CHECK(!mkdir("one", 0755) && !mkdir("two", 0755) && !chown(".", 65534, 65534));
    CHECK(!mount("one", "one", "tmpfs", 0, NULL) && !mount("two", "two", "tmpfs", 0, NULL));
}

static void remove_shm(void *unused)
{
    (void)unused;
    CHECK(!unlink(SHM_FILE));
}

int main(void)
{
    int rounds = 0;

    cgroup__make();
    fact__int("pid", getpid());
    fact__str("cgroup", cgroup + strlen(CGROUPS));
    fact__int("mounts", MOUNTS);
    fact__int("uses", USES);
    fact__int("children", CHILDREN);
    case__dir(); /* in the root file system: only paths through one mount with few directories above it are cached */
    CHECK(!chmod(case_dir, 0755));
    fact__array("expected");
    child__run(make_places, NULL);
    operate("one");
    pid_t filler = child__start(fill, NULL);

    for (siginfo_t info = {0}; rounds < ROUNDS && !info.si_pid; rounds++) {
        operate(rounds % 2 ? "one" : "two");
        usleep(10000);
        CHECK(!waitid(P_PID, filler, &info, WEXITED | WNOHANG | WNOWAIT));
    }
    CHECK(child__wait(filler) == 0);
    operate("one");
    operate("two");
    fact__array_end();
    child__run(remove_shm, NULL);
    fact__int("filler", filler);
    fact__int("operations", events_of_rounds);
    return facts__print();
}
