// SPDX-License-Identifier: BSD-2-Clause
/* EventQueue.c - see EventQueue.h. */
#include "EventQueue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 65536

/* Events in a row: the struct of each, then its record, padded to a multiple of 8. */
struct event_queue {
    char *bytes;
    size_t size, begin, end;
};

struct event_queue *event_queue__new(void)
{
    return calloc(1, sizeof(struct event_queue));
}

void event_queue__free(struct event_queue *queue)
{
    if (queue)
        free(queue->bytes);
    free(queue);
}

static size_t event__span(const struct ebpf_event *event)
{
    return sizeof(*event) + ((event->size + 7) & ~(size_t)7);
}

static int event_queue__grow(struct event_queue *queue, size_t least)
{
    size_t size = queue->size ? queue->size : SIZE_MIN;

    while (size < least)
        size *= 2;
    char *bytes = realloc(queue->bytes, size);

    if (!bytes)
        return -ENOMEM;
    queue->bytes = bytes;
    queue->size = size;
    return 0;
}

int event_queue__put(void *user, const struct ebpf_event *event)
{
    struct event_queue *queue = user;
    size_t span = event__span(event);

    if (event_queue__is_empty(queue))
        queue->begin = queue->end = 0;
    if (span > queue->size - queue->end && event_queue__grow(queue, queue->end + span))
        return -ENOMEM;
    char *at = queue->bytes + queue->end;

    memcpy(at, event, sizeof(*event));
    memcpy(at + sizeof(*event), event->hdr, event->size);
    queue->end += span;
    return 0;
}

bool event_queue__is_empty(const struct event_queue *queue)
{
    return queue->begin == queue->end;
}

bool event_queue__take(struct event_queue *queue, struct ebpf_event *ret_event)
{
    if (event_queue__is_empty(queue))
        return false;
    const char *at = queue->bytes + queue->begin;

    memcpy(ret_event, at, sizeof(*ret_event));
    ret_event->hdr = (const void *)(at + sizeof(*ret_event));
    queue->begin += event__span(ret_event);
    return true;
}
