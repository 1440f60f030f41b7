/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf-objects [names] - prints the number of BPF programs, maps and links in the kernel; on request, the names of maps.
 * To read its name a map is opened, and a map of programs that is opened while it is torn down stays for ever: see
 * Instances.h. So ask for names only of maps that have stayed.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void print_name(uint32_t id)
{
    struct bpf_map_info info;
    union bpf_attr attr;
    int fd;

    memset(&attr, 0, sizeof(attr));
    attr.map_id = id;
    fd = (int)syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
    if (fd < 0)
        return;
    memset(&info, 0, sizeof(info));
    memset(&attr, 0, sizeof(attr));
    attr.info.bpf_fd = (uint32_t)fd;
    attr.info.info_len = sizeof(info);
    attr.info.info = (uintptr_t)&info;
    if (!syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)))
        printf(" %u:%s:type-%u", info.id, info.name, info.type);
    close(fd);
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
    (void)argv;
    printf("programs %d maps %d links %d", count(BPF_PROG_GET_NEXT_ID, NULL), count(BPF_MAP_GET_NEXT_ID, NULL),
           count(BPF_LINK_GET_NEXT_ID, NULL));
    if (argc > 1)
        count(BPF_MAP_GET_NEXT_ID, print_name);
    printf("\n");
    return 0;
}
