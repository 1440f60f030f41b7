/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kernel.h - the kernel types that the probes read, with only the members that they read.
 *
 * Every struct is CO-RE relocatable: libbpf moves each access to where the running kernel has the member. So neither
 * order nor offset matters here, only names and kinds of type. Because the types are declared here and not generated on
 * the build machine, the probes build on a machine whose kernel has no BTF, and the object does not depend on that
 * kernel. A member that some kernels name or type differently stands in a second declaration, whose name ends in
 * ___<what>; Compat.h chooses between them.
 */
#ifndef EBPF_CORE_KERNEL_H
#define EBPF_CORE_KERNEL_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "../EbpfEventProto.h"

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef int pid_t;
typedef int key_t;

#define NULL ((void *)0)

/* Values that are fixed by the kernel's interface to user space, or have not changed since long before 5.10. */
#define PF_EXITING 0x00000004
#define PF_FORKNOEXEC 0x00000040
#define PF_KTHREAD 0x00200000
#define EXIT_TRACE 0x30 /* exit_state: a tracer has to wait first, then the parent */
#define SIGNAL_GROUP_EXIT 0x00000004
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_ISUID 0004000
#define S_ISGID 0002000
#define PIDTYPE_PGID 2
#define PIDTYPE_SID 3
#define PTY_MASTER_MAJOR 2
#define UNIX98_PTY_MASTER_MAJOR 128
#define UNIX98_PTY_MAJOR_COUNT 8
#define PAGE_SIZE 4096UL
#define MAX_ERRNO 4095
#define PROT_WRITE 0x2
#define MAP_TYPE 0x0f
#define MAP_SHARED 0x01
#define MAP_SHARED_VALIDATE 0x03
#define MAY_WRITE 2
#define VM_WRITE 0x00000002
#define VM_SHARED 0x00000008
#define FMODE_WRITE 0x2
#define FMODE_PATH 0x4000
#define FMODE_CREATED 0x100000
#define FMODE_NOACCOUNT 0x20000000 /* a file of the kernel's own: below one of a file system that is on top of others */
#define MNT_READONLY 0x40
#define SB_KERNMOUNT (1 << 22)
#define BTRFS_MAGIC 0x9123683e
#define BPF_FS_MAGIC 0xcafe4a11
#define MQUEUE_MAGIC 0x19800202
#define TMPFS_MAGIC 0x01021994
#define O_TMPFILE_BIT 020000000
#define MNT_UMOUNT 0x8000000
#define LOOKUP_DIRECTORY 0x2
#define O_CREAT 0100
#define O_EXCL 0200
#define O_PATH 010000000
#define O_TRUNC 01000
#define AT_REMOVEDIR 0x200
#define RENAME_EXCHANGE 0x2
#define MINOR_BITS 20
#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_DGRAM 2
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_MPTCP 262
#define IPPROTO_SMC 256
#define AF_SMC 43
#define ETH_P_IP 0x0800
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define SOCK_DONE_BIT 1 /* of sk_flags: the peer's FIN has come */
#define EPERM 1
#define EINTR 4
#define EAGAIN 11
#define EACCES 13
#define EFAULT 14
#define EEXIST 17
#define EPIPE 32
#define EAFNOSUPPORT 97
#define ECONNABORTED 103
#define ECONNRESET 104
#define ETIMEDOUT 110
#define EISCONN 106
#define ECONNREFUSED 111
#define EALREADY 114
#define EINPROGRESS 115
#define ERESTARTSYS 512 /* becomes EINTR, or the call is made again */

/* The prefix that memfd_create gives to names: "memfd:", as a little endian number. */
#define MEMFD_PREFIX 0x3a64666d656dULL
#define MEMFD_PREFIX_LEN 6
#define MEMFD_PREFIX_MASK 0xffffffffffffULL

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    int counter;
} atomic_t;

typedef struct {
    u32 val;
} kuid_t;

typedef struct {
    u32 val;
} kgid_t;

/* two u32 until 6.2, one u64 since: 64 bits at one offset on a little endian machine */
struct kernel_cap {
    u64 val;
};

struct user_namespace;

struct cred {
    kuid_t uid, suid, euid, fsuid;
    kgid_t gid, sgid, egid, fsgid;
    struct kernel_cap cap_permitted, cap_effective;
    struct user_namespace *user_ns;
};

struct ns_common {
    unsigned int inum;
};

struct user_namespace {
    struct user_namespace *parent;
    int level;
    kuid_t owner;
    struct ns_common ns;
};

struct uts_namespace {
    struct ns_common ns;
};

struct ipc_ids {
    int in_use;
};

struct ipc_namespace {
    struct ns_common ns;
    struct ipc_ids ids[3];
    struct vfsmount *mq_mnt;
};

struct ipc_params {
    key_t key;
    int flg;
    union {
        unsigned long size;
    } u;
};

struct mnt_namespace {
    struct ns_common ns;
    u64 event; /* counts changes of its mounts */
};

struct net {
    struct ns_common ns;
};

struct cgroup_namespace {
    struct ns_common ns;
};

struct time_namespace {
    struct ns_common ns;
};

struct pid_namespace {
    struct ns_common ns;
    struct task_struct *child_reaper;
    unsigned int level;
    struct pid_namespace *parent;
};

struct nsproxy {
    struct uts_namespace *uts_ns;
    struct ipc_namespace *ipc_ns;
    struct mnt_namespace *mnt_ns;
    struct net *net_ns;
    struct time_namespace *time_ns;
    struct cgroup_namespace *cgroup_ns;
};

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct pid {
    unsigned int level;
    struct upid numbers[1];
};

#include "KernelFs.h"

struct renamedata;

struct vm_area_struct {
    unsigned long vm_end;
    unsigned long vm_flags;
    struct file *vm_file;
};

struct kiocb {
    struct file *ki_filp;
};

#include "KernelUring.h"

struct nameidata {
    unsigned int flags;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    atomic_t count; /* of the threads that share it */
    struct fdtable *fdt;
};

struct fs_struct {
    struct path root, pwd;
};

struct winsize {
    unsigned short ws_row, ws_col;
};

struct tty_driver {
    int major, minor_start;
};

struct tty_struct {
    int index;
    struct tty_driver *driver;
    struct winsize winsize;
    unsigned char *write_buf;
};

struct tty_file_private {
    struct tty_struct *tty;
    struct file *file;
};

struct signal_struct {
    atomic_t live;
    int nr_threads;
    int group_exit_code;
    unsigned int flags;
    struct pid *pids[4];
    struct tty_struct *tty;
};

struct kernfs_node {
    struct kernfs_node *parent;
    const char *name;
    u64 id;
};

/* 6.15 made the parent an RCU pointer and renamed it: 633488947ef6 */
struct kernfs_node___rcu {
    struct kernfs_node *__parent;
};

struct cgroup_root {
    int hierarchy_id;
};

struct cgroup {
    struct kernfs_node *kn;
    struct cgroup_root *root;
};

/* Until 6.0 (7f203bc89eb6). Later kernels have a helper that tracing programs may call. */
struct cgroup___ids {
    int level;
    u64 ancestor_ids[1];
};

/* Since 6.1 (7f203bc89eb6) */
struct cgroup___ancestors {
    int level;
    struct cgroup *ancestors[1];
};

struct cgroup_subsys_state {
    struct cgroup *cgroup;
};

struct css_set {
    struct cgroup_subsys_state *subsys[16];
    struct cgroup *dfl_cgrp;
};

struct mm_struct {
    unsigned long arg_start, arg_end, env_start, env_end;
};

struct thread_info {
    unsigned long flags;
    unsigned int status; /* x86-64 */
};

struct task_struct {
    struct thread_info thread_info;
    unsigned int flags;
    int exit_state, exit_code;
    pid_t pid, tgid;
    struct task_struct *real_parent, *parent, *group_leader;
    struct list_head children, sibling, ptraced, ptrace_entry;
    unsigned int ptrace;
    struct pid *thread_pid;
    u64 start_time;
    struct cred *real_cred, *cred;
    char comm[EBPF_COMM_LEN];
    struct fs_struct *fs;
    struct files_struct *files;
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    struct css_set *cgroups;
    struct mm_struct *mm;
    void *stack;
    struct nameidata *nameidata;
    unsigned int in_execve : 1;
};

/* Until 5.17 a thread made by kthread_create has its struct kthread in `set_child_tid`. */
struct task_struct___kthread {
    int *set_child_tid;
    void *worker_private; /* since 5.17 (e32cf5dfbe22) */
};

#include "KernelNet.h"

struct linux_binprm {
    struct mm_struct *mm;
    struct file *file;
    int argc;
    const char *filename, *interp;
    unsigned int execfd_creds : 1;
};

struct module {
    char name[56];
    const char *version, *srcversion;
    unsigned long taints;
};

#pragma clang attribute pop

/* Since 5.15. Their values depend on the kernel's configuration. */
enum cgroup_bpf_attach_type { CGROUP_INET4_CONNECT, CGROUP_INET6_CONNECT };

/* Its value depends on the kernel's configuration. */
enum cgroup_subsys_id { pids_cgrp_id };

/* Since 6.15. The other operations are fixed by the interface to user space. */
enum io_uring_op { IORING_OP_WRITEV_FIXED };
#define EIOCBQUEUED 529

#endif
