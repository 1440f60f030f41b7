/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes.h - a table of the processes of the machine, in user space: what an event of a process is to have and its
 * own record cannot.
 *
 * It is read from /proc at the start, and kept up to date by what is seen of processes. A process whose beginning was
 * missed is added when it is first asked for, if it is still there; one whose end was missed stays until its id is used
 * again. So the table never has more entries than there are process ids.
 */
#ifndef EBPF_LIB_PROCESSES_H
#define EBPF_LIB_PROCESSES_H

#include "EbpfEvents.h"

/* A process, named by the id of its first thread. */
struct process {
    struct process *next; /* in its bucket */
    struct ebpf_pid_info pids;
    struct ebpf_cred_info creds; /* that were seen last; zero: none were */
    struct ebpf_ns_info ns;
    struct ebpf_tty_dev ctty;
    uint64_t root[2]; /* its root directory, a struct path of the kernel; 0: not known */
    char *root_path;  /* where that is; NULL: it is the host's, or not known */
    char *cgroup;     /* path of its cgroup, that of the controller pids or else of version 2; NULL: not known */
    uint64_t chosen;  /* bit n: the n-th condition is on this process */
    uint64_t trees;   /* bit n: the n-th condition is on this process or an ancestor */
    bool has_ended;
    uint32_t ended_at; /* place in `ended` */
    bool is_kernel;    /* a thread of the kernel */
    uint32_t live;     /* threads that are alive, where these are counted; and the name of the first one at its end */
    char comm[EBPF_COMM_LEN];
    uint32_t ending, status; /* the thread that was the last one to begin its end, and its status */
};

#define PROCESSES_ENDED 16384 /* so many are remembered after their end: their last threads may come by later */

struct processes {
    struct process *ended[PROCESSES_ENDED]; /* in a ring: the next one is forgotten for the next end */
    uint32_t ended_next;
    struct process **buckets;
    uint32_t mask; /* number of buckets - 1 */
    uint32_t count;
};

/* Read /proc. 0; -ENOMEM; or another errno if /proc cannot be read: then the table is empty. */
int processes__init(struct processes *processes);
void processes__fini(struct processes *processes);

/* Find a process. NULL if it is not in the table. */
struct process *processes__find(const struct processes *processes, uint32_t tgid);

/*
 * Find a process that started at a time (monotonic nanoseconds), or add it: as its parent is, if that is in the table.
 * An earlier process of this id is forgotten. NULL: no memory.
 */
struct process *processes__get(struct processes *processes, uint32_t tgid, uint64_t start_time_ns,
                               const struct process *parent);

/* Add a process that was not seen to begin, as /proc has it. NULL: it is gone, or no memory. */
struct process *processes__see(struct processes *processes, uint32_t tgid);

/* Find out from /proc whose child a process is whose parent has ended. Nothing changes if it is gone, too. */
void process__update_parent(struct processes *processes, struct process *process);

/* A process has ended. It stays in the table for a while. */
void processes__end(struct processes *processes, struct process *process);

/* Set the cgroup of a process. */
void process__set_cgroup(struct process *process, const char *path, size_t len);

/* Set the root directory of a process, and where it is; NULL: the host's, or not known. */
void process__set_root(struct process *process, const uint64_t root[2], const char *path);

/* Go through all. `previous` is NULL at first. Processes must not be added or removed meanwhile. */
struct process *processes__next(const struct processes *processes, const struct process *previous);

/* Return the number of the hierarchy of cgroups whose paths the table has, as in /proc/PID/cgroup; 0 is version 2. */
int processes__hierarchy(void);

#endif
