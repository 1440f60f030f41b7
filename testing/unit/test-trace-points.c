// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-points.c - fields of tracepoints by their files `format`, and the table of connections. */
#include <stdlib.h>

#include "Tracefs/PointsSockets.h"
#include "Tracefs/TracePoints.h"
#include "check.h"

/* As 4.18 has it: the protocol is a byte, and what follows it is not aligned. */
static const char format[] = "name: inet_sock_set_state\n"
                             "ID: 1170\n"
                             "format:\n"
                             "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
                             "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
                             "\n"
                             "\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n"
                             "\tfield:__u8 protocol;\toffset:30;\tsize:1;\tsigned:0;\n"
                             "\tfield:__u8 saddr[4];\toffset:31;\tsize:4;\tsigned:0;\n"
                             "\tfield:__u8 saddr_v6[16];\toffset:39;\tsize:16;\tsigned:0;\n"
                             "\tfield:__data_loc char[] filename;\toffset:56;\tsize:4;\tsigned:1;\n"
                             "\tfield:u64 wide;\toffset:70000;\tsize:8;\tsigned:0;\n"
                             "\n"
                             "print fmt: \"pid=%d\", REC->pid\n";

static void test_fields_are_found_where_the_kernel_says(void)
{
    struct trace_place place = {0};

    CHECK(trace_place__find(format, "skaddr", &place) && place.offset == 8 && place.size == 8 && !place.is_elsewhere);
    CHECK(trace_place__find(format, "protocol", &place) && place.offset == 30 && place.size == 1);
    CHECK(trace_place__find(format, "saddr", &place) && place.offset == 31 && place.size == 4);
    CHECK(trace_place__find(format, "saddr_v6", &place) && place.offset == 39 && place.size == 16);
    CHECK(trace_place__find(format, "filename", &place) && place.offset == 56 && place.is_elsewhere);
    CHECK(!trace_place__find(format, "pid", &place)); /* neither common_pid nor what is printed */
    CHECK(!trace_place__find(format, "addr", &place));
    CHECK(!trace_place__find(format, "wide", &place));
    CHECK(!trace_place__find("\tfield:int pid", "pid", &place));
    CHECK(!trace_place__find("\tfield:int pid;\toffset:x", "pid", &place));
    CHECK(!trace_place__find("", "pid", &place));
}

/* A record ends where its size says, whatever the format says. */
static void test_records_are_not_read_beyond(void)
{
    static struct trace_points points;
    const size_t size = 24;
    uint8_t *data = calloc(1, size);
    struct trace_record record = {.data = data, .size = (uint32_t)size, .time_ns = 5};
    struct trace_hit hit;

    if (!data)
        abort();
    points.of[TRACE_POINT_STATE].is_on = true;
    points.of[TRACE_POINT_STATE].event = 1170;
    points.of[TRACE_POINT_STATE].places[TRACE_FIELD_SKADDR] = (struct trace_place){.offset = 8, .size = 8};
    points.of[TRACE_POINT_STATE].places[TRACE_FIELD_SPORT] = (struct trace_place){.offset = 22, .size = 2};
    points.of[TRACE_POINT_STATE].places[TRACE_FIELD_DPORT] = (struct trace_place){.offset = 23, .size = 2};
    points.of[TRACE_POINT_STATE].places[TRACE_FIELD_FILENAME] =
        (struct trace_place){.offset = 16, .size = 4, .is_elsewhere = true};
    CHECK(!trace_points__take(&points, &record, &hit));
    data[0] = 1170 & 0xff;
    data[1] = 1170 >> 8;
    data[2] = 0x10; /* in a softirq */
    data[4] = 7;
    data[8] = 9;
    data[16] = 200; /* a text outside */
    data[18] = 8;
    data[23] = 1;
    CHECK(trace_points__take(&points, &record, &hit) && hit.point == TRACE_POINT_STATE);
    CHECK(hit.tid == 7 && hit.in_interrupt && hit.time_ns == 5);
    CHECK(trace_hit__number(&hit, TRACE_FIELD_SKADDR) == 9);
    CHECK(trace_hit__number(&hit, TRACE_FIELD_SPORT) == 256);
    CHECK(trace_hit__number(&hit, TRACE_FIELD_DPORT) == 0 && !hit.of[TRACE_FIELD_DPORT].len);
    CHECK(!hit.of[TRACE_FIELD_FILENAME].len && !hit.of[TRACE_FIELD_PID].len);
    free(data);
}

static void test_the_table_of_connections_has_an_end(void)
{
    static struct points_sockets sockets;
    const struct points_socket *s;

    if (points_sockets__init(&sockets))
        abort();
    for (uint64_t sk = 1; sk <= POINTS_SOCKETS_MAX; sk++)
        points_sockets__get(&sockets, sk << 6)->since_ns = sk;
    CHECK(!points_sockets__get(&sockets, 1));
    s = points_sockets__find(&sockets, 77 << 6);
    CHECK(s && s->since_ns == 77);
    points_sockets__drop(&sockets, 77 << 6);
    points_sockets__drop(&sockets, 77 << 6);
    CHECK(!points_sockets__find(&sockets, 77 << 6));
    s = points_sockets__get(&sockets, 1);
    CHECK(s && !s->since_ns && s->sk == 1);
    CHECK(!points_sockets__get(&sockets, 2));
    s = points_sockets__find(&sockets, 78 << 6);
    CHECK(s && s->since_ns == 78);
    points_sockets__clear(&sockets);
    CHECK(!points_sockets__find(&sockets, 78 << 6) && points_sockets__get(&sockets, 2));
    points_sockets__fini(&sockets);
}

int main(void)
{
    test_fields_are_found_where_the_kernel_says();
    test_records_are_not_read_beyond();
    test_the_table_of_connections_has_an_end();
    return check__report();
}
