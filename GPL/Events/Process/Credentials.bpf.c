// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_SETUID, PROCESS_SETGID: a system call changed user or group ids of a process.
 *
 * Hook: the end of security_task_fix_setuid and security_task_fix_setgid. Every call of the two families, including
 * 16-bit and 32-bit ones, passes it once, with old and new credentials, after the kernel has allowed the change and
 * just before it is made. commit_creds, the obvious hook, also runs for exec, capset, keyctl and unshare, which are not
 * such calls. If BPF is among the kernel's security modules, an LSM program is used, which is never skipped. But where
 * the kernel preempts BPF programs any number of its runs can be preempted, each with a scratch slot, so there sessions
 * come first, or a kprobe of commit_creds.
 *
 * With tracepoints only, it is the end of the system call, where the former ids are no longer known: a call that sets
 * the ids to what they are is reported too.
 *
 * Tried: each call of the families, 64-bit and 32-bit ones with ids of 16 and 32 bits, in a thread, beside a vfork;
 * calls that create new credentials but change no ids (setgroups, capset, prctl). A call that fails after this point
 * (no memory for the accounting of the new user) is reported. An exec that changes ids is reported by Exec.bpf.c.
 * Misses: nothing known.
 *
 * They take from the budget, because anybody with a saved id (of a set-user-ID program, or from /etc/subuid) can change
 * the effective one at will. So do changes that require a privilege, which root of a container may have.
 */
#include "../Core/Credentials.h"
#include "../Core/Probe.h"

/* Return whether any of the four user (uid) or group (gid) ids differs; `typed` is of those before. */
#define IDS_DIFFER(typed, after, before, id)                                                                           \
    (ID_DIFFERS(typed, after, before, id.val) || ID_DIFFERS(typed, after, before, e##id.val) ||                        \
     ID_DIFFERS(typed, after, before, s##id.val) || ID_DIFFERS(typed, after, before, fs##id.val))
#define ID_DIFFERS(typed, after, before, id) ((after)->id != KREAD(typed, before, id))

static __always_inline int setuid__emit(enum preemption preemption, struct cred *after)
{
    EMIT(PROCESS_SETUID, e, s, preemption, CURRENT_FATE(process_setuid))
        setuid__fill(s, e, true, after);
    return 0;
}

static __always_inline int setuid__changed(enum preemption preemption, struct cred *after, struct cred *before)
{
    return IDS_DIFFER(true, after, before, uid) ? setuid__emit(preemption, after) : 0;
}

SPARES("ebpf.fexit/security_task_fix_setuid", fexit__security_task_fix_setuid, setuid_body, SPARE_SETUID)

SEC("ebpf.fexit/security_task_fix_setuid")
int BPF_PROG(fexit__security_task_fix_setuid, struct cred *after, struct cred *before, int flags, int ret)
{
    SPARE_BEGIN(ctx, setuid_body, SPARE_SETUID);
    return ret ? 0 : setuid__changed(MAY_BE_PREEMPTED, after, before);
}

/* The task still has the old credentials. */
SEC("ebpf.session/security_task_fix_setuid")
int session__security_task_fix_setuid(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_1(regs));
    struct task_struct *task = UNTRUSTED(task_struct, (void *)bpf_get_current_task_btf());

    return (int)SESSION_RET(regs)
               ? 0
               : setuid__changed(NOT_PREEMPTED, SESSION_COOKIE(regs, cred), (struct cred *)task->cred);
}

SEC("ebpf.lsm/task_fix_setuid")
int BPF_PROG(lsm__task_fix_setuid, struct cred *after, struct cred *before)
{
    return setuid__changed(MAY_BE_PREEMPTED, after, before);
}

static __always_inline int setgid__emit(enum preemption preemption, struct cred *after)
{
    EMIT(PROCESS_SETGID, e, s, preemption, CURRENT_FATE(process_setgid))
        setgid__fill(s, e, true, after);
    return 0;
}

static __always_inline int setgid__changed(enum preemption preemption, struct cred *after, struct cred *before)
{
    return IDS_DIFFER(true, after, before, gid) ? setgid__emit(preemption, after) : 0;
}

SPARES("ebpf.fexit/security_task_fix_setgid", fexit__security_task_fix_setgid, setgid_body, SPARE_SETGID)

SEC("ebpf.fexit/security_task_fix_setgid")
int BPF_PROG(fexit__security_task_fix_setgid, struct cred *after, struct cred *before, int flags, int ret)
{
    SPARE_BEGIN(ctx, setgid_body, SPARE_SETGID);
    return ret ? 0 : setgid__changed(MAY_BE_PREEMPTED, after, before);
}

/* The task still has the old credentials. */
SEC("ebpf.session/security_task_fix_setgid")
int session__security_task_fix_setgid(struct pt_regs *regs)
{
    if (!kernel__session_is_return(regs))
        return session__begin(regs, KPROBE_ARG_1(regs));
    struct task_struct *task = UNTRUSTED(task_struct, (void *)bpf_get_current_task_btf());

    return (int)SESSION_RET(regs)
               ? 0
               : setgid__changed(NOT_PREEMPTED, SESSION_COOKIE(regs, cred), (struct cred *)task->cred);
}

SEC("ebpf.lsm/task_fix_setgid")
int BPF_PROG(lsm__task_fix_setgid, struct cred *after, struct cred *before)
{
    return setgid__changed(MAY_BE_PREEMPTED, after, before);
}

/* Report what the current task's new credentials change, just before it gets them. */
static __always_inline int creds__committed(enum preemption preemption, struct cred *after)
{
    bool is_exec = false, sets_uid = false, sets_gid = false;

    WITH_CURRENT(task, typed, {
        struct cred *before = KREAD(typed, task, cred);

        is_exec = compat__is_in_execve(typed, task);
        sets_uid = IDS_DIFFER(typed, after, before, uid);
        sets_gid = IDS_DIFFER(typed, after, before, gid);
    });
    if (is_exec)
        return 0;
    if (sets_uid && event__is_wanted(EBPF_EVENT_PROCESS_SETUID))
        setuid__emit(preemption, after);
    return sets_gid && event__is_wanted(EBPF_EVENT_PROCESS_SETGID) ? setgid__emit(preemption, after) : 0;
}

/*
 * Both, where the kernel has no security modules (CONFIG_SECURITY=n), or preempts BPF programs and has kprobes but no
 * sessions: just before the change, which can no longer fail. Of the others that change credentials only an exec
 * changes ids.
 */
SEC("ebpf.fentry/commit_creds")
int BPF_PROG(fentry__commit_creds, struct cred *after)
{
    return creds__committed(MAY_BE_PREEMPTED, after);
}

SEC("ebpf.kprobe/commit_creds")
int kprobe__commit_creds(struct pt_regs *regs)
{
    return creds__committed(NOT_PREEMPTED, KPROBE_ARG(regs, 1, cred));
}

/* ----------------------------------------------------- ends of system calls */

/* Report the current task's credentials, which a call has just set. */
static __always_inline int setuid__called(void)
{
    EMIT(PROCESS_SETUID, e, s, MAY_BE_PREEMPTED, CURRENT_FATE(process_setuid))
        WITH_CURRENT(task, typed, setuid__fill(s, e, typed, KREAD(typed, task, cred)));
    return 0;
}

static __always_inline int setgid__called(void)
{
    EMIT(PROCESS_SETGID, e, s, MAY_BE_PREEMPTED, CURRENT_FATE(process_setgid))
        WITH_CURRENT(task, typed, setgid__fill(s, e, typed, KREAD(typed, task, cred)));
    return 0;
}

/*
 * Return whether a call has set ids. The value of some is the former id, whether or not they change it. In a user
 * namespace it is not the kernel's id, so there the id that was asked for shows it; the call may have been refused.
 */
static __always_inline bool call__has_set_ids(const struct syscall_end *call, u32 id)
{
    u32 wanted = SYSCALL_ARG(call, 1);
    int level;

    if (call->form.what != RETURNS_FORMER_ID)
        return !call->ret;
    if (!call->is_32 && ret__is_error(call->ret)) /* there is no such call */
        return false;
    WITH_CURRENT(task, typed, level = KREAD(typed, task, cred, user_ns, level));
    return level ? wanted != (u32)-1 && wanted != (u32)call->ret : id != (u32)call->ret;
}

SYSCALL_END(setuid, call)
{
    u32 id;

    WITH_CURRENT(task, typed, id = KREAD(typed, task, cred, fsuid.val));
    return call__has_set_ids(call, id) ? setuid__called() : 0;
}

SYSCALL_END(setgid, call)
{
    u32 id;

    WITH_CURRENT(task, typed, id = KREAD(typed, task, cred, fsgid.val));
    return call__has_set_ids(call, id) ? setgid__called() : 0;
}
