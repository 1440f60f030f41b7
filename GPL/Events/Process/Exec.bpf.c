// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PROCESS_EXEC: a process replaced its image.
 *
 * Hook: the tracepoint sched_process_exec. It comes once an exec, by whatever system call, once it cannot fail any
 * more: credentials, name and memory are those of the new image, its arguments are in place and nothing of it has run.
 * The system call's own arguments are strings of the old image, which another thread can change under us.
 *
 * The script, when there is one, is gone by then: the kernel has replaced it by its interpreter. It is remembered where
 * the kernel first looks at it (security_bprm_check), by the address of its struct file. The kernel drops its reference
 * before our tracepoint, but frees the file on the way back to user space, which is later; the inode tells a reuse.
 *
 * Misses: nothing known. Arguments that were paged out between exec and here are cut, and flagged so.
 */
#include "../Core/Path.h"
#include "../Core/Spare.h"
#include "../Core/Task.h"

struct script {
    u64 file, inode;
    u64 bprm; /* an exec that failed leaves its entry: not to be taken for that of a later one */
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1024);
    __type(key, u32);
    __type(value, struct script);
} scripts SEC(".maps");

SEC("fentry/security_bprm_check")
int BPF_PROG(fentry__security_bprm_check, struct linux_binprm *bprm)
{
    /* The first look is at the script, later ones are at interpreters, by then under another name. */
    if (bprm->buf[0] != '#' || bprm->buf[1] != '!' || bprm->interp != bprm->filename)
        return 0;
    u32 tid = bpf_get_current_pid_tgid();
    struct script script;

    *(struct file *volatile *)&script.file = bprm->file;
    *(struct inode *volatile *)&script.inode = bprm->file->f_inode;
    *(struct linux_binprm *volatile *)&script.bprm = bprm;
    bpf_map_update_elem(&scripts, &tid, &script, BPF_ANY);
    return 0;
}

/* As the caller gave it, when the file behind it could not be remembered. */
static __always_inline void script__unresolved(struct scratch *s, const char *filename)
{
    struct ebpf_varlen *v = varlen__begin(s, EBPF_TAG_SCRIPT, SCRATCH_PATHS - EBPF_PATH_MAX - 64);

    if (!v)
        return;
    long n = bpf_probe_read_kernel_str(v + 1, EBPF_PATH_MAX, filename);

    varlen__end(s, v, n > 0 ? n : 0, 0, EBPF_VARLEN_NAME_ONLY);
}

static __always_inline void script__append(struct scratch *s, struct linux_binprm *bprm, struct fs_struct *fs,
                                           u32 old_tid)
{
    if (bprm->interp == bprm->filename)
        return;
    struct script *script = bpf_map_lookup_elem(&scripts, &old_tid);
    struct file *file = script ? (void *)script->file : NULL;

    if (!file || script->bprm != scalar__of(s, bprm) || (u64)BPF_CORE_READ(file, f_inode) != script->inode) {
        script__unresolved(s, bprm->filename);
        return;
    }
    path_job__set(s, &fs->root, &fs->root);
    s->job.dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
    s->job.mnt = (u64)BPF_CORE_READ(file, f_path.mnt);
    path__append(s->slot, EBPF_TAG_SCRIPT);
    bpf_map_delete_elem(&scripts, &old_tid);
}

/*
 * Page by page, up to the first that is not there. Returns how many bytes were read; `len` is at most `max`, a
 * constant.
 */
static __always_inline u64 user__read_pages(u8 *to, u64 from, u64 len, u64 max)
{
    u64 done = 0;

    for (u32 i = 0; i < EBPF_ENV_MAX / PAGE_SIZE + 1 && done < len; i++) {
        u64 chunk = PAGE_SIZE - ((from + done) & (PAGE_SIZE - 1));
        u64 off = done;

        if (chunk > len - done)
            chunk = len - done;
        BARRIER(chunk);
        BARRIER(off);
        if (off > max - PAGE_SIZE || chunk > PAGE_SIZE || bpf_probe_read_user(to + off, chunk, (void *)from + done))
            break;
        done += chunk;
    }
    return done;
}

/* A range of the new image's memory, at most `max` bytes of it. */
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
        len = user__read_pages((u8 *)(v + 1), from, len, max);
    varlen__end(s, v, len, whole, len < whole ? EBPF_VARLEN_TRUNCATED : 0);
}

/* In no directory, and named by memfd_create. */
static __always_inline bool dentry__is_memfd(struct dentry *dentry)
{
    char name[8] = {};

    if (dentry->d_parent != dentry)
        return false;
    bpf_probe_read_kernel(name, MEMFD_PREFIX_LEN, dentry->d_name.name);
    return *(u64 *)name == MEMFD_PREFIX;
}

struct spare_marks_map exec_marks SEC(".maps");

static __noinline int sched_process_exec__handle(struct task_struct *task, u32 old_tid, struct linux_binprm *bprm,
                                                 bool spare)
{
    /* the kernel counts the execs of a task */
    if (spare__is_done(&exec_marks, task->pid, task->start_time ^ task->self_exec_id << 48))
        return 0;
    if (spare)
        spare__rescued(EBPF_EVENT_PROCESS_EXEC);
    struct scratch *s = EMIT_BEGIN(PROCESS_EXEC, process_exec);

    if (!s)
        return 0;
    struct ebpf_process_exec_event *e = (void *)s->data;
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
    ns_info__fill(&e->ns, s, task);
    comm__fill(s, true, task);

    varlen__path(s, EBPF_TAG_FILENAME, &file->f_path, fs);
    varlen__path(s, EBPF_TAG_CWD, &fs->pwd, fs);
    varlen__root_path(s, fs);
    script__append(s, bprm, fs, old_tid);
    varlen__cgroup_path(s, task);

    struct mm_struct *mm = task->mm;

    varlen__user(s, EBPF_TAG_ARGV, mm->arg_start, mm->arg_end, EBPF_ARGS_MAX, SCRATCH_DATA);
    if (emit_constants.capture_env) {
        varlen__user(s, EBPF_TAG_ENV, mm->env_start, mm->env_end, EBPF_ENV_MAX, SCRATCH_DATA_ENV);
        EMIT_SUBMIT_ENV(s, PROCESS_EXEC);
    } else {
        EMIT_SUBMIT(s, PROCESS_EXEC);
    }
    return 0;
}

#define EXEC_PROGRAM(name, spare)                                                                                      \
    SEC("tp_btf/sched_process_exec")                                                                                   \
    int BPF_PROG(name, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)                             \
    {                                                                                                                  \
        return sched_process_exec__handle(task, old_pid, bprm, spare);                                                 \
    }

EXEC_PROGRAM(tp_btf__sched_process_exec, false)
EXEC_PROGRAM(tp_btf__sched_process_exec_spare1, true)
EXEC_PROGRAM(tp_btf__sched_process_exec_spare2, true)
EXEC_PROGRAM(tp_btf__sched_process_exec_spare3, true)
