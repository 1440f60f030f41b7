// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_EXEC: a process executed a program. PROCESS_SETUID, PROCESS_SETGID: the exec changed user or group ids.
 *
 * Hook: the tracepoint sched_process_exec. It fires once per exec, by whatever system call, when the exec cannot fail
 * any more: credentials, name and memory are those of the new image, its arguments are in place and none of it has run.
 * The system call's own arguments are strings of the old image, which another thread can change meanwhile. On kernels
 * that preempt BPF programs, a kprobe on finalize_exec reports the exec.
 *
 * By then the kernel has replaced a script by its interpreter. So the script's struct file is noted, by its address,
 * where the kernel takes the interpreter's name instead of the script's: bprm_change_interp, which scripts and
 * binfmt_misc share and no other executable passes. The kernel drops its reference before the tracepoint, but frees the
 * file later, on the way back to user space; the inode shows whether the address was reused. The note belongs to the
 * task. The obvious hook, security_bprm_check, runs for each exec and does not know what binfmt_misc will make of a
 * file.
 *
 * The old credentials are those of the file that the caller asked for: the kernel opens it anew for each exec, even if
 * it is given by a descriptor, and an open file keeps the credentials with which it was opened. For a script or a file
 * of binfmt_misc this is the noted file, because the interpreter may have been opened by the process that registered it
 * (flag F). At commit_creds and security_bprm_committing_creds both old and new credentials are available too, but
 * either would be one more hook for every exec: the latter cost 320 instructions. A process that the kernel kills
 * during its exec may have other ids in its exit event, but has executed nothing.
 *
 * Misses: nothing known. Arguments that were paged out between the exec and this point are cut, and flagged. Tried:
 * scripts as interpreters of scripts, binfmt_misc with the flags C, F and O, by path, link, descriptor and as memfd;
 * the set-user-ID and set-group-ID bits, for processes that have these ids already, may not gain any or have another
 * saved id.
 */
#include "../Core/Credentials.h"
#include "../Core/Probe.h"
#include "../Core/UserCopy.h"

SEC("ebpf.fentry/bprm_change_interp")
int BPF_PROG(fentry__bprm_change_interp, const char *interp, struct linux_binprm *bprm)
{
    /* The first call is about the script, a later one about its interpreter, which is a script itself. */
    struct task_state *state = bprm->interp == bprm->filename ? task_state__get() : NULL;

    if (!state)
        return 0;
    STORE_POINTER(state->script.file, bprm->file);
    STORE_POINTER(state->script.inode, bprm->file->f_inode);
    STORE_POINTER(state->script.bprm, bprm);
    return 0;
}

/* Append the script's path as the caller gave it, because its file could not be noted. */
static __always_inline void script__unresolved(struct scratch *s, const char *filename)
{
    struct ebpf_varlen *v = varlen__begin(s, EBPF_TAG_SCRIPT, SCRATCH_PATHS - EBPF_PATH_MAX - 64);

    if (!v)
        return;
    long n = bpf_probe_read_kernel_str(v + 1, EBPF_PATH_MAX, filename);

    varlen__end(s, v, n > 0 ? n : 0, 0, EBPF_VARLEN_NAME_ONLY);
}

/* Return the script of this exec, noted under the task's old thread id; NULL if there is none, or it was not noted. */
static __always_inline struct file *script__take(struct linux_binprm *bprm, u32 old_tid)
{
    struct task_state *state = bprm->interp == bprm->filename ? NULL : task_state__find_by(old_tid);
    struct file *file = state ? (void *)state->script.file : NULL;

    if (!file || state->script.bprm != (u64)bprm || (u64)BPF_CORE_READ(file, f_inode) != state->script.inode)
        return NULL;
    state->script.bprm = 0;
    return file;
}

static __always_inline void script__append(struct scratch *s, const struct path_root *root, struct linux_binprm *bprm,
                                           struct file *file)
{
    if (bprm->interp == bprm->filename)
        return;
    struct ebpf_event_header *hdr = (void *)s->data;

    if (!file) {
        hdr->flags |= EBPF_EXEC_F_SCRIPT_AS_GIVEN;
        script__unresolved(s, bprm->filename);
        return;
    }
    u32 mode = BPF_CORE_READ(file, f_inode, i_mode);

    if (mode & (S_ISUID | S_ISGID) && BPF_CORE_READ_BITFIELD_PROBED(bprm, execfd_creds))
        hdr->flags |=
            (mode & S_ISUID ? EBPF_EXEC_F_SCRIPT_SETUID : 0) | (mode & S_ISGID ? EBPF_EXEC_F_SCRIPT_SETGID : 0);
    varlen__path(s, EBPF_TAG_SCRIPT, root, false, &file->f_path);
}

/* Append a range of the new image's memory, at most `max` bytes of it. */
static __always_inline void varlen__user(struct scratch *s, enum ebpf_tag tag, u64 from, u64 to, u64 max, u32 limit)
{
    struct ebpf_varlen *v = varlen__begin(s, tag, limit - max);

    if (!v)
        return;
    u64 whole = to - from;
    u64 len = whole > max ? max : whole;

    BARRIER(len);
    if (len > max)
        len = max;
    if (bpf_probe_read_user(v + 1, len, (void *)from))
        len = user__read_pages(s, READ_ONCE(s->len) + sizeof(*v), from, len);
    varlen__end(s, v, len, whole, len < whole ? EBPF_VARLEN_TRUNCATED : 0);
}

static __always_inline void creds_before__fill(struct ebpf_cred_info *ci, struct linux_binprm *bprm,
                                               struct file *script)
{
    if (script)
        cred_info__fill_of(ci, false, BPF_CORE_READ(script, f_cred));
    else
        cred_info__fill_of(ci, true, bprm->file->f_cred);
}

static __always_inline void uids__report(enum preemption preemption, struct cred *after, struct linux_binprm *bprm,
                                         struct file *script)
{
    EMIT(PROCESS_SETUID, e, s, preemption, fate__of(current__is_filtered())) {
        setuid__fill(s, e, true, after);
        e->hdr.flags |= EBPF_SETUID_F_BY_EXEC;
        creds_before__fill(&e->creds, bprm, script);
    }
}

static __always_inline void gids__report(enum preemption preemption, struct cred *after, struct linux_binprm *bprm,
                                         struct file *script)
{
    EMIT(PROCESS_SETGID, e, s, preemption, fate__of(current__is_filtered())) {
        setgid__fill(s, e, true, after);
        e->hdr.flags |= EBPF_SETGID_F_BY_EXEC;
        creds_before__fill(&e->creds, bprm, script);
    }
}

/*
 * Return whether an exec has changed user (uid) or group (gid) ids. An exec does not change the real id, and sets the
 * effective one as file system id and saved id. `typed` is about `before`.
 */
#define EXEC_CHANGES(typed, after, before, id)                                                                         \
    ({                                                                                                                 \
        u32 effective_ = (after)->e##id.val;                                                                           \
                                                                                                                       \
        KREAD(typed, before, e##id.val) != effective_ || KREAD(typed, before, s##id.val) != effective_ ||              \
            KREAD(typed, before, fs##id.val) != effective_;                                                            \
    })

static __always_inline void ids__report(enum preemption preemption, struct task_struct *task, struct linux_binprm *bprm,
                                        struct file *script)
{
    struct cred *after = task->cred;
    bool changes_uids, changes_gids;

    if (script) {
        struct cred *before = BPF_CORE_READ(script, f_cred);

        changes_uids = EXEC_CHANGES(false, after, before, uid);
        changes_gids = EXEC_CHANGES(false, after, before, gid);
    } else {
        struct cred *before = bprm->file->f_cred;

        changes_uids = EXEC_CHANGES(true, after, before, uid);
        changes_gids = EXEC_CHANGES(true, after, before, gid);
    }
    if (changes_uids && event__is_wanted(EBPF_EVENT_PROCESS_SETUID))
        uids__report(preemption, after, bprm, script);
    if (changes_gids && event__is_wanted(EBPF_EVENT_PROCESS_SETGID))
        gids__report(preemption, after, bprm, script);
}

/* The environment, if it is captured, makes the record longer. */
static __always_inline void executed__end(struct scratch **s)
{
    if (!*s)
        return;
    if (emit_constants.capture_env)
        emit__submit(*s, EBPF_EVENT_PROCESS_EXEC, EBPF_RING_MAIN, SCRATCH_DATA_ENV);
    else
        emit__submit(*s, EBPF_EVENT_PROCESS_EXEC, EBPF_RING_MAIN, SCRATCH_DATA);
}

static __always_inline void executed__fill(struct scratch *s, struct ebpf_process_exec_event *e,
                                           struct task_struct *task, struct linux_binprm *bprm, struct file *script)
{
    struct file *file = bprm->file;
    struct inode *inode = file->f_inode;
    struct fs_struct *fs = task->fs;
    u32 mode = inode->i_mode;

    e->inode_nlink = inode->i_nlink;
    e->argc = bprm->argc;
    if (mode & S_ISUID)
        e->hdr.flags |= EBPF_EXEC_F_SETUID;
    if (mode & S_ISGID)
        e->hdr.flags |= EBPF_EXEC_F_SETGID;
    if (!e->inode_nlink && dentry__is_memfd(file->f_path.dentry))
        e->hdr.flags |= EBPF_EXEC_F_MEMFD;
    pid_info__fill(&e->pids, true, task);
    cred_info__fill(&e->creds, true, task);
    ctty__fill(&e->ctty, true, task);
    ns_info__fill(&e->ns, &s->scalar, true, task);
    comm__fill(s, true, task);

    const struct path_root *root = path_root__of(s, true, task);

    varlen__path(s, EBPF_TAG_FILENAME, root, true, &file->f_path);
    varlen__path(s, EBPF_TAG_CWD, root, true, &fs->pwd);
    varlen__root_path(s, root);
    script__append(s, root, bprm, script);
    varlen__cgroup_path(s, true, task);

    struct mm_struct *mm = task->mm;

    varlen__user(s, EBPF_TAG_ARGV, mm->arg_start, mm->arg_end, EBPF_ARGS_MAX, SCRATCH_DATA);
    if (emit_constants.capture_env)
        varlen__user(s, EBPF_TAG_ENV, mm->env_start, mm->env_end, EBPF_ENV_MAX, SCRATCH_DATA_ENV);
}

static __always_inline int executed__emit(enum preemption preemption, struct task_struct *task, u32 old_tid,
                                          struct linux_binprm *bprm)
{
    struct file *script = script__take(bprm, old_tid);

    if (event__is_wanted(EBPF_EVENT_PROCESS_SETUID) || event__is_wanted(EBPF_EVENT_PROCESS_SETGID))
        ids__report(preemption, task, bprm, script);
    if (!event__is_wanted(EBPF_EVENT_PROCESS_EXEC))
        return 0;
    EMIT_RECORD(PROCESS_EXEC, e, s, EMIT_BEGIN(PROCESS_EXEC, preemption, fate__of(current__is_filtered())),
                executed__end)
        executed__fill(s, e, task, bprm, script);
    return 0;
}

struct spare_body_map exec_body SEC(".maps");

SEC("ebpf.tp_btf/sched_process_exec")
int BPF_PROG(tp_btf__sched_process_exec, struct task_struct *trusted_task, pid_t old_tid,
             struct linux_binprm *trusted_bprm)
{
    struct task_struct *task = UNTRUSTED(task_struct, trusted_task);
    struct linux_binprm *bprm = UNTRUSTED(linux_binprm, trusted_bprm);

    SPARE_BODY(ctx, exec_body);
    spare__mark(SPARE_EXEC);
    return executed__emit(MAY_BE_PREEMPTED, task, old_tid, bprm);
}

/*
 * This is the last function that a loader of executables calls before it succeeds. The old thread id is not known any
 * more: where there is no task storage, a script executed by a thread other than the first is reported as the caller
 * gave it.
 */
SEC("ebpf.kprobe/finalize_exec")
int kprobe__finalize_exec(struct pt_regs *regs)
{
    return executed__emit(NOT_PREEMPTED, UNTRUSTED(task_struct, (void *)bpf_get_current_task_btf()),
                          bpf_get_current_pid_tgid(), KPROBE_ARG(regs, 1, linux_binprm));
}

#define EXEC_SPARE(n)                                                                                                  \
    SEC("ebpf.tp_btf/sched_process_exec") int BPF_PROG(tp_btf__sched_process_exec_spare##n)                            \
    {                                                                                                                  \
        return spare__run(ctx, &exec_body, SPARE_EXEC, n, 3);                                                          \
    }

EXEC_SPARE(1)
EXEC_SPARE(2)
EXEC_SPARE(3)
