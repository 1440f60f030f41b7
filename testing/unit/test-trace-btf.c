// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-btf.c - where a structure has its members, by BTF. */
#include "Bpf/Kernel/KernelBtf.h"
#include "Tracefs/TraceBtf.h"
#include "check.h"

/* Names, each with a NUL, at the place that its macro says. */
static const char strings[] = "\0int\0outer\0inner\0a\0b\0list\0link\0x";
#define NAME_int 1
#define NAME_outer 5
#define NAME_inner 11
#define NAME_a 17
#define NAME_b 19
#define NAME_list 21
#define NAME_link 26
#define NAME_x 31

#define INFO(kind, count) ((uint32_t)(kind) << 24 | (count))
#define AT(byte) ((byte)*8)

/*
 *   struct outer {
 *       int a;
 *       union { int b; struct { int pad, x; }; };        at 8
 *       const struct inner list[3];                      at 16
 *       struct inner *link;                              at 64
 *   };
 *   struct inner { int a; int b; };                      16 bytes, b at 8
 */
/* clang-format off */
static const uint32_t types[] = {
    /* 1 */ NAME_int, INFO(BTF_KIND_INT, 0), 4, 32,
    /* 2 */ NAME_outer, INFO(BTF_KIND_STRUCT, 0), 0, /* without members: it is not the one */
    /* 3 */ NAME_outer, INFO(BTF_KIND_STRUCT, 4), 72,
                NAME_a, 1, AT(0),
                0, 4, AT(8),
                NAME_list, 8, AT(16),
                NAME_link, 9, AT(64),
    /* 4 */ 0, INFO(BTF_KIND_UNION, 2), 8,
                NAME_b, 1, AT(0),
                0, 5, AT(0),
    /* 5 */ 0, INFO(BTF_KIND_STRUCT, 1), 8,
                NAME_x, 1, AT(4),
    /* 6 */ NAME_inner, INFO(BTF_KIND_STRUCT, 2), 16,
                NAME_a, 1, AT(0),
                NAME_b, 1, AT(8),
    /* 7 */ 0, INFO(BTF_KIND_CONST, 0), 6,
    /* 8 */ 0, INFO(BTF_KIND_ARRAY, 0), 0,
                7, 1, 3,
    /* 9 */ 0, INFO(BTF_KIND_PTR, 0), 6,
};
/* clang-format on */
static uint32_t offsets[] = {0, 0, 16, 28, 88, 124, 148, 184, 196, 220};

int main(void)
{
    const struct kernel_btf btf = {.types = (const uint8_t *)types,
                                   .strings = strings,
                                   .strings_size = sizeof(strings),
                                   .offsets = offsets,
                                   .count = sizeof(offsets) / sizeof(*offsets)};
    static const struct {
        const char *structure, *path;
        int offset;
    } rows[] = {
        {"outer", "a", 0},         {"outer", "b", 8},
        {"outer", "x", 12},        {"outer", "list", 16},
        {"outer", "list[2]", 48},  {"outer", "list[2].b", 56},
        {"outer", "list.b", 24},   {"outer", "link", 64},
        {"outer", "link - b", 56}, {"outer", "list[1] - a", 32},
        {"inner", "b", 8},         {"outer", "link.a", -1},
        {"outer", "c", -1},        {"outer", "a.b", -1},
        {"other", "a", -1},        {"outer", "a[1]", -1},
        {"outer", "a - c", -1},    {"outer", "lis", -1},
        {"outer", "listen", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char got[64], want[64];

        snprintf(got, sizeof(got), "%s.%s %d", rows[i].structure, rows[i].path,
                 kernel_btf__offset(&btf, rows[i].structure, rows[i].path));
        snprintf(want, sizeof(want), "%s.%s %d", rows[i].structure, rows[i].path, rows[i].offset);
        CHECK_SAME(got, want);
    }
    return check__report();
}
