// SPDX-License-Identifier: BSD-2-Clause
/* SearchSignal.c - what processes share: groups, sessions, terminal, and how they ended; see TraceSearch.h. */
#include "TraceSearch.h"

#define SIGNAL_WORDS (2 * PEEK_WORDS)
#define SIGNAL_LIVE 4 /* behind the count of references */
#define SIGNAL_GROUP_EXIT 4
#define EXIT_BYTES 32 /* from the code to the flags at most */
#define PID_BYTES 256 /* that a struct pid has at least */
#define DRIVER_BYTES 128
#define TTY_HEAD_BYTES 128 /* before its locks */

/*
 * Return where a struct pid has its number: at the beginning of a struct upid, whose second member is the namespace,
 * that of `other` too. On kernels with pidfs the inode number of a pid may happen to be the same. TRACE_OFFSET_UNKNOWN
 * if there are two such places or none.
 */
static int pid__nr(struct search *s, uint64_t pid, uint32_t nr, uint64_t other, uint32_t other_nr)
{
    uint64_t a[PEEK_WORDS], b[PEEK_WORDS];
    int found = TRACE_OFFSET_UNKNOWN;

    if (!trace_peek__read(&s->peek, pid, a) || !trace_peek__read(&s->peek, other, b))
        return TRACE_OFFSET_UNKNOWN;
    for (size_t byte = 0; byte < PID_BYTES; byte += 8) {
        uint64_t namespace = a[byte / 8 + 1];

        if (words__u32(a, byte) != nr || words__u32(b, byte) != other_nr || namespace != b[byte / 8 + 1] ||
            (int64_t) namespace >= 0)
            continue;
        if (found >= 0)
            return TRACE_OFFSET_UNKNOWN;
        found = (int)byte;
    }
    return found;
}

/*
 * The process of the first child leads its group and its session, so its signal_struct has the struct pid of the
 * task_struct three times in a row (TGID, PGID, SID), before 4.19 twice. That of the second child leads its group only.
 * Return where the last one is; TRACE_OFFSET_UNKNOWN if it is no signal_struct.
 */
static int signal__session(struct search *s, const struct specimen *child, uint64_t signal)
{
    uint64_t target[SIGNAL_WORDS];

    for (size_t i = 0; i < SIGNAL_WORDS; i += PEEK_WORDS) {
        if (!trace_peek__read(&s->peek, signal + i * 8, target + i))
            return TRACE_OFFSET_UNKNOWN;
    }
    for (size_t i = 1; i + 1 < SIGNAL_WORDS; i++) {
        bool is_last = target[i] == target[i - 1] && target[i + 1] != target[i];

        if (!is_last || search__u32(s, target[i], (uint32_t)child->pid, PID_BYTES) < 0)
            continue;
        for (size_t j = 0; j < TASK_WORDS; j++) {
            if (child->words[j] == target[i])
                return (int)i * 8;
        }
    }
    return TRACE_OFFSET_UNKNOWN;
}

static bool has_signal(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte)
{
    int session = signal__session(s, child, words[byte / 8]);

    /* the second one's is one place before */
    return session >= 0 &&
           (child == s->children || session == signal__session(s, s->children, s->children[0].words[byte / 8]) - 8);
}

/* Other words of the task point into its signal_struct, to lists of threads: its beginning is the lowest address. */
static int search__signal(struct search *s)
{
    const struct specimen *leader = &s->children[0];
    int found = TRACE_OFFSET_UNKNOWN;

    for (size_t byte = 0; byte + 8 <= TASK_BYTES; byte += 8) {
        if (has_signal(s, leader, leader->words, byte) && has_signal(s, &s->children[1], s->children[1].words, byte) &&
            (found < 0 || leader->words[byte / 8] < leader->words[found / 8]))
            found = (int)byte;
    }
    return found;
}

void search__pids(struct search *s)
{
    int *of = s->offsets->of;
    const struct specimen *leader = &s->children[0], *other = &s->children[1];
    uint64_t target[PEEK_WORDS];
    int at = of[TRACE_MEMBER_task_signal] = search__signal(s);

    if (at < 0)
        return;
    uint64_t signal = leader->words[at / 8];
    int session = signal__session(s, leader, signal);

    if (!trace_peek__read(&s->peek, signal + (uint64_t)session, target))
        return;
    uint64_t pid = target[0];

    if (!trace_peek__read(&s->peek, other->words[at / 8] + (uint64_t)session - 8, target))
        return;
    int nr = pid__nr(s, pid, (uint32_t)leader->pid, target[0], (uint32_t)other->pgid);

    if (nr < 0 || (other->sid && pid__nr(s, pid, (uint32_t)leader->pid, target[1], (uint32_t)other->sid) != nr))
        return;
    of[TRACE_MEMBER_signal_pgrp] = session - 8;
    of[TRACE_MEMBER_signal_session] = session;
    of[TRACE_MEMBER_pid_nr] = nr;
}

/* ----------------------------------------------------------------------- terminal */

/* Return where the window size is of what may be the terminal of the first child. */
static int tty__winsize(struct search *s, uint64_t tty)
{
    uint64_t target[PEEK_WORDS];

    if (!word__is_pointer(tty) || !trace_peek__read(&s->peek, tty, target))
        return TRACE_OFFSET_UNKNOWN;
    for (size_t byte = 0; byte + 8 <= sizeof(target); byte += 4) {
        if (words__u64(target, byte) == SPECIMEN_WINDOW)
            return (int)byte;
    }
    return TRACE_OFFSET_UNKNOWN;
}

/* Return where a driver has the major number; the first minor number is behind it. */
static int driver__major(struct search *s, uint64_t driver, uint32_t major)
{
    uint64_t target[PEEK_WORDS];

    if (!word__is_pointer(driver) || !trace_peek__read(&s->peek, driver, target))
        return TRACE_OFFSET_UNKNOWN;
    for (size_t byte = 0; byte < DRIVER_BYTES; byte += 4) {
        if (words__u32(target, byte) == major && !words__u32(target, byte + 4))
            return (int)byte;
    }
    return TRACE_OFFSET_UNKNOWN;
}

/* Find the session behind the foreground group: the first child is the leader of both. */
static void search__tty_session(struct search *s, const uint64_t tty[PEEK_WORDS])
{
    int *of = s->offsets->of, nr = of[TRACE_MEMBER_pid_nr], found = TRACE_OFFSET_UNKNOWN, hits = 0;
    uint64_t pid[PEEK_WORDS];

    for (int i = 0; i + 1 < PEEK_WORDS && nr >= 0; i++) {
        if (tty[i] != tty[i + 1] || !word__is_pointer(tty[i]) || !trace_peek__read(&s->peek, tty[i], pid) ||
            words__u32(pid, (size_t)nr) != (uint32_t)s->children[0].pid)
            continue;
        found = (i + 1) * 8;
        hits++;
    }
    of[TRACE_MEMBER_tty_session] = hits == 1 ? found : TRACE_OFFSET_UNKNOWN;
}

static void search__tty(struct search *s, uint64_t address, int winsize)
{
    int *of = s->offsets->of, index = TRACE_OFFSET_UNKNOWN, hits = 0;
    uint64_t tty[PEEK_WORDS];

    if (!trace_peek__read(&s->peek, address, tty))
        return;
    for (int byte = 0; byte < TTY_HEAD_BYTES; byte += 4) {
        if (words__u32(tty, (size_t)byte) == s->children[0].tty_minor) {
            index = byte;
            hits++;
        }
    }
    for (int i = 0; i < TTY_HEAD_BYTES / 8; i++) {
        int major = driver__major(s, tty[i], s->children[0].tty_major);

        if (major < 0 || hits != 1)
            continue;
        of[TRACE_MEMBER_tty_winsize] = winsize;
        of[TRACE_MEMBER_tty_index] = index;
        of[TRACE_MEMBER_tty_driver] = i * 8;
        of[TRACE_MEMBER_driver_major] = major;
        search__tty_session(s, tty);
        return;
    }
}

void search__terminal(struct search *s)
{
    int *of = s->offsets->of;
    uint64_t signal[SIGNAL_WORDS];

    if (of[TRACE_MEMBER_task_signal] < 0 || !s->children[0].tty_major ||
        !search__read(s, s->children[0].words[of[TRACE_MEMBER_task_signal] / 8], signal, SIGNAL_WORDS))
        return;
    for (int i = 0; i < SIGNAL_WORDS; i++) {
        int winsize = tty__winsize(s, signal[i]);

        if (winsize < 0)
            continue;
        of[TRACE_MEMBER_signal_tty] = i * 8;
        search__tty(s, signal[i], winsize);
        return;
    }
}

/* ---------------------------------------------------------------------------- end */

static bool has_exit_code(struct search *s, const struct specimen *child, const uint64_t *words, size_t byte)
{
    (void)s;
    return words__u32(words, byte) == child->status;
}

/* Return where SIGNAL_GROUP_EXIT is close behind a code that a signal_struct may have at `code`. */
static int signal__flags(const uint64_t *signal, size_t code, uint32_t status)
{
    for (size_t byte = code + 4; words__u32(signal, code) == status && byte <= code + EXIT_BYTES; byte += 4) {
        if (words__u32(signal, byte) == SIGNAL_GROUP_EXIT)
            return (int)byte;
    }
    return TRACE_OFFSET_UNKNOWN;
}

/* Find the code in the signal_struct of a process that a signal has ended. */
static void search__exit_code(struct search *s, const uint64_t *signal, uint32_t status)
{
    int *of = s->offsets->of;

    for (size_t code = 0; code < SIGNAL_WORDS * 8 - EXIT_BYTES - 4; code += 4) {
        int flags = signal__flags(signal, code, status);

        if (flags < 0)
            continue;
        if (of[TRACE_MEMBER_signal_flags] >= 0) {
            of[TRACE_MEMBER_signal_flags] = TRACE_OFFSET_UNKNOWN;
            return;
        }
        of[TRACE_MEMBER_signal_exit_code] = (int)code;
        of[TRACE_MEMBER_signal_flags] = flags;
    }
}

/*
 * The first child ends by itself, the second one by a signal. The number of threads that are left is behind the first
 * word of a signal_struct: 1 before, 0 afterwards.
 */
void search__end(struct search *s)
{
    int *of = s->offsets->of, at = of[TRACE_MEMBER_task_signal];
    uint64_t signal[SIGNAL_WORDS];
    bool is_live = true;

    for (int i = 0; i < SPECIMENS; i++) {
        struct specimen *child = &s->children[i];
        uint64_t address = at < 0 ? 0 : child->words[at / 8];

        is_live = is_live && search__read(s, address, signal, SIGNAL_WORDS) && words__u32(signal, SIGNAL_LIVE) == 1;
        if (!specimen__finish(&s->peek, child, i))
            return;
        is_live = is_live && search__read(s, address, signal, SIGNAL_WORDS) && !words__u32(signal, SIGNAL_LIVE);
    }
    of[TRACE_MEMBER_task_exit_code] = search__task(s, has_exit_code, 4, 1);
    if (!is_live)
        return;
    of[TRACE_MEMBER_signal_live] = SIGNAL_LIVE;
    search__exit_code(s, signal, s->children[SPECIMENS - 1].status);
}
