/* SPDX-License-Identifier: BSD-2-Clause */
/* Source.c - a source: a backend, a reader, and one file descriptor to wait for both. */
#include "EbpfEvents.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "Backend.h"
#include "Conditions.h"
#include "EventQueue.h"
#include "Log.h"
#include "NetSelect.h"
#include "Reader.h"
#include "Sized.h"
#include "Stats.h"

#define BATCH_NS 200000000 /* longest time that a record waits in a batch */
#define IPV6_PATH "/proc/net/if_inet6"

struct ebpf_source {
    struct ebpf_backend *backend;
    struct ebpf_reader reader;
    struct ebpf_event_set wanted;
    struct ebpf_log log;
    struct event_queue *queue; /* of events for ebpf_source__next; NULL if there is a handler */
    struct ebpf_event next;    /* that it has returned */
    struct stats stats;        /* that were returned last */
    int epoll_fd;
    int timer_fd;
    pid_t pid; /* of the process that opened it */
    bool stopped;
    bool busy;           /* events are being given to the handler */
    pthread_t busy_with; /* the thread that does that */
};

/* Return a negative errno, and set errno. */
static int fail(int err)
{
    errno = -err;
    return err;
}

/* Check that conditions are there if their number says so. 0, or -EINVAL after a message. */
static int conditions__check(const struct ebpf_condition *conditions, size_t count, const struct ebpf_log *log)
{
    if (!count || conditions)
        return 0;
    ebpf_log__write(log, EBPF_LOG_ERROR, "cannot select: the conditions are missing; pass them, or a count of 0");
    return -EINVAL;
}

static int opts__check(const struct ebpf_source_opts *opts, const struct ebpf_log *log)
{
    uint32_t ring = opts->ring_bytes;

    if (opts->events.bits & ~ebpf_event_set__all().bits) {
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot open a source: the set of events has one that this library does not know; leave it "
                        "out, or use a later library");
        return -EINVAL;
    }
    if (ring & (ring - 1) || (ring && ring < (uint32_t)getpagesize())) {
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot open a source: the ring size is no power of two of at least a page; choose one, or 0 "
                        "for the default");
        return -EINVAL;
    }
    if (opts->coalesce_ms > EBPF_COALESCE_MS_MAX) {
        ebpf_log__write(log, EBPF_LOG_ERROR,
                        "cannot open a source: writes can be merged for at most %d ms; lower coalesce_ms",
                        EBPF_COALESCE_MS_MAX);
        return -EINVAL;
    }
    if (opts->helper_count > EBPF_HELPERS_MAX || (opts->helper_count && !opts->helpers)) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot open a source: there can be up to %d helpers; pass their ids",
                        EBPF_HELPERS_MAX);
        return -EINVAL;
    }
    if ((unsigned int)opts->attach > EBPF_ATTACH_TRACEPOINT) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot open a source: there is no such way to attach; leave it out");
        return -EINVAL;
    }
    if ((unsigned int)opts->backend > EBPF_BACKEND_TRACEFS) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot open a source: there is no such backend; leave it out");
        return -EINVAL;
    }
    return conditions__check(opts->conditions, opts->condition_count, log);
}

static int epoll__add(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/*
 * Make the descriptor to wait for. Rings wake the reader once a batch is full, and a timer if that takes long, or if
 * they have no descriptors.
 */
static int source__make_fds(struct ebpf_source *source)
{
    const long ns = source->backend->period_ns ? (long)source->backend->period_ns : BATCH_NS;
    const struct itimerspec period = {.it_interval.tv_nsec = ns, .it_value.tv_nsec = ns};

    source->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    source->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (source->epoll_fd < 0 || source->timer_fd < 0 || timerfd_settime(source->timer_fd, 0, &period, NULL))
        return -errno;
    int err = epoll__add(source->epoll_fd, source->timer_fd);

    for (int i = 0; i < EBPF_RING_COUNT && !err; i++)
        err = source->backend->ring_fds[i] < 0 ? 0 : epoll__add(source->epoll_fd, source->backend->ring_fds[i]);
    return err;
}

/* Make the queue that stands in for a handler. */
static int source__make_queue(struct ebpf_source *source)
{
    source->queue = event_queue__new();
    source->reader.handler = event_queue__put;
    source->reader.handler_user = source->queue;
    return source->queue ? 0 : -ENOMEM;
}

static void log__shortage(const struct ebpf_log *log, int err)
{
    ebpf_log__write(log, EBPF_LOG_ERROR, "cannot wait for events: %s; %s", strerror(-err),
                    err == -ENOMEM ? "free memory" : "raise the limit of open files (ulimit -n, sysctl fs.file-max)");
}

static int source__start(struct ebpf_source *source, const struct ebpf_source_opts *opts)
{
    const struct ebpf_log log = ebpf_log__of(opts);
    struct net_selection net;
    int err = net_selection__build(&net, opts->conditions, opts->condition_count, &log);

    if (err)
        return err;
    err = ebpf_backend__open(opts, &source->backend);
    if (err)
        return err;
    conditions__warn(opts->conditions, opts->condition_count, opts->events, &log);
    err = ebpf_reader__init(&source->reader, source->backend, opts, source->backend->streams);
    source->reader.net = net;
    if (!err && !opts->handler)
        err = source__make_queue(source);
    if (!err)
        err = source__make_fds(source);
    if (err)
        log__shortage(&log, err);
    return err;
}

int ebpf_source__open(const struct ebpf_source_opts *user_opts, struct ebpf_source **ret_source)
{
    struct ebpf_source_opts opts;

    if (!user_opts || !ret_source)
        return fail(-EINVAL);
    int err = SIZED_READ(user_opts, &opts);

    if (err == -EINVAL)
        return fail(err);
    const struct ebpf_log log = ebpf_log__of(&opts);

    if (err == -E2BIG) {
        ebpf_log__write(&log, EBPF_LOG_ERROR,
                        "cannot open a source: its options have members that this library does not know; zero them, or "
                        "use the library that the program was built for");
        return fail(-EINVAL);
    }
    err = opts__check(&opts, &log);
    if (err)
        return fail(err);
    struct ebpf_source *source = calloc(1, sizeof(*source));

    if (!source) {
        ebpf_log__write(&log, EBPF_LOG_ERROR, "cannot open a source: %s; free memory", strerror(ENOMEM));
        return fail(-ENOMEM);
    }
    source->epoll_fd = source->timer_fd = -1;
    source->pid = getpid();
    source->wanted = opts.events;
    source->log = log;
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

/* Check that this process may use the source: its children may not. 0 or a negative errno. */
static int source__check(const struct ebpf_source *source)
{
    if (source->pid != getpid())
        return -EPERM;
    return 0;
}

static int source__consume(struct ebpf_source *source)
{
    uint64_t expirations;

    if (read(source->timer_fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
        return fail(-errno);
    if (source->queue && !event_queue__is_empty(source->queue))
        return 0; /* the rings are bounded, and what they lose is counted */
    int handled = ebpf_reader__consume(&source->reader);

    if (source->stopped && !handled) { /* the counts are final, and no record follows */
        ebpf_reader__flush(&source->reader);
        ebpf_reader__report_losses(&source->reader);
    }
    return handled;
}

/* Claim a source for reading, which one thread does at a time. 0 or a negative errno. */
static int source__enter(struct ebpf_source *source)
{
    int err = source__check(source);

    if (!err && __atomic_exchange_n(&source->busy, true, __ATOMIC_ACQUIRE))
        err = -EBUSY;
    if (!err)
        source->busy_with = pthread_self();
    return err;
}

/* Release that claim. Returns `ret`, or -ECANCELED if the source was closed meanwhile, and is gone now. */
static int source__leave(struct ebpf_source *source, int ret)
{
    bool is_closed = source->reader.is_closed;

    __atomic_store_n(&source->busy, false, __ATOMIC_RELEASE);
    if (!is_closed)
        return ret;
    ebpf_source__close(source);
    return -ECANCELED;
}

int ebpf_source__consume(struct ebpf_source *source)
{
    int ret = source__enter(source);

    if (ret)
        return fail(ret);
    ret = source__leave(source, source__consume(source));
    return ret < 0 ? fail(ret) : ret;
}

int ebpf_source__poll(struct ebpf_source *source, int timeout_ms)
{
    struct epoll_event events[EBPF_RING_COUNT + 1];
    int err = source__check(source);

    if (err)
        return fail(err);
    if (epoll_wait(source->epoll_fd, events, EBPF_RING_COUNT + 1, timeout_ms) < 0)
        return fail(-errno);
    return ebpf_source__consume(source);
}

/* Take the next event; read records, and wait once, until there is one. 1; 0 if there is none; or a negative errno. */
static int source__take_next(struct ebpf_source *source, int timeout_ms)
{
    struct epoll_event events[EBPF_RING_COUNT + 1];

    for (bool has_waited = false;;) {
        if (event_queue__take(source->queue, &source->next))
            return 1;
        int handled = source__consume(source);

        if (handled < 0 || event_queue__take(source->queue, &source->next))
            return handled < 0 ? handled : 1;
        if (source->reader.is_closed || (source->stopped ? !handled : has_waited))
            return 0;
        if (source->stopped)
            continue;
        if (epoll_wait(source->epoll_fd, events, EBPF_RING_COUNT + 1, timeout_ms) < 0)
            return -errno;
        has_waited = true;
    }
}

int ebpf_source__next(struct ebpf_source *source, int timeout_ms, const struct ebpf_event **ret_event)
{
    int ret = source->queue ? source__enter(source) : -EINVAL;

    if (ret)
        return fail(ret);
    ret = source__leave(source, source__take_next(source, timeout_ms));
    if (ret < 0)
        return fail(ret);
    if (ret)
        *ret_event = &source->next;
    return ret;
}

void ebpf_source__stop(struct ebpf_source *source)
{
    if (!source || source__check(source))
        return;
    source->backend->ops->stop(source->backend);
    source->stopped = true;
}

int ebpf_source__select(struct ebpf_source *source, const struct ebpf_condition *conditions, size_t count)
{
    struct net_selection net;
    int err = source__check(source);

    if (!err)
        err = conditions__check(conditions, count, &source->log);
    if (!err)
        err = net_selection__build(&net, conditions, count, &source->log);
    if (!err)
        err = source->backend->ops->select(source->backend, conditions, count);
    if (err)
        return fail(err);
    source->reader.net = net;
    conditions__warn(conditions, count, source->wanted, &source->log);
    return 0;
}

int ebpf_source__stats(struct ebpf_source *source, const struct ebpf_stats **ret_stats)
{
    int err = source__check(source);

    if (err)
        return fail(err);
    ebpf_reader__stats(&source->reader, &source->stats);
    *ret_stats = &source->stats.head;
    return 0;
}

int ebpf_source__drop(struct ebpf_source *source, enum ebpf_event_type type, uint64_t events)
{
    int err = source__check(source);

    if (!err)
        err = ebpf_reader__drop(&source->reader, type, events);
    return err ? fail(err) : 0;
}

struct ebpf_event_set ebpf_source__events(const struct ebpf_source *source)
{
    return source->backend->available;
}

const char *ebpf_source__unavailable(const struct ebpf_source *source, enum ebpf_event_type type)
{
    if (!ebpf_event_set__has(source->wanted, type) || ebpf_event_set__has(source->backend->available, type))
        return NULL;
    return source->backend->ops->unavailable(source->backend, type);
}

const char *ebpf_source__lacks(const struct ebpf_source *source, enum ebpf_event_type type, size_t n,
                               const char **ret_program)
{
    struct ebpf_backend *backend = source->backend;
    const char *program = NULL, *lacks = NULL;

    if (backend->ops->lacks && ebpf_event_set__has(backend->available, type))
        lacks = backend->ops->lacks(backend, type, n, &program);
    if (ret_program)
        *ret_program = program;
    return lacks;
}

int ebpf_source__hook(const struct ebpf_source *source, size_t n, struct ebpf_hook *ret_hook)
{
    struct ebpf_backend *backend = source->backend;
    struct ebpf_hook hook = {0};
    bool is_there = backend->ops->hook && backend->ops->hook(backend, n, &hook);
    int err = is_there ? SIZED_WRITE(ret_hook, &hook) : -ENOENT;

    return err ? fail(err) : 0;
}

int ebpf_source__features(const struct ebpf_source *source, struct ebpf_features *ret_features)
{
    const struct ebpf_features features = {
        .bpf_tramp = source->backend->bpf_tramp,
        .ipv6 = !access(IPV6_PATH, F_OK),
        .backend = source->backend->kind,
    };
    int err = SIZED_WRITE(ret_features, &features);

    return err ? fail(err) : 0;
}

void ebpf_source__close(struct ebpf_source *source)
{
    if (!source)
        return;
    /* the other threads of a child are not there, and will not leave it */
    if (source->busy && (!source__check(source) || pthread_equal(source->busy_with, pthread_self()))) {
        source->reader.is_closed = true;
        return;
    }
    if (source->backend) {
        void *attempt = source->backend->attempt;

        source->backend->inherited = source__check(source);
        source->backend->ops->close(source->backend);
        free(attempt);
    }
    ebpf_reader__fini(&source->reader);
    event_queue__free(source->queue);
    if (source->timer_fd >= 0)
        close(source->timer_fd);
    if (source->epoll_fd >= 0)
        close(source->epoll_fd);
    free(source);
}
