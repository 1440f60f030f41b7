/* SPDX-License-Identifier: BSD-2-Clause */
/* record-build.h - records as the probes would make them, for tests. */
#ifndef EBPF_TEST_RECORD_BUILD_H
#define EBPF_TEST_RECORD_BUILD_H

#include "EbpfEvents.h"

#define RECORD_MAX (256 * 1024)

/* A record that is being put together; large, so best static. */
struct record {
    _Alignas(8) unsigned char data[RECORD_MAX];
    size_t len;
};

/* What a line of JSON of the largest record needs. */
#define LINE_MAX_BYTES (8 * RECORD_MAX)

/* Begin a record whose fixed part is zero but for its type. */
void record__begin(struct record *r, enum ebpf_event_type type);

/* Begin a record with a fixed part. */
void record__begin_with(struct record *r, const void *fixed, size_t size);

/* Append a variable field. */
void record__add(struct record *r, enum ebpf_tag tag, unsigned int flags, uint32_t orig_len, const void *data,
                 size_t len);

/* The text of a literal, its NULs within included, the one at its end not. */
#define RECORD_ADD(r, tag, flags, literal) record__add((r), (tag), (flags), 0, (literal), sizeof(literal) - 1)

/* A copy that ends where the record ends, so that a sanitizer sees what reads beyond; to be freed. */
void *record__copy(const struct record *r);

/* Check a record and write it as a line, from such a copy: with seq 1, at 1970-01-01. The value of either function. */
int record__json(const struct record *r, char *buf, size_t size);
int record__json_at(const struct record *r, uint64_t seq, uint64_t time_ns, char *buf, size_t size);

/* The same by another writer, with seq 1. */
int record__write(const struct record *r, int (*write)(const struct ebpf_event *event, char *buf, size_t size),
                  char *buf, size_t size);

/* The value of a key as it stands in its line, "" if that lacks it, NULL if it is wrong. Valid until the next call. */
const char *record__value(const struct record *r, const char *key);

/* Numbers that are random enough, the same on each run. */
uint64_t random__next(uint64_t *state);
void random__fill(uint64_t *state, void *data, size_t len);

#endif
