// SPDX-License-Identifier: BSD-2-Clause
/* SearchIds.c - ids, name, start, parent and credentials of a task; see TraceSearch.h. */
#include "TraceSearch.h"

#include <sys/stat.h>
#include <unistd.h>

#define CRED_IDS 36 /* eight ids, securebits */
#define CRED_WORDS 24

static bool has_pids(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte)
{
    (void)s;
    return words__u32(words, byte) == (uint32_t)child->pid && words__u32(words, byte + 4) == (uint32_t)child->pid;
}

static bool has_name(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte)
{
    (void)s;
    return byte + sizeof(child->name) <= TASK_BYTES &&
           !memcmp((const uint8_t *)words + byte, child->name, strlen(child->name) + 1);
}

static bool has_start(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte)
{
    (void)s;
    return words[byte / 8] >= child->started && words[byte / 8] <= child->seen;
}

static bool has_itself(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte)
{
    (void)s;
    return words[byte / 8] == child->task;
}

/* Both children have the same parent: this thread. */
static bool has_parent(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte)
{
    uint64_t target[PEEK_WORDS];
    size_t pid = (size_t)s->offsets->of[TRACE_MEMBER_task_pid], rest = pid % 8;

    (void)child;
    return words[byte / 8] == s->children[0].words[byte / 8] && words[byte / 8] == s->children[1].words[byte / 8] &&
           trace_peek__read(&s->peek, words[byte / 8] + pid - rest, target) &&
           words__u32(target, rest) == (uint32_t)gettid() && words__u32(target, rest + 4) == (uint32_t)getpid();
}

/* Return where the ids are in the credentials that a word points to; TRACE_OFFSET_UNKNOWN if it does not. */
static int cred__uid(struct search *s, const struct specimen *child, uint64_t cred)
{
    uint64_t target[PEEK_WORDS];

    if (!trace_peek__read(&s->peek, cred, target))
        return TRACE_OFFSET_UNKNOWN;
    for (int byte = 0; byte < 128; byte += 4) {
        if (!memcmp((const uint8_t *)target + byte, child->ids, sizeof(child->ids)))
            return byte;
    }
    return TRACE_OFFSET_UNKNOWN;
}

static bool has_cred(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte)
{
    int at = cred__uid(s, child, words[byte / 8]);

    return at >= 0 && (child == s->children || at == cred__uid(s, s->children, s->children[0].words[byte / 8]));
}

/*
 * The capabilities are behind the ids: inheritable, permitted, effective, and the bounding set, which is never empty
 * here. Before 6.3 (f122a08b197d) they are aligned to 4 only.
 */
static int cred__capabilities(const uint64_t *cred, size_t uid, uint64_t bounding)
{
    for (size_t byte = uid + CRED_IDS; bounding && byte < uid + CRED_IDS + 64; byte += 4) {
        if (words__u64(cred, byte) == bounding)
            return (int)byte - 16;
    }
    return TRACE_OFFSET_UNKNOWN;
}

static void search__credentials(struct search *s)
{
    int *of = s->offsets->of, at = of[TRACE_MEMBER_task_cred];
    uint64_t cred[PEEK_WORDS];
    struct stat st;

    if (at < 0 || !trace_peek__read(&s->peek, s->children[0].words[at / 8], cred))
        return;
    int uid = of[TRACE_MEMBER_cred_uid] = cred__uid(s, s->children, s->children[0].words[at / 8]);

    of[TRACE_MEMBER_cred_cap_permitted] = cred__capabilities(cred, (size_t)uid, s->children[0].bounding);
    for (size_t i = (size_t)uid / 8; i < CRED_WORDS && !stat("/proc/self/ns/user", &st); i++) {
        int inum = word__is_pointer(cred[i]) ? search__u32(s, cred[i], (uint32_t)st.st_ino, PEEK_WORDS * 8)
                                             : TRACE_OFFSET_UNKNOWN;

        if (inum < 0)
            continue;
        of[TRACE_MEMBER_cred_user_ns] = (int)i * 8;
        of[TRACE_MEMBER_user_inum] = inum;
        return;
    }
}

void search__ids(struct search *s)
{
    int *of = s->offsets->of;

    of[TRACE_MEMBER_task_pid] = search__task(s, has_pids, 4, 1);
    of[TRACE_MEMBER_task_comm] = search__task(s, has_name, 1, 1);
    of[TRACE_MEMBER_task_start_time] = search__task(s, has_start, 8, 2); /* then that of CLOCK_BOOTTIME */
    of[TRACE_MEMBER_task_group_leader] = search__task(s, has_itself, 8, 1);
    of[TRACE_MEMBER_task_cred] = search__task(s, has_cred, 8, 2); /* the objective ones first */
    search__credentials(s);
    if (of[TRACE_MEMBER_task_pid] < 0)
        return;
    of[TRACE_MEMBER_task_tgid] = of[TRACE_MEMBER_task_pid] + 4;
    of[TRACE_MEMBER_task_real_parent] = search__task(s, has_parent, 8, 2); /* then that which gets the signal */
}
