// SPDX-License-Identifier: BSD-2-Clause
/*
 * print-abi.c - prints the layout that an embedding program is compiled with: members of structs with offset and size,
 * values of enums. Those of the wire format follow from Events.def.
 */
#include <stddef.h>
#include <stdio.h>

#include "EbpfEvents.h"

static void print_member(const char *name, size_t offset, size_t size)
{
    printf("    %-18s offset %5zu, size %5zu\n", name, offset, size);
}

static void print_value(const char *name, long value)
{
    printf("    %-40s %6ld\n", name, value);
}

/* The rows of a struct are in a block of their own, in which `self` is that struct. */
#define STRUCT_BEGIN(type)                                                                                             \
    {                                                                                                                  \
        typedef type self;                                                                                             \
        printf("\n" #type ": size %zu\n", sizeof(self));
#define MEMBER(name) print_member(#name, offsetof(self, name), sizeof(((self *)NULL)->name));
#define STRUCT_END }
#define NUMBER(name) print_value(#name, name);

static void print_wire_structs(void)
{
    STRUCT_BEGIN(struct ebpf_event_header)
    MEMBER(ts_boot_ns)
    MEMBER(stream_seq)
    MEMBER(stream)
    MEMBER(size)
    MEMBER(type)
    MEMBER(flags)
    MEMBER(reserved)
    MEMBER(comm)
    STRUCT_END
    STRUCT_BEGIN(struct ebpf_varlen)
    MEMBER(tag)
    MEMBER(flags)
    MEMBER(len)
    MEMBER(orig_len)
    MEMBER(reserved)
    STRUCT_END
#define GROUP(name, doc) STRUCT_BEGIN(struct ebpf_##name)
#define END_GROUP(name) STRUCT_END
#define EVENT(id, NAME, name, option, ring, doc) STRUCT_BEGIN(struct ebpf_##name##_event) MEMBER(hdr)
#define END_EVENT(name) STRUCT_END
#define FIELD(kind, name, key, doc) MEMBER(name)
#include "Events.def"
}

static void print_wire_values(void)
{
    printf("\nenum ebpf_ring\n");
#define RING(id, NAME, doc) NUMBER(EBPF_RING_##NAME)
#include "Events.def"
    printf("\nenum ebpf_reason\n");
#define REASON(id, NAME, key, doc) NUMBER(EBPF_REASON_##NAME)
#include "Events.def"
    printf("\nenum ebpf_tag\n");
#define TAG(id, NAME, kind, key) NUMBER(EBPF_TAG_##NAME)
#include "Events.def"
    printf("\nenum ebpf_event_type\n");
#define EVENT(id, NAME, name, option, ring, doc) NUMBER(EBPF_EVENT_##NAME)
#include "Events.def"
    printf("\nenum ebpf_event_flag\n");
#define FLAG(NAME, bit, key, doc) NUMBER(EBPF_##NAME)
#include "Events.def"
#define ENUM(name, doc) printf("\nenum ebpf_" #name "\n");
#define VALUE(id, NAME, text, doc) NUMBER(EBPF_##NAME)
#include "Events.def"
    printf("\nenum ebpf_varlen_flag\n");
    NUMBER(EBPF_VARLEN_TRUNCATED)
    NUMBER(EBPF_VARLEN_UNREACHABLE)
    NUMBER(EBPF_VARLEN_NAME_ONLY)
    NUMBER(EBPF_VARLEN_DELETED)
    NUMBER(EBPF_VARLEN_UNSTABLE)
    NUMBER(EBPF_VARLEN_AMBIGUOUS)
    printf("\nlimits\n");
    NUMBER(EBPF_PATH_MAX)
    NUMBER(EBPF_ARGS_MAX)
    NUMBER(EBPF_ENV_MAX)
    NUMBER(EBPF_TTY_MAX)
}

static void print_public_structs(void)
{
    STRUCT_BEGIN(struct ebpf_event)
    MEMBER(hdr)
    MEMBER(size)
    MEMBER(seq)
    MEMBER(time_ns)
    STRUCT_END
    STRUCT_BEGIN(struct ebpf_field)
    MEMBER(tag)
    MEMBER(flags)
    MEMBER(data)
    MEMBER(len)
    MEMBER(orig_len)
    STRUCT_END
    STRUCT_BEGIN(struct ebpf_source_opts)
    MEMBER(sz)
    MEMBER(events)
    MEMBER(handler)
    MEMBER(loss_handler)
    MEMBER(log)
    MEMBER(user)
    MEMBER(env)
    MEMBER(low_latency)
    MEMBER(libbpf_log)
    MEMBER(ring_bytes)
    MEMBER(disable_hooks)
    MEMBER(coalesce_ms)
    MEMBER(select_kinds)
    MEMBER(condition_count)
    MEMBER(conditions)
    MEMBER(is_cancelled)
    MEMBER(is_wanted)
    MEMBER(budget)
    MEMBER(over_budget_handler)
    MEMBER(log_line)
    MEMBER(helpers)
    MEMBER(helper_count)
    MEMBER(attach)
    MEMBER(allow_no_hook)
    MEMBER(backend)
    STRUCT_END
}

static void print_report_structs(void)
{
    STRUCT_BEGIN(struct ebpf_over_budget)
    MEMBER(pids)
    MEMBER(uid)
    MEMBER(comm)
    MEMBER(lost)
    MEMBER(time_ns)
    MEMBER(ts_boot_ns)
    STRUCT_END
    STRUCT_BEGIN(struct ebpf_type_stats)
    MEMBER(sz)
    MEMBER(seen)
    MEMBER(delivered)
    MEMBER(filtered)
    MEMBER(lost)
    STRUCT_END
    STRUCT_BEGIN(struct ebpf_stats)
    MEMBER(records)
    MEMBER(corrupt)
    STRUCT_END
    STRUCT_BEGIN(struct ebpf_loss)
    MEMBER(first_seq)
    MEMBER(last_seq)
    MEMBER(time_ns)
    MEMBER(ts_boot_ns)
    STRUCT_END
    STRUCT_BEGIN(struct ebpf_loss_count)
    MEMBER(type)
    MEMBER(reason)
    MEMBER(events)
    STRUCT_END
    STRUCT_BEGIN(struct ebpf_event_set)
    MEMBER(bits)
    STRUCT_END
    STRUCT_BEGIN(struct ebpf_condition)
    MEMBER(kind)
    MEMBER(exclude)
    MEMBER(id)
    MEMBER(text)
    STRUCT_END
    STRUCT_BEGIN(struct ebpf_features)
    MEMBER(sz)
    MEMBER(bpf_tramp)
    MEMBER(ipv6)
    MEMBER(backend)
    STRUCT_END
}

static void print_public_values(void)
{
    printf("\nenum ebpf_log_level\n");
    NUMBER(EBPF_LOG_ERROR)
    NUMBER(EBPF_LOG_WARNING)
    NUMBER(EBPF_LOG_INFO)
    NUMBER(EBPF_LOG_DEBUG)
    printf("\nenum ebpf_attach\n");
    NUMBER(EBPF_ATTACH_BEST)
    NUMBER(EBPF_ATTACH_LSM)
    NUMBER(EBPF_ATTACH_TRAMPOLINE)
    NUMBER(EBPF_ATTACH_KPROBE)
    NUMBER(EBPF_ATTACH_TRACEPOINT)
    printf("\nenum ebpf_backend_kind\n");
    NUMBER(EBPF_BACKEND_AUTO)
    NUMBER(EBPF_BACKEND_BPF)
    NUMBER(EBPF_BACKEND_TRACEFS)
    printf("\nenum ebpf_source_error\n");
    NUMBER(EBPF_SOURCE_OK)
    NUMBER(EBPF_SOURCE_INVALID)
    NUMBER(EBPF_SOURCE_NO_PRIVILEGE)
    NUMBER(EBPF_SOURCE_UNSUPPORTED)
    NUMBER(EBPF_SOURCE_NO_HOOK)
    NUMBER(EBPF_SOURCE_FAILED)
}

int main(void)
{
    printf("ebpf-events %s\n", EBPF_EVENTS_VERSION);
    print_wire_structs();
    print_wire_values();
    print_public_structs();
    print_report_structs();
    print_public_values();
    return 0;
}
