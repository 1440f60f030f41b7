/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceSearch.h - what the parts of the search for offsets share; for the search itself see TraceOffsets.h.
 *
 * Each part finds some members, and needs those that earlier parts have found. A part leaves a member unknown that is
 * nowhere or in two places.
 */
#ifndef EBPF_TRACE_SEARCH_H
#define EBPF_TRACE_SEARCH_H

#include <netinet/in.h>
#include <string.h>

#include "TraceMounts.h"
#include "TraceOffsets.h"
#include "TraceSpecimen.h"

/* Odd addresses of the loopback. */
#define SEARCH_SOURCE 0x7f5b3971 /* 127.91.57.113 */
#define SEARCH_DESTINATION 0x7f53c92f

struct search {
    struct trace_peek peek;
    struct specimen children[SPECIMENS];
    struct trace_offsets *offsets;
    bool sockets; /* their members are wanted */
};

/* Return whether what is searched for is at a byte of a child's task_struct. */
typedef bool (*is_there_fn)(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte);

/*
 * Find the place, in steps of `step` bytes, where `is_there` for both children. The first of up to `run` adjacent ones
 * is taken; with more, or others, it is ambiguous. A place that is TASK_BYTES_MIN behind it is in another task_struct.
 */
int search__task(struct search *s, is_there_fn is_there, size_t step, int run);

/* Leave a member unknown: the kernel has something better, or nothing like it. */
void search__leave(struct search *s, enum trace_member member);

/* Find a number in the first `bytes` of a structure. TRACE_OFFSET_UNKNOWN if it is not there. */
int search__u32(struct search *s, uint64_t address, uint32_t number, size_t bytes);

/* Read several times PEEK_WORDS words. */
bool search__read(struct search *s, uint64_t address, uint64_t *ret_words, size_t words);

void search__ids(struct search *s);  /* of the task_struct itself, and credentials */
void search__pids(struct search *s); /* groups and sessions */
void search__terminal(struct search *s);
void search__memory(struct search *s);
void search__directories(struct search *s); /* of processes, dentries, mounts */
void search__files(struct search *s);       /* struct file, inodes */
void search__image(struct search *s);       /* of a program that is about to be executed */
void search__inodes(struct search *s);      /* what inodes, dentries and files have beside that */
void search__namespaces(struct search *s);
void search__sockets(struct search *s);
void search__datagrams(struct search *s);
void search__mptcp(struct search *s);
void search__end(struct search *s); /* ends the children: how they ended */

/* Return a socket bound to an IPv4 address, and to a port; -1 if that fails. */
int search__bind(int type, uint32_t address, struct sockaddr_in *ret_name);

/* Return the text at an address, which is cut; "" if it cannot be read. Valid until the next call. */
const char *search__text(struct search *s, uint64_t address);

/* Return the id of the mount that a path is on; -1 if that is unknown. */
int mount__id(const char *path);

static inline uint32_t words__u32(const uint64_t *words, size_t byte)
{
    uint32_t value;

    memcpy(&value, (const uint8_t *)words + byte, sizeof(value));
    return value;
}

static inline uint64_t words__u64(const uint64_t *words, size_t byte)
{
    uint64_t value;

    memcpy(&value, (const uint8_t *)words + byte, sizeof(value));
    return value;
}

/* Return whether a word may be the address of something in the kernel. */
static inline bool word__is_pointer(uint64_t word)
{
    return (int64_t)word < 0 && word < UINT64_MAX - 4096;
}

#endif
