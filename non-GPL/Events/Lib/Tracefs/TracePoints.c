// SPDX-License-Identifier: BSD-2-Clause
/* TracePoints.c - see TracePoints.h. */
#include "TracePoints.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_LEN 128
#define FLAG_HARDIRQ 0x8 /* of common_flags, enum trace_flag_type of the kernel */
#define FLAG_SOFTIRQ 0x10
#define FIELD_LINE "\tfield:"
#define ELSEWHERE "__data_loc "

static const char *const field_names[TRACE_FIELD_COUNT] = {
    [TRACE_FIELD_PID] = "pid",
    [TRACE_FIELD_CLONE_FLAGS] = "clone_flags",
    [TRACE_FIELD_NEWCOMM] = "newcomm",
    [TRACE_FIELD_FILENAME] = "filename",
    [TRACE_FIELD_OLD_PID] = "old_pid",
    [TRACE_FIELD_SKADDR] = "skaddr",
    [TRACE_FIELD_OLDSTATE] = "oldstate",
    [TRACE_FIELD_NEWSTATE] = "newstate",
    [TRACE_FIELD_SPORT] = "sport",
    [TRACE_FIELD_DPORT] = "dport",
    [TRACE_FIELD_FAMILY] = "family",
    [TRACE_FIELD_PROTOCOL] = "protocol",
    [TRACE_FIELD_SADDR] = "saddr",
    [TRACE_FIELD_DADDR] = "daddr",
    [TRACE_FIELD_SADDR_V6] = "saddr_v6",
    [TRACE_FIELD_DADDR_V6] = "daddr_v6",
    [TRACE_FIELD_GROUP_DEAD] = "group_dead",
};

#define HAS(field) (1u << TRACE_FIELD_##field)

static const struct {
    const char *name;
    uint32_t fields; /* without one of these it is of no use */
    uint32_t extras; /* that some kernels do not have */
} rows[TRACE_POINT_COUNT] = {
    [TRACE_POINT_NEWTASK] = {"task/task_newtask", HAS(PID) | HAS(CLONE_FLAGS)},
    [TRACE_POINT_RENAME] = {"task/task_rename", HAS(NEWCOMM), HAS(PID)},
    [TRACE_POINT_EXEC] = {"sched/sched_process_exec", HAS(FILENAME) | HAS(PID) | HAS(OLD_PID)},
    [TRACE_POINT_EXIT] = {"sched/sched_process_exit", HAS(PID), HAS(GROUP_DEAD)},
    [TRACE_POINT_STATE] = {"sock/inet_sock_set_state", HAS(SKADDR) | HAS(OLDSTATE) | HAS(NEWSTATE) | HAS(SPORT) |
                                                           HAS(DPORT) | HAS(FAMILY) | HAS(PROTOCOL) | HAS(SADDR) |
                                                           HAS(DADDR) | HAS(SADDR_V6) | HAS(DADDR_V6)},
    [TRACE_POINT_RESET] = {"tcp/tcp_receive_reset", HAS(SKADDR)},
};

const char *trace_point__name(enum trace_point point)
{
    return rows[point].name;
}

/* Return whether a declaration, "TYPE NAME" or "TYPE NAME[SIZE]", is of that name. */
static bool declaration__is_of(const char *text, size_t len, const char *field)
{
    size_t end = 0, start, brackets = strlen(field);

    while (end < len && text[end] != '[')
        end++;
    if (end + 1 < len && text[end + 1] == ']') /* a text elsewhere: "__data_loc char[] NAME" */
        end = len;
    start = end;
    while (start && text[start - 1] != ' ')
        start--;
    return end - start == brackets && !memcmp(text + start, field, brackets);
}

bool trace_place__find(const char *format, const char *field, struct trace_place *ret_place)
{
    unsigned int offset, size;

    for (const char *at = format; (at = strstr(at, FIELD_LINE));) {
        at += strlen(FIELD_LINE);
        const char *end = strchr(at, ';');

        if (!end)
            return false;
        if (!declaration__is_of(at, (size_t)(end - at), field))
            continue;
        if (sscanf(end, ";\toffset:%u;\tsize:%u;", &offset, &size) != 2 || offset > UINT16_MAX || size > UINT16_MAX)
            return false;
        *ret_place = (struct trace_place){.offset = (uint16_t)offset,
                                          .size = (uint16_t)size,
                                          .is_elsewhere = !strncmp(at, ELSEWHERE, strlen(ELSEWHERE))};
        return size && (!ret_place->is_elsewhere || size == sizeof(uint32_t));
    }
    return false;
}

/* Find the id of a tracepoint and its fields. 0 or -errno. */
static int point__read_format(struct trace_points *points, enum trace_point point, const struct trace_instance *in)
{
    char path[PATH_LEN];

    snprintf(path, sizeof(path), "events/%s/format", rows[point].name);
    char *format = trace_file__read(in->dir, path, NULL);
    const char *id = format ? strstr(format, "ID: ") : NULL;
    int err = id ? 0 : format ? -EBADMSG : -errno;

    if (id)
        points->of[point].event = (uint16_t)atoi(id + strlen("ID: "));
    for (int i = 0; i < TRACE_FIELD_COUNT && !err; i++) {
        bool is_wanted = (rows[point].fields | rows[point].extras) >> i & 1;

        if (is_wanted && !trace_place__find(format, field_names[i], &points->of[point].places[i]) &&
            rows[point].fields >> i & 1)
            err = -EBADMSG;
    }
    free(format);
    return err;
}

int trace_point__start(struct trace_points *points, enum trace_point point, const struct trace_instance *in)
{
    char path[PATH_LEN];
    int err = point__read_format(points, point, in);

    snprintf(path, sizeof(path), "events/%s/enable", rows[point].name);
    if (!err)
        err = trace_instance__write(in, path, "1");
    points->of[point].is_on = !err;
    return err;
}

static struct slice place__read(const struct trace_place *place, const struct trace_record *record)
{
    if (!place->size || (size_t)place->offset + place->size > record->size)
        return (struct slice){"", 0};
    if (place->is_elsewhere)
        return trace_record__text(record, place->offset);
    return (struct slice){(const char *)record->data + place->offset, place->size};
}

bool trace_points__take(const struct trace_points *points, const struct trace_record *record, struct trace_hit *ret_hit)
{
    int point = 0;

    while (point < TRACE_POINT_COUNT &&
           (!points->of[point].is_on || points->of[point].event != trace_record__event(record)))
        point++;
    if (point == TRACE_POINT_COUNT)
        return false;
    ret_hit->point = (enum trace_point)point;
    ret_hit->time_ns = record->time_ns;
    ret_hit->in_interrupt = record->data[2] & (FLAG_HARDIRQ | FLAG_SOFTIRQ);
    memcpy(&ret_hit->tid, record->data + 4, sizeof(ret_hit->tid));
    for (int i = 0; i < TRACE_FIELD_COUNT; i++)
        ret_hit->of[i] = place__read(&points->of[point].places[i], record);
    return true;
}

uint64_t trace_hit__number(const struct trace_hit *hit, enum trace_point_field field)
{
    uint64_t number = 0; /* little-endian, as are both processors */

    if (hit->of[field].len <= sizeof(number))
        memcpy(&number, hit->of[field].data, hit->of[field].len);
    return number;
}
