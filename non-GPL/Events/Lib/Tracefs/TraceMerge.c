// SPDX-License-Identifier: BSD-2-Clause
/* TraceMerge.c - see TraceMerge.h. */
#include "TraceMerge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

struct trace_cpu {
    int fd;
    uint8_t *data; /* a page */
    struct trace_page page;
    struct trace_record record; /* the oldest one that was not taken */
    bool has_record;
    bool is_empty; /* in this round: its buffer had nothing more */
};

int trace_merge__open(struct trace_merge *merge, const struct trace_instance *in)
{
    int *fds, count = trace_instance__open_cpus(in, &fds);
    bool ok = true;

    *merge = (struct trace_merge){.page_size = (size_t)getpagesize()};
    if (count < 0)
        return count;
    merge->cpus = calloc((size_t)count, sizeof(*merge->cpus));
    for (int i = 0; i < count; i++) {
        if (!merge->cpus) {
            close(fds[i]);
            continue;
        }
        merge->cpus[i].fd = fds[i];
        merge->cpus[i].data = malloc(merge->page_size);
        ok = ok && merge->cpus[i].data;
        merge->count++;
    }
    free(fds);
    return merge->cpus && ok ? 0 : -ENOMEM;
}

void trace_merge__close(struct trace_merge *merge)
{
    for (int i = 0; i < merge->count; i++) {
        close(merge->cpus[i].fd);
        free(merge->cpus[i].data);
    }
    free(merge->cpus);
    *merge = (struct trace_merge){0};
}

void trace_merge__begin(struct trace_merge *merge, bool all)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    merge->until_ns = all ? UINT64_MAX : (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    for (int i = 0; i < merge->count; i++)
        merge->cpus[i].is_empty = false;
}

/* Have the oldest record of a CPU ready, if there is one. */
static void cpu__advance(struct trace_merge *merge, struct trace_cpu *cpu)
{
    while (!cpu->has_record && !cpu->is_empty) {
        cpu->has_record = trace_page__next(&cpu->page, &cpu->record);
        if (cpu->has_record)
            return;
        ssize_t size = read(cpu->fd, cpu->data, merge->page_size);

        cpu->is_empty = size <= 0;
        if (size > 0 && trace_page__begin(&cpu->page, cpu->data, (size_t)size) && cpu->page.overwritten != UINT64_MAX)
            merge->overwritten += cpu->page.overwritten;
    }
}

bool trace_merge__next(struct trace_merge *merge, struct trace_record *ret_record)
{
    struct trace_cpu *oldest = NULL;

    for (int i = 0; i < merge->count; i++) {
        struct trace_cpu *cpu = &merge->cpus[i];

        cpu__advance(merge, cpu);
        if (cpu->has_record && (!oldest || cpu->record.time_ns < oldest->record.time_ns))
            oldest = cpu;
    }
    if (!oldest || oldest->record.time_ns > merge->until_ns)
        return false;
    oldest->has_record = false;
    *ret_record = oldest->record;
    return true;
}
