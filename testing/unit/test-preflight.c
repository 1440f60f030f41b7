// SPDX-License-Identifier: BSD-2-Clause
/* test-preflight.c - errors of libbpf and of the kernel: each message names the cause, none is "Unknown error". */
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "Bpf/Kernel/Preflight.h"
#include "check.h"

static char said[512];
static int lines;

static void keep(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    (void)user;
    CHECK(level == EBPF_LOG_ERROR);
    vsnprintf(said, sizeof(said), format, args);
    lines++;
}

static const struct ebpf_log logger = {.fn = keep};

static uint64_t capabilities; /* capabilities that this process seems to have; bit n: number n */

/* Replaces that of the C library. */
long syscall(long number, ...)
{
    long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    long a[6];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < (number == SYS_capget ? 2 : 6); i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (number != SYS_capget)
        return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    struct __user_cap_data_struct *data = (void *)a[1];

    data[0].effective = (uint32_t)capabilities;
    data[1].effective = (uint32_t)(capabilities >> 32);
    return 0;
}

/* Return whether these capabilities are too few, by the message and by the value. */
static bool privilege_is_missing(uint64_t some)
{
    said[0] = '\0';
    capabilities = some;
    int err = preflight__check(&logger);

    return strstr(said, "no privilege; run as root, or with CAP_BPF and CAP_PERFMON") && err == -EPERM;
}

static void test_capabilities(void)
{
    const uint64_t bpf = UINT64_C(1) << 39, perfmon = UINT64_C(1) << 38, admin = UINT64_C(1) << CAP_SYS_ADMIN;

    CHECK(privilege_is_missing(0));
    CHECK(privilege_is_missing(bpf) && privilege_is_missing(perfmon) && privilege_is_missing(~(bpf | admin)));
    CHECK(!privilege_is_missing(bpf | perfmon) && !privilege_is_missing(admin));
}

static bool has_cause(const char *text)
{
    return strlen(text) > 5 && !strstr(text, "nknown") && !strstr(text, "-errno");
}

/* libbpf's own errors, and those that a newer libbpf may have. */
static void test_texts(void)
{
    CHECK_SAME(preflight__error(-ENOMEM), "Cannot allocate memory");
    CHECK_SAME(preflight__error(-524), "the kernel does not support it"); /* ENOTSUPP of the kernel */
    CHECK_SAME(preflight__error(-LIBBPF_ERRNO__RELOC), "the probes cannot be fitted to this kernel");
    CHECK_SAME(preflight__error(-LIBBPF_ERRNO__PROGTYPE), "the kernel does not know a kind of program");
    for (int number = __LIBBPF_ERRNO__START; number < __LIBBPF_ERRNO__END + 20; number++)
        CHECK(has_cause(preflight__error(-number)));
}

/* Opening fails with an errno, and one line has the cause. */
static void check_explained(int err, int expected, const char *cause)
{
    lines = 0;
    said[0] = '\0';
    CHECK(preflight__explain(&logger, err) == expected);
    if (!CHECK(lines == 1 && strstr(said, cause) && has_cause(said)))
        printf("    said %s\n", said);
}

static void test_explanations(void)
{
    check_explained(-EINVAL, -EOPNOTSUPP, "must be 5.10 or newer");
    check_explained(-ENOMEM, -ENOMEM, "Cannot allocate memory; free memory, or use smaller rings");
    check_explained(-EMFILE, -EMFILE, "ulimit -n");
    check_explained(-ENFILE, -ENFILE, "fs.file-max");
    check_explained(-E2BIG, -E2BIG, "Argument list too long");
    for (int number = __LIBBPF_ERRNO__START; number < __LIBBPF_ERRNO__END + 20; number++)
        check_explained(-number, -EIO, preflight__error(-number));
    lines = 0;
    CHECK(preflight__explain(&logger, -ECANCELED) == -ECANCELED && lines == 0);
}

static bool is_filtered(void)
{
    return prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER;
}

static const char *release; /* of the kernel that this one seems to be; NULL: itself */

/* Replaces that of the C library. */
int uname(struct utsname *ret_name)
{
    int (*real)(struct utsname *) = (int (*)(struct utsname *))dlsym(RTLD_NEXT, "uname");
    int err = real(ret_name);

    if (!err && release)
        snprintf(ret_name->release, sizeof(ret_name->release), "%s", release);
    return err;
}

/* Before 5.11 too little locked memory is the cause, unless CAP_SYS_RESOURCE lifts the limit. */
static void test_memlock(void)
{
    struct rlimit limit;

    CHECK(!getrlimit(RLIMIT_MEMLOCK, &limit));
    limit.rlim_cur = 65536;
    if (limit.rlim_max == RLIM_INFINITY)
        limit.rlim_max = 128 << 20; /* else libbpf would remove the limit */
    CHECK(!setrlimit(RLIMIT_MEMLOCK, &limit));
    release = "5.10.0-8-amd64";
    capabilities = 0;
    check_explained(-EPERM, -EPERM,
                    "RLIMIT_MEMLOCK is 65536 bytes, and BPF takes more before Linux 5.11; raise it "
                    "(ulimit -l unlimited), or add CAP_SYS_RESOURCE");
    capabilities = UINT64_C(1) << CAP_SYS_RESOURCE;
    check_explained(-EPERM, -EPERM, is_filtered() ? "bpf() is denied, probably" : "the kernel denies bpf()");
    capabilities = 0;
    release = "5.11.0";
    check_explained(-EPERM, -EPERM, is_filtered() ? "bpf() is denied, probably" : "the kernel denies bpf()");
    release = NULL;
}

/* If bpf() fails in a process without a seccomp filter, the kernel is the cause. */
static void test_kernel_denies(void)
{
    if (is_filtered())
        return; /* this test may run in a container */
    check_explained(-EPERM, -EPERM, "the kernel denies bpf(); run as root");
    check_explained(-EACCES, -EPERM, "the kernel denies bpf(); run as root");
    check_explained(-ENOSYS, -EOPNOTSUPP, "the kernel is built without bpf(); it needs CONFIG_BPF_SYSCALL");
}

static bool kernel_has_bpf; /* as far as the file shows that only such kernels have */

/* Replaces that of the C library. */
int access(const char *path, int mode)
{
    int (*real)(const char *, int) = (int (*)(const char *, int))dlsym(RTLD_NEXT, "access");

    if (!strcmp(path, "/proc/sys/kernel/unprivileged_bpf_disabled"))
        return kernel_has_bpf ? 0 : -1;
    return real(path, mode);
}

/* With a filter, that is the cause if the kernel has bpf(). Else both can be, and the message names both. */
static void test_seccomp(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {.len = 1, .filter = &allow};

    CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter));
    CHECK(is_filtered());
    check_explained(-EPERM, -EPERM, "probably by the seccomp filter of this process; allow bpf() in the profile");
    kernel_has_bpf = false;
    check_explained(-ENOSYS, -EOPNOTSUPP,
                    "the kernel is built without bpf(), or a seccomp filter hides it; use a kernel with "
                    "CONFIG_BPF_SYSCALL, or allow bpf() in the profile");
    kernel_has_bpf = true;
    check_explained(-ENOSYS, -EPERM, "a seccomp filter hides bpf(), which the kernel has; allow bpf() in the profile");
}

int main(void)
{
    test_capabilities();
    test_texts();
    test_explanations();
    test_memlock();
    test_kernel_denies();
    test_seccomp(); /* from here on there is a filter */
    return check__report();
}
