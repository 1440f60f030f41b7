// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-args.c - what was noted of forks and execs: each belongs to one record, and what is missing is marked. */
#include <stdlib.h>

#include "Tracefs/TraceArgs.h"
#include "Tracefs/TraceRecord.h"
#include "check.h"

#define TID 0x7ffffff0u /* no process has this id */
#define TIDS ((uint64_t)TID << 32 | TID)
#define STACK 0x7ffc12345678u

static struct trace_args args;
static struct trace_values values;
static union {
    struct ebpf_event_header hdr;
    char data[2 * EBPF_ARGS_MAX];
} record;

static struct slice text(const char *of)
{
    return (struct slice){of, strlen(of)};
}

static struct trace_values *values_of(enum trace_probe_id probe)
{
    memset(&values, 0, sizeof(values));
    values.probe = probe;
    values.tid = TID;
    return &values;
}

static void note_stack(uint64_t first, uint32_t argc, const char head[64])
{
    struct trace_values *v = values_of(TRACE_PROBE_stack);

    v->of[TRACE_VALUE_stack_argc].number = argc;
    v->of[TRACE_VALUE_stack_first].number = first;
    for (int i = 0; i < 8; i++)
        memcpy(&v->of[TRACE_VALUE_stack_head0 + i].number, head + i * 8, 8);
    CHECK(trace_args__note(&args, v));
}

static void note_args(const char *first, const char *second)
{
    struct trace_values *v = values_of(TRACE_PROBE_args);

    v->of[TRACE_VALUE_arg0].text = text(first);
    v->of[TRACE_VALUE_arg1].text = text(second);
    CHECK(trace_args__note(&args, v));
}

/* The record of an exec, at which a tracer has written over the number of arguments. */
static struct trace_values *exec_of(uint64_t begin, uint64_t len)
{
    struct trace_values *v = values_of(TRACE_PROBE_exec);

    v->of[TRACE_VALUE_tids].number = TIDS;
    v->of[TRACE_VALUE_args_begin].number = begin;
    v->of[TRACE_VALUE_args_end].number = begin + len;
    v->of[TRACE_VALUE_argc].number = 77;
    return v;
}

static const struct ebpf_varlen *added_for(const struct trace_values *v)
{
    record.hdr.size = sizeof(record.hdr);
    trace_args__add(&args, &record.hdr, v);
    return (const struct ebpf_varlen *)(&record.hdr + 1);
}

static void test_arguments(void)
{
    char head[64] = "prog\0-x";

    note_stack(STACK, 2, head);
    note_args("prog", "-x");
    const struct ebpf_varlen *field = added_for(exec_of(STACK, 8));

    CHECK(field->len == 8 && !field->flags && !memcmp(field + 1, "prog\0-x", 8));
    CHECK(trace_args__count(&args, exec_of(STACK, 8)) == 2);
    field = added_for(exec_of(STACK + 16, 8)); /* of another exec */
    CHECK(!field->len && field->orig_len == 8 && field->flags == EBPF_VARLEN_TRUNCATED);
    CHECK(trace_args__count(&args, exec_of(STACK + 16, 8)) == 77);
    trace_args__drop(&args, TID);
    CHECK(!args.count && added_for(exec_of(STACK, 8))->flags == EBPF_VARLEN_TRUNCATED);
}

/* The kernel did not keep the record with the arguments: their beginning is known. */
static void test_long_arguments(void)
{
    char head[64] = "old", full[64];

    note_stack(STACK, 1, head);
    note_args("old", "");
    memset(full, 'a', sizeof(full));
    note_stack(STACK, 1, full); /* of the next exec */
    const struct ebpf_varlen *field = added_for(exec_of(STACK, 5000));

    CHECK(field->len == 64 && field->orig_len == 5000 && field->flags == EBPF_VARLEN_TRUNCATED);
    CHECK(!memcmp(field + 1, full, 64));
    trace_args__drop(&args, TID);
    note_stack(0, 0, head); /* no arguments at all */
    field = added_for(exec_of(STACK, 0));
    CHECK(!field->len && !field->flags && !trace_args__count(&args, exec_of(STACK, 0)));
    trace_args__drop(&args, TID);
}

static void test_names(void)
{
    struct slice names[TRACE_NAMES_MAX];
    struct trace_values *v = values_of(TRACE_PROBE_exec_names);

    v->of[TRACE_VALUE_args_begin].number = STACK;
    v->of[TRACE_VALUE_cwd0].text = text("work");
    v->of[TRACE_VALUE_cwd1].text = text("/");
    v->of[TRACE_VALUE_exe0].text = text("sh");
    v->of[TRACE_VALUE_exe1].text = text("bin");
    CHECK(trace_args__note(&args, v));
    trace_args__names(&args, exec_of(STACK, 1), TRACE_VALUE_cwd0, names);
    CHECK(names[0].len == 4 && !memcmp(names[0].data, "work", 4) && names[1].len == 1 && !names[2].len);
    trace_args__names(&args, exec_of(STACK, 1), TRACE_VALUE_exe0, names);
    CHECK(names[0].len == 2 && names[1].len == 3 && !memcmp(names[1].data, "bin", 3) && !names[2].len);
    trace_args__names(&args, exec_of(STACK + 16, 1), TRACE_VALUE_exe0, names);
    CHECK(!names[0].len);
    v = values_of(TRACE_PROBE_fork);
    v->of[TRACE_VALUE_tids].number = TIDS;
    trace_args__names(&args, v, TRACE_VALUE_cwd0, names);
    CHECK(!names[0].len);
    trace_args__drop(&args, TID);
}

/* Threads that are stopped between the probes do not make it grow without end. */
static void test_many(void)
{
    struct trace_values *v = values_of(TRACE_PROBE_exec_names);

    for (uint32_t tid = 1; tid <= 3 * ARGS_NOTES_MAX; tid++) {
        v->tid = tid;
        trace_args__note(&args, v);
        if (args.count > ARGS_NOTES_MAX)
            break;
    }
    CHECK(args.count && args.count <= ARGS_NOTES_MAX);
    CHECK(!trace_args__note(&args, values_of(TRACE_PROBE_exec)));
}

int main(void)
{
    test_arguments();
    test_long_arguments();
    test_names();
    test_many();
    trace_args__fini(&args);
    CHECK(!args.count);
    return check__report();
}
