/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ordinary exec, twice, with every value of the event different from its default: through symbolic links, in a
 * cgroup and a process group of its own, by a user and by root.
 */
#include "case.h"

#include <grp.h>

#define CGROUPS "/sys/fs/cgroup"
#define SLICE CGROUPS "/exec-basic.slice"
#define SCOPE SLICE "/one.scope"

static void cgroup__enter(const char *path)
{
    char file[256];

    snprintf(file, sizeof(file), "%s/cgroup.procs", path);
    file__puts(file, "0");
}

static void as_user(void)
{
    CHECK(!setgroups(0, NULL) && !setresgid(1001, 1002, 1003) && !setresuid(2001, 2002, 2003));
}

static void exec_child(void *user)
{
    char path[256];
    char *argv[] = {"link", "one two", "three", NULL};

    snprintf(path, sizeof(path), "%s/dirlink/link", case_dir);
    CHECK(!setpgid(0, 0) && !chdir("cwd"));
    cgroup__enter(SCOPE);
    if (user)
        as_user();
    execve(path, argv, child_env);
    CHECK(!"execve");
}

/* Return a capability mask of this process. */
static uint64_t capabilities(const char *field)
{
    char line[128];
    uint64_t mask = 0;
    FILE *status = fopen("/proc/self/status", "re");

    CHECK(status);
    while (fgets(line, sizeof(line), status)) {
        if (!strncmp(line, field, strlen(field)))
            mask = strtoull(line + strlen(field) + 1, NULL, 16);
    }
    fclose(status);
    return mask;
}

static void run(const char *key, bool user)
{
    fact__object(key);
    fact__int("before_mono", clock__ns(CLOCK_MONOTONIC));
    fact__int("before_boot", clock__ns(CLOCK_BOOTTIME));
    fact__int("before_real", clock__ns(CLOCK_REALTIME));
    fact__int("pid", child__run(exec_child, user ? &user : NULL));
    fact__int("after_mono", clock__ns(CLOCK_MONOTONIC));
    fact__int("after_boot", clock__ns(CLOCK_BOOTTIME));
    fact__int("after_real", clock__ns(CLOCK_REALTIME));
    fact__object_end();
}

int main(void)
{
    case__dir();
    self__copy("real");
    CHECK(!link("real", "second-name") && !symlink("real", "link") && !symlink(".", "dirlink") && !mkdir("cwd", 0755));
    if (access(CGROUPS "/cgroup.procs", W_OK))
        case__skip("no cgroup v2 hierarchy that can be written at " CGROUPS);
    CHECK(!mkdir(SLICE, 0755) && !mkdir(SCOPE, 0755));

    fact__int("pid", getpid());
    fact__int("sid", getsid(0));
    fact__namespaces("ns", getpid());
    fact__int("cap_permitted", capabilities("CapPrm:"));
    fact__int("cap_effective", capabilities("CapEff:"));
    run("root", false);
    run("user", true);
    CHECK(!rmdir(SCOPE) && !rmdir(SLICE));
    return facts__print();
}
