/* SPDX-License-Identifier: BSD-2-Clause */
#include "Rings.h"

#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct bpf_map *rings__find_map(const struct bpf_object *object, const char *name)
{
    char map[32];

    snprintf(map, sizeof(map), "ring_%s", name);
    for (char *c = map; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return bpf_object__find_map_by_name(object, map);
}

/*
 * The kernel's layout: a page with the consumer's position, one with the producer's, then the data twice in a row. A
 * child of this process does not inherit them: records that it consumed would be missing here.
 */
int rings__map(int fd, size_t size, struct ebpf_ringbuf *ret_ring)
{
    size_t page = (size_t)getpagesize();
    void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (consumer == MAP_FAILED)
        return -errno;
    uint8_t *producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, fd, (off_t)page);

    if (producer == MAP_FAILED) {
        int err = -errno;

        munmap(consumer, page);
        return err;
    }
    madvise(consumer, page, MADV_DONTFORK);
    madvise(producer, page + 2 * size, MADV_DONTFORK);
    ret_ring->consumer_pos = consumer;
    ret_ring->producer_pos = (void *)producer;
    ret_ring->data = producer + page;
    ret_ring->mask = size - 1;
    return 0;
}

void rings__unmap(struct ebpf_ringbuf *ring, size_t size)
{
    size_t page = (size_t)getpagesize();

    if (!ring->data)
        return;
    munmap((void *)ring->consumer_pos, page);
    munmap((void *)ring->producer_pos, page + 2 * size);
    memset(ring, 0, sizeof(*ring));
}
