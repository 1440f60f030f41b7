// SPDX-License-Identifier: BSD-2-Clause
/*
 * deny-bpf [--enosys] COMMAND... - execute a command under a seccomp filter that denies bpf(2), as containers have.
 * With --enosys the filter answers as if the kernel did not have bpf(2), as other sandboxes do.
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    bool hides = argc > 1 && !strcmp(argv[1], "--enosys");
    unsigned int error = hides ? ENOSYS : EPERM;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(*filter), .filter = filter};

    argv += hides ? 2 : 1;
    if (argc < (hides ? 3 : 2))
        errx(2, "usage: deny-bpf [--enosys] COMMAND...");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        err(2, "cannot install the filter");
    execvp(*argv, argv);
    err(2, "cannot execute %s", *argv);
}
