// SPDX-License-Identifier: BSD-2-Clause
/* TraceConnector.c - see TraceConnector.h. */
#include "TraceConnector.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)
#define BUFFER_BYTES (8 << 20) /* about 10,000 messages */
#define MESSAGE_MAX 1024
#define CPUS_MAX 8192
#define CLOCK_TRIES 5
#define SUSPENDED_NS 1000000 /* clocks that differ by so much more than before: the machine was suspended */

/* -------------------------------------------------------------------------- socket */

static uint64_t clock__read(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Return how far the clock of boot is ahead of the monotonic one: by the pair of readings that took least time. */
static int64_t clock__boot_offset(void)
{
    int64_t offset = 0;
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < CLOCK_TRIES; i++) {
        uint64_t before = clock__read(CLOCK_MONOTONIC), boot = clock__read(CLOCK_BOOTTIME);
        uint64_t took = clock__read(CLOCK_MONOTONIC) - before;

        if (took < best) {
            best = took;
            offset = (int64_t)(boot - before - took / 2);
        }
    }
    return offset;
}

/* Ask for messages, or for no more. 0 or -errno. */
static int connector__ask(int fd, enum proc_cn_mcast_op op)
{
    struct {
        struct nlmsghdr head;
        struct cn_msg message;
        uint32_t op;
    } __attribute__((packed)) request = {
        .head = {.nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE},
        .message = {.id = {.idx = CN_IDX_PROC, .val = CN_VAL_PROC}, .len = sizeof(request.op)},
        .op = op,
    };

    return send(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request) ? 0 : -errno;
}

/* Open the socket. A descriptor or -errno. */
static int socket__open(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_CONNECTOR), bytes = BUFFER_BYTES;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
    int err =
        bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : connector__ask(fd, PROC_CN_MCAST_LISTEN);

    if (!err)
        return fd;
    close(fd);
    return err;
}

int trace_connector__open(struct trace_connector *connector)
{
    *connector = (struct trace_connector){.fd = -1, .boot_offset_ns = clock__boot_offset()};
    connector->cpu_count = CPUS_MAX; /* numbers have gaps, and others may come online */
    connector->numbers = calloc(connector->cpu_count, sizeof(*connector->numbers));
    connector->notices = calloc(TRACE_NOTICES_MAX, sizeof(*connector->notices));
    int fd = connector->numbers && connector->notices ? socket__open() : -ENOMEM;

    if (fd < 0) {
        trace_connector__close(connector);
        return fd;
    }
    connector->fd = fd;
    return 0;
}

void trace_connector__close(struct trace_connector *connector)
{
    if (connector->fd >= 0)
        close(connector->fd);
    free(connector->numbers);
    free(connector->notices);
    connector->numbers = NULL;
    connector->notices = NULL;
    connector->fd = -1;
}

void trace_connector__stop(const struct trace_connector *connector)
{
    if (connector->fd >= 0)
        connector__ask(connector->fd, PROC_CN_MCAST_IGNORE);
}

/* -------------------------------------------------------------------------- losses */

/* Note the number of a message. Those of a processor may come in another order than they were numbered in. */
static void numbers__note(struct trace_numbers *numbers, uint32_t number)
{
    if (!numbers->read++) {
        numbers->first = number;
        numbers->next = number + 1;
    } else if ((int32_t)(number - numbers->first) < 0) {
        numbers->first = number;
    } else if ((int32_t)(number - numbers->next) >= 0) {
        numbers->next = number + 1;
    }
    if (numbers->next - numbers->first > UINT32_MAX / 4) { /* before the differences could turn negative */
        uint32_t done = UINT32_MAX / 8;

        numbers->first += done;
        numbers->read -= numbers->read > done ? done : 0;
    }
}

void trace_connector__count(struct trace_connector *connector, bool all)
{
    uint64_t missing = 0;

    for (uint32_t i = 0; i < connector->cpu_count && connector->numbers; i++) {
        const struct trace_numbers *numbers = &connector->numbers[i];
        uint64_t sent = numbers->read ? numbers->next - numbers->first : 0;

        missing += sent > numbers->read ? sent - numbers->read : 0;
    }
    uint64_t lost = all || missing < connector->missing ? missing : connector->missing;

    connector->missing = missing;
    if (lost > connector->lost)
        connector->lost = lost;
}

/* ------------------------------------------------------------------------- changes */

static struct trace_change *change__of(struct trace_connector *connector, uint32_t tgid)
{
    return &connector->changes[tgid % TRACE_CHANGES];
}

/* Return what a message changes (bits). */
static uint32_t notice__kinds(const struct trace_notice *notice)
{
    switch (notice->what) {
    case PROC_EVENT_EXEC:
        return 1u << TRACE_CHANGE_IMAGE;
    case PROC_EVENT_UID:
        return 1u << TRACE_CHANGE_UID;
    case PROC_EVENT_GID:
        return 1u << TRACE_CHANGE_GID;
    case PROC_EVENT_FORK:
        return notice->tid == notice->tgid ? TRACE_CHANGE_ANY : 0;
    default:
        return 0;
    }
}

static void change__note(struct trace_connector *connector, const struct trace_notice *notice)
{
    struct trace_change *change = change__of(connector, notice->tgid);

    for (int i = 0; i < TRACE_CHANGE_KINDS; i++) {
        if (notice__kinds(notice) >> i & 1 && notice->time_ns > change->time_ns[i])
            change->time_ns[i] = notice->time_ns;
    }
}

bool trace_connector__is_latest(struct trace_connector *connector, uint32_t tgid, uint64_t time_ns, uint32_t kinds)
{
    const struct trace_change *change = change__of(connector, tgid);

    trace_connector__read(connector);
    for (int i = 0; i < TRACE_CHANGE_KINDS; i++) {
        if (kinds >> i & 1 && change->time_ns[i] > time_ns)
            return false;
    }
    return connector->fd >= 0 && !connector->has_more;
}

/* ------------------------------------------------------------------------- reading */

static struct trace_notice *notice__at(const struct trace_connector *connector, uint32_t n)
{
    return &connector->notices[(connector->begin + n) % TRACE_NOTICES_MAX];
}

const struct trace_notice *trace_connector__first(const struct trace_connector *connector)
{
    return connector->count ? notice__at(connector, 0) : NULL;
}

/* Put a message where it belongs by its time, which is among the last ones. */
static void notice__insert(struct trace_connector *connector, const struct trace_notice *notice)
{
    uint32_t n = connector->count++;

    for (; n && notice__at(connector, n - 1)->time_ns > notice->time_ns; n--)
        *notice__at(connector, n) = *notice__at(connector, n - 1);
    *notice__at(connector, n) = *notice;
}

/* Take a message apart. False if it is of no interest. */
static bool notice__fill(struct trace_notice *notice, const struct proc_event *event)
{
    switch ((uint32_t)event->what) {
    case PROC_EVENT_FORK:
        notice->tid = (uint32_t)event->event_data.fork.child_pid;
        notice->tgid = (uint32_t)event->event_data.fork.child_tgid;
        return true;
    case PROC_EVENT_UID:
    case PROC_EVENT_GID:
        notice->id.real = event->event_data.id.r.ruid;
        notice->id.effective = event->event_data.id.e.euid;
        break;
    case PROC_EVENT_EXIT:
        notice->exit_status = event->event_data.exit.exit_code;
        break;
    case PROC_EVENT_PTRACE:
        notice->tracer.tid = (uint32_t)event->event_data.ptrace.tracer_pid;
        notice->tracer.tgid = (uint32_t)event->event_data.ptrace.tracer_tgid;
        break;
    case PROC_EVENT_COMM:
        memcpy(notice->comm, event->event_data.comm.comm, EBPF_COMM_LEN - 1);
        break;
    case PROC_EVENT_EXEC:
    case PROC_EVENT_SID:
        break;
    default:
        return false;
    }
    notice->tid = (uint32_t)event->event_data.exec.process_pid; /* where all these have it */
    notice->tgid = (uint32_t)event->event_data.exec.process_tgid;
    return true;
}

static void message__take(struct trace_connector *connector, const char *data, size_t size)
{
    const size_t head = NLMSG_HDRLEN + sizeof(struct cn_msg);
    struct proc_event event = {0};
    struct cn_msg message;

    if (size < head + offsetof(struct proc_event, event_data))
        return;
    memcpy(&message, data + NLMSG_HDRLEN, sizeof(message));
    memcpy(&event, data + head, size - head < sizeof(event) ? size - head : sizeof(event));
    if (message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC || (uint32_t)event.what == PROC_EVENT_NONE ||
        event.cpu >= connector->cpu_count)
        return;
    struct trace_notice notice = {.what = (uint32_t)event.what,
                                  .time_ns = event.timestamp_ns + (uint64_t)connector->boot_offset_ns};

    numbers__note(&connector->numbers[event.cpu], message.seq);
    if (!notice__fill(&notice, &event))
        return;
    change__note(connector, &notice);
    if (notice.what != PROC_EVENT_FORK)
        notice__insert(connector, &notice);
}

void trace_connector__read(struct trace_connector *connector)
{
    const int64_t offset = clock__boot_offset();
    struct sockaddr_nl sender = {0};
    char data[MESSAGE_MAX] __attribute__((aligned(8)));

    if (offset > connector->boot_offset_ns + SUSPENDED_NS)
        connector->boot_offset_ns = offset;
    while (connector->fd >= 0 && connector->count < TRACE_NOTICES_MAX) {
        socklen_t len = sizeof(sender);
        ssize_t size = recvfrom(connector->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&sender, &len);

        if (size < 0 && errno == ENOBUFS) /* messages were lost; their numbers say how many */
            continue;
        if (size <= 0)
            break;
        if (!sender.nl_pid) /* from the kernel */
            message__take(connector, data, (size_t)size);
    }
    connector->has_more = connector->count == TRACE_NOTICES_MAX;
}

void trace_connector__drop(struct trace_connector *connector)
{
    connector->begin = (connector->begin + 1) % TRACE_NOTICES_MAX;
    connector->count--;
    if (connector->has_more && connector->count < TRACE_NOTICES_MAX / 2)
        trace_connector__read(connector);
}
