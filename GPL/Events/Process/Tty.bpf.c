// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_TTY_WRITE: a process wrote to a terminal.
 *
 * Hook: the end of n_tty_write, the line discipline of terminals. Its buffer is the kernel's, so it cannot change
 * meanwhile and is always readable, and every kind of call (write, writev, io_uring, splice) leads here. Its value is
 * how much the terminal accepted. The kernel calls it once per chunk, usually of 2 KiB, so a large write is several
 * events, and before 5.12 once per segment of a writev.
 *
 * Input goes through the other side of a pseudo terminal and is left out, because it contains passwords.
 *
 * With tracepoints only, it is the end of write and writev. The text is then the caller's, which another thread may
 * have changed meanwhile; what io_uring, splice and sendfile write is not seen.
 *
 * Tried: pseudo terminals, raw and cooked, by write and a writev of many segments, 100,000 bytes at once, every byte,
 * by /dev/tty, without a controlling terminal, and with nobody who reads. Misses: terminals with a line discipline
 * other than N_TTY (PPP, SLIP, …).
 */
#include "../Core/Probe.h"
#include "../Core/Udp.h"
#include "../Core/UserCopy.h"

/*
 * Return whether a terminal is the master side of a pseudo terminal, by its device number: the values of the driver's
 * own type (3 and 4 are pseudo terminals) and its size have changed in 7.x.
 */
static __always_inline bool tty__is_pty_master(bool typed, struct tty_struct *tty)
{
    u32 major = KREAD(typed, tty, driver, major);

    return major == PTY_MASTER_MAJOR || major - UNIX98_PTY_MASTER_MAJOR < UNIX98_PTY_MAJOR_COUNT;
}

/* Fill in the fixed part but for the length of what was cut. */
static __always_inline void tty_write__fill(struct scratch *s, struct ebpf_process_tty_write_event *e, bool is_typed,
                                            struct tty_struct *tty)
{
    e->reserved = 0;
    tty_dev__fill(&e->tty, is_typed, tty);
    WITH_CURRENT(task, typed, {
        pid_info__fill(&e->pids, typed, task);
        ctty__fill(&e->ctty, typed, task);
        comm__fill(s, typed, task);
    });
}

static __always_inline int tty__wrote(enum preemption preemption, bool typed, struct tty_struct *tty, const void *buf,
                                      s64 written)
{
    if (written <= 0 || tty__is_pty_master(typed, tty))
        return 0;
    EMIT(PROCESS_TTY_WRITE, e, s, preemption, fate__of(current__is_filtered())) {
        u64 len = written > EBPF_TTY_MAX ? EBPF_TTY_MAX : written;

        e->tty_out_truncated = written - len;
        tty_write__fill(s, e, typed, tty);
        struct ebpf_varlen *v = varlen__begin(s, EBPF_TAG_TTY_OUT, SCRATCH_PATHS - EBPF_TTY_MAX);

        if (!v)
            return 0;
        BARRIER(len);
        if (len > EBPF_TTY_MAX)
            len = EBPF_TTY_MAX;
        bpf_probe_read_kernel(v + 1, len, buf);
        varlen__end(s, v, len, written, e->tty_out_truncated ? EBPF_VARLEN_TRUNCATED : 0);
    }
    return 0;
}

SEC("ebpf.fexit/n_tty_write")
int BPF_PROG(fexit__n_tty_write, struct tty_struct *tty, struct file *file, const unsigned char *buf, unsigned long nr,
             long ret)
{
    return tty__wrote(MAY_BE_PREEMPTED, true, tty, buf, ret);
}

/* The buffer is the terminal's own; the writer holds it until the write is done. */
SEC("ebpf.session/n_tty_write")
int session__n_tty_write(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_1(regs));
    struct tty_struct *tty = (void *)*kernel__session_cookie(regs);

    return tty__wrote(NOT_PREEMPTED, false, tty, BPF_CORE_READ(tty, write_buf), SESSION_RET(regs));
}

/* ----------------------------------------------------- ends of system calls */

/* Return the terminal that an open file is, NULL if it is none. What such a file refers to points back to it. */
static __always_inline struct tty_struct *file__tty(struct file *file)
{
    struct tty_file_private *own = BPF_CORE_READ(file, private_data);

    return (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFCHR && BPF_CORE_READ(own, file) == file
               ? BPF_CORE_READ(own, tty)
               : NULL;
}

/* A part of the caller's text. */
struct text_part {
    u64 from, len;
};

/* Read the n-th part of a vector; an empty one if it cannot be read. */
static __always_inline struct text_part text_part__read(u64 vector, u32 n, bool is_32)
{
    struct text_part part = {};
    u32 part_32[2] = {};

    if (!is_32) {
        bpf_probe_read_user(&part, sizeof(part), (void *)(vector + n * sizeof(part)));
        return part;
    }
    bpf_probe_read_user(part_32, sizeof(part_32), (void *)(vector + n * sizeof(part_32)));
    return (struct text_part){.from = part_32[0], .len = part_32[1]};
}

/* Append text, `at` bytes behind the head of the field that begins at the record's end. Return how much was read. */
int tty_text__append(u32 slot, u32 at, u64 from, u64 len)
{
    struct scratch *s = scratch__at(slot);

    return s && len <= EBPF_TTY_MAX
               ? (int)user__read_pages(s, READ_ONCE(s->len) + sizeof(struct ebpf_varlen) + at, from, len)
               : 0;
}

#define TEXT_PARTS_MAX 16 /* of a vector; what is in further ones counts as cut */

/* Append the bytes that were written, from the caller's text or the parts of its vector. Return how much was read. */
static __always_inline u32 tty_text__append_called(struct scratch *s, const struct syscall_end *call, bool is_vector)
{
    u64 left = call->ret > EBPF_TTY_MAX ? EBPF_TTY_MAX : call->ret;
    u32 at = 0;

    for (u32 n = 0; n < (is_vector ? TEXT_PARTS_MAX : 1) && left; n++) {
        struct text_part part = is_vector ? text_part__read(SYSCALL_ARG(call, 2), n, call->is_32)
                                          : (struct text_part){.from = SYSCALL_ARG(call, 2), .len = left};
        u64 len = part.len > left ? left : part.len;
        u32 got = tty_text__append(s->slot, at, part.from, scalar__hide(len));

        at += got;
        left -= len;
        if (got != len)
            break;
    }
    return at;
}

/* Report a change of a regular file's content; in File/Modify.bpf.c. */
extern int content__changed(u64 file, s64 bytes);

SYSCALL_END(write, call)
{
    bool is_vector = call->form.what == WRITES_VECTOR;
    struct file *file = call->ret > 0 || (!call->ret && !is_vector) ? fd__file(SYSCALL_ARG(call, 1)) : NULL;

    if ((file && call__sends_datagram(call, SYSCALL_ARG(call, 1), file)) || !call->ret)
        return 0;
    bool may_be_tty = compat__has_ttys() && file && event__is_called(EBPF_EVENT_PROCESS_TTY_WRITE);
    struct tty_struct *tty = may_be_tty ? file__tty(file) : NULL;

    if (file && !tty && event__is_called(EBPF_EVENT_FILE_MODIFY) && BPF_CORE_READ(file, f_mode) & FMODE_WRITE)
        return content__changed((u64)file, call->ret);
    if (!tty || tty__is_pty_master(false, tty))
        return 0;
    EMIT(PROCESS_TTY_WRITE, e, s, MAY_BE_PREEMPTED, fate__of(current__is_filtered())) {
        tty_write__fill(s, e, false, tty);
        struct ebpf_varlen *v = varlen__begin(s, EBPF_TAG_TTY_OUT, SCRATCH_PATHS - EBPF_TTY_MAX);

        if (!v)
            return 0;
        u32 len = tty_text__append_called(s, call, is_vector);

        if (len > EBPF_TTY_MAX)
            len = EBPF_TTY_MAX;
        e->tty_out_truncated = call->ret - len;
        varlen__end(s, v, len, call->ret, e->tty_out_truncated ? EBPF_VARLEN_TRUNCATED : 0);
    }
    return 0;
}
