/* SPDX-License-Identifier: BSD-2-Clause */
#include "Preflight.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MEMLOCK_NEEDED (64 << 20) /* bytes: more than all maps take */
#define FILE_SYSTEMS_PATH "/proc/filesystems"
#define SECURITYFS_PATH "/sys/kernel/security"
#define DEBUGFS_PATH "/sys/kernel/debug"
#define PREEMPT_FILE "sched/preempt"
#define ANYBODY_PATH "/proc/sys/kernel/unprivileged_bpf_disabled"
#define STATUS_PATH "/proc/thread-self/status" /* a filter may be one thread's */

/* Since 6.8. */
#define NR_LSM_LIST_MODULES 461
#define LSM_ID_OF_BPF 109
#define LSMS_MAX 64

#define ALLOW_BPF "allow bpf() in the profile of the container or sandbox, or run outside of it"

#define KERNEL_ENOTSUPP 524 /* not among the errors of the C library */

bool preflight__has_capability(int cap)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};

    if (syscall(SYS_capget, &header, data))
        return true; /* unknown: let the kernel decide */
    return data[cap / 32].effective >> (cap % 32) & 1;
}

bool preflight__has_privilege(void)
{
    return preflight__has_capability(CAP_SYS_ADMIN) ||
           (preflight__has_capability(CAP_NR_BPF) && preflight__has_capability(CAP_NR_PERFMON));
}

/* Read the first line of an open file, "" if it cannot be read. Closes it. */
static void fd__first_line(int fd, char *buf, int size)
{
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

    buf[0] = '\0';
    if (file && !fgets(buf, size, file))
        buf[0] = '\0';
    if (file)
        fclose(file);
    else if (fd >= 0)
        close(fd);
}

void preflight__read_line(const char *path, char *buf, int size)
{
    fd__first_line(open(path, O_RDONLY | O_CLOEXEC), buf, size);
    buf[strcspn(buf, "\n")] = '\0';
}

int preflight__mount_nowhere(const char *file_system)
{
    int fs = (int)syscall(SYS_fsopen, file_system, 1 /* FSOPEN_CLOEXEC */), at = -1;

    if (fs >= 0 && !syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0))
        at = (int)syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, 0);
    if (fs >= 0)
        close(fs);
    return at;
}

/* Open a file of a file system that is usually mounted there, else through an own mount. A descriptor or -1. */
static int kernel_file__open(const char *file_system, const char *mounted_at, const char *name)
{
    int at = open(mounted_at, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = openat(at, name, O_RDONLY | O_CLOEXEC);

    if (at >= 0)
        close(at);
    if (fd >= 0)
        return fd;
    at = preflight__mount_nowhere(file_system);
    fd = openat(at, name, O_RDONLY | O_CLOEXEC);
    if (at >= 0)
        close(at);
    return fd;
}

void preflight__read_security(const char *name, char *buf, int size)
{
    fd__first_line(kernel_file__open("securityfs", SECURITYFS_PATH, name), buf, size);
    buf[strcspn(buf, "\n")] = '\0';
}

/* "none [integrity] confidentiality": the one in brackets is in force. */
bool preflight__is_locked_down(void)
{
    char text[128];

    preflight__read_security("lockdown", text, sizeof(text));
    return strstr(text, "[confidentiality]");
}

/* Return whether the kernel's configuration preempts BPF programs by default: 1 or 0, -1 if it cannot be read. */
static int config__preempts(const char *release)
{
    char path[128], line[128];
    int preempts = -1;

    snprintf(path, sizeof(path), "/boot/config-%s", release);
    FILE *file = fopen(path, "re");

    while (file && preempts < 0 && fgets(line, sizeof(line), file)) {
        if (!strcmp(line, "CONFIG_PREEMPT_NONE=y\n") || !strcmp(line, "CONFIG_PREEMPT_VOLUNTARY=y\n"))
            preempts = 0;
        else if (!strcmp(line, "CONFIG_PREEMPT=y\n") || !strcmp(line, "CONFIG_PREEMPT_LAZY=y\n") ||
                 !strcmp(line, "CONFIG_PREEMPT_RT=y\n"))
            preempts = 1;
    }
    if (file)
        fclose(file);
    return preempts;
}

bool preflight__kernel_preempts(void)
{
    struct utsname uts;
    char text[4096];

    /* "none voluntary (full) lazy", if the kernel can choose */
    fd__first_line(kernel_file__open("debugfs", DEBUGFS_PATH, PREEMPT_FILE), text, sizeof(text));
    if (strchr(text, '('))
        return strstr(text, "(full)") || strstr(text, "(lazy)");
    if (uname(&uts))
        return true;
    if (!strstr(uts.version, "PREEMPT"))
        return false;
    preflight__read_line("/proc/cmdline", text, sizeof(text));
    if (strstr(text, "preempt=none") || strstr(text, "preempt=voluntary"))
        return false;
    if (strstr(text, "preempt=full") || strstr(text, "preempt=lazy"))
        return true;
    return config__preempts(uts.release) != 0;
}

/* Return whether a security module is active, by the system call that lists them without securityfs (since 6.8). */
static bool lsm__is_listed(uint64_t id)
{
    uint64_t ids[LSMS_MAX];
    uint32_t size = sizeof(ids);
    long count = syscall(NR_LSM_LIST_MODULES, ids, &size, 0);

    for (long i = 0; i < count; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

bool preflight__lsm_is_active(void)
{
    char text[512], *rest = text;

    preflight__read_security("lsm", text, sizeof(text));
    if (!text[0])
        return lsm__is_listed(LSM_ID_OF_BPF);
    for (const char *name; (name = strsep(&rest, ","));) {
        if (!strcmp(name, "bpf"))
            return true;
    }
    return false;
}

bool preflight__anybody_may_use_bpf(void)
{
    char text[16];

    preflight__read_line(ANYBODY_PATH, text, sizeof(text));
    return text[0] == '0';
}

bool preflight__has_file_system(const char *name)
{
    FILE *file = fopen(FILE_SYSTEMS_PATH, "re");
    char line[128];
    bool found = !file;

    /* "nodev\tproc", or "\text4" */
    while (!found && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        const char *tab = strrchr(line, '\t');

        found = tab && !strcmp(tab + 1, name);
    }
    if (file)
        fclose(file);
    return found;
}

/* Before 5.11 the memory of BPF counts against RLIMIT_MEMLOCK, for which libbpf sets no limit if it may. */
static bool kernel__accounts_memlock(const char *release)
{
    int major, minor;

    return sscanf(release, "%d.%d", &major, &minor) == 2 && (major < 5 || (major == 5 && minor < 11));
}

bool preflight__is_short_of_memlock(void)
{
    struct utsname uts;
    struct rlimit limit;

    return !uname(&uts) && kernel__accounts_memlock(uts.release) && !preflight__has_capability(CAP_SYS_RESOURCE) &&
           !getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_max != RLIM_INFINITY && limit.rlim_cur < MEMLOCK_NEEDED;
}

/* Return whether a seccomp filter decides on the system calls of this process; false if that is unknown. */
static bool process__has_seccomp_filter(void)
{
    FILE *file = fopen(STATUS_PATH, "re");
    char line[256];
    int mode = 0;

    while (file && fgets(line, sizeof(line), file) && sscanf(line, "Seccomp: %d", &mode) != 1)
        ;
    if (file)
        fclose(file);
    return mode == 2; /* SECCOMP_MODE_FILTER */
}

/* Log that bpf() was denied, or is missing. Returns the error for the caller. */
static int missing_bpf__report(const struct ebpf_log *log)
{
    bool is_filtered = process__has_seccomp_filter();

    if (is_filtered && !access(ANYBODY_PATH, F_OK)) { /* which a kernel without bpf() does not have */
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot load BPF programs: a seccomp filter hides bpf(), which the kernel has; " ALLOW_BPF);
        return -EPERM;
    }
    ebpf_log__write(log, EBPF_LOG_ERROR, "cannot load BPF programs: the kernel is built without bpf()%s",
                    is_filtered ? ", or a seccomp filter hides it; use a kernel with CONFIG_BPF_SYSCALL, or " ALLOW_BPF
                                : "; it needs CONFIG_BPF_SYSCALL");
    return -EOPNOTSUPP;
}

/* Log why bpf() was denied. */
static void denial__report(const struct ebpf_log *log)
{
    struct utsname uts;
    struct rlimit limit;

    if (preflight__is_short_of_memlock() && !getrlimit(RLIMIT_MEMLOCK, &limit))
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot load BPF programs: RLIMIT_MEMLOCK is %" PRIu64
                        " bytes, and BPF takes more before Linux 5.11; raise it (ulimit -l unlimited), or add "
                        "CAP_SYS_RESOURCE",
                        (uint64_t)limit.rlim_cur);
    else if (process__has_seccomp_filter())
        ebpf_log__write(
            log, EBPF_LOG_ERROR,
            "cannot load BPF programs: bpf() is denied, probably by the seccomp filter of this process; " ALLOW_BPF);
    else
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot load BPF programs: the kernel denies bpf(); run as root outside of containers and "
                        "sandboxes that filter it%s",
                        !uname(&uts) && kernel__accounts_memlock(uts.release)
                            ? ", with CAP_SYS_RESOURCE or a larger RLIMIT_MEMLOCK"
                            : "");
}

int preflight__check(const struct ebpf_log *log)
{
    struct utsname uts;

    if (uname(&uts))
        strcpy(uts.release, "unknown");
    if (!preflight__has_privilege()) {
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot load BPF programs: no privilege; run as root, or with CAP_BPF and CAP_PERFMON%s",
                        kernel__accounts_memlock(uts.release) ? ", and CAP_SYS_RESOURCE before Linux 5.11" : "");
        return -EPERM;
    }
    if (preflight__is_locked_down()) {
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot load BPF programs: kernel lockdown is at 'confidentiality'; boot with "
                        "lockdown=integrity or none");
        return -EPERM;
    }
    if (access(BTF_PATH, R_OK)) {
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot read '" BTF_PATH "': %s; kernel %s needs CONFIG_DEBUG_INFO_BTF (5.10 or newer) and a "
                        "mounted /sys",
                        strerror(errno), uts.release);
        return -EOPNOTSUPP;
    }
    return 0;
}

bool preflight__is_shortage(int err)
{
    return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

const char *preflight__error(int err)
{
    static const char *const of_libbpf[] = {
        [LIBBPF_ERRNO__LIBELF - __LIBBPF_ERRNO__START] = "libelf failed",
        [LIBBPF_ERRNO__FORMAT - __LIBBPF_ERRNO__START] = "the object of the probes is damaged",
        [LIBBPF_ERRNO__KVERSION - __LIBBPF_ERRNO__START] = "the kernel's version is not what the probes were built for",
        [LIBBPF_ERRNO__ENDIAN - __LIBBPF_ERRNO__START] = "the probes are built for another byte order",
        [LIBBPF_ERRNO__INTERNAL - __LIBBPF_ERRNO__START] = "libbpf failed",
        [LIBBPF_ERRNO__RELOC - __LIBBPF_ERRNO__START] = "the probes cannot be fitted to this kernel",
        [LIBBPF_ERRNO__LOAD - __LIBBPF_ERRNO__START] = "the kernel refused a program",
        [LIBBPF_ERRNO__VERIFY - __LIBBPF_ERRNO__START] = "the kernel's verifier refused a program",
        [LIBBPF_ERRNO__PROG2BIG - __LIBBPF_ERRNO__START] = "a program is too large for the kernel",
        [LIBBPF_ERRNO__KVER - __LIBBPF_ERRNO__START] = "the kernel's version is not what a program requires",
        [LIBBPF_ERRNO__PROGTYPE - __LIBBPF_ERRNO__START] = "the kernel does not know a kind of program",
    };
    const size_t count = sizeof(of_libbpf) / sizeof(*of_libbpf);
    unsigned int number = (unsigned int)-err;

    if (number == KERNEL_ENOTSUPP)
        return "the kernel does not support it";
    if (number < __LIBBPF_ERRNO__START)
        return strerror(-err);
    number -= __LIBBPF_ERRNO__START;
    return number < count && of_libbpf[number] ? of_libbpf[number] : "libbpf failed";
}

void preflight__report_failure(const struct ebpf_log *log, const char *what, int err)
{
    const char *remedy = "libbpf's log may show more";

    if (err == -EMFILE)
        remedy = "raise the limit of open files (ulimit -n)";
    else if (err == -ENFILE)
        remedy = "raise the machine's limit (sysctl fs.file-max)";
    else if (err == -ENOMEM)
        remedy = "free memory, or use smaller rings";
    ebpf_log__write(log, EBPF_LOG_ERROR, "%s: %s; %s", what, preflight__error(err), remedy);
}

int preflight__check_descriptors(const struct ebpf_log *log, int needed)
{
    int *fds = calloc((size_t)needed, sizeof(*fds));
    int opened = 0, err = fds ? 0 : -ENOMEM;

    for (; !err && opened < needed; opened++) {
        fds[opened] = open("/", O_PATH | O_CLOEXEC);
        if (fds[opened] < 0) {
            err = -errno;
            break;
        }
    }
    while (opened > 0)
        close(fds[--opened]);
    free(fds);
    if (!preflight__is_shortage(err))
        return 0; /* unknown: let the kernel decide */
    preflight__report_failure(log, "cannot load BPF programs", err);
    return err;
}

int preflight__explain(const struct ebpf_log *log, int err)
{
    switch (-err) {
    case EPERM:
    case EACCES:
        denial__report(log);
        return -EPERM;
    case EINVAL:
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot load BPF programs: the kernel does not know what they need; it must be 5.10 or newer; "
                        "libbpf's log shows what failed");
        return -EOPNOTSUPP;
    case ENOSYS:
        return missing_bpf__report(log);
    case ECANCELED: /* by the caller */
        return err;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        preflight__report_failure(log, "cannot load BPF programs", err);
        return err;
    default:
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot load BPF programs: %s; libbpf's log shows where it failed",
                        preflight__error(err));
        return -err < __LIBBPF_ERRNO__START ? err : -EIO;
    }
}
