// SPDX-License-Identifier: BSD-2-Clause
/* record-build.c - records for tests. */
#include "record-build.h"

#include <stdlib.h>
#include <string.h>

#include "Record.h"
#include "json-check.h"

static void record__set_size(struct record *r)
{
    ((struct ebpf_event_header *)r->data)->size = (uint32_t)r->len;
}

void record__begin(struct record *r, enum ebpf_event_type type)
{
    r->len = ebpf_event_type__size(type);
    memset(r->data, 0, r->len);
    ((struct ebpf_event_header *)r->data)->type = (uint16_t)type;
    record__set_size(r);
}

void record__begin_with(struct record *r, const void *fixed, size_t size)
{
    memcpy(r->data, fixed, size);
    r->len = size;
    record__set_size(r);
}

void record__add(struct record *r, enum ebpf_tag tag, unsigned int flags, uint32_t orig_len, const void *data,
                 size_t len)
{
    struct ebpf_varlen head = {
        .tag = (uint16_t)tag, .flags = (uint16_t)flags, .len = (uint32_t)len, .orig_len = orig_len};
    size_t padded = (len + 7) & ~(size_t)7;

    if (r->len + sizeof(head) + padded > sizeof(r->data))
        abort();
    memcpy(r->data + r->len, &head, sizeof(head));
    /* The kernel's padding is not zero either. */
    memset(r->data + r->len + sizeof(head), 0xa5, padded);
    memcpy(r->data + r->len + sizeof(head), data, len);
    r->len += sizeof(head) + padded;
    record__set_size(r);
}

void *record__copy(const struct record *r)
{
    void *copy = malloc(r->len);

    if (!copy)
        abort();
    return memcpy(copy, r->data, r->len);
}

int record__json_at(const struct record *r, uint64_t seq, uint64_t time_ns, char *buf, size_t size)
{
    void *copy = record__copy(r);
    struct ebpf_event event = {.hdr = copy, .size = r->len, .seq = seq, .time_ns = time_ns};
    int ret = ebpf_record__check(copy, r->len);

    if (!ret)
        ret = ebpf_event__json(&event, buf, size);
    free(copy);
    return ret;
}

int record__json(const struct record *r, char *buf, size_t size)
{
    return record__json_at(r, 1, 0, buf, size);
}

int record__write(const struct record *r, int (*write)(const struct ebpf_event *event, char *buf, size_t size),
                  char *buf, size_t size)
{
    void *copy = record__copy(r);
    struct ebpf_event event = {.hdr = copy, .size = r->len, .seq = 1};
    int ret = ebpf_record__check(copy, r->len);

    if (!ret)
        ret = write(&event, buf, size);
    free(copy);
    return ret;
}

const char *record__value(const struct record *r, const char *key)
{
    static char line[LINE_MAX_BYTES], text[65536];
    struct json_value object, value;
    int len = record__json(r, line, sizeof(line));

    if (len <= 0 || !json_check__line(line, (size_t)len, &object))
        return NULL;
    if (!json_value__get(object, key, &value) || value.len >= sizeof(text))
        return "";
    memcpy(text, value.text, value.len);
    text[value.len] = '\0';
    return text;
}

uint64_t random__next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void random__fill(uint64_t *state, void *data, size_t len)
{
    unsigned char *p = data;

    for (size_t i = 0; i < len; i++)
        p[i] = (unsigned char)random__next(state);
}
