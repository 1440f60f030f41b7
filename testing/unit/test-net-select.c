// SPDX-License-Identifier: BSD-2-Clause
/*
 * test-net-select.c - conditions on addresses and ports: what they match, which are refused, which events are left out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "Conditions.h"
#include "NetSelect.h"
#include "check.h"

static struct net_selection built;
static int messages;

static void on_log(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    (void)user, (void)level, (void)format, (void)args;
    messages++;
}

static const struct ebpf_log test_log = {.fn = on_log};

static int build(const struct ebpf_condition *conditions, size_t count)
{
    messages = 0;
    return net_selection__build(&built, conditions, count, &test_log);
}

static struct ebpf_ip ip(const char *text)
{
    struct ebpf_ip address = {{0, 0, htonl(0xffff), 0}};

    if (inet_pton(AF_INET6, text, address.words) != 1)
        CHECK(inet_pton(AF_INET, text, &address.words[3]) == 1);
    return address;
}

static bool rejects(enum ebpf_event_type type, const char *from, uint32_t from_port, const char *to, uint32_t to_port)
{
    struct ebpf_network_connection_closed_event e = {
        .hdr = {.type = (uint16_t)type},
        .net = {.source = ip(from), .source_port = from_port, .destination = ip(to), .destination_port = to_port},
    };

    return net_selection__rejects(&built, &e.hdr);
}

/* Connections to an address and a port. */
static bool takes(const char *to, uint32_t port)
{
    const char *from = strchr(to, ':') ? "fe80::9" : "10.0.0.1";

    return !rejects(EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED, from, 40000, to, port);
}

static void test_addresses(void)
{
    static const struct {
        const char *condition, *address;
        bool matches;
    } rows[] = {
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"192.0.2.7", "2001:db8::1", false},
        {"::ffff:192.0.2.7", "192.0.2.7", true},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.77/24", "192.0.2.1", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.0/31", "192.0.2.1", true},
        {"192.0.2.0/31", "192.0.2.2", false},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::1", "::1", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct ebpf_condition c = {.kind = EBPF_SELECT_ADDRESS, .text = rows[i].condition};

        CHECK(!build(&c, 1) && !messages);
        CHECK(takes(rows[i].address, 80) == rows[i].matches);
        c.exclude = true;
        CHECK(!build(&c, 1));
        if (rows[i].condition[0] != ':' && rows[i].condition[0] != '0') /* which this end matches as well */
            CHECK(takes(rows[i].address, 80) != rows[i].matches);
    }
}

/* One match of each kind suffices, at either end; every network event is decided, and no other event. */
static void test_together(void)
{
    const struct ebpf_condition conditions[] = {
        {.kind = EBPF_SELECT_ADDRESS, .text = "192.0.2.7"},
        {.kind = EBPF_SELECT_ADDRESS, .text = "2001:db8::1"},
        {.kind = EBPF_SELECT_PORT, .id = 443},
        {.kind = EBPF_SELECT_PORT, .id = 80},
        {.kind = EBPF_SELECT_PORT, .id = 8080, .exclude = true},
    };

    CHECK(!build(conditions, 5) && takes("192.0.2.7", 443) && takes("2001:db8::1", 80));
    CHECK(!takes("192.0.2.7", 22) && !takes("192.0.2.8", 443));
    for (int type = 1; type < EBPF_EVENT_TYPE_COUNT; type++) {
        const char *name = ebpf_event_type__name(type);
        bool is_net = name && !strncmp(name, "NETWORK_", 8);

        CHECK(!rejects(type, "192.0.2.7", 443, "10.0.0.2", 50000));
        CHECK(rejects(type, "192.0.2.7", 443, "10.0.0.2", 8080) == is_net);
        CHECK(rejects(type, "10.0.0.1", 443, "10.0.0.2", 80) == is_net);
    }
    CHECK(!build(conditions, 0) && takes("198.51.100.1", 1));
}

static void test_refused(void)
{
    static const char *const wrong[] = {
        "",
        "x",
        "192.0.2",
        "192.0.2.7/",
        "192.0.2.7/33",
        "192.0.2.7/-1",
        "::1/129",
        "192.0.2.*",
        "192.0.2.7/a",
        "192.0.2.7/8/8",
        "localhost",
        "1111:2222:3333:4444:5555:6666:7777:8888:9",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa",
        "192.0.2.7 ",
        "::1/ 8",
    };
    struct ebpf_condition many[NET_SELECT_VALUES + 1];

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct ebpf_condition c = {.kind = EBPF_SELECT_ADDRESS, .text = wrong[i]};

        CHECK(build(&c, 1) == -EINVAL && messages == 1);
    }
    for (uint32_t i = 0; i <= NET_SELECT_VALUES; i++)
        many[i] = (struct ebpf_condition){.kind = EBPF_SELECT_PORT, .id = i + 1, .text = "::1"};
    CHECK(!build(many, NET_SELECT_VALUES) && build(many, NET_SELECT_VALUES + 1) == -EINVAL && messages == 1);
    for (uint32_t i = 0; i <= NET_SELECT_VALUES; i++)
        many[i].kind = EBPF_SELECT_ADDRESS;
    CHECK(!build(many, NET_SELECT_VALUES) && build(many, NET_SELECT_VALUES + 1) == -EINVAL && messages == 1);
    many[0].text = NULL;
    CHECK(build(many, 1) == -EINVAL && messages == 1);
}

static int warnings(const struct ebpf_condition *conditions, size_t count, enum ebpf_event_type type)
{
    struct ebpf_event_set events = {0};

    messages = 0;
    if (type)
        ebpf_event_set__add(&events, type);
    conditions__warn(conditions, count, events, &test_log);
    return messages;
}

static void test_about_no_event(void)
{
    const struct ebpf_condition c[] = {{.kind = EBPF_SELECT_PATH, .text = "/etc"},
                                       {.kind = EBPF_SELECT_ADDRESS, .text = "::1"},
                                       {.kind = EBPF_SELECT_PORT, .id = 1},
                                       {.kind = EBPF_SELECT_UID, .id = 1}};

    CHECK(warnings(c, 4, EBPF_EVENT_PROCESS_EXEC) == 3);
    CHECK(warnings(c, 1, EBPF_EVENT_FILE_LINK) == 0 && warnings(c + 1, 2, EBPF_EVENT_FILE_LINK) == 2);
    CHECK(warnings(c + 1, 3, EBPF_EVENT_NETWORK_LISTEN) == 0 && warnings(c, 1, EBPF_EVENT_NETWORK_LISTEN) == 1);
    CHECK(warnings(c, 4, 0) == 0);
}

/* Conditions that nothing can match together. */
static void test_contradictions(void)
{
    static const struct {
        struct ebpf_condition include, exclude;
        int warnings;
    } rows[] = {
        {{.kind = EBPF_SELECT_PID, .id = 1}, {.kind = EBPF_SELECT_PID, .id = 1}, 1},
        {{.kind = EBPF_SELECT_PID, .id = 1}, {.kind = EBPF_SELECT_PID, .id = 2}, 0},
        {{.kind = EBPF_SELECT_PID, .id = 1}, {.kind = EBPF_SELECT_UID, .id = 1}, 0},
        {{.kind = EBPF_SELECT_CONTAINER}, {.kind = EBPF_SELECT_CONTAINER}, 1},
        {{.kind = EBPF_SELECT_COMM, .text = "a"}, {.kind = EBPF_SELECT_COMM, .text = "a"}, 1},
        {{.kind = EBPF_SELECT_COMM, .text = "ab"}, {.kind = EBPF_SELECT_COMM, .text = "a"}, 0},
        {{.kind = EBPF_SELECT_PATH, .text = "/etc"}, {.kind = EBPF_SELECT_PATH, .text = "/etc/"}, 1},
        {{.kind = EBPF_SELECT_PATH, .text = "/etc/x"}, {.kind = EBPF_SELECT_PATH, .text = "/etc"}, 1},
        {{.kind = EBPF_SELECT_PATH, .text = "/etc2"}, {.kind = EBPF_SELECT_PATH, .text = "/etc"}, 0},
        {{.kind = EBPF_SELECT_PATH, .text = "/etc"}, {.kind = EBPF_SELECT_PATH, .text = "/etc/x"}, 0},
        {{.kind = EBPF_SELECT_CGROUP, .text = "/a/b"}, {.kind = EBPF_SELECT_CGROUP, .text = "/a"}, 1},
        {{.kind = EBPF_SELECT_ADDRESS, .text = "::1"}, {.kind = EBPF_SELECT_ADDRESS, .text = "::1"}, 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct ebpf_condition c[] = {rows[i].exclude, rows[i].include};

        c[0].exclude = true;
        CHECK(warnings(c, 2, 0) == rows[i].warnings);
        CHECK(warnings(c, 1, 0) == 0 && warnings(c + 1, 1, 0) == 0);
    }
}

int main(void)
{
    test_addresses();
    test_together();
    test_refused();
    test_about_no_event();
    test_contradictions();
    return check__report();
}
