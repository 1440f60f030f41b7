// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Syscall.bpf.c - what runs at both ends of each system call, where nothing better can be had; see Syscall.h. */
#include "Pending.h"
#include "Probe.h"
#include "Udp.h"

struct syscall_ends_map syscall_ends SEC(".maps");

/* What the program of a call reports, or what it reports first. */
enum {
    EVENT_OF_setsid = EBPF_EVENT_PROCESS_SETSID,
    EVENT_OF_setuid = EBPF_EVENT_PROCESS_SETUID,
    EVENT_OF_setgid = EBPF_EVENT_PROCESS_SETGID,
    EVENT_OF_chroot = EBPF_EVENT_PROCESS_CHROOT,
    EVENT_OF_memfd_create = EBPF_EVENT_PROCESS_MEMFD_CREATE,
    EVENT_OF_shmget = EBPF_EVENT_PROCESS_SHMGET,
    EVENT_OF_ptrace = EBPF_EVENT_PROCESS_PTRACE,
    EVENT_OF_write = CALL_EVENT_BY_FILE,
    EVENT_OF_open = EBPF_EVENT_FILE_CREATE,
    EVENT_OF_create = EBPF_EVENT_FILE_CREATE,
    EVENT_OF_link = EBPF_EVENT_FILE_LINK,
    EVENT_OF_bind = EBPF_EVENT_FILE_CREATE,
    EVENT_OF_object = EBPF_EVENT_FILE_CREATE,
    EVENT_OF_delete = EBPF_EVENT_FILE_DELETE,
    EVENT_OF_rename = EBPF_EVENT_FILE_RENAME,
    EVENT_OF_content = CALL_EVENT_BY_FILE,
    EVENT_OF_aio = EBPF_EVENT_FILE_MODIFY,
    EVENT_OF_mprotect = EBPF_EVENT_FILE_MODIFY,
    EVENT_OF_ioctl = CALL_EVENT_BY_FILE,
    EVENT_OF_change = EBPF_EVENT_FILE_MODIFY,
    EVENT_OF_connect = EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED,
    EVENT_OF_listen = EBPF_EVENT_NETWORK_LISTEN,
    EVENT_OF_accept = EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED,
    EVENT_OF_datagram = EBPF_EVENT_NETWORK_DATAGRAM_FLOW,
};

/* A call that 32-bit callers do not have, or only they have, is entered where no number is (NONE). */
#define FD(n) .fd = n
#define PATH(n) .path = n
#define NEW_FD(n) .new_fd = n
#define NEW_PATH(n) .new_path = n
#define EXTRA(n) .extra = n
#define CHANGES(change) .what = EBPF_CHANGE_##change
#define MAKES(type) .what = EBPF_FILE_TYPE_##type
#define WHAT(number) .what = number

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
#define SYSCALL_FORM(program, ...)                                                                                     \
    {                                                                                                                  \
        .event = EVENT_OF_##program, __VA_ARGS__                                                                       \
    }
#define SYSCALL_ROW(program, call, number, number_32, ...)                                                             \
    [number] = SYSCALL_FORM(program, __VA_ARGS__), [SYSCALL_NUMBERS + number_32] = SYSCALL_FORM(program, __VA_ARGS__),
const volatile struct syscall_form syscall_forms[2 * SYSCALL_NUMBERS] = {
#include "../Syscalls.def"
};
#pragma clang diagnostic pop

/* Return the number in the tables of a call that a program is for; beyond their end for other calls. */
static __always_inline u32 syscall__handled(struct pt_regs *regs)
{
    u64 vector, nr = emit_runtime.live ? syscall__number(regs, syscall__is_32(), &vector) : 2 * SYSCALL_NUMBERS;

    BARRIER(nr);
    return nr < 2 * SYSCALL_NUMBERS && emit_runtime.ends[nr / 64] >> nr % 64 & 1 ? nr : 2 * SYSCALL_NUMBERS;
}

/* --------------------------------------------------------------- beginnings */

/*
 * The programs at the ends look up the file of a descriptor when the call has used it. If another thread has put
 * another file under it meanwhile, or none, what the call did would be hidden, or ascribed to a file of the caller's
 * choice. So the file is noted at the beginning, if there are other threads that can do that, and if it is of interest.
 * If it is another one at the end, an event counts as lost: the first one may exist no more. To remain unseen, a thread
 * has to replace it before the call has looked at it, and again before its end, and has a moment for each.
 *
 * The arguments of two calls of 32-bit callers are in memory, which others may share, and which the call itself may
 * overwrite; so the file of such a call is always noted.
 *
 * A tracer on arm64 can also replace the first argument: the register that has it at the end keeps the former value.
 */

/* Return whether others can change what the current call's descriptor is: in its table, or in the arguments. */
static __always_inline bool current__shares_descriptor(struct pt_regs *regs)
{
    u64 vector = 0;
    int count;
    bool is_32;

    WITH_CURRENT(task, typed, {
        count = KREAD(typed, task, files, count.counter);
        is_32 = TASK_IS_32(typed, task);
    });
    if (count > 1)
        return true;
    if (is_32)
        syscall__number(regs, true, &vector);
    return vector;
}

/* Return one of two events: the first that is made at the ends of calls. EBPF_EVENT_TYPE_COUNT if none is. */
static __always_inline u32 event__called_of(u32 event, u32 other)
{
    return event__is_called(event) ? event : event__is_called(other) ? other : EBPF_EVENT_TYPE_COUNT;
}

/* Likewise of those that a call makes with a file. */
static __always_inline u32 call__event_by_file(struct file *file)
{
    switch (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) {
    case S_IFSOCK:
        return file__udp_sock(file) ? EBPF_EVENT_NETWORK_DATAGRAM_FLOW : EBPF_EVENT_TYPE_COUNT;
    case S_IFREG:
        return event__called_of(EBPF_EVENT_FILE_MODIFY, EBPF_EVENT_FILE_MODIFY);
    case S_IFDIR: /* ioctl, for a subvolume */
        return event__called_of(EBPF_EVENT_FILE_CREATE, EBPF_EVENT_FILE_DELETE);
    case S_IFCHR:
        return event__called_of(EBPF_EVENT_PROCESS_TTY_WRITE, EBPF_EVENT_PROCESS_TTY_WRITE);
    }
    return EBPF_EVENT_TYPE_COUNT;
}

/* Return the event that is lost if the file of a call is not known at its end; EBPF_EVENT_TYPE_COUNT for none. */
static __always_inline u32 call__event_of(u32 event, struct file *file)
{
    switch (event) {
    case CALL_EVENT_BY_FILE:
        return file ? call__event_by_file(file)
                    : event__called_of(EBPF_EVENT_FILE_MODIFY, EBPF_EVENT_PROCESS_TTY_WRITE);
    case EBPF_EVENT_NETWORK_DATAGRAM_FLOW:
        return !file || file__udp_sock(file) ? event__called_of(event, event) : EBPF_EVENT_TYPE_COUNT;
    case EBPF_EVENT_FILE_LINK: /* of a file without a name that gets one */
        return event__called_of(event, EBPF_EVENT_FILE_CREATE);
    case EBPF_EVENT_FILE_CREATE:
        return event__called_of(event, EBPF_EVENT_FILE_DELETE);
    case EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED:
        return event__called_of(event, EBPF_EVENT_NETWORK_CONNECTION_FAILED);
    }
    return event__called_of(event, event);
}

/* Count an event of a call as lost. The selection is left out where a program with tail calls cannot call functions. */
static __always_inline void call__count_lost(u32 event, enum ebpf_reason reason)
{
    event = scalar__hide(event) & (EMIT_TYPES_MAX - 1);
    if (!emit_constants.has_tail_calls || !current__is_filtered())
        count__seen_and_lost(event, reason);
}

SEC("ebpf.tp_btf/sys_enter")
int BPF_PROG(tp_btf__sys_enter, struct pt_regs *regs)
{
    bool is_altered = SYSCALL_IS_ALTERED(regs);

    if (!emit_runtime.live || (!is_altered && !current__shares_descriptor(regs)))
        return 0;
    u32 nr = syscall__handled(regs);

    if (nr >= 2 * SYSCALL_NUMBERS)
        return 0;
    const struct syscall_end call = syscall_end__of(ctx, regs, 0);
    u32 n = call.form.fd, fd_in_vector = 0;
    struct file *file = NULL;
    /* what else such a call uses differs at its end, or its descriptor cannot be read yet */
    bool is_unknown = (is_altered && n != 1) ||
                      (call.vector && n &&
                       bpf_probe_read_user(&fd_in_vector, sizeof(u32), (void *)(call.vector + sizeof(u32) * (n - 1))));

    if (n && !is_unknown)
        file = fd__file(call.vector ? fd_in_vector : n == 1 ? SYSCALL_FIRST(call.is_32, regs) : syscall__arg(&call, n));
    u32 event = file || is_unknown ? call__event_of(call.form.event, file) : EBPF_EVENT_TYPE_COUNT;

    if (event >= EBPF_EVENT_TYPE_COUNT)
        return 0;
    struct task_state *state = task_state__get();

    if (!state) {
        call__count_lost(event, EBPF_REASON_STATE);
        return 0;
    }
    state->held.file = is_unknown ? HELD_UNKNOWN : (u64)file;
    state->held.number = nr;
    state->held.event = event;
    return 0;
}

/* Return whether a call that returned this has, or may have, made its event. */
static __always_inline bool call__may_have_made(const struct syscall_end *call, u32 event)
{
    return !ret__is_error(call->ret) || call->ret == -EFAULT || event == EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED ||
           event == EBPF_EVENT_NETWORK_CONNECTION_FAILED || event == EBPF_EVENT_PROCESS_PTRACE;
}

/* Return whether the file that the call had at its beginning is not known any more. Its event counts as lost then. */
static __always_inline bool call__lost_file(void *ctx, struct pt_regs *regs, long ret, u32 nr)
{
    struct task_state *state = task_state__find();
    u64 file = state ? state->held.file : 0;

    if (!file)
        return false;
    state->held.file = 0;
    const struct syscall_end call = syscall_end__of(ctx, regs, ret);
    u32 event = state->held.event;

    if (state->held.number != nr || (u64)fd__file(syscall__arg(&call, call.form.fd)) == file)
        return false;
    if (call__may_have_made(&call, event))
        call__count_lost(event, EBPF_REASON_UNREADABLE);
    return true;
}

/* --------------------------------------------------------------------- ends */

struct spare_body_map call_body SEC(".maps");

SEC("ebpf.tp_btf/sys_exit")
int BPF_PROG(tp_btf__sys_exit, struct pt_regs *regs, long ret)
{
    SPARE_BODY(ctx, call_body);
    u32 nr = syscall__handled(regs);

    if (nr >= 2 * SYSCALL_NUMBERS)
        return 0;
    spare__mark(SPARE_CALL);
    if (call__lost_file(ctx, regs, ret, nr))
        return 0;
    bpf_tail_call(ctx, &syscall_ends, nr);
    return 0;
}

#define CALL_SPARE(n)                                                                                                  \
    SEC("ebpf.tp_btf/sys_exit") int BPF_PROG(tp_btf__sys_exit_spare##n, struct pt_regs *regs, long ret)                \
    {                                                                                                                  \
        return syscall__handled(regs) < 2 * SYSCALL_NUMBERS ? spare__run(ctx, &call_body, SPARE_CALL, n, 2) : 0;       \
    }

CALL_SPARE(1)
CALL_SPARE(2)
