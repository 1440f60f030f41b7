// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz-record.c - any bytes as a record: it is refused, or becomes one valid line, and nothing out of bounds is
 * accessed.
 *
 * With -fsanitize=fuzzer it is a target for libFuzzer. Built without, by any compiler, it makes its own inputs: valid
 * records of every type, mutated; "fuzz-record [seed [count]]" repeats a run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Record.h"
#include "json-check.h"
#include "record-build.h"

#define REQUIRE(cond)                                                                                                  \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #cond);                                         \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static char line[LINE_MAX_BYTES];

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* A line that fits, fits exactly; a buffer of one byte less is too small. */
typedef int (*write_fn)(const struct ebpf_event *event, char *buf, size_t size);

static void require_exact_size(write_fn write, const struct ebpf_event *event, size_t len)
{
    char *buf = malloc(len + 1);

    REQUIRE(buf);
    REQUIRE(write(event, buf, len) == -ENOSPC);
    REQUIRE(write(event, buf, len + 1) == (int)len);
    REQUIRE(!memcmp(buf, line, len + 1));
    free(buf);
}

static void require_line(write_fn write, const struct ebpf_event *event)
{
    int len = write(event, line, sizeof(line));

    REQUIRE(len > 0 && json_check__line(line, (size_t)len, NULL));
    require_exact_size(write, event, (size_t)len);
}

static void require_paths_fit(const struct ebpf_event *event)
{
    struct ebpf_field field;

    for (unsigned int tag = 0; tag < EBPF_TAG_COUNT; tag++) {
        if (ebpf_event__field(event, tag, &field))
            continue;
        char *buf = malloc((size_t)field.len + 2);

        REQUIRE(buf);
        REQUIRE(ebpf_field__path(&field, buf, (size_t)field.len + 2) >= 0);
        free(buf);
    }
}

static void require_refused_or_line(const struct ebpf_event_header *record, size_t size)
{
    if (ebpf_record__check(record, size))
        return;
    struct ebpf_event event = {.hdr = record, .size = size, .seq = size, .time_ns = record->ts_boot_ns};

    require_line(ebpf_event__json, &event);
    require_line(ebpf_event__json_elastic, &event);
    require_paths_fit(&event);
}

/* The bytes as they are; and with the right size in them, which a fuzzer would seldom find. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct ebpf_event_header *record = malloc(size ? size : 1);

    REQUIRE(record);
    memcpy(record, data, size);
    require_refused_or_line(record, size);
    if (size >= sizeof(*record)) {
        record->size = (uint32_t)size;
        require_refused_or_line(record, size);
    }
    free(record);
    return 0;
}

static struct record record;
static uint64_t state;

static uint64_t below(uint64_t n)
{
    return n ? random__next(&state) % n : 0;
}

/* Bytes of one kind: all plain, plain with NULs, any. */
static void fill_value(unsigned char *value, size_t len)
{
    static const unsigned char odd[] = "\0\0\0\"\\\n\xc3\xa9\xf0\x9f\x98\x80\xf4\x8f\x9e\x80\xff";
    uint64_t temper = below(3), nul = 2 + below(20);

    for (size_t i = 0; i < len; i++) {
        value[i] = (unsigned char)('a' + below(26));
        if (temper && !below(nul))
            value[i] = temper == 1 ? 0 : odd[below(sizeof(odd))];
    }
}

static void build_record(void)
{
    static unsigned char value[4096];
    unsigned int type;

    do {
        type = (unsigned int)below(EBPF_EVENT_TYPE_COUNT);
    } while (!ebpf_event_type__size(type));
    record__begin(&record, type);
    struct ebpf_event_header *hdr = (void *)record.data;
    uint32_t size = hdr->size;

    random__fill(&state, record.data, record.len);
    hdr->type = (uint16_t)type;
    hdr->size = size;
    for (uint64_t n = below(8); n; n--) {
        size_t len = below(below(4) ? 64 : sizeof(value));

        fill_value(value, len);
        record__add(&record, 1 + below(EBPF_TAG_COUNT - 1), below(8), below(2) ? 0 : (uint32_t)random__next(&state),
                    value, len);
    }
}

static void mutate_record(void)
{
    static const unsigned char edges[] = {0x00, 0x01, 0x07, 0x08, 0x7f, 0x80, 0xfe, 0xff};
    size_t at = below(record.len);

    switch (below(5)) {
    case 0:
        record.data[at] ^= (unsigned char)(1u << below(8));
        break;
    case 1:
        record.data[at] = edges[below(sizeof(edges))];
        break;
    case 2: /* cut or not, with or without the flag */
        record.len = at & ~(size_t)7;
        if (record.len >= sizeof(struct ebpf_event_header) && below(2))
            ((struct ebpf_event_header *)record.data)->size = (uint32_t)record.len;
        break;
    case 3:
        memset(record.data + at, edges[below(sizeof(edges))], below(record.len - at < 16 ? record.len - at : 16));
        break;
    default:
        memmove(record.data + (at & ~(size_t)7), record.data + (below(record.len) & ~(size_t)7),
                below(64) % (record.len - at + 1));
        break;
    }
}

/* Weak: libFuzzer, if it is linked in, has a main of its own. */
__attribute__((weak)) int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, count = argc > 2 ? strtoull(argv[2], NULL, 0) : 100000;
    unsigned long accepted = 0;

    for (uint64_t i = 0; i < count; i++) {
        state = seed + i * UINT64_C(0x100000001b3);
        build_record();
        for (uint64_t n = below(4); n && record.len; n--)
            mutate_record();
        void *copy = record__copy(&record);

        accepted += !ebpf_record__check(copy, record.len);
        free(copy);
        LLVMFuzzerTestOneInput(record.data, record.len);
    }
    printf("%llu records, %lu accepted, none failed\n", (unsigned long long)count, accepted);
    return 0;
}
