// SPDX-License-Identifier: BSD-2-Clause
/*
 * tool-backend.c - what EventsTrace reads from when it is tested without a kernel: events that are made here.
 *
 * The environment says which and how:
 *
 *   TOOL_EVENTS       how many events are made, or "flood" for as many as there is room for
 *   TOOL_PAUSE_MS     how long to wait after each event
 *   TOOL_QUIET        the reader is not woken
 *   TOOL_PATH         bytes of the path of a file that is created: control characters, of which JSON makes six each
 *   TOOL_LOST         events that the ring had no room for; TOOL_LOST_AT_END: those that are counted with the end only
 *   TOOL_OVER_BUDGET  events that a process has lost for its budget
 *   TOOL_LOG          how many messages opening writes
 *   TOOL_OPEN_MS      how long opening takes
 *   TOOL_ERROR        errno that opening fails with
 *   TOOL_CONDITIONS   opening writes the conditions; TOOL_OPTIONS: the other options
 *
 * With --net-conn-attempt the events are connections to port 80 of 192.0.2.0, 192.0.2.1, and so on up to 192.0.2.255,
 * with --net-conn-failed these fail, with --file-modify writes to some files in turn, with --file-create files and
 * directories in turn, with another option new sessions.
 */
#include "Backend.h"
#include "Log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RING_SIZE (1u << 20)
#define RECORD_MAX 8192
#define BATCH 64
#define FILES 30
#define STEP_MS 10

#define ADDRESSES 0xc0000200   /* 192.0.2.0/24 */
#define OWN_ADDRESS 0x0a000001 /* 10.0.0.1 */

typedef union {
    struct ebpf_event_header hdr;
    struct ebpf_process_setsid_event setsid;
    struct ebpf_network_connection_attempted_event attempt;
    struct ebpf_network_connection_failed_event failed;
    struct ebpf_file_modify_event modify;
    struct ebpf_file_create_event create;
} event_t;

struct ring {
    uint64_t consumer;
    _Atomic uint64_t producer;
    uint8_t *data;
};

static struct ring rings[EBPF_RING_COUNT];
static _Atomic uint64_t made;
static enum ebpf_event_type type;
static atomic_bool stopped;
static pthread_t maker;

static long environment__number(const char *name)
{
    const char *value = getenv(name);

    return value ? strtol(value, NULL, 10) : 0;
}

static uint64_t boot__ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void sleep__ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/*
 * Memory that is mapped twice in a row, as the kernel maps a ring. Not a file, because the size of files may be
 * limited.
 */
static void *memory__twice(size_t size)
{
    uint8_t *at = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED ||
        mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ||
        mremap(at, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, at + size) == MAP_FAILED)
        abort();
    return at;
}

static event_t event__make(void)
{
    event_t e = {.hdr = {.ts_boot_ns = boot__ns(), .stream_seq = made + 1, .type = (uint16_t)type}};
    struct ebpf_net_info *net = &e.attempt.net;

    if (type == EBPF_EVENT_PROCESS_SETSID) {
        e.hdr.size = sizeof(e.setsid);
        return e;
    }
    if (type == EBPF_EVENT_FILE_MODIFY) {
        e.hdr.size = sizeof(e.modify);
        e.hdr.flags = EBPF_MODIFY_F_BYTES;
        e.modify.change_type = EBPF_CHANGE_CONTENT;
        e.modify.file_info.inode = made % FILES;
        e.modify.bytes = 1;
        return e;
    }
    if (type == EBPF_EVENT_FILE_CREATE) {
        e.hdr.size = sizeof(e.create);
        e.create.file_info.type = made % 2 ? EBPF_FILE_TYPE_DIR : EBPF_FILE_TYPE_FILE;
        return e;
    }
    e.hdr.size = type == EBPF_EVENT_NETWORK_CONNECTION_FAILED ? sizeof(e.failed) : sizeof(e.attempt);
    net->transport = EBPF_TRANSPORT_TCP;
    net->family = EBPF_FAMILY_INET;
    net->source = (struct ebpf_ip){{0, 0, htonl(0xffff), htonl(OWN_ADDRESS)}};
    net->source_port = 40000;
    net->destination = (struct ebpf_ip){{0, 0, htonl(0xffff), htonl(ADDRESSES | (made & 0xff))}};
    net->destination_port = 80;
    return e;
}

/* Put the path of a created file after its event, which has room for it. Return its size. */
static uint32_t path__append(uint8_t *at)
{
    uint32_t len = type == EBPF_EVENT_FILE_CREATE ? (uint32_t)environment__number("TOOL_PATH") : 0;
    struct ebpf_varlen head = {.tag = EBPF_TAG_PATH, .len = len, .orig_len = len};

    if (!len)
        return 0;
    memcpy(at, &head, sizeof(head));
    memset(at + sizeof(head), 1, (len + 7) & ~7u);
    return (uint32_t)sizeof(head) + ((len + 7) & ~7u);
}

/* Return whether there was room for one more. */
static bool event__put(struct ring *ring)
{
    uint64_t pos = ring->producer, taken = *(volatile uint64_t *)&ring->consumer;
    event_t e = event__make();
    uint8_t *at = ring->data + pos % RING_SIZE;
    uint32_t head[2] = {0}, fixed = e.hdr.size;

    if (pos + RECORD_MAX > taken + RING_SIZE)
        return false;
    head[0] = e.hdr.size += path__append(at + sizeof(head) + fixed);
    memcpy(at, head, sizeof(head));
    memcpy(at + sizeof(head), &e, fixed);
    made++;
    ring->producer = pos + sizeof(head) + e.hdr.size;
    return true;
}

static void *events__make(void *backend)
{
    struct ebpf_backend *b = backend;
    const char *wanted = getenv("TOOL_EVENTS");
    uint64_t count = !wanted ? 0 : !strcmp(wanted, "flood") ? UINT64_MAX : strtoull(wanted, NULL, 10);

    const long pause_ms = environment__number("TOOL_PAUSE_MS"), quiet = environment__number("TOOL_QUIET");

    while (!stopped && made < count) {
        bool has_room = true;

        for (int i = 0; i < (pause_ms ? 1 : BATCH) && made < count && has_room; i++)
            has_room = event__put(&rings[EBPF_RING_MAIN]);
        if (!quiet)
            eventfd_write(b->ring_fds[EBPF_RING_MAIN], 1);
        if (pause_ms)
            sleep__ms(pause_ms);
        else if (!has_room)
            sched_yield();
    }
    while (!stopped && *(volatile uint64_t *)&rings[EBPF_RING_MAIN].consumer != rings[EBPF_RING_MAIN].producer)
        sleep__ms(1);
    eventfd_read(b->ring_fds[EBPF_RING_MAIN], &count);
    return NULL;
}

static void tool__counts(struct ebpf_backend *backend, struct ebpf_counts *ret_counts)
{
    uint64_t lost = (uint64_t)environment__number("TOOL_LOST");

    (void)backend;
    if (stopped)
        lost += (uint64_t)environment__number("TOOL_LOST_AT_END");
    memset(ret_counts, 0, sizeof(*ret_counts));
    ret_counts->delivered[type] = made;
    ret_counts->lost[type][EBPF_REASON_RING_FULL] = lost;
    ret_counts->seen[type] = made + lost;
}

/* Returned once. */
static bool tool__over_budget(struct ebpf_backend *backend, struct ebpf_over_budget *ret_over)
{
    static bool returned;

    (void)backend;
    *ret_over = (struct ebpf_over_budget){.uid = 1000, .lost = (uint64_t)environment__number("TOOL_OVER_BUDGET")};
    if (returned || !ret_over->lost)
        return false;
    return returned = true;
}

static void tool__stop(struct ebpf_backend *backend)
{
    (void)backend;
    if (!atomic_exchange(&stopped, true))
        pthread_join(maker, NULL);
}

static int tool__select(struct ebpf_backend *backend, const struct ebpf_condition *conditions, size_t count)
{
    (void)backend, (void)conditions, (void)count;
    return 0;
}

static void tool__close(struct ebpf_backend *backend)
{
    tool__stop(backend);
    for (int i = 0; i < EBPF_RING_COUNT; i++)
        close(backend->ring_fds[i]);
    free(backend);
}

static const struct ebpf_backend_ops tool_ops = {
    .counts = tool__counts,
    .stop = tool__stop,
    .select = tool__select,
    .over_budget = tool__over_budget,
    .close = tool__close,
};

/* Return whether it came to its end. */
static bool opening__takes_time(const struct ebpf_source_opts *opts)
{
    for (long ms = environment__number("TOOL_OPEN_MS"); ms > 0; ms -= STEP_MS) {
        if (opts->is_cancelled && opts->is_cancelled(opts->user))
            return false;
        sleep__ms(STEP_MS);
    }
    return true;
}

static void conditions__write(const struct ebpf_source_opts *opts, const struct ebpf_log *log)
{
    for (size_t i = 0; i < opts->condition_count; i++) {
        const struct ebpf_condition *c = &opts->conditions[i];

        ebpf_log__write(log, EBPF_LOG_WARNING, "condition of kind %d: %s %u", c->kind, c->exclude ? "not" : "only",
                        c->id);
    }
}

static void options__write(const struct ebpf_source_opts *opts, const struct ebpf_log *log)
{
    ebpf_log__write(log, EBPF_LOG_WARNING,
                    "events %" PRIx64 " env %d low_latency %d libbpf_log %d ring_bytes %u coalesce_ms %u budget %u "
                    "disable_hooks %s backend %d",
                    opts->events.bits, opts->env, opts->low_latency, opts->libbpf_log, opts->ring_bytes,
                    opts->coalesce_ms, opts->budget, opts->disable_hooks ? opts->disable_hooks : "none",
                    opts->backend);
}

/* The events to make. */
static enum ebpf_event_type type__of(struct ebpf_event_set wanted)
{
    static const enum ebpf_event_type types[] = {
        EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED,
        EBPF_EVENT_NETWORK_CONNECTION_FAILED,
        EBPF_EVENT_FILE_MODIFY,
        EBPF_EVENT_FILE_CREATE,
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (ebpf_event_set__has(wanted, types[i]))
            return types[i];
    }
    return EBPF_EVENT_PROCESS_SETSID;
}

int ebpf_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    struct ebpf_log log = ebpf_log__of(opts);
    struct ebpf_backend *b = calloc(1, sizeof(*b));

    if (!b)
        return -ENOMEM;
    for (long i = 0; i < environment__number("TOOL_LOG"); i++)
        ebpf_log__write(&log, EBPF_LOG_WARNING, "message %ld, which is as long as messages are", i);
    if (environment__number("TOOL_CONDITIONS"))
        conditions__write(opts, &log);
    if (environment__number("TOOL_OPTIONS"))
        options__write(opts, &log);
    if (environment__number("TOOL_ERROR")) {
        free(b);
        return (int)-environment__number("TOOL_ERROR");
    }
    if (!opening__takes_time(opts)) {
        free(b);
        return -ECANCELED;
    }
    b->ops = &tool_ops;
    b->kind = EBPF_BACKEND_BPF;
    b->streams = 1;
    type = type__of(opts->events);
    for (int i = 0; i < EBPF_RING_COUNT; i++) {
        rings[i].data = memory__twice(RING_SIZE);
        b->ring_fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        b->rings[i] =
            (struct ebpf_ringbuf){&rings[i].consumer, (uint64_t *)&rings[i].producer, rings[i].data, RING_SIZE - 1};
    }
    b->available = opts->events;
    if (pthread_create(&maker, NULL, events__make, b))
        abort();
    *ret_backend = b;
    return 0;
}
