/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EventQueue.h - events that were read and not yet returned by ebpf_source__next.
 *
 * No record is read while the queue holds an event. So it holds at most what one round of reading has found.
 */
#ifndef EBPF_LIB_EVENT_QUEUE_H
#define EBPF_LIB_EVENT_QUEUE_H

#include "EbpfEvents.h"

struct event_queue;

/* Make a queue; NULL without memory. */
struct event_queue *event_queue__new(void);
void event_queue__free(struct event_queue *queue);

/* Append a copy of an event; an ebpf_event_fn. 0 or -ENOMEM. */
int event_queue__put(void *queue, const struct ebpf_event *event);

bool event_queue__is_empty(const struct event_queue *queue);

/* Take the first event, which is valid until the next call. False if there is none. */
bool event_queue__take(struct event_queue *queue, struct ebpf_event *ret_event);

#endif
