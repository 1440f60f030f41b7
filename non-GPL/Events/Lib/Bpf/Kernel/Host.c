/* SPDX-License-Identifier: BSD-2-Clause */
/* Host.c - facts about this machine that matter to a source; see ebpf_host__fact. */
#include "EbpfEvents.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../../Sized.h"
#include "KprobeLink.h"
#include "Preflight.h"

#define VALUE_MAX 512
#define FURTHER_CAPS                                                                                                   \
    "add CAP_NET_ADMIN (ends of datagram flows, without trampolines) and CAP_SYS_ADMIN (functions of modules)"

/* Write the value of a fact. Returns what can be done if it is in the way; else NULL. */
typedef const char *(*fact_fn)(char *value, size_t size);

static const char *kernel__fact(char *value, size_t size)
{
    struct utsname uts;

    if (uname(&uts))
        snprintf(value, size, "unknown");
    else
        snprintf(value, size, "%s %s", uts.release, uts.machine);
    return NULL;
}

static const char *btf__fact(char *value, size_t size)
{
    bool is_there = !access(BTF_PATH, R_OK);

    snprintf(value, size, "%s", is_there ? BTF_PATH : strerror(errno));
    return is_there ? NULL : "mount /sys, or use a kernel with CONFIG_DEBUG_INFO_BTF, 5.10 or newer";
}

static const char *privileges__fact(char *value, size_t size)
{
    static const struct {
        const char *name;
        int number;
    } caps[] = {{"CAP_BPF", CAP_NR_BPF},
                {"CAP_PERFMON", CAP_NR_PERFMON},
                {"CAP_NET_ADMIN", CAP_NET_ADMIN},
                {"CAP_SYS_ADMIN", CAP_SYS_ADMIN},
                {"CAP_SYS_RESOURCE", CAP_SYS_RESOURCE}};
    size_t len = 0;

    for (size_t i = 0; i < sizeof(caps) / sizeof(*caps); i++) {
        if (preflight__has_capability(caps[i].number) && len < size)
            len += (size_t)snprintf(value + len, size - len, "%s%s", len ? " " : "", caps[i].name);
    }
    if (!len)
        snprintf(value, size, "none");
    if (!preflight__has_privilege())
        return "run as root, or with CAP_BPF and CAP_PERFMON; to miss nothing, " FURTHER_CAPS;
    return preflight__has_capability(CAP_NET_ADMIN) && preflight__has_capability(CAP_SYS_ADMIN) ? NULL : FURTHER_CAPS;
}

/* What Attach/Trials.c does: it mounts a tmpfs, and has the kernel count the runs of programs. */
static const char *self_test__fact(char *value, size_t size)
{
    bool is_possible = preflight__has_capability(CAP_SYS_ADMIN);

    snprintf(value, size, is_possible ? "possible" : "not possible without CAP_SYS_ADMIN");
    return is_possible ? NULL
                       : "add CAP_SYS_ADMIN; without the test, a function that the kernel never calls may be hooked";
}

static const char *lockdown__fact(char *value, size_t size)
{
    char text[128];

    preflight__read_security("lockdown", text, sizeof(text));
    char *begin = strchr(text, '['), *end = begin ? strchr(begin, ']') : NULL;

    if (end)
        snprintf(value, size, "%.*s", (int)(end - begin - 1), begin + 1);
    else
        snprintf(value, size, "none, or it cannot be read");
    return preflight__is_locked_down() ? "boot with lockdown=integrity or none" : NULL;
}

static const char *security_modules__fact(char *value, size_t size)
{
    preflight__read_security("lsm", value, (int)size);
    if (!*value)
        snprintf(value, size, preflight__lsm_is_active() ? "bpf, and others" : "unknown");
    return preflight__lsm_is_active() ? NULL
                                      : "since Linux 6.2 a boot with bpf in lsm= lets some probes run where nothing "
                                        "can make the kernel skip them";
}

/* That below debugfs is not looked for: looking would mount it. */
static const char *tracefs__fact(char *value, size_t size)
{
    bool is_there = !access("/sys/kernel/tracing/events", F_OK);

    snprintf(value, size, "%s",
             is_there ? "/sys/kernel/tracing" : "not mounted, or it cannot be read; no program needs it mounted");
    return NULL;
}

/* Where trampolines are refused, kprobes take their place. */
static const char *kprobes__fact(char *value, size_t size)
{
    bool is_there = kprobe__is_offered();

    snprintf(value, size, is_there ? "offered" : "not offered");
    return is_there
               ? NULL
               : "if trampolines are refused too, a kernel with CONFIG_KPROBES and CONFIG_KPROBE_EVENTS shows more";
}

static const char *memlock__fact(char *value, size_t size)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY)
        snprintf(value, size, "unlimited");
    else
        snprintf(value, size, "%" PRIu64 " bytes", (uint64_t)limit.rlim_cur);
    return preflight__is_short_of_memlock()
               ? "before Linux 5.11 BPF takes more: ulimit -l unlimited, or add CAP_SYS_RESOURCE"
               : NULL;
}

static const char *preemption__fact(char *value, size_t size)
{
    bool preempts = preflight__kernel_preempts();

    snprintf(value, size, preempts ? "BPF programs are preempted" : "BPF programs are not preempted");
    return preempts ? "some hooks take spare programs; boot with preempt=none or voluntary to save them" : NULL;
}

static const char *cgroups__fact(char *value, size_t size)
{
    FILE *file = fopen("/proc/self/mounts", "re");
    char line[1024], type[32], path[256];
    bool has[2] = {false, false};

    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%*s %255s %31s", path, type) == 2) {
            has[0] |= !strcmp(type, "cgroup");
            has[1] |= !strcmp(type, "cgroup2");
        }
    }
    if (file)
        fclose(file);
    snprintf(value, size, "%s", has[0] && has[1] ? "v1 and v2" : has[1] ? "v2" : has[0] ? "v1" : "none is mounted");
    return NULL;
}

static const char *unprivileged_bpf__fact(char *value, size_t size)
{
    bool allowed = preflight__anybody_may_use_bpf();

    snprintf(value, size, allowed ? "allowed" : "refused");
    return allowed ? "sysctl -w kernel.unprivileged_bpf_disabled=2" : NULL;
}

static const char *jit__fact(char *value, size_t size)
{
    preflight__read_line("/proc/sys/net/core/bpf_jit_enable", value, (int)size);
    bool is_off = *value == '0';

    snprintf(value, size, is_off ? "off" : "on");
    return is_off ? "sysctl -w net.core.bpf_jit_enable=1" : NULL;
}

static const struct {
    const char *name;
    fact_fn write;
} facts[] = {
    {"kernel", kernel__fact},
    {"btf", btf__fact},
    {"privileges", privileges__fact},
    {"self_test", self_test__fact},
    {"lockdown", lockdown__fact},
    {"security_modules", security_modules__fact},
    {"tracefs", tracefs__fact},
    {"kprobes", kprobes__fact},
    {"memlock", memlock__fact},
    {"preemption", preemption__fact},
    {"cgroups", cgroups__fact},
    {"unprivileged_bpf", unprivileged_bpf__fact},
    {"jit", jit__fact},
};

int ebpf_host__fact(size_t n, struct ebpf_host_fact *ret_fact)
{
    static _Thread_local char value[VALUE_MAX];
    int err = -ENOENT;

    if (n < sizeof(facts) / sizeof(*facts)) {
        value[0] = '\0';
        const char *remedy = facts[n].write(value, sizeof(value));
        const struct ebpf_host_fact fact = {.name = facts[n].name, .value = value, .remedy = remedy};

        err = SIZED_WRITE(ret_fact, &fact);
    }
    if (err)
        errno = -err;
    return err;
}
