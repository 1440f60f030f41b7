// SPDX-License-Identifier: BSD-2-Clause
/* Instances.c - see Instances.h. */
#include "Instances.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define NAME "ebpf_instances"
#define MAP_TYPE BPF_MAP_TYPE_LPM_TRIE /* all keys here have their full length */
#define PROGRAM_TYPE BPF_PROG_TYPE_RAW_TRACEPOINT

enum role {
    ROLE_SOURCE = 1, /* it has a source */
    ROLE_HELPER,     /* it works for one that has */
};

/*
 * The layout is fixed for all versions of the library. All is in the key, because a call that gets a value keeps
 * kprobes' programs from running on its processor (bpf_disable_instrumentation), and can be preempted meanwhile. One
 * that gets a key does not.
 */
struct key {
    uint32_t bits;
    uint32_t tgid;
    uint64_t start_time_ns;
    uint32_t role;
    uint32_t reserved; /* 0 */
};

#define KEY_BITS (8 * (sizeof(struct key) - sizeof(uint32_t)))

static const uint32_t no_value; /* a map of this type has values of at least one byte */

static struct key key__of(const struct ebpf_process *process)
{
    return (struct key){.bits = KEY_BITS,
                        .tgid = process->tgid,
                        .start_time_ns = process->start_time_ns,
                        .role = process->helps ? ROLE_HELPER : ROLE_SOURCE};
}

typedef void (*visit_fn)(int map, const struct key *key);

/* A full map has entries of processes that were killed: remove any entry to make room. */
static void map__enter(int map, const struct key *key)
{
    struct key first;

    if (bpf_map_update_elem(map, key, &no_value, BPF_ANY) != -ENOSPC || bpf_map_get_next_key(map, NULL, &first))
        return;
    bpf_map_delete_elem(map, &first);
    bpf_map_update_elem(map, key, &no_value, BPF_ANY);
}

static void map__leave(int map, const struct key *key)
{
    bpf_map_delete_elem(map, key);
}

static void map__copy(int from, int to)
{
    struct key key, next;
    int err = bpf_map_get_next_key(from, NULL, &next);

    for (int i = 0; !err && i < EBPF_OTHERS_MAX; i++) {
        map__enter(to, &next);
        key = next;
        err = bpf_map_get_next_key(from, &key, &next);
    }
}

/* The kernel copies as many bytes as the map says, so its sizes have to match ours. */
static bool map__is_of_instance(int map)
{
    struct bpf_map_info info = {0};
    uint32_t size = sizeof(info);

    return !bpf_obj_get_info_by_fd(map, &info, &size) && info.type == MAP_TYPE && info.key_size == sizeof(struct key) &&
           info.value_size == sizeof(no_value) && !strcmp(info.name, NAME);
}

/* Return the id of the map that a program of an instance holds; 0 for any other program. */
static uint32_t program__map(int program)
{
    uint32_t ids[2] = {0}, size = sizeof(struct bpf_prog_info);
    struct bpf_prog_info info = {.nr_map_ids = sizeof(ids) / sizeof(ids[0]), .map_ids = (uintptr_t)ids};

    if (bpf_obj_get_info_by_fd(program, &info, &size) || info.type != PROGRAM_TYPE || info.nr_map_ids != 1 ||
        strcmp(info.name, NAME))
        return 0;
    return ids[0];
}

/*
 * Apply an operation to the map of an instance, for each process of `self`; unless `own` is -1, also copy its entries
 * into that.
 */
static void map__visit(uint32_t id, visit_fn act, const struct instance *self, int own)
{
    int map = bpf_map_get_fd_by_id(id);

    if (map < 0)
        return;
    if (map__is_of_instance(map)) {
        for (size_t i = 0; i < self->count; i++) {
            struct key key = key__of(&self->processes[i]);

            act(map, &key);
        }
        if (own >= 0)
            map__copy(map, own);
    }
    close(map);
}

static void maps__visit(visit_fn act, const struct instance *self, int own)
{
    for (uint32_t id = 0; !bpf_prog_get_next_id(id, &id);) {
        int program = bpf_prog_get_fd_by_id(id);
        uint32_t map = program < 0 ? 0 : program__map(program);

        if (map)
            map__visit(map, act, self, own);
        if (program >= 0)
            close(program);
    }
}

static int map__create(void)
{
    LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);

    return bpf_map_create(MAP_TYPE, NAME, sizeof(struct key), sizeof(no_value), EBPF_OTHERS_MAX, &opts);
}

/* Load the program that is found by its name and holds the map. */
static int program__create(int map)
{
    const struct bpf_insn instructions[] = {
        {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
        {0}, /* the upper half of the constant before */
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };

    return bpf_prog_load(PROGRAM_TYPE, NAME, "BSD", instructions, sizeof(instructions) / sizeof(instructions[0]), NULL);
}

struct instances instances__join(const struct instance *self)
{
    struct instances instances = INSTANCES_NONE;

    instances.map = map__create();
    if (instances.map >= 0)
        instances.program = program__create(instances.map);
    if (instances.program < 0)
        instances__close(&instances);
    else
        maps__visit(map__enter, self, instances.map);
    return instances;
}

static bool instance__has(const struct instance *self, const struct key *key)
{
    for (size_t i = 0; i < self->count; i++) {
        if (key->tgid == self->processes[i].tgid && key->start_time_ns == self->processes[i].start_time_ns)
            return true;
    }
    return false;
}

size_t instances__others(const struct instances *instances, const struct instance *self,
                         struct ebpf_process others[EBPF_OTHERS_MAX])
{
    struct key key, next;
    int err = instances->map < 0 ? -ENOENT : bpf_map_get_next_key(instances->map, NULL, &next);
    size_t count = 0;

    for (int i = 0; !err && i < EBPF_OTHERS_MAX; i++) {
        if (!instance__has(self, &next))
            others[count++] = (struct ebpf_process){
                .tgid = next.tgid, .helps = next.role == ROLE_HELPER, .start_time_ns = next.start_time_ns};
        key = next;
        err = bpf_map_get_next_key(instances->map, &key, &next);
    }
    return count;
}

void instances__leave(const struct instance *self)
{
    maps__visit(map__leave, self, -1);
}

void instances__close(struct instances *instances)
{
    if (instances->map >= 0)
        close(instances->map);
    if (instances->program >= 0)
        close(instances->program);
    *instances = INSTANCES_NONE;
}
