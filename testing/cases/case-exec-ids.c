/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs whose execution changes ids, and some that might seem to. Each is executed by a child that prints its ids
 * before, and the program prints its own.
 */
#include "case.h"

#include <elf.h>
#include <sys/fsuid.h>
#include <sys/mount.h>

#define SAME (-1)
#define USER 1234
#define GROUP 4321

struct ids {
    uint32_t real, effective, saved, fs;
};

struct identity {
    struct ids user, group;
};

static struct identity identity__get(void)
{
    struct identity id;

    CHECK(!getresuid(&id.user.real, &id.user.effective, &id.user.saved));
    CHECK(!getresgid(&id.group.real, &id.group.effective, &id.group.saved));
    id.user.fs = setfsuid(SAME);
    id.group.fs = setfsgid(SAME);
    return id;
}

static void identity__send(int fd)
{
    struct identity id = identity__get();

    CHECK(write(fd, &id, sizeof(id)) == sizeof(id));
}

/* The image that is executed, before main and before the image of the other cases. */
static __attribute__((constructor(101))) void send_identity(void)
{
    const char *fd = getenv("CASE_IDS_FD");

    if (!fd)
        return;
    identity__send(atoi(fd));
    _exit(0);
}

/* ------------------------------------------------------------- before the exec */

static void be_root(void)
{
}

static void be_gainless(void)
{
    become_nobody();
    CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void be_owner(void)
{
    CHECK(!setresgid(GROUP, GROUP, GROUP) && !setresuid(USER, USER, USER));
}

/* An exec copies the effective ids to the saved ones. */
static void have_saved_ids(void)
{
    CHECK(!setresgid(GROUP, GROUP, 0) && !setresuid(USER, USER, 0));
}

/* And to those of the file system. */
static void have_file_system_ids(void)
{
    CHECK(setfsgid(GROUP) == 0 && setfsuid(USER) == 0);
}

/* Ids that an exec does not change. */
static void have_real_ids(void)
{
    CHECK(!setregid(GROUP, 0) && !setreuid(USER, 0));
}

struct step {
    const char *what, *program;
    void (*prepare)(void);
    bool in_thread;
};

static const struct step steps[] = {
    {"set-user-ID root", "setuid-root", become_nobody, false},
    {"set-group-ID", "setgid", become_nobody, false},
    {"both", "both", become_nobody, false},
    {"both by a thread", "both", become_nobody, true},
    {"both by root", "both", be_root, false},
    {"both by who is that", "both", be_owner, false},
    {"root's by root", "setuid-root", be_root, false},
    {"may not gain", "both", be_gainless, false},
    {"on a mount that forbids it", "nosuid/both", become_nobody, false},
    {"a script", "script", become_nobody, false},
    {"plain", "plain", become_nobody, false},
    {"plain with other saved ids", "plain", have_saved_ids, false},
    {"plain with other file system ids", "plain", have_file_system_ids, false},
    {"plain with other real ids", "plain", have_real_ids, false},
};

/* -------------------------------------------------------------------- the exec */

struct job {
    const struct step *step;
    int pipe[2];
};

static void *execute(void *arg)
{
    struct job *job = arg;
    char fd[32], *argv[] = {"ids", NULL}, *env[] = {fd, NULL};

    snprintf(fd, sizeof(fd), "CASE_IDS_FD=%d", job->pipe[1]);
    execve(job->step->program, argv, env);
    die(__FILE__, __LINE__, job->step->program);
}

static void do_step(void *arg)
{
    struct job *job = arg;

    job->step->prepare();
    identity__send(job->pipe[1]);
    if (job->step->in_thread)
        thread__run(execute, job);
    execute(job);
}

static void fact__ids(const char *key, const struct ids *ids)
{
    fact__object(key);
    fact__int("real", ids->real);
    fact__int("effective", ids->effective);
    fact__int("saved", ids->saved);
    fact__int("fs", ids->fs);
    fact__object_end();
}

static void fact__identity(const char *key, const struct identity *id)
{
    fact__object(key);
    fact__ids("user", &id->user);
    fact__ids("group", &id->group);
    fact__object_end();
}

static void run(const struct step *step)
{
    struct job job = {.step = step};
    struct identity before, after;

    CHECK(!pipe(job.pipe));
    pid_t pid = child__run(do_step, &job);

    CHECK(read(job.pipe[0], &before, sizeof(before)) == sizeof(before));
    CHECK(read(job.pipe[0], &after, sizeof(after)) == sizeof(after));
    CHECK(!close(job.pipe[0]) && !close(job.pipe[1]));
    fact__object(NULL);
    fact__str("what", step->what);
    fact__str("program", strrchr(step->program, '/') ? strrchr(step->program, '/') + 1 : step->program);
    fact__int("pid", pid);
    fact__identity("before", &before);
    fact__identity("after", &after);
    fact__object_end();
}

/* ------------------------------------------------------------------- failures */

static void fails(const char *path, int want)
{
    char *argv[] = {"fails", NULL};

    errno = 0;
    CHECK(execve(path, argv, child_env) == -1 && errno == want);
}

static void fail_in_ways(void *unused)
{
    (void)unused;
    become_nobody();
    fails("garbage", ENOEXEC);
    fails("not-executable", EACCES);
    fails("missing", ENOENT);
    fails("no-interpreter", ENOENT);
}

/* Fails after the old image is gone. */
static void die_in_exec(void *unused)
{
    char *argv[] = {"damaged", NULL};

    (void)unused;
    become_nobody();
    execve("damaged", argv, child_env);
    die(__FILE__, __LINE__, "the damaged program");
}

/* ------------------------------------------------------------------------ files */

static void make_program(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
    self__copy(name);
    CHECK(!chown(name, uid, gid) && !chmod(name, mode));
}

static void make_text(const char *name, const char *text, mode_t mode)
{
    file__write(name, text, strlen(text), 0600);
    CHECK(!chmod(name, mode));
}

/* A segment that is longer in the file than in memory, which the kernel detects too late. */
static void make_damaged(const char *name)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment;

    make_program(name, 0, 0, 0755);
    int fd = open(name, O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0 && pread(fd, &header, sizeof(header), 0) == sizeof(header));
    for (int i = 0; i < header.e_phnum; i++) {
        off_t at = header.e_phoff + i * sizeof(segment);

        CHECK(pread(fd, &segment, sizeof(segment), at) == sizeof(segment));
        if (segment.p_type != PT_LOAD)
            continue;
        segment.p_filesz = segment.p_memsz + 1;
        CHECK(pwrite(fd, &segment, sizeof(segment), at) == sizeof(segment));
    }
    CHECK(!close(fd) && !chmod(name, 04755));
}

static void make_files(void)
{
    char text[256];

    make_program("plain", 0, 0, 0755);
    make_program("setuid-root", 0, 0, 04755);
    make_program("setgid", 0, GROUP, 02755);
    make_program("both", USER, GROUP, 06755);
    CHECK(!mkdir("nosuid", 0755) && !mount("nosuid", "nosuid", "tmpfs", MS_NOSUID, "mode=755"));
    make_program("nosuid/both", USER, GROUP, 06755);
    snprintf(text, sizeof(text), "#!%s/plain\n", case_dir);
    make_text("script", text, 06755);
    make_text("garbage", "\x7fnothing\n", 06755);
    make_text("no-interpreter", "#!/no/such/interpreter\n", 06755);
    make_program("not-executable", 0, 0, 06644);
    make_damaged("damaged");
}

int main(void)
{
    case__dir();
    make_files();
    fact__array("steps");
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        run(&steps[i]);
    fact__array_end();
    fact__int("fails", child__run(fail_in_ways, NULL));
    pid_t pid = child__start(die_in_exec, NULL);

    CHECK(WIFSIGNALED(child__wait(pid)));
    fact__int("dies", pid);
    CHECK(!umount2("nosuid", MNT_DETACH));
    return facts__print();
}
