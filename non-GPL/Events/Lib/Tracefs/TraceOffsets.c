// SPDX-License-Identifier: BSD-2-Clause
/* TraceOffsets.c - see TraceOffsets.h. */
#include "TraceOffsets.h"

#include <errno.h>
#include <stdlib.h>

#include "TraceSearch.h"

#define TRIES 3 /* what a structure happens to lie before can make a member ambiguous, in one boot or one run */

const char *trace_member__name(enum trace_member member)
{
    static const char *const names[] = {
#define MEMBER(id, structure, path) #structure "." path,
#include "TraceMembers.def"
#undef MEMBER
    };

    return names[member];
}

int search__task(struct search *s, is_there_fn is_there, size_t step, int run)
{
    int found = TRACE_OFFSET_UNKNOWN;

    for (size_t byte = 0; byte + 8 <= TASK_BYTES; byte += step) {
        bool all = true;

        for (int i = 0; i < SPECIMENS && all; i++)
            all = is_there(s, &s->children[i], s->children[i].words, byte);
        if (!all)
            continue;
        if (found == TRACE_OFFSET_UNKNOWN)
            found = (int)byte;
        else if (byte >= (size_t)found + TASK_BYTES_MIN)
            break;
        else if (byte >= (size_t)found + step * (size_t)run)
            return TRACE_OFFSET_UNKNOWN;
    }
    return found;
}

void search__leave(struct search *s, enum trace_member member)
{
    s->offsets->of[member] = TRACE_OFFSET_UNKNOWN;
    s->offsets->unused[member] = true;
}

int search__u32(struct search *s, uint64_t address, uint32_t number, size_t bytes)
{
    uint64_t target[PEEK_WORDS];

    for (size_t base = 0; base < bytes; base += sizeof(target)) {
        if (!trace_peek__read(&s->peek, address + base, target))
            break;
        for (size_t byte = 0; byte < sizeof(target) && base + byte < bytes; byte += 4) {
            if (words__u32(target, byte) == number)
                return (int)(base + byte);
        }
    }
    return TRACE_OFFSET_UNKNOWN;
}

bool search__read(struct search *s, uint64_t address, uint64_t *ret_words, size_t words)
{
    for (size_t i = 0; i < words; i += PEEK_WORDS) {
        if (!trace_peek__read(&s->peek, address + i * 8, ret_words + i))
            return false;
    }
    return true;
}

/* Search what is known of sockets, or leave it. */
static void search__network(struct search *s)
{
    if (s->sockets) {
        search__sockets(s);
        search__datagrams(s);
        search__mptcp(s);
        return;
    }
    for (int i = TRACE_MEMBER_sock_daddr; i <= TRACE_MEMBER_skb_data; i++)
        search__leave(s, (enum trace_member)i);
}

/* Search once. What is found already stays as it is. */
static int offsets__search(struct search *s, struct trace_instance *in)
{
    int err = trace_peek__begin(&s->peek, in);

    for (int i = 0; i < SPECIMENS && !err; i++)
        err = specimen__create(&s->peek, &s->children[i], i);
    if (!err) {
        search__ids(s);
        search__pids(s);
        search__terminal(s);
        search__memory(s);
        search__directories(s);
        search__files(s);
        search__image(s);
        search__inodes(s);
        search__namespaces(s);
        search__network(s);
        search__end(s);
    }
    for (int i = 0; i < SPECIMENS; i++)
        specimen__end(&s->children[i]);
    trace_peek__end(&s->peek);
    return err;
}

/* Take over what an earlier search has found. Returns whether something is still unknown. */
static bool offsets__complete(struct trace_offsets *offsets, const struct trace_offsets *earlier)
{
    bool is_incomplete = false;

    if (offsets->mapped < 0)
        offsets->mapped = earlier->mapped;
    for (int i = 0; i < TRACE_MEMBER_COUNT; i++) {
        if (offsets->of[i] < 0 && !offsets->unused[i])
            offsets->of[i] = earlier->of[i];
        is_incomplete = is_incomplete || (offsets->of[i] < 0 && !offsets->unused[i]);
    }
    return is_incomplete;
}

int trace_offsets__find(struct trace_instance *in, bool sockets, struct trace_offsets *ret_offsets)
{
    struct search *s = calloc(1, sizeof(*s));
    struct trace_offsets found, none = {.mapped = -1};
    bool is_incomplete = true;
    int err = 0;

    if (!s)
        return -ENOMEM;
    for (int i = 0; i < TRACE_MEMBER_COUNT; i++)
        none.of[i] = TRACE_OFFSET_UNKNOWN;
    found = none;
    for (int tries = 0; tries < TRIES && is_incomplete && !err; tries++) {
        memset(s, 0, sizeof(*s));
        *ret_offsets = none;
        s->offsets = ret_offsets;
        s->sockets = sockets;
        err = offsets__search(s, in);
        is_incomplete = offsets__complete(ret_offsets, &found);
        found = *ret_offsets;
    }
    free(s);
    return err;
}
