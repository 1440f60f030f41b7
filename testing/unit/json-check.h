/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json-check.h - a strict JSON reader for tests: RFC 8259 to the letter, well-formed UTF-8, no key twice in an object.
 * Written independently of the writer, so that they do not share a mistake.
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

/* Return whether a text is one JSON value and nothing else. `ret_value` may be NULL. */
bool json_check__text(const char *text, size_t len, struct json_value *ret_value);

/* Return whether it is one object, and a line: without a control character anywhere. */
bool json_check__line(const char *text, size_t len, struct json_value *ret_value);

/* Iterate over a checked object or array; `*pos` is 0 at first. Return false at the end. */
bool json_value__next_member(struct json_value object, size_t *pos, struct json_value *ret_key,
                             struct json_value *ret_value);
bool json_value__next_item(struct json_value array, size_t *pos, struct json_value *ret_value);

/* Find the value of a key of a checked object. Return false if it has none. */
bool json_value__get(struct json_value object, const char *key, struct json_value *ret_value);

bool json_value__is(struct json_value value, const char *text);

/* Convert a checked string to the source's bytes, as docs/events.md describes it for consumers. Return how many. */
size_t json_value__bytes(struct json_value string, unsigned char *buf, size_t size);

#endif
