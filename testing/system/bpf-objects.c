/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf-objects [names|all] - prints the number of BPF programs, maps and links in the kernel; with "names", the names of
 * maps; with "all", the names of programs and maps, one a line. To read its name a map is opened, and a map of programs
 * that is opened while it is torn down stays for ever: see Instances.h. So ask for names only of maps that stay.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Get the information about an object by its id. */
static int read_info(int command, uint32_t id, void *info, uint32_t size)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.map_id = id;
    int fd = (int)syscall(SYS_bpf, command, &attr, sizeof(attr));

    if (fd < 0)
        return -1;
    memset(info, 0, size);
    memset(&attr, 0, sizeof(attr));
    attr.info.bpf_fd = (uint32_t)fd;
    attr.info.info_len = size;
    attr.info.info = (uintptr_t)info;
    int err = (int)syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));

    close(fd);
    return err;
}

static void print_map_beside(uint32_t id)
{
    struct bpf_map_info info;

    if (!read_info(BPF_MAP_GET_FD_BY_ID, id, &info, sizeof(info)))
        printf(" %u:%s:type-%u", info.id, info.name, info.type);
}

static void print_map(uint32_t id)
{
    struct bpf_map_info info;

    if (!read_info(BPF_MAP_GET_FD_BY_ID, id, &info, sizeof(info)))
        printf("%s\n", info.name);
}

static void print_program(uint32_t id)
{
    struct bpf_prog_info info;

    if (!read_info(BPF_PROG_GET_FD_BY_ID, id, &info, sizeof(info)))
        printf("%s\n", info.name);
}

static int count(int command, void (*act)(uint32_t id))
{
    union bpf_attr attr;
    int n = 0;

    memset(&attr, 0, sizeof(attr));
    while (!syscall(SYS_bpf, command, &attr, sizeof(attr))) {
        attr.start_id = attr.next_id;
        n++;
        if (act)
            act(attr.next_id);
    }
    return n;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "all")) {
        count(BPF_PROG_GET_NEXT_ID, print_program);
        count(BPF_MAP_GET_NEXT_ID, print_map);
        return 0;
    }
    printf("programs %d maps %d links %d", count(BPF_PROG_GET_NEXT_ID, NULL), count(BPF_MAP_GET_NEXT_ID, NULL),
           count(BPF_LINK_GET_NEXT_ID, NULL));
    if (argc > 1)
        count(BPF_MAP_GET_NEXT_ID, print_map_beside);
    printf("\n");
    return 0;
}
