/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json-check.h - a strict reader of JSON for tests: RFC 8259 to the letter, well-formed UTF-8, no key twice in an
 * object. Written apart from the writer, so that they do not share a mistake.
 */
#ifndef EBPF_TEST_JSON_CHECK_H
#define EBPF_TEST_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* The text of a value, quotes and brackets included. */
struct json_value {
    const char *text;
    size_t len;
};

/* Whether a text is one JSON value and nothing else. `ret_value` may be NULL. */
bool json_check__text(const char *text, size_t len, struct json_value *ret_value);

/* Whether it is one object, and a line: without a control character anywhere. */
bool json_check__line(const char *text, size_t len, struct json_value *ret_value);

/* Go through a checked object or array; `*pos` is 0 at first. False at the end. */
bool json_value__next_member(struct json_value object, size_t *pos, struct json_value *ret_key,
                             struct json_value *ret_value);
bool json_value__next_item(struct json_value array, size_t *pos, struct json_value *ret_value);

/* The value of a key of a checked object. False when it has none. */
bool json_value__get(struct json_value object, const char *key, struct json_value *ret_value);

bool json_value__is(struct json_value value, const char *text);

/* A checked string as the bytes that the source had: what docs/events.md tells a consumer to do. Returns how many. */
size_t json_value__bytes(struct json_value string, unsigned char *buf, size_t size);

#endif
