/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Slot.h - scratch slots, in which records are assembled, with their variable fields, and the counters.
 *
 * A record is assembled in a scratch slot and copied into the ring as a whole, at its exact length. Another BPF program
 * can preempt one on its CPU, so a slot is claimed (Claim.h). A program that finds a slot taken tries the next. One
 * that finds none free counts the event as lost.
 */
#ifndef EBPF_CORE_SLOT_H
#define EBPF_CORE_SLOT_H

#include "Claim.h"
#include "Compat.h"
#include "EmitShared.h"

/* The root directory of a process, at which its paths end; see Path.h. Addresses. */
struct path_root {
    u64 dentry, mnt; /* dentry 0: up to the topmost mount */
    u64 mnt_ns;      /* mount namespace of the process; 0 once the process has given it up */
    u64 mnt_event;   /* number of the namespace, where mounts__have_numbers */
    u32 is_apart;    /* the topmost mount is not that of the process' namespace */
    u32 reserved;
};

/*
 * Where a walk begins, and the root directory at which it ends. Addresses: typed pointers cannot pass through memory.
 */
struct path_job {
    u64 dentry, mnt;
    struct path_root root;
};

/* The state of a walk; see Path.bpf.c. */
struct path_walk {
    u64 dentry, mnt, mnt_root; /* where the walk is; mnt is a struct mount, that of a job a struct vfsmount */
    u32 phase;
    u32 start; /* offset of the value in the record */
    u32 used;
    u32 flags;
    u32 components, checked;
    u32 steps;
    u32 typed;  /* number of components, from the leaf on, that path__append_typed has to check */
    u32 mounts; /* number of mounts that were left upwards */
    u32 kept;   /* bytes of the value that precede the walk, as the part of a path that its caller gave */
    u32 skip;   /* number of components at the beginning that do not belong to the path: the caller went up from them */
    u32 left;   /* bytes of the caller's text that remain; see CallerPath.bpf.c */
    struct {
        u64 dentry;
        u32 seq, reserved;
    } seen[EBPF_PATH_COMPONENTS_MAX];
};

/* A copy of a process' memory, page by page; see Exec.bpf.c. */
struct user_copy {
    u64 from;
    u32 to, left; /* offset in the record, bytes */
};

struct scratch {
    u64 claims;                      /* see Claim.h */
    u64 stream_seq[EBPF_RING_COUNT]; /* last number given in each ring; only the owner uses it */
    u32 slot;
    u32 len; /* bytes of the record so far */
    struct path_job job;
    struct path_walk walk;
    struct user_copy copy;
    u64 scalar;       /* see scalar__of */
    u32 path_matches; /* how the paths of a file event match the selection; see Select.h */
    u32 reserved;
    u8 data[SCRATCH_DATA_ENV];
};

extern struct emit_runtime emit_runtime;

/* The library reduces its value size when it loads the probes, so the value has no type. */
struct scratch_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, EMIT_CLAIM_TRIES);
    __uint(key_size, sizeof(u32));
    __uint(value_size, sizeof(struct scratch));
};

struct counters_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct cpu_counters);
};

extern struct scratch_map scratch SEC(".maps");
extern struct counters_map counters SEC(".maps");

static __always_inline bool event__is_wanted(enum ebpf_event_type type)
{
    return emit_constants.events >> type & 1;
}

/* Return whether events of a type are made at the ends of system calls; see Syscall.h. */
static __always_inline bool event__is_called(enum ebpf_event_type type)
{
    return event__is_wanted(type) && emit_runtime.called >> type & 1;
}

/* Return a slot by its number; for global functions. */
static __always_inline struct scratch *scratch__at(u32 slot)
{
    return bpf_map_lookup_elem(&scratch, &slot);
}

/*
 * Return the number as a value that the verifier knows nothing about. Then it checks the code that follows once, not
 * once for each value.
 */
static __always_inline u64 scalar__hide(u64 number)
{
    return number + READ_ONCE(emit_runtime.self_tgid) - READ_ONCE(emit_runtime.self_tgid);
}

static __always_inline struct cpu_counters *counters__get(void)
{
    u32 cpu = bpf_get_smp_processor_id();

    return bpf_map_lookup_elem(&counters, &cpu);
}

#define COUNT(member) ATOMIC_ADD(&(member), 1)

static __always_inline void count__lost(enum ebpf_event_type type, enum ebpf_reason reason)
{
    struct cpu_counters *c = counters__get();

    if (c)
        COUNT(c->lost[reason][type]);
}

static __always_inline void count__seen(enum ebpf_event_type type)
{
    struct cpu_counters *c = counters__get();

    if (c)
        COUNT(c->seen[type]);
}

static __always_inline void count__seen_and_lost(enum ebpf_event_type type, enum ebpf_reason reason)
{
    if (!emit_runtime.live)
        return;
    count__seen(type);
    count__lost(type, reason);
}

/* Count events that are not made for want of a slot: as filtered if the selection rejects them, otherwise as lost. */
static __always_inline void count__without_slot(enum ebpf_event_type type, u64 count, bool is_filtered)
{
    struct cpu_counters *c = emit_runtime.live ? counters__get() : NULL;

    if (!c)
        return;
    ATOMIC_ADD(&c->seen[type], count);
    if (is_filtered)
        ATOMIC_ADD(&c->filtered[type], count);
    else
        ATOMIC_ADD(&c->lost[EBPF_REASON_NO_SCRATCH][type], count);
}

static __always_inline void count__seen_and_filtered(enum ebpf_event_type type)
{
    struct cpu_counters *c = counters__get();

    if (c) {
        COUNT(c->seen[type]);
        COUNT(c->filtered[type]);
    }
}

static __always_inline void scratch__release(struct scratch *s)
{
    claim__release(&s->claims);
}

/* Claim the slot of that number. Returns NULL if it is taken. */
static __always_inline struct scratch *scratch__try(u32 slot)
{
    struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

    if (!s || !claim__try(&s->claims))
        return NULL;
    s->slot = slot;
    return s;
}

/*
 * Whether the kernel may preempt the program, on a kernel that preempts BPF programs. A program that cannot be
 * preempted (Kprobe.h), or of which one run at most can be because of a lock that it runs under, uses a slot that is
 * reserved for its CPU if the kernel has kprobes: preempted programs could hold all others for long.
 */
enum preemption {
    MAY_BE_PREEMPTED,
    NOT_PREEMPTED,
};

/*
 * Claim a free slot from number `slot` on; in Probe.bpf.c. Returns its number, or a negative one if none is free. A
 * global function, because the verifier would otherwise check all that follows once for each try.
 */
extern int scratch__claim_from(u32 slot);

static __always_inline struct scratch *scratch__claim(enum preemption preemption)
{
    u32 slot = bpf_get_smp_processor_id();
    bool is_reserved = preemption == NOT_PREEMPTED && emit_constants.kprobes;
    struct scratch *s = scratch__try(is_reserved ? emit_constants.slots + slot : slot);

    if (s)
        return s; /* the usual case */
    int other = scratch__claim_from(slot + 1);

    return other < 0 ? NULL : bpf_map_lookup_elem(&scratch, &other);
}

/*
 * Return a BTF pointer as a number. The verifier refuses arithmetic on the pointer itself, so it passes through memory
 * of a map.
 */
static __always_inline u64 scalar__through(u64 *memory, const void *ptr)
{
    STORE_POINTER(*memory, ptr);
    return READ_ONCE(*memory);
}

static __always_inline u64 scalar__of(struct scratch *s, const void *ptr)
{
    return scalar__through(&s->scalar, ptr);
}

/* scalar__of without a slot, through memory of this CPU. Returns 0 if another program came between. */
static __always_inline u64 scalar__of_any(const void *ptr)
{
    struct cpu_counters *c = counters__get();
    u64 scalar;
    bool is_own;

    if (!c)
        return 0;
    STORE_POINTER(c->pointer, ptr);
    scalar = READ_ONCE(c->pointer);
    WRITE_ONCE(c->pointer, 0); /* the counters are mapped by user space, which is not to see kernel addresses */
    is_own = scalar == (u64)ptr;
    BARRIER(scalar); /* or the compiler might return the pointer, which is equal */
    return is_own ? scalar : 0;
}

/*
 * Begin a variable field at the end of the record. Returns its head, or NULL if it would begin beyond `limit`, which
 * leaves the record as it is. The caller writes the bytes behind the head and passes their number to varlen__end.
 */
static __always_inline struct ebpf_varlen *varlen__begin(struct scratch *s, enum ebpf_tag tag, u32 limit)
{
    u32 off = READ_ONCE(s->len);

    if (off > limit - sizeof(struct ebpf_varlen))
        return NULL;
    struct ebpf_varlen *v = (void *)&s->data[off];

    v->tag = tag;
    v->flags = 0;
    v->len = 0;
    v->orig_len = 0;
    v->reserved = 0;
    return v;
}

static __always_inline void varlen__end(struct scratch *s, struct ebpf_varlen *v, u32 len, u32 orig_len, u16 flags)
{
    v->len = len;
    v->orig_len = orig_len;
    v->flags = flags;
    s->len += sizeof(*v) + ((len + 7) & ~7u);
}

/* Append a kernel string of at most `max` bytes (a constant, below SCRATCH_PATHS), its NUL not counted. */
static __always_inline void varlen__kernel_str(struct scratch *s, enum ebpf_tag tag, const char *str, u32 max)
{
    struct ebpf_varlen *v = varlen__begin(s, tag, SCRATCH_PATHS - max);

    if (!v)
        return;
    long n = bpf_probe_read_kernel_str(v + 1, max, str);

    varlen__end(s, v, n > 0 ? n - 1 : 0, 0, n == max ? EBPF_VARLEN_TRUNCATED : 0);
}

#endif
