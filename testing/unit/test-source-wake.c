// SPDX-License-Identifier: BSD-2-Clause
/* test-source-wake.c - what wakes the waiter of a source; later selections; features of the kernel. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "fake-backend.h"

static int take(void *user, const struct ebpf_event *event)
{
    (void)user, (void)event;
    return 0;
}

static struct ebpf_source_opts good_opts(void)
{
    return (struct ebpf_source_opts){
        .sz = sizeof(struct ebpf_source_opts), .events = ebpf_event_set__all(), .handler = take};
}

#define LONG_MS 20000 /* on a loaded machine too */

/* Return whether one of the source's descriptors becomes readable in time; -1: any that is no ring's. */
static bool becomes_ready(const struct ebpf_source *source, int fd)
{
    struct epoll_event ready[EBPF_RING_COUNT + 1];

    for (int ms = 0; ms < LONG_MS; ms += 10) {
        int n = epoll_wait(ebpf_source__fd(source), ready, EBPF_RING_COUNT + 1, 10);

        for (int i = 0; i < n; i++) {
            bool is_ring = false;

            for (int ring = 0; ring < EBPF_RING_COUNT; ring++)
                is_ring |= ready[i].data.fd == fake_backend->ring_fds[ring];
            if (fd < 0 ? !is_ring : ready[i].data.fd == fd)
                return true;
        }
    }
    return false;
}

/* Each ring wakes the waiter, and a timer does, repeatedly; reading resets both. */
static void test_wakes(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;

    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    for (int i = 0; i < EBPF_RING_COUNT; i++) {
        CHECK(!eventfd_write(fake_backend->ring_fds[i], 1));
        CHECK(becomes_ready(source, fake_backend->ring_fds[i]));
        CHECK(!eventfd_read(fake_backend->ring_fds[i], &(eventfd_t){0}));
    }
    for (int i = 0; i < 3; i++) {
        bool is_calm = false;

        if (!CHECK(becomes_ready(source, -1)))
            break;
        for (int tries = 0; tries < 100 && !is_calm; tries++) {
            CHECK(ebpf_source__consume(source) == 0);
            is_calm = !poll(&(struct pollfd){.fd = ebpf_source__fd(source), .events = POLLIN}, 1, 0);
        }
        CHECK(is_calm);
    }
    ebpf_source__close(source);
}

#define PERIOD_NS 2000000
#define ROUNDS 20

static int pump_calls;

/* Put a record with each other call, as if something happened within each period. */
static bool put_one(struct ebpf_backend *b)
{
    (void)b;
    if (pump_calls++ % 2)
        return false;
    fake__put_setsid((uint64_t)pump_calls / 2 + 1);
    return true;
}

/* A backend without descriptors wakes the waiter by its period, repeatedly, which is shorter than that of a batch. */
static void test_wakes_by_period(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;
    struct timespec begin, end;

    fake_pump = put_one;
    fake_period_ns = PERIOD_NS;
    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < ROUNDS; i++)
        CHECK(ebpf_source__poll(source, LONG_MS) == 1);
    clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 < ROUNDS * 100);
    CHECK(pump_calls == 2 * ROUNDS);
    ebpf_source__close(source);
    fake_pump = NULL;
    fake_period_ns = 0;
}

static uint32_t port_taken;

static int take_port(void *user, const struct ebpf_event *event)
{
    (void)user;
    port_taken = ((const struct ebpf_network_connection_attempted_event *)event->hdr)->net.destination_port;
    return 0;
}

/* A connection to a port passes the filter, or does not. */
static bool port_comes_through(struct ebpf_source *source, uint16_t port, uint64_t number)
{
    struct ebpf_network_connection_attempted_event event = {
        .hdr = {.type = EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED, .size = sizeof(event), .stream_seq = number},
        .net.destination_port = port,
    };

    port_taken = 0;
    fake__put(&event, sizeof(event));
    CHECK(ebpf_source__consume(source) == 1);
    return port_taken == port;
}

/* A refused selection changes nothing, whichever part refuses it. */
static void test_select(void)
{
    const struct ebpf_condition http = {.kind = EBPF_SELECT_PORT, .id = 80},
                                https = {.kind = EBPF_SELECT_PORT, .id = 443},
                                nonsense = {.kind = EBPF_SELECT_ADDRESS, .text = "nonsense"};
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;

    opts.handler = take_port;
    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    CHECK(!ebpf_source__select(source, &http, 1));
    CHECK(port_comes_through(source, 80, 1) && !port_comes_through(source, 443, 2));
    fake_error = -EOPNOTSUPP;
    CHECK(ebpf_source__select(source, &https, 1) == -EOPNOTSUPP);
    fake_error = 0;
    CHECK(ebpf_source__select(source, &nonsense, 1) == -EINVAL && ebpf_source__select(source, NULL, 1) == -EINVAL);
    CHECK(port_comes_through(source, 80, 3) && !port_comes_through(source, 443, 4));
    CHECK(!ebpf_source__select(source, &https, 1));
    CHECK(!port_comes_through(source, 80, 5) && port_comes_through(source, 443, 6));
    CHECK(!ebpf_source__select(source, NULL, 0) && port_comes_through(source, 22, 7));
    ebpf_source__close(source);
}

static void test_features(void)
{
    struct ebpf_features features = {.sz = sizeof(features)};
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;

    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    CHECK(!ebpf_source__features(source, &features));
    CHECK(features.ipv6 == !access("/proc/net/if_inet6", F_OK) && !features.bpf_tramp);
    CHECK(features.backend == EBPF_BACKEND_BPF);
    ebpf_source__close(source);
}

int main(void)
{
    test_wakes();
    test_wakes_by_period();
    test_select();
    test_features();
    return check__report();
}
