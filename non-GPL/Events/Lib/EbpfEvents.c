/* SPDX-License-Identifier: BSD-2-Clause */
/* EbpfEvents.c - a source: a backend, a reader, and one file descriptor for whoever waits for them. */
#include "EbpfEvents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "Bpf/BpfBackend.h"
#include "Log.h"
#include "Reader.h"

#define BATCH_NS 200000000 /* longest that a record waits for company */
#define IPV6_PATH "/proc/net/if_inet6"

struct ebpf_source {
    struct bpf_backend *backend;
    struct ebpf_reader reader;
    struct ebpf_event_set wanted;
    int epoll_fd;
    int timer_fd;
    bool detached;
};

/* Give back a negative errno, in errno as well. */
static int fail(int err)
{
    errno = -err;
    return err;
}

static int opts__check(const struct ebpf_source_opts *opts, const struct ebpf_log *log)
{
    uint32_t ring = opts->ring_bytes;

    if (!opts->handler) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot open a source: it has no handler");
        return -EINVAL;
    }
    if (opts->events.bits & ~ebpf_event_set__all().bits) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot open a source: the set of events has unknown ones");
        return -EINVAL;
    }
    if (ring & (ring - 1) || (ring && ring < (uint32_t)getpagesize())) {
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot open a source: the ring size is no power of two of at least a page");
        return -EINVAL;
    }
    return 0;
}

static int epoll__add(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* The rings wake the reader in batches, so a timer does when a batch takes long to fill. */
static int source__make_fds(struct ebpf_source *source)
{
    const struct itimerspec period = {.it_interval.tv_nsec = BATCH_NS, .it_value.tv_nsec = BATCH_NS};

    source->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    source->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (source->epoll_fd < 0 || source->timer_fd < 0 || timerfd_settime(source->timer_fd, 0, &period, NULL))
        return -errno;
    int err = epoll__add(source->epoll_fd, source->timer_fd);

    for (int i = 0; i < EBPF_RING_COUNT && !err; i++)
        err = epoll__add(source->epoll_fd, source->backend->ring_fds[i]);
    return err;
}

static int source__start(struct ebpf_source *source, const struct ebpf_source_opts *opts)
{
    int err = bpf_backend__open(opts, &source->backend);

    if (!err)
        err = ebpf_reader__init(&source->reader, &source->backend->base, opts, source->backend->streams);
    if (!err)
        err = source__make_fds(source);
    return err;
}

int ebpf_source__open(const struct ebpf_source_opts *user_opts, struct ebpf_source **ret_source)
{
    struct ebpf_source_opts opts = {0};

    if (!user_opts || !ret_source || user_opts->sz < offsetof(struct ebpf_source_opts, loss_handler))
        return fail(-EINVAL);
    memcpy(&opts, user_opts, user_opts->sz < sizeof(opts) ? user_opts->sz : sizeof(opts));

    const struct ebpf_log log = {opts.log, opts.user};
    int err = opts__check(&opts, &log);

    if (err)
        return fail(err);
    struct ebpf_source *source = calloc(1, sizeof(*source));

    if (!source)
        return fail(-ENOMEM);
    source->epoll_fd = source->timer_fd = -1;
    source->wanted = opts.events;
    err = source__start(source, &opts);
    if (err) {
        ebpf_source__close(source);
        return fail(err);
    }
    *ret_source = source;
    return 0;
}

enum ebpf_source_error ebpf_source__classify(int err)
{
    switch (-err) {
    case 0:
        return EBPF_SOURCE_OK;
    case EINVAL:
        return EBPF_SOURCE_INVALID;
    case EPERM:
    case EACCES:
        return EBPF_SOURCE_NO_PRIVILEGE;
    case EOPNOTSUPP:
        return EBPF_SOURCE_UNSUPPORTED;
    case ENXIO:
        return EBPF_SOURCE_NO_HOOK;
    default:
        return EBPF_SOURCE_FAILED;
    }
}

int ebpf_source__fd(const struct ebpf_source *source)
{
    return source->epoll_fd;
}

int ebpf_source__consume(struct ebpf_source *source)
{
    uint64_t expirations;

    if (read(source->timer_fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
        return fail(-errno);
    int handled = ebpf_reader__consume(&source->reader);

    if (source->detached && !handled)
        ebpf_reader__tell_losses(&source->reader); /* the counts are final, do not wait for the next check */
    return handled;
}

int ebpf_source__poll(struct ebpf_source *source, int timeout_ms)
{
    struct epoll_event events[EBPF_RING_COUNT + 1];

    if (epoll_wait(source->epoll_fd, events, EBPF_RING_COUNT + 1, timeout_ms) < 0)
        return fail(-errno);
    return ebpf_source__consume(source);
}

void ebpf_source__detach(struct ebpf_source *source)
{
    source->backend->base.ops->detach(&source->backend->base);
    source->detached = true;
}

int ebpf_source__stats(const struct ebpf_source *source, struct ebpf_stats *ret_stats)
{
    ebpf_reader__stats(&source->reader, ret_stats);
    return 0;
}

struct ebpf_event_set ebpf_source__events(const struct ebpf_source *source)
{
    return source->backend->hooks.available;
}

const char *ebpf_source__unavailable(const struct ebpf_source *source, enum ebpf_event_type type)
{
    if (!ebpf_event_set__has(source->wanted, type) || ebpf_event_set__has(source->backend->hooks.available, type))
        return NULL;
    return source->backend->hooks.unavailable[type];
}

struct ebpf_features ebpf_source__features(const struct ebpf_source *source)
{
    return (struct ebpf_features){
        .bpf_tramp = source->backend->tramp,
        .ipv6 = !access(IPV6_PATH, F_OK),
    };
}

void ebpf_source__close(struct ebpf_source *source)
{
    if (!source)
        return;
    if (source->backend)
        source->backend->base.ops->close(&source->backend->base);
    ebpf_reader__fini(&source->reader);
    if (source->timer_fd >= 0)
        close(source->timer_fd);
    if (source->epoll_fd >= 0)
        close(source->epoll_fd);
    free(source);
}
