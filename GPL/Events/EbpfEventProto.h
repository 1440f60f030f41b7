/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * EbpfEventProto.h - the wire format between the probes and the library: Events.def as enums and structs, nothing else.
 *
 * A record is a header, the fixed struct of its event, then variable fields, each a struct ebpf_varlen followed by
 * `len` bytes and padding up to a multiple of 8. The byte order is the machine's, because both ends are on one machine.
 * Embedders cast to these structs, so members are only ever appended to an event, in a new version of the library.
 */
#ifndef EBPF_EVENT_PROTO_H
#define EBPF_EVENT_PROTO_H

#ifdef __bpf__
typedef unsigned char ebpf_u8;
typedef unsigned short ebpf_u16;
typedef unsigned int ebpf_u32;
typedef unsigned long long ebpf_u64;
typedef int ebpf_s32;
typedef long long ebpf_s64;
#else
#include <stdint.h>
typedef uint8_t ebpf_u8;
typedef uint16_t ebpf_u16;
typedef uint32_t ebpf_u32;
typedef uint64_t ebpf_u64;
typedef int32_t ebpf_s32;
typedef int64_t ebpf_s64;
#endif

#define EBPF_COMM_LEN 16 /**< size of the name of a thread, in bytes */

/* Largest value of a variable field; a longer one is cut and flagged. */
#define EBPF_PATH_MAX 4096           /**< bytes of a path */
#define EBPF_PATH_COMPONENTS_MAX 192 /**< components of a path */
#define EBPF_ARGS_MAX 32768          /**< bytes of arguments */
#define EBPF_ENV_MAX 65536           /**< bytes of an environment */
#define EBPF_TTY_MAX 8192            /**< bytes of a write to a terminal */

/* The embedding program may have macros of these names. */
#pragma push_macro("RING")
#pragma push_macro("REASON")
#pragma push_macro("TAG")
#pragma push_macro("ENUM")
#pragma push_macro("VALUE")
#pragma push_macro("END_ENUM")
#pragma push_macro("GROUP")
#pragma push_macro("END_GROUP")
#pragma push_macro("REPEATS")
#pragma push_macro("EVENT")
#pragma push_macro("FIELD")
#pragma push_macro("FIELD_IF")
#pragma push_macro("FLAG")
#pragma push_macro("VARLEN")
#pragma push_macro("OPTIONAL")
#pragma push_macro("END_EVENT")
#include "EventsUndef.h"

enum ebpf_ring {
#define RING(id, NAME, doc) EBPF_RING_##NAME = id,
#include "Events.def"
    EBPF_RING_COUNT
};

enum ebpf_reason {
#define REASON(id, NAME, key, doc) EBPF_REASON_##NAME = id,
#include "Events.def"
    EBPF_REASON_COUNT
};

enum ebpf_tag {
#define TAG(id, NAME, kind, key) EBPF_TAG_##NAME = id,
#include "Events.def"
    EBPF_TAG_COUNT
};

// clang-format off
#define ENUM(name, doc) enum ebpf_##name {
#define VALUE(id, NAME, text, doc) EBPF_##NAME = id,
#define END_ENUM(name) };
#include "Events.def"
// clang-format on

enum ebpf_event_type {
#define EVENT(id, NAME, name, option, ring, doc) EBPF_EVENT_##NAME = id,
#include "Events.def"
    EBPF_EVENT_TYPE_COUNT /* one more than the highest id; there is no event 0 */
};

enum ebpf_event_flag {
#define FLAG(NAME, bit, key, doc) EBPF_##NAME = 1u << (bit),
#include "Events.def"
};

/**
 * The beginning of every event. `stream` and `stream_seq` number the records of one scratch slot in one ring without a
 * gap: a visible gap is a record for which the ring had no room.
 */
struct ebpf_event_header {
    ebpf_u64 ts_boot_ns;      /**< nanoseconds since boot, suspend included */
    ebpf_u64 stream_seq;      /**< 1, 2, 3, … in its stream */
    ebpf_u32 stream;          /**< scratch slot */
    ebpf_u32 size;            /**< bytes of the whole record, including this header */
    ebpf_u16 type;            /**< enum ebpf_event_type */
    ebpf_u16 flags;           /**< enum ebpf_event_flag of this type */
    ebpf_u32 reserved;        /**< keeps what follows aligned; zero */
    char comm[EBPF_COMM_LEN]; /**< name of the acting thread; NUL-terminated unless all 16 are used */
};

/** Flags of a variable field. */
enum ebpf_varlen_flag {
    EBPF_VARLEN_TRUNCATED = 1u << 0,   /**< the value was cut */
    EBPF_VARLEN_UNREACHABLE = 1u << 1, /**< path: its topmost directory is not the root of the process */
    EBPF_VARLEN_NAME_ONLY = 1u << 2,   /**< path: a name that is in no directory (memfd, pipe, socket) */
    EBPF_VARLEN_DELETED = 1u << 3,     /**< path: it names something that has been deleted */
    EBPF_VARLEN_UNSTABLE = 1u << 4,    /**< path: renamed repeatedly while it was read; may never have existed */
    EBPF_VARLEN_AMBIGUOUS = 1u << 5,   /**< path: by one of several mounts, perhaps not the one used */
    EBPF_VARLEN_FROM_CALLER = 1u << 6, /**< path: as the caller gave it; another one if links lead elsewhere */
    EBPF_VARLEN_REQUESTED = 1u << 7,   /**< path: of a request that has been made; whether it succeeds is not known */
};

/** Precedes each variable field. A path is stored as its components, leaf first, each terminated by a NUL. */
struct ebpf_varlen {
    ebpf_u16 tag;      /**< enum ebpf_tag */
    ebpf_u16 flags;    /**< enum ebpf_varlen_flag */
    ebpf_u32 len;      /**< bytes that follow, without padding */
    ebpf_u32 orig_len; /**< bytes of the complete value; 0 if not known */
    ebpf_u32 reserved; /**< keeps what follows aligned; zero */
};

/** An address: IPv6, or IPv4 as ::ffff:a.b.c.d. */
struct ebpf_ip {
    ebpf_u32 words[4]; /**< its 16 bytes, in network byte order */
};

#define EBPF_KIND_u32 ebpf_u32
#define EBPF_KIND_s32 ebpf_s32
#define EBPF_KIND_u64 ebpf_u64
#define EBPF_KIND_s64 ebpf_s64
#define EBPF_KIND_octal ebpf_u32
#define EBPF_KIND_file_type ebpf_u32
#define EBPF_KIND_change_type ebpf_u32
#define EBPF_KIND_transport ebpf_u32
#define EBPF_KIND_address_family ebpf_u32
#define EBPF_KIND_close_reason ebpf_u32
#define EBPF_KIND_flow_state ebpf_u32
#define EBPF_KIND_direction ebpf_u32
#define EBPF_KIND_errno_name ebpf_u32
#define EBPF_KIND_u64str ebpf_u64
#define EBPF_KIND_ip struct ebpf_ip
#define EBPF_KIND_pid_info struct ebpf_pid_info
#define EBPF_KIND_cred_info struct ebpf_cred_info
#define EBPF_KIND_tty_dev struct ebpf_tty_dev
#define EBPF_KIND_ns_info struct ebpf_ns_info
#define EBPF_KIND_file_info struct ebpf_file_info
#define EBPF_KIND_net_info struct ebpf_net_info
#define EBPF_KIND_net_traffic struct ebpf_net_traffic

// clang-format off
#define GROUP(name, doc) struct ebpf_##name {
#define END_GROUP(name) };
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    struct ebpf_##name##_event {                                                                                       \
        struct ebpf_event_header hdr;
#define FIELD(kind, name, key, doc) EBPF_KIND_##kind name;
#define END_EVENT(name) };
// clang-format on
#include "Events.def"

#pragma pop_macro("RING")
#pragma pop_macro("REASON")
#pragma pop_macro("TAG")
#pragma pop_macro("ENUM")
#pragma pop_macro("VALUE")
#pragma pop_macro("END_ENUM")
#pragma pop_macro("GROUP")
#pragma pop_macro("END_GROUP")
#pragma pop_macro("REPEATS")
#pragma pop_macro("EVENT")
#pragma pop_macro("FIELD")
#pragma pop_macro("FIELD_IF")
#pragma pop_macro("FLAG")
#pragma pop_macro("VARLEN")
#pragma pop_macro("OPTIONAL")
#pragma pop_macro("END_EVENT")

#endif
