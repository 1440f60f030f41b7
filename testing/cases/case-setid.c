/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of user ids ("case-setid uid") or of group ids ("case-setid gid"): by every call, by 64-bit and 32-bit
 * callers (the latter with 16-bit and with 32-bit ids), and calls that change nothing. Each in a child that starts with
 * all ids 0, and prints its ids afterwards. One has a terminal and a namespace of its own.
 */
#include "case.h"

#include <grp.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#define SAME (-1)

enum call { SET, SET_RE, SET_RES, SET_FS, CALLS };

/* Numbers of the calls: 64-bit; 32-bit with 16-bit ids; 32-bit with 32-bit ids. */
static const int numbers[2][CALLS][3] = {
    {{SYS_setuid, 23, 213}, {SYS_setreuid, 70, 203}, {SYS_setresuid, 164, 208}, {SYS_setfsuid, 138, 215}},
    {{SYS_setgid, 46, 214}, {SYS_setregid, 71, 204}, {SYS_setresgid, 170, 210}, {SYS_setfsgid, 139, 216}},
};

static const char *const abi_names[] = {"64-bit", "int80, 16-bit ids", "int80, 32-bit ids"};

struct step {
    const char *what;
    enum call call;
    int args[3];
    bool changes;
};

static const struct step steps[] = {
    {"all three", SET, {1001}, true},
    {"real and effective", SET_RE, {1001, 1002}, true},
    {"real only", SET_RE, {1003, SAME}, true},
    {"effective only", SET_RE, {SAME, 1004}, true},
    {"each another", SET_RES, {1005, 1006, 1007}, true},
    {"saved only", SET_RES, {SAME, SAME, 1008}, true},
    {"file system only", SET_FS, {1009}, true},
    {"to what it is", SET, {0}, false},
    {"to what they are", SET_RES, {0, 0, 0}, false},
    {"none", SET_RES, {SAME, SAME, SAME}, false},
    {"neither", SET_RE, {SAME, SAME}, false},
    {"file system, to what it is", SET_FS, {0}, false},
};

static int groups; /* 1 for group ids, also the first index of numbers */

struct ids {
    uint32_t real, effective, saved, fs;
};

/* A child's work, and what it prints. */
struct job {
    const struct step *step;
    int abi;
    int ids_pipe[2];
    const char *terminal;
    struct gate life;
};

static long invoke(const struct step *step, int abi)
{
    int nr = numbers[groups][step->call][abi];
    const int *args = step->args;

    if (abi == 0)
        return syscall(nr, args[0], args[1], args[2]);
    return int80(nr, args[0], args[1], args[2], 0);
}

static void ids__get(struct ids *ids)
{
    if (groups)
        CHECK(!getresgid(&ids->real, &ids->effective, &ids->saved));
    else
        CHECK(!getresuid(&ids->real, &ids->effective, &ids->saved));
    ids->fs = groups ? setfsgid(-1) : setfsuid(-1);
}

static void ids__send(int fd)
{
    struct ids ids;

    ids__get(&ids);
    CHECK(write(fd, &ids, sizeof(ids)) == sizeof(ids));
}

static void do_step(void *arg)
{
    struct job *job = arg;

    CHECK(invoke(job->step, job->abi) == 0);
    ids__send(job->ids_pipe[1]);
}

static void fact__change(const char *what, const char *abi, bool changes, pid_t pid, const struct ids *ids)
{
    fact__object(NULL);
    fact__str("what", what);
    fact__str("abi", abi);
    fact__bool("changes", changes);
    fact__int("pid", pid);
    fact__int("real", ids->real);
    fact__int("effective", ids->effective);
    fact__int("saved", ids->saved);
    fact__int("fs", ids->fs);
    fact__object_end();
}

static void run(const char *what, child_fn *fn, const struct step *step, int abi, bool changes)
{
    struct job job = {.step = step, .abi = abi};
    struct ids ids;

    CHECK(!pipe2(job.ids_pipe, O_CLOEXEC));
    pid_t pid = child__run(fn, &job);

    CHECK(read(job.ids_pipe[0], &ids, sizeof(ids)) == sizeof(ids));
    CHECK(!close(job.ids_pipe[0]) && !close(job.ids_pipe[1]));
    fact__change(what, abi_names[abi], changes, pid, &ids);
}

/* Becomes nobody, which is the only change, and may not go back. */
static void is_refused(void *arg)
{
    struct job *job = arg;

    if (groups) {
        /* Root may change its groups because of its user id. */
        CHECK(!setgid(NOBODY) && !setuid(NOBODY));
        CHECK(setgid(0) == -1 && errno == EPERM && setresgid(SAME, SAME, 0) == -1);
    } else {
        CHECK(!setuid(NOBODY));
        CHECK(setuid(0) == -1 && errno == EPERM && setresuid(SAME, SAME, 0) == -1);
    }
    ids__send(job->ids_pipe[1]);
}

/* New credentials, with unchanged ids. */
static void changes_other_credentials(void *arg)
{
    struct job *job = arg;
    static const gid_t list[] = {5, 6};

    CHECK(!prctl(PR_SET_KEEPCAPS, 1) && !setgroups(2, list) && !prctl(PR_CAPBSET_DROP, 0));
    syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, "case");
    ids__send(job->ids_pipe[1]);
}

static void *do_step_in_thread(void *arg)
{
    do_step(arg);
    return NULL;
}

/* The kernel's call, which changes one thread. */
static void in_thread(void *arg)
{
    thread__run(do_step_in_thread, arg);
}

/* A process that shares its parent's memory, but has credentials of its own. */
static void after_vfork(void *arg)
{
    struct job *job = arg;
    pid_t pid = vfork();

    CHECK(pid >= 0);
    if (!pid)
        _exit(0);
    CHECK(child__wait(pid) == 0);
    do_step(job);
}

static void in_other_surroundings(void *arg)
{
    struct job *job = arg;

    CHECK(!unshare(CLONE_NEWUTS) && setsid() == getpid());
    int fd = open(job->terminal, O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0 && !ioctl(fd, TIOCSCTTY, 0));
    do_step(job);
    gate__wait(&job->life);
}

static void run_in_other_surroundings(const struct step *step)
{
    struct job job = {.step = step};
    struct winsize size = {.ws_row = 33, .ws_col = 99};
    struct stat st;
    struct ids ids;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    CHECK(master >= 0 && !grantpt(master) && !unlockpt(master) && !ioctl(master, TIOCSWINSZ, &size));
    job.terminal = ptsname(master);
    CHECK(job.terminal && !stat(job.terminal, &st) && !pipe2(job.ids_pipe, O_CLOEXEC));
    gate__init(&job.life);
    pid_t pid = child__start(in_other_surroundings, &job);

    CHECK(read(job.ids_pipe[0], &ids, sizeof(ids)) == sizeof(ids));
    fact__object("surroundings");
    fact__int("pid", pid);
    fact__namespaces("ns", pid);
    fact__object("ctty");
    fact__int("major", major(st.st_rdev));
    fact__int("minor", minor(st.st_rdev));
    fact__int("winsize_rows", size.ws_row);
    fact__int("winsize_cols", size.ws_col);
    fact__object_end();
    fact__object_end();
    gate__open(&job.life);
    CHECK(child__wait(pid) == 0 && !close(master));
}

int main(int argc, char **argv)
{
    groups = argc > 1 && !strcmp(argv[1], "gid");
    bool with_int80 = int80__available();

    fact__array("changes");
    for (int abi = 0; abi < (with_int80 ? 3 : 1); abi++) {
        for (size_t i = 0; i < ARRAY_LEN(steps); i++)
            run(steps[i].what, do_step, &steps[i], abi, steps[i].changes);
    }
    run("refused", is_refused, NULL, 0, true);
    run("other credentials", changes_other_credentials, NULL, 0, false);
    run("in a thread", in_thread, &steps[0], 0, true);
    run("after a vfork", after_vfork, &steps[0], 0, true);
    fact__array_end();
    run_in_other_surroundings(&steps[0]);
    return facts__print();
}
