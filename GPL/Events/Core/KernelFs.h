/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * KernelFs.h - the types of file systems that the probes read; a part of Kernel.h, which includes it among its types.
 */
#ifndef EBPF_CORE_KERNEL_FS_H
#define EBPF_CORE_KERNEL_FS_H

struct qstr {
    union {
        struct {
            u32 hash, len;
        };
        u64 hash_len;
    };
    const unsigned char *name;
};

struct timespec64 {
    s64 tv_sec;
    long tv_nsec;
};

struct super_block {
    struct dentry *s_root;
    u32 s_dev;
    unsigned long s_flags, s_magic;
};

struct inode {
    unsigned short i_mode;
    kuid_t i_uid;
    kgid_t i_gid;
    struct super_block *i_sb;
    unsigned int i_nlink;
    s64 i_size;
    const char *i_link;
};

/* An unsigned long until 7.0, a u64 since: equal on 64-bit machines, but different types to CO-RE. */
struct inode___ino_long {
    unsigned long i_ino;
};

struct inode___ino_u64 {
    u64 i_ino;
};

/* See compat__inode_is_layer. */
enum inode_state_flags_enum { I_OVL_INUSE };

struct inode___state_int {
    u32 i_state;
};

/* 6.18 */
enum inode_state_flags_t { I_OVL_INUSE___t };

struct inode___state_enum {
    enum inode_state_flags_t i_state;
};

struct inode_state_flags {
    enum inode_state_flags_enum __state;
};

struct inode___state_struct {
    struct inode_state_flags i_state;
};

/*
 * Times: 6.6 (13bc24457850) renamed ctime, 6.7 (12cd44023651) the others, 6.11 (3aa63a569c64) split seconds and
 * nanoseconds.
 */
struct inode___spec {
    struct timespec64 i_atime, i_mtime, i_ctime;
};

struct inode___hidden {
    struct timespec64 __i_atime, __i_mtime, __i_ctime;
};

struct inode___apart {
    s64 i_atime_sec, i_mtime_sec, i_ctime_sec;
    u32 i_atime_nsec, i_mtime_nsec, i_ctime_nsec;
};

struct seqcount {
    unsigned int sequence;
};

struct seqcount_spinlock {
    struct seqcount seqcount;
};

struct hlist_bl_node {
    struct hlist_bl_node *next, **pprev;
};

struct dentry_operations {
    void *d_revalidate;
};

/* An enum since 6.15; see compat__cant_mount. */
enum dentry_flags { DCACHE_CANT_MOUNT };

struct dentry {
    unsigned int d_flags;
    struct seqcount_spinlock d_seq;
    struct hlist_bl_node d_hash;
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    const struct dentry_operations *d_op;
    struct super_block *d_sb;
};

/* The entries of a directory: until 6.8 (da549bdd15c2), and since. */
struct list_head {
    struct list_head *next, *prev;
};

struct hlist_node {
    struct hlist_node *next;
};

struct hlist_head {
    struct hlist_node *first;
};

struct dentry___subdirs {
    struct list_head d_child, d_subdirs;
};

struct dentry___children {
    struct hlist_node d_sib;
    struct hlist_head d_children;
};

/* Until 6.12, and since; see compat__short_name_offset. */
struct dentry___array {
    unsigned char d_iname[32];
};

union shortname_store {
    unsigned char string[40];
};

struct dentry___union {
    union shortname_store d_shortname;
};

struct vfsmount {
    struct dentry *mnt_root;
    struct super_block *mnt_sb;
    int mnt_flags;
};

/* From 5.12 (a6435940b62f) to 6.2 */
struct user_namespace;

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
    struct mnt_namespace *mnt_ns;
};

/* The mounts of a file system: a doubly linked list on 6.12, on 7.2 a chain that ends with NULL. */
struct super_block___list {
    struct list_head s_mounts;
};

struct mount___list {
    struct list_head mnt_instance;
};

struct super_block___chain {
    struct mount *s_mounts;
};

struct mount___chain {
    struct mount *mnt_next_for_sb;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct file {
    struct path f_path;
    struct inode *f_inode;
    struct cred *f_cred;
    unsigned int f_flags, f_mode;
    void *private_data;
};

/* The number of references to a file: until 6.12, and since 6.13 (90ee6ed776c0), where a negative one is none. */
typedef struct {
    s64 counter;
} file_counter_t;

struct file___count {
    file_counter_t f_count;
};

typedef struct {
    file_counter_t refcnt;
} file_ref_t;

struct file___ref {
    file_ref_t f_ref;
};

/* Since 6.5 (62d53c4a1dfe). Until 6.7 (def3ae83da02) it held the lower path, and f_path was the user's. */
struct backing_file {
    struct path user_path;
};

#endif
