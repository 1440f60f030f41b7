/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TracePages.h - goes through the records of a page of a raw trace buffer (trace_pipe_raw).
 *
 * A page begins with its time and a word whose lower 20 bits are the bytes that follow. Bit 31 says that records before
 * this page were overwritten, bit 30 that their number stands behind the last record. Each record has a word of length
 * (5 bits) and time since the record before (27 bits). Source: include/linux/ring_buffer.h; the layout is the same from
 * 4.18 to 7.2.
 */
#ifndef EBPF_TRACE_PAGES_H
#define EBPF_TRACE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../Record.h"

/* A record; `data` points into the page. It begins with the id of its event and the thread that made it. */
struct trace_record {
    uint64_t time_ns; /* of the clock of the instance */
    const uint8_t *data;
    uint32_t size;
};

struct trace_page {
    const uint8_t *next, *end;
    uint64_t time_ns;
    uint64_t overwritten; /* records that were lost before this page; UINT64_MAX if their number is not known */
};

/* Begin with a page of `size` bytes. False if it is too short, or is longer inside than outside. */
bool trace_page__begin(struct trace_page *page, const uint8_t *data, size_t size);

/* Return the next record; false if there is none, or the page is damaged from here on. */
bool trace_page__next(struct trace_page *page, struct trace_record *ret_record);

/* Return the id of the event of a record, as in its file `id`. */
static inline uint16_t trace_record__event(const struct trace_record *record)
{
    return (uint16_t)(record->data[0] | record->data[1] << 8);
}

/*
 * Return the text of a record whose length and place are at `offset`, without a NUL; empty if it is not in the record.
 */
struct slice trace_record__text(const struct trace_record *record, uint16_t offset);

#endif
