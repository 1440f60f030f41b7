/* SPDX-License-Identifier: BSD-2-Clause */
/* record-build.h - records like those of the probes, for tests. */
#ifndef EBPF_TEST_RECORD_BUILD_H
#define EBPF_TEST_RECORD_BUILD_H

#include "EbpfEvents.h"

#define RECORD_MAX (256 * 1024)

/* A record under construction; large, so best static. */
struct record {
    _Alignas(8) unsigned char data[RECORD_MAX];
    size_t len;
};

/* Size of the JSON line of the largest record. */
#define LINE_MAX_BYTES (8 * RECORD_MAX)

/* Begin a record whose fixed part is zero except for its type. */
void record__begin(struct record *r, enum ebpf_event_type type);

/* Begin a record with a fixed part. */
void record__begin_with(struct record *r, const void *fixed, size_t size);

/* Append a variable field. */
void record__add(struct record *r, enum ebpf_tag tag, unsigned int flags, uint32_t orig_len, const void *data,
                 size_t len);

/* The text of a literal, including NULs within it, without the one at its end. */
#define RECORD_ADD(r, tag, flags, literal) record__add((r), (tag), (flags), 0, (literal), sizeof(literal) - 1)

/* Return a copy that ends exactly where the record ends, so that a sanitizer detects reads beyond; to be freed. */
void *record__copy(const struct record *r);

/*
 * Check a record and write it as a line, from such a copy: with seq 1, at 1970-01-01. Return the value of the function
 * that failed, or the length.
 */
int record__json(const struct record *r, char *buf, size_t size);
int record__json_at(const struct record *r, uint64_t seq, uint64_t time_ns, char *buf, size_t size);

/* As record_build__line, by another writer. */
int record__write(const struct record *r, int (*write)(const struct ebpf_event *event, char *buf, size_t size),
                  char *buf, size_t size);

/*
 * Return the value of a key as written in its line, "" if the line lacks it, NULL if it is invalid. Valid until the
 * next call.
 */
const char *record__value(const struct record *r, const char *key);

/* Return pseudo-random numbers, equal in each run. */
uint64_t random__next(uint64_t *state);
void random__fill(uint64_t *state, void *data, size_t len);

#endif
