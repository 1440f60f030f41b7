// SPDX-License-Identifier: BSD-2-Clause
/* Coalesce.c - see Coalesce.h. */
#include "Coalesce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 256 /* with a window at a time; one more ends the oldest window */
#define NS_PER_MS UINT64_C(1000000)

/* One file and one process; the start time distinguishes a process from a later one with its id. */
struct key {
    uint64_t start_time, inode;
    uint32_t tgid, dev_major, dev_minor;
};

struct window {
    bool used;
    struct key key;
    uint64_t end_ns;
    uint64_t count, bytes;               /* of the merged writes */
    struct ebpf_file_modify_event *last; /* the last record of that, of `size` bytes */
    uint32_t size, room;
};

struct ebpf_coalesce {
    uint64_t window_ns;
    ebpf_coalesce_fn due;
    void *user;
    struct window windows[FILES_MAX];
};

int ebpf_coalesce__new(uint32_t window_ms, ebpf_coalesce_fn due, void *user, struct ebpf_coalesce **ret_coalesce)
{
    struct ebpf_coalesce *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->window_ns = window_ms * NS_PER_MS;
    c->due = due;
    c->user = user;
    *ret_coalesce = c;
    return 0;
}

void ebpf_coalesce__free(struct ebpf_coalesce *coalesce)
{
    if (!coalesce)
        return;
    for (size_t i = 0; i < FILES_MAX; i++)
        free(coalesce->windows[i].last);
    free(coalesce);
}

static void window__end(struct ebpf_coalesce *c, struct window *w)
{
    w->used = false;
    if (!w->count)
        return;
    w->last->hdr.flags |= EBPF_MODIFY_F_COUNT;
    w->last->count = w->count;
    w->last->bytes = w->bytes;
    c->due(c->user, &w->last->hdr, w->size, w->count);
    w->count = w->bytes = 0;
}

/* Merge a write. False without memory. */
static bool window__add(struct window *w, const struct ebpf_file_modify_event *e, uint32_t size)
{
    if (size > w->room) {
        void *larger = realloc(w->last, size);

        if (!larger)
            return false;
        w->last = larger;
        w->room = size;
    }
    memcpy(w->last, e, size);
    w->size = size;
    w->count++;
    w->bytes += e->bytes;
    return true;
}

static bool type__is_of_file(uint16_t type)
{
    switch (type) {
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    case id:                                                                                                           \
        return !strncmp(option, "file-", strlen("file-"));
#include "Events.def"
    default:
        return false;
    }
}

/* Return the key of a file event; all of them begin with equal members. */
static struct key key__of(const struct ebpf_event_header *hdr)
{
    const struct ebpf_file_create_event *e = (const void *)hdr;

    return (struct key){
        .start_time = e->pids.start_time_ns,
        .inode = e->file_info.inode,
        .tgid = e->pids.tgid,
        .dev_major = e->file_info.dev_major,
        .dev_minor = e->file_info.dev_minor,
    };
}

static bool key__is(const struct key *a, const struct key *b)
{
    return a->inode == b->inode && a->tgid == b->tgid && a->start_time == b->start_time &&
           a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

static struct window *windows__find(struct ebpf_coalesce *c, const struct key *key)
{
    for (struct window *w = c->windows; w < c->windows + FILES_MAX; w++) {
        if (w->used && key__is(&w->key, key))
            return w;
    }
    return NULL;
}

/* Return a free window; if there is none, end the one whose time is over first. */
static struct window *windows__free_one(struct ebpf_coalesce *c)
{
    struct window *oldest = c->windows;

    for (struct window *w = c->windows; w < c->windows + FILES_MAX; w++) {
        if (!w->used)
            return w;
        if (w->end_ns < oldest->end_ns)
            oldest = w;
    }
    window__end(c, oldest);
    return oldest;
}

static void windows__end_of_process(struct ebpf_coalesce *c, const struct ebpf_process_exit_event *e)
{
    for (struct window *w = c->windows; w < c->windows + FILES_MAX; w++) {
        if (w->used && w->key.tgid == e->pids.tgid)
            window__end(c, w);
    }
}

/* Return whether an event is a write, which can be merged. Other changes of content have no number of bytes. */
static bool event__can_wait(const struct ebpf_event_header *hdr)
{
    const struct ebpf_file_modify_event *e = (const void *)hdr;

    return hdr->type == EBPF_EVENT_FILE_MODIFY && e->change_type == EBPF_CHANGE_CONTENT &&
           hdr->flags == EBPF_MODIFY_F_BYTES;
}

bool ebpf_coalesce__take(struct ebpf_coalesce *coalesce, const struct ebpf_event_header *hdr, uint32_t size)
{
    if (hdr->type == EBPF_EVENT_PROCESS_EXIT)
        windows__end_of_process(coalesce, (const void *)hdr);
    if (!type__is_of_file(hdr->type))
        return false;
    struct key key = key__of(hdr);
    struct window *w = windows__find(coalesce, &key);
    bool can_wait = event__can_wait(hdr);

    if (w && can_wait && hdr->ts_boot_ns < w->end_ns && window__add(w, (const void *)hdr, size))
        return true;
    if (w)
        window__end(coalesce, w);
    if (can_wait) {
        w = windows__free_one(coalesce);
        w->used = true;
        w->key = key;
        w->end_ns = hdr->ts_boot_ns + coalesce->window_ns;
    }
    return false;
}

void ebpf_coalesce__expire(struct ebpf_coalesce *coalesce, uint64_t now_boot_ns)
{
    for (struct window *w = coalesce->windows; w < coalesce->windows + FILES_MAX; w++) {
        if (w->used && w->end_ns < now_boot_ns)
            window__end(coalesce, w);
    }
}
