/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that binfmt_misc gives to an interpreter: by path, by link, by descriptor, as memfd, and with its flags O (the
 * interpreter gets the open file), C (the credentials of the file apply) and F (the interpreter was opened on
 * registration).
 */
#include "case.h"

#include <sys/mount.h>

#define BINFMT "/proc/sys/fs/binfmt_misc"
#define FD 100

struct payload {
    const char *path; /* NULL: FD */
    uid_t uid;
};

static char dir[128];

static void register_format(const char *name, const char *magic, const char *flags)
{
    char line[256];

    snprintf(line, sizeof(line), ":%s:M::%s::%s/interpreter:%s", name, magic, dir, flags);
    file__puts(BINFMT "/register", line);
}

static void exec_payload(void *arg)
{
    struct payload *payload = arg;
    char *argv[] = {"zero", NULL};

    CHECK(!setresuid(payload->uid, payload->uid, payload->uid));
    if (payload->path)
        execve(payload->path, argv, child_env);
    else
        syscall(SYS_execveat, FD, "", argv, child_env, AT_EMPTY_PATH);
    die(__FILE__, __LINE__, "exec");
}

static void fact__exec(const char *key, const char *path, uid_t uid)
{
    struct payload payload = {path, uid};

    fact__int(key, child__run(exec_payload, &payload));
}

static void make_payload(const char *name, const char *magic, mode_t mode)
{
    char text[64];

    snprintf(text, sizeof(text), "%s payload\n", magic);
    file__write(name, text, strlen(text), mode);
}

static void exec_by_descriptors(void)
{
    int fd = open("plain.bx", O_RDONLY);
    int memfd = syscall(SYS_memfd_create, "payload", 0);

    CHECK(fd >= 0 && dup2(fd, FD) == FD);
    fact__exec("by_fd", NULL, 0);
    CHECK(memfd >= 0);
    fd__write_all(memfd, "CASEBX payload\n", 15);
    CHECK(dup2(memfd, FD) == FD && !symlink("/proc/self/fd/100", "to-memfd"));
    fact__exec("memfd", NULL, 0);
    fact__exec("link_to_memfd", "to-memfd", 0);
}

int main(void)
{
    if (system("modprobe binfmt_misc 2>/dev/null") || (mount("b", BINFMT, "binfmt_misc", 0, NULL) && errno != EBUSY))
        case__skip("the kernel has no binfmt_misc");
    case__dir();
    snprintf(dir, sizeof(dir), "%s", case_dir);
    self__copy("interpreter");
    register_format("case-bx", "CASEBX", "");
    register_format("case-bo", "CASEBO", "O");
    register_format("case-bc", "CASEBC", "C");
    register_format("case-bf", "CASEBF", "F");
    register_format("case-bg", "CASEBG", "CF");
    make_payload("plain.bx", "CASEBX", 0755);
    make_payload("open.bo", "CASEBO", 0755);
    make_payload("creds.bc", "CASEBC", 06755);
    make_payload("setuid.bx", "CASEBX", 06755);
    make_payload("registered.bf", "CASEBF", 06755);
    make_payload("registered-creds.bg", "CASEBG", 0755);
    CHECK(!chown("registered-creds.bg", 0, 1001) && !chmod("registered-creds.bg", 06755));
    CHECK(!mkdir("sub", 0755) && !symlink("../plain.bx", "sub/innocent"));
    fact__exec("by_path", "./plain.bx", 0);
    fact__exec("by_link", "sub/innocent", 0);
    fact__exec("opened", "open.bo", 0);
    fact__exec("creds", "creds.bc", 1000);
    fact__exec("setuid", "setuid.bx", 1000);
    fact__exec("registered", "registered.bf", 1000);
    fact__exec("registered_creds", "registered-creds.bg", 1000);
    exec_by_descriptors();
    file__puts(BINFMT "/case-bx", "-1");
    file__puts(BINFMT "/case-bo", "-1");
    file__puts(BINFMT "/case-bc", "-1");
    file__puts(BINFMT "/case-bf", "-1");
    file__puts(BINFMT "/case-bg", "-1");
    return facts__print();
}
