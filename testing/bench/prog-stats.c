/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prog-stats - prints the kernel's statistics of loaded BPF programs, as lines of JSON.
 *
 *   prog-stats              each program: id, name, number of runs, run time; needs kernel.bpf_stats_enabled=1
 *   prog-stats --maps       the number of maps, and the memory that they take according to the kernel
 *   prog-stats --overhead   the run time that the kernel counts for a program that does nothing
 */
#include <err.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FUNC_INFO_MAX 256
#define OVERHEAD_RUNS 2000

static int bpf(int command, union bpf_attr *attr)
{
    return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* Return the next id after this one, or 0. */
static unsigned next_id(int command, unsigned id)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.start_id = id;
    return bpf(command, &attr) ? 0 : attr.next_id;
}

static int open_id(int command, unsigned id)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.prog_id = id;
    return bpf(command, &attr);
}

static int info_of(int fd, void *info, unsigned length)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.info.bpf_fd = fd;
    attr.info.info_len = length;
    attr.info.info = (unsigned long)info;
    return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

/* Return the number of bytes that follow a type in BTF. */
static size_t extra_of(const struct btf_type *type)
{
    unsigned n = BTF_INFO_VLEN(type->info);

    switch (BTF_INFO_KIND(type->info)) {
    case 1: /* an integer */
    case 14: /* a variable */
    case 17: /* a tag of a declaration */
        return 4;
    case 3: /* an array */
        return sizeof(struct btf_array);
    case 4: /* a structure */
    case 5: /* a union */
        return n * sizeof(struct btf_member);
    case 6: /* an enumeration */
        return n * sizeof(struct btf_enum);
    case 13: /* the type of a function */
        return n * sizeof(struct btf_param);
    case 15: /* a section */
        return n * sizeof(struct btf_var_secinfo);
    case 19: /* an enumeration of 64 bits */
        return n * 12;
    default:
        return 0;
    }
}

/* Copy the name of a type of a program's BTF into name. The kernel's own name of a program has only 15 characters. */
static void name_of(unsigned btf_id, unsigned type_id, char *name, size_t size)
{
    static unsigned last_id;
    static char *btf;
    const struct btf_header *header;

    if (btf_id != last_id) {
        struct bpf_btf_info info;
        int fd = open_id(BPF_BTF_GET_FD_BY_ID, btf_id);

        memset(&info, 0, sizeof(info));
        free(btf);
        btf = NULL;
        last_id = 0;
        if (fd < 0 || info_of(fd, &info, sizeof(info)))
            return;
        unsigned length = info.btf_size;

        btf = calloc(1, length + 1);
        memset(&info, 0, sizeof(info));
        info.btf = (unsigned long)btf;
        info.btf_size = length;
        if (info_of(fd, &info, sizeof(info)))
            return;
        close(fd);
        last_id = btf_id;
    }
    header = (void *)btf;
    char *at = btf + header->hdr_len + header->type_off, *end = at + header->type_len;

    for (unsigned id = 1; at < end; id++) {
        struct btf_type *type = (void *)at;

        if (id == type_id) {
            snprintf(name, size, "%s", btf + header->hdr_len + header->str_off + type->name_off);
            return;
        }
        at += sizeof(*type) + extra_of(type);
    }
}

static int program(unsigned id)
{
    static struct bpf_func_info functions[FUNC_INFO_MAX];
    struct bpf_prog_info info, full;
    char name[256];
    int fd = open_id(BPF_PROG_GET_FD_BY_ID, id);

    memset(&info, 0, sizeof(info));
    if (fd < 0 || info_of(fd, &info, sizeof(info)))
        return -1;
    snprintf(name, sizeof(name), "%s", info.name);
    memset(&full, 0, sizeof(full));
    full.func_info = (unsigned long)functions;
    full.func_info_rec_size = sizeof(functions[0]);
    full.nr_func_info = info.nr_func_info < FUNC_INFO_MAX ? info.nr_func_info : FUNC_INFO_MAX;
    if (info.btf_id && info.nr_func_info && !info_of(fd, &full, sizeof(full)))
        name_of(info.btf_id, functions[0].type_id, name, sizeof(name));
    printf("{\"program\":\"%s\",\"id\":%u,\"runs\":%llu,\"ns\":%llu,\"skipped\":%llu}\n", name, id,
           (unsigned long long)info.run_cnt, (unsigned long long)info.run_time_ns,
           (unsigned long long)info.recursion_misses);
    close(fd);
    return 0;
}

/* Return the memory of a map according to its fdinfo. Kernels before 6.2 report none for rings. */
static unsigned long long map_bytes(FILE *fdinfo)
{
    unsigned long long bytes = 0, type = 0, entries = 0;
    char line[128];

    while (fgets(line, sizeof(line), fdinfo)) {
        sscanf(line, "memlock: %llu", &bytes);
        sscanf(line, "map_type: %llu", &type);
        sscanf(line, "max_entries: %llu", &entries);
    }
    return type == BPF_MAP_TYPE_RINGBUF && bytes < entries ? entries : bytes;
}

static void maps(void)
{
    unsigned long long bytes = 0, n = 0;

    for (unsigned id = 0; (id = next_id(BPF_MAP_GET_NEXT_ID, id)); n++) {
        char path[64];
        int fd = open_id(BPF_MAP_GET_FD_BY_ID, id);

        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        FILE *file = fd < 0 ? NULL : fopen(path, "r");

        if (file) {
            bytes += map_bytes(file);
            fclose(file);
        }
        close(fd);
    }
    printf("{\"maps\":%llu,\"maps_bytes\":%llu}\n", n, bytes);
}

static void overhead(void)
{
    static const struct bpf_insn nothing[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0}, {.code = BPF_JMP | BPF_EXIT}};
    struct bpf_prog_info info;
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
    attr.insns = (unsigned long)nothing;
    attr.insn_cnt = 2;
    attr.license = (unsigned long)"BSD";
    int fd = bpf(BPF_PROG_LOAD, &attr);

    memset(&attr, 0, sizeof(attr));
    attr.raw_tracepoint.name = (unsigned long)"sys_enter";
    attr.raw_tracepoint.prog_fd = fd;
    int link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);

    if (fd < 0 || link < 0)
        err(1, "cannot load a program that does nothing");
    for (int i = 0; i < OVERHEAD_RUNS; i++)
        syscall(SYS_getppid);
    memset(&info, 0, sizeof(info));
    if (info_of(fd, &info, sizeof(info)) || !info.run_cnt)
        errx(1, "the kernel counts no runs: is kernel.bpf_stats_enabled set?");
    printf("{\"overhead_ns\":%.1f}\n", (double)info.run_time_ns / info.run_cnt);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--maps")) {
        maps();
    } else if (argc == 2 && !strcmp(argv[1], "--overhead")) {
        overhead();
    } else if (argc == 1) {
        for (unsigned id = 0; (id = next_id(BPF_PROG_GET_NEXT_ID, id));)
            program(id); /* a program that is gone meanwhile is left out */
    } else {
        errx(2, "usage: prog-stats [--maps | --overhead]");
    }
    return 0;
}
