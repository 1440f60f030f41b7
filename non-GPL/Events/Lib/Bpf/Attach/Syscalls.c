/* SPDX-License-Identifier: BSD-2-Clause */
#include "Syscalls.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#define NONE (-1)

static const struct row {
    const char *program;
    int number, number_32;
} rows[] = {
#define SYSCALL_ROW(program, call, number, number_32, ...) {"tp_btf__sys_exit_" #program, number, number_32},
#include "Syscalls.def"
};

/* Enter a program under a number, or remove what is there if `fd` is negative. */
static int ends__set(int map_fd, int number, int fd)
{
    uint32_t key = (uint32_t)number;

    if (fd >= 0)
        return bpf_map_update_elem(map_fd, &key, &fd, BPF_ANY) ? -errno : 0;
    return bpf_map_delete_elem(map_fd, &key) && errno != ENOENT ? -errno : 0;
}

/* Return the descriptor of the program that is for a call; -1 if it is not in use. */
static int row__fd(const struct row *row, struct hooks *hooks)
{
    const struct hooks_program *program = hooks__find(hooks, row->program);

    return program && program->wanted ? program->fd : -1;
}

static int row__connect(const struct row *row, struct hooks *hooks, int map_fd)
{
    int fd = row__fd(row, hooks), err = 0;

    if (row->number != NONE)
        err = ends__set(map_fd, row->number, fd);
    if (!err && row->number_32 != NONE)
        err = ends__set(map_fd, SYSCALL_NUMBERS + row->number_32, fd);
    return err;
}

int syscalls__connect(struct probes *p)
{
    const struct bpf_map *map = bpf_object__find_map_by_name(p->object, "syscall_ends");
    int map_fd = map ? bpf_map__fd(map) : -1, err = 0;

    for (size_t i = 0; map_fd >= 0 && !err && i < sizeof(rows) / sizeof(*rows); i++)
        err = row__connect(&rows[i], &p->hooks, map_fd);
    return err;
}

static void ends__add(uint64_t *ends, int number)
{
    ends[number / 64] |= 1ULL << number % 64;
}

void syscalls__list(struct probes *p, uint64_t *ends)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (row__fd(&rows[i], &p->hooks) < 0)
            continue;
        if (rows[i].number != NONE)
            ends__add(ends, rows[i].number);
        if (rows[i].number_32 != NONE)
            ends__add(ends, SYSCALL_NUMBERS + rows[i].number_32);
    }
}
