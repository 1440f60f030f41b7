/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Json.h - the kinds of Events.def in JSON: for each, the JSON Schema of its value and its description in the docs.
 *
 * A new scalar kind is a row here, with the most bytes that its value takes, and a write_<kind>() in JsonScalar.h. A
 * new variable kind is a row here, a json__<kind>() in Json.c, and a CUT_<kind> and ABSENT_<kind> in JsonView.h.
 */
#ifndef EBPF_LIB_JSON_H
#define EBPF_LIB_JSON_H

#define JSON_SCALAR_KINDS(ROW)                                                                                         \
    ROW(u32, 10, "\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967295", "number")                                \
    ROW(s32, 11, "\"type\":\"integer\",\"minimum\":-2147483648,\"maximum\":2147483647", "number, can be negative")     \
    ROW(u64, 20, "\"type\":\"integer\",\"minimum\":0,\"maximum\":18446744073709551615", "number, up to 64 bits")       \
    ROW(s64, 20, "\"type\":\"integer\",\"minimum\":-9223372036854775808,\"maximum\":9223372036854775807",              \
        "number, up to 64 bits, can be negative")                                                                      \
    ROW(octal, 11, "\"type\":\"integer\",\"minimum\":0,\"maximum\":37777777777", "number, its digits are octal ones")  \
    ROW(ip, 41, "\"type\":\"string\",\"anyOf\":[{\"format\":\"ipv4\"},{\"format\":\"ipv6\"}]",                         \
        "string, an address of IPv4 or IPv6 (RFC 5952)")                                                               \
    ROW(u64str, 22, "\"type\":\"string\",\"pattern\":\"^(0|[1-9][0-9]{0,19})$\"", "string, a decimal number")

/* Further keys that a variable field may have. */
enum json_says {
    JSON_SAYS_NOTHING = 0,
    JSON_SAYS_CUT = 1 << 0,     /* <key>_truncated, <key>_length */
    JSON_SAYS_OF_PATH = 1 << 1, /* <key>_unreachable, _deleted, _unstable, _ambiguous, _from_caller, ... */
    JSON_SAYS_ARGS = 1 << 2,    /* args, args_truncated */
};

#define JSON_VARIABLE_KINDS(ROW)                                                                                       \
    ROW(str, JSON_SAYS_CUT, "\"type\":\"string\"", "string")                                                           \
    ROW(path, JSON_SAYS_CUT | JSON_SAYS_OF_PATH, "\"type\":\"string\"", "string, a path")                              \
    ROW(args, JSON_SAYS_CUT | JSON_SAYS_ARGS, "\"type\":\"string\"", "string, and `args`, an array of strings")        \
    ROW(env, JSON_SAYS_CUT, "\"type\":\"array\",\"items\":{\"type\":\"string\"}", "array of strings")                  \
    ROW(tty, JSON_SAYS_NOTHING, "\"type\":\"string\"", "string")

/* Keys that follow those of every event, and in part those of EVENTS_LOST. */
#define JSON_COMMON_KEYS(ROW)                                                                                          \
    ROW("comm", "\"type\":\"string\"", "string", "name of the thread that acted")                                      \
    JSON_TIME_KEYS(ROW)                                                                                                \
    ROW("seq", "\"type\":\"integer\",\"minimum\":1", "number", "1, 2, 3, ...; what was lost has numbers too")

#define JSON_TIME_KEYS(ROW)                                                                                            \
    ROW("timestamp", "\"type\":\"string\",\"format\":\"date-time\"", "string", "RFC 3339, UTC, nanoseconds")           \
    ROW("ts_boot_ns", "\"type\":\"integer\",\"minimum\":0", "number", "nanoseconds since boot, suspend included")

#endif
