// SPDX-License-Identifier: BSD-2-Clause
/* TracePages.c - see TracePages.h. */
#include "TracePages.h"

#include <string.h>

#define HEAD_SIZE 16
#define COMMIT_MASK 0xfffffu
#define MISSED (1u << 31)
#define MISSED_COUNTED (1u << 30)

#define LENGTH_BITS 5
#define LENGTH_LONG 0      /* the length is in the next word, which it includes */
#define LENGTH_PADDING 29  /* of so many bytes as the next word says; up to the end of the page if the time is 0 */
#define LENGTH_EXTEND 30   /* the next word has the upper bits of the time since the record before */
#define LENGTH_ABSOLUTE 31 /* likewise, of the time itself, without its uppermost five bits */
#define TIME_BITS 27
#define ABSOLUTE_MASK ((UINT64_C(1) << 59) - 1)
#define COMMON_SIZE 8 /* id, flags, preemption count, thread: without these it is no record of an event */

static uint32_t word__read(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

bool trace_page__begin(struct trace_page *page, const uint8_t *data, size_t size)
{
    uint64_t commit;

    if (size < HEAD_SIZE)
        return false;
    memcpy(&page->time_ns, data, sizeof(page->time_ns));
    memcpy(&commit, data + 8, sizeof(commit));
    size_t length = commit & COMMIT_MASK;

    if (length > size - HEAD_SIZE)
        return false;
    page->next = data + HEAD_SIZE;
    page->end = page->next + length;
    page->overwritten = commit & MISSED ? UINT64_MAX : 0;
    if ((commit & MISSED_COUNTED) && size - HEAD_SIZE - length >= sizeof(uint64_t))
        memcpy(&page->overwritten, page->end, sizeof(uint64_t));
    return true;
}

/* Take `length` bytes that follow a word of `head` bytes; NULL if the page does not have them. */
static const uint8_t *page__take(struct trace_page *page, size_t head, size_t length)
{
    const uint8_t *data = page->next + head;

    if ((size_t)(page->end - page->next) < head || (size_t)(page->end - data) < length) {
        page->next = page->end;
        return NULL;
    }
    page->next = data + length;
    return data;
}

/* Take what is no record. False if nothing follows. */
static bool page__skip(struct trace_page *page, uint32_t kind, uint32_t delta)
{
    const uint8_t *data = page__take(page, 4, 4);

    if (!data || (kind == LENGTH_PADDING && !delta))
        return false;
    uint32_t word = word__read(data);
    uint64_t time = ((uint64_t)word << TIME_BITS) + delta;

    switch (kind) {
    case LENGTH_PADDING:
        page->time_ns += delta;
        return word >= 4 && page__take(page, 0, word - 4);
    case LENGTH_EXTEND:
        page->time_ns += time;
        return true;
    default:
        page->time_ns = (page->time_ns & ~ABSOLUTE_MASK) | (time & ABSOLUTE_MASK);
        return true;
    }
}

bool trace_page__next(struct trace_page *page, struct trace_record *ret_record)
{
    while (page->end - page->next >= 4) {
        uint32_t word = word__read(page->next), kind = word & ((1u << LENGTH_BITS) - 1), delta = word >> LENGTH_BITS;
        uint32_t size = kind * 4, head = 4;

        if (kind >= LENGTH_PADDING) {
            if (!page__skip(page, kind, delta))
                break;
            continue;
        }
        if (kind == LENGTH_LONG) {
            if (page->end - page->next < 8 || (size = word__read(page->next + 4)) < 4)
                break;
            size -= 4;
            head = 8;
        }
        page->time_ns += delta;
        ret_record->time_ns = page->time_ns;
        ret_record->size = size;
        ret_record->data = page__take(page, head, size);
        if (!ret_record->data)
            break;
        if (size >= COMMON_SIZE)
            return true;
    }
    page->next = page->end;
    return false;
}

struct slice trace_record__text(const struct trace_record *record, uint16_t offset)
{
    uint32_t where = word__read(record->data + offset), begin = where & 0xffff, len = where >> 16;

    if (!len || begin > record->size || len > record->size - begin)
        return (struct slice){"", 0};
    return (struct slice){(const char *)record->data + begin, strnlen((const char *)record->data + begin, len)};
}
