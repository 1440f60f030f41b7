// SPDX-License-Identifier: BSD-2-Clause
/* TraceProbes.c - see TraceProbes.h. */
#include "TraceProbes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "TraceFetch.h"

#define LINE_LEN 4096 /* the most that kprobe_events takes at once */
#define PATH_LEN 192
#define RETURN "return "
#define TRACEPOINT "event "
#define RETURNS_MAX 4096 /* calls that may be waiting to return; the kernel's default is the number of processors */

struct value_row {
    const char *name;
    int argument;
    const char *type, *path;
};

/* A value that a probe fetches; `field` is NULL if the probe is nothing without it. */
struct use {
    enum trace_value value;
    const char *field;
};

struct probe_row {
    const char *name, *function, *option;
    unsigned int type, other;
    uint64_t when; /* bits of struct ebpf_event_set */
    const struct use *uses;
    size_t count;
};

static const struct value_row value_rows[TRACE_VALUE_COUNT] = {
#define VALUE(id, argument, type, path) {#id, argument, type, path},
#include "TraceProbes.def"
};

/* clang-format off */
#define PROBE(id, TYPE, OTHER, when, function, option) static const struct use id##_uses[] = {
#define NEED(value) {TRACE_VALUE_##value, NULL},
#define TAKE(value, field) {TRACE_VALUE_##value, field},
#define END_PROBE(id) };
#include "TraceProbes.def"

#define EBPF_EVENT_0 0
#define EVERY UINT64_MAX
#define ON(TYPE) (UINT64_C(1) << EBPF_EVENT_##TYPE)
#define CALLERS                                                                                                        \
    (~(ON(PROCESS_FORK) | ON(PROCESS_EXEC) | ON(PROCESS_EXIT) | ON(PROCESS_SETSID) | ON(PROCESS_SETUID) |              \
       ON(PROCESS_SETGID)))
static const struct probe_row probe_rows[TRACE_PROBE_COUNT] = {
#define PROBE(id, TYPE, OTHER, when, function, option)                                                                 \
    {#id,     function, option, EBPF_EVENT_##TYPE, EBPF_EVENT_##OTHER, when, id##_uses,                                \
     sizeof(id##_uses) / sizeof(*id##_uses)},
#define NEED(value)
#define TAKE(value, field)
#define END_PROBE(id)
#include "TraceProbes.def"
};
/* clang-format on */

unsigned int trace_probe__type(enum trace_probe_id id)
{
    return probe_rows[id].type;
}

bool trace_probe__makes(enum trace_probe_id id, unsigned int type)
{
    return type && (probe_rows[id].type == type || probe_rows[id].other == type);
}

/* Return the end of the instance's name, which distinguishes its events from those of other instances. */
static const char *instance__suffix(const struct trace_instance *in)
{
    return strchr(in->name, '_');
}

static void event__name(const struct trace_instance *in, const struct probe_row *row, char ret_name[TRACE_NAME_LEN])
{
    snprintf(ret_name, TRACE_NAME_LEN, "%s%s", row->name, instance__suffix(in));
}

static bool row__is_tracepoint(const struct probe_row *row)
{
    return !strncmp(row->function, TRACEPOINT, strlen(TRACEPOINT));
}

/* Compose the path of a file of a probe's event. */
static void event__path(const struct trace_instance *in, const struct probe_row *row, const char *file,
                        char ret_path[PATH_LEN])
{
    char event[TRACE_NAME_LEN];

    event__name(in, row, event);
    if (row__is_tracepoint(row))
        snprintf(ret_path, PATH_LEN, "events/%s/%s", row->function + strlen(TRACEPOINT), file);
    else
        snprintf(ret_path, PATH_LEN, "events/%s/%s/%s", in->name, event, file);
}

static void probe__add_lack(struct trace_probe *probe, const char *field)
{
    int n = 0;

    while (n < TRACE_LACKS_MAX - 1 && probe->lacks[n]) {
        if (!strcmp(probe->lacks[n++], field))
            return;
    }
    if (*field && n < TRACE_LACKS_MAX - 1)
        probe->lacks[n] = field;
}

/* Compose the definition of a probe. False, with the reason, if it is nothing without what is not known. */
static bool probe__compose(struct trace_probe *probe, const struct probe_row *row, const struct trace_instance *in,
                           const struct trace_offsets *offsets, char ret_line[LINE_LEN])
{
    char event[TRACE_NAME_LEN], text[TRACE_FETCH_LEN];

    bool is_return = !strncmp(row->function, RETURN, strlen(RETURN));

    event__name(in, row, event);
    int len = is_return ? snprintf(ret_line, LINE_LEN, "r%d:%s/%s %s", RETURNS_MAX, in->name, event,
                                   row->function + strlen(RETURN))
                        : snprintf(ret_line, LINE_LEN, "p:%s/%s %s", in->name, event, row->function);

    for (size_t i = 0; i < row->count; i++) {
        const struct value_row *value = &value_rows[row->uses[i].value];
        int err = trace_fetch__compose(offsets, value->argument, value->path, value->type, text);

        if (!err) {
            len += snprintf(ret_line + len, (size_t)(LINE_LEN - len), " %s=%s", value->name, text);
            if (len >= LINE_LEN - 1) {
                snprintf(probe->why, sizeof(probe->why), "the definition of its probe is too long");
                return false;
            }
            continue;
        }
        if (row->uses[i].field) {
            probe__add_lack(probe, row->uses[i].field);
            continue;
        }
        const char *missing = trace_fetch__missing(offsets, value->path);

        snprintf(probe->why, sizeof(probe->why), "where the kernel has %s could not be found",
                 missing ? missing : value->name);
        return false;
    }
    snprintf(ret_line + len, (size_t)(LINE_LEN - len), "\n");
    return true;
}

int trace_format__offset(const char *format, const char *field)
{
    const size_t len = strlen(field);

    for (const char *at = format; (at = strstr(at, field)); at += len) {
        const char *offset = at[len] == ';' ? strstr(at, "offset:") : NULL;

        if (offset && at > format && at[-1] == ' ')
            return atoi(offset + strlen("offset:"));
    }
    return -1;
}

/* Read the id of a probe's event, and where its records have the values. 0 or -errno. */
static int probe__read_format(struct trace_probe *probe, const struct probe_row *row, const struct trace_instance *in)
{
    char path[PATH_LEN];

    event__path(in, row, "format", path);
    char *format = trace_file__read(in->dir, path, NULL);
    const char *id = format ? strstr(format, "\nID: ") : NULL;

    if (!id) {
        free(format);
        return format ? -EBADMSG : -errno;
    }
    probe->event = (uint16_t)atoi(id + strlen("\nID: "));
    for (size_t i = 0; i < row->count; i++) {
        int offset = trace_format__offset(format, value_rows[row->uses[i].value].name);

        probe->offsets[row->uses[i].value] = (uint16_t)(offset > 0 ? offset : 0);
    }
    free(format);
    return 0;
}

static void probe__start(struct trace_probe *probe, const struct probe_row *row, const struct trace_instance *in,
                         const struct trace_offsets *offsets)
{
    char line[LINE_LEN], path[PATH_LEN];
    bool is_tracepoint = row__is_tracepoint(row);

    if (!is_tracepoint && !probe__compose(probe, row, in, offsets, line))
        return;
    int err = is_tracepoint ? 0 : trace_instance__define(in, line);

    if (!err)
        err = probe__read_format(probe, row, in);
    event__path(in, row, "enable", path);
    if (!err)
        err = trace_instance__write(in, path, "1");
    if (err)
        snprintf(probe->why, sizeof(probe->why), "the kernel refuses a probe on %s: %s; it needs %s", row->function,
                 strerror(-err), row->option);
    probe->is_on = !err;
}

/* Return the size of a number, by its type; 0 for a text. */
static uint8_t value__size(const char *type)
{
    return strcmp(type, "string") ? (uint8_t)(atoi(type + 1) / 8) : 0; /* "x64", "u32", "s32", "u16" */
}

void trace_probes__start(struct trace_probes *probes, const struct trace_instance *in,
                         const struct trace_offsets *offsets, struct ebpf_event_set wanted)
{
    memset(probes, 0, sizeof(*probes));
    probes->in = in;
    for (int i = 0; i < TRACE_VALUE_COUNT; i++)
        probes->sizes[i] = value__size(value_rows[i].type);
    for (int i = 0; i < TRACE_PROBE_COUNT; i++) {
        if (probe_rows[i].when & wanted.bits)
            probe__start(&probes->of[i], &probe_rows[i], in, offsets);
    }
}

void trace_probes__stop(const struct trace_probes *probes)
{
    trace_instance__disable(probes->in);
}

bool trace_probes__take(struct trace_probes *probes, const struct trace_record *record, struct trace_values *ret_values)
{
    uint16_t event = trace_record__event(record);
    int id = 0;

    while (id < TRACE_PROBE_COUNT && !(probes->of[id].is_on && probes->of[id].event == event))
        id++;
    if (id == TRACE_PROBE_COUNT)
        return false;
    memset(ret_values, 0, sizeof(*ret_values));
    probes->of[id].read++;
    ret_values->probe = (enum trace_probe_id)id;
    ret_values->time_ns = record->time_ns;
    memcpy(&ret_values->tid, record->data + 4, sizeof(ret_values->tid));
    for (size_t i = 0; i < probe_rows[id].count; i++) {
        enum trace_value value = probe_rows[id].uses[i].value;
        bool is_text = !probes->sizes[value];
        size_t size = is_text ? sizeof(uint32_t) : probes->sizes[value];
        uint16_t offset = probes->of[id].offsets[value];

        if (!offset || offset + size > record->size)
            continue;
        if (is_text)
            ret_values->of[value].text = trace_record__text(record, offset);
        else
            memcpy(&ret_values->of[value].number, record->data + offset, size);
    }
    return true;
}

int trace_probes__count_hits(struct trace_probes *probes)
{
    char *text = trace_instance__profile(probes->in), *rest = text, *line;
    char event[TRACE_NAME_LEN];

    if (!text)
        return -errno;
    while ((line = strsep(&rest, "\n"))) {
        char *name = line + strspn(line, " "), *end = name + strcspn(name, " ");

        for (int i = 0; i < TRACE_PROBE_COUNT; i++) {
            event__name(probes->in, &probe_rows[i], event);
            if (strlen(event) == (size_t)(end - name) && !strncmp(name, event, (size_t)(end - name)))
                probes->of[i].hits = strtoull(end, NULL, 10);
        }
    }
    free(text);
    return 0;
}
