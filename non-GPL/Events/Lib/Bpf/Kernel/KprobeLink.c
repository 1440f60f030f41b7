/* SPDX-License-Identifier: BSD-2-Clause */
#include "KprobeLink.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TYPE_FILE "/sys/bus/event_source/devices/kprobe/type"

/* Return the type of the kernel's events that are kprobes, or -errno. */
static int kprobe__type(void)
{
    FILE *file = fopen(TYPE_FILE, "re");
    int type, got;

    if (!file)
        return -errno;
    got = fscanf(file, "%d", &type);
    fclose(file);
    return got == 1 && type >= 0 ? type : -EINVAL;
}

bool kprobe__is_offered(void)
{
    return kprobe__type() >= 0;
}

/* libbpf 1.1 does not know sessions. */
static int kprobe__attach_multi(const char *function, int program, uint32_t attach_type)
{
    const struct {
        uint32_t program, target, attach_type, flags, kprobe_flags, count;
        uint64_t functions, addresses, cookies;
    } attr = {.program = (uint32_t)program, .attach_type = attach_type, .count = 1, .functions = (uintptr_t)&function};
    long link = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

    return link < 0 ? -errno : (int)link;
}

/* By perf_event_open(2). The event belongs to one CPU, any that is online; the program runs on all. */
static int kprobe__attach_plain(const char *function, int program)
{
    int type = kprobe__type(), cpu = sched_getcpu();
    struct perf_event_attr attr = {
        .type = (uint32_t)type, .size = sizeof(attr), .config1 = (uintptr_t)function /* kprobe_func */};

    if (type < 0)
        return type;
    int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu < 0 ? 0 : cpu, -1, PERF_FLAG_FD_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, program) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0)) {
        int err = -errno;

        close(fd);
        return err;
    }
    return fd;
}

int kprobe__attach(enum kprobe_attach how, const char *function, int program, uint32_t attach_type)
{
    return how == KPROBE_PLAIN ? kprobe__attach_plain(function, program)
                               : kprobe__attach_multi(function, program, attach_type);
}
