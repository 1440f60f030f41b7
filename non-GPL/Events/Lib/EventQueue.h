/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EventQueue.h - events that were read and not returned yet, where they are taken one by one (ebpf_source__next).
 *
 * Nothing is read while it holds something. So it holds what one look at the rings has given at most.
 */
#ifndef EBPF_LIB_EVENT_QUEUE_H
#define EBPF_LIB_EVENT_QUEUE_H

#include "EbpfEvents.h"

struct event_queue;

/* NULL when there is no memory. */
struct event_queue *event_queue__new(void);
void event_queue__free(struct event_queue *queue);

/* Copy an event to the end; an ebpf_event_fn. -ENOMEM when there is no memory. */
int event_queue__put(void *queue, const struct ebpf_event *event);

bool event_queue__is_empty(const struct event_queue *queue);

/* Take the first event. It is valid until the next call. False when there is none. */
bool event_queue__take(struct event_queue *queue, struct ebpf_event *ret_event);

#endif
