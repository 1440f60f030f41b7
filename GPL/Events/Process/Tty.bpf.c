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
 * Tried: pseudo terminals, raw and cooked, by write and a writev of many segments, 100,000 bytes at once, every byte,
 * by /dev/tty, without a controlling terminal, and with nobody who reads. Misses: terminals with a line discipline
 * other than N_TTY (PPP, SLIP, …).
 */
#include "../Core/Probe.h"

/*
 * Return whether a terminal is the master side of a pseudo terminal, by its device number: the values of the driver's
 * own type (3 and 4 are pseudo terminals) and its size have changed in 7.x.
 */
static __always_inline bool tty__is_pty_master(bool typed, struct tty_struct *tty)
{
    u32 major = KREAD(typed, tty, driver, major);

    return major == PTY_MASTER_MAJOR || major - UNIX98_PTY_MASTER_MAJOR < UNIX98_PTY_MAJOR_COUNT;
}

static __always_inline int tty__wrote(enum preemption preemption, bool typed, struct tty_struct *tty, const void *buf,
                                      s64 written)
{
    if (written <= 0 || tty__is_pty_master(typed, tty))
        return 0;
    EMIT(PROCESS_TTY_WRITE, e, s, preemption, fate__of(current__is_filtered())) {
        u64 len = written > EBPF_TTY_MAX ? EBPF_TTY_MAX : written;

        e->tty_out_truncated = written - len;
        e->reserved = 0;
        tty_dev__fill(&e->tty, typed, tty);
        WITH_CURRENT(task, typed, {
            pid_info__fill(&e->pids, typed, task);
            ctty__fill(&e->ctty, typed, task);
            comm__fill(s, typed, task);
        });
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
