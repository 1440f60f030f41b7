/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads.h - a table of the threads of the machine, in user space: whose thread it is, and its credentials and
 * namespaces, which a thread may have of its own. For what the threads of a process share see Processes.h.
 *
 * It is read from /proc at the start, and kept up to date by what is seen of threads. A thread whose beginning was
 * missed is added when it is first asked for, if it is still there.
 */
#ifndef EBPF_LIB_THREADS_H
#define EBPF_LIB_THREADS_H

#include "EbpfEvents.h"

struct thread {
    struct thread *next; /* in its bucket */
    uint32_t tid, tgid;  /* also the first thread of a process is in the table */
    struct ebpf_cred_info creds;
    struct ebpf_ns_info ns;
    void *note;               /* a backend's, about the call that the thread is in; freed with it */
    char comm[EBPF_COMM_LEN]; /* where names are followed; "": not known */
    bool is_renamed;          /* by an exec that is not complete, or by itself just now */
    char *program;            /* of an exec that is not complete, as its caller gave it; freed with the thread */
};

struct threads {
    struct thread **buckets;
    uint32_t mask; /* number of buckets - 1 */
    uint32_t count;
};

/* Read /proc. 0; -ENOMEM; or another errno if /proc cannot be read: then the table is empty. */
int threads__init(struct threads *threads);
void threads__fini(struct threads *threads);

/* Find a thread; one that is not in the table is read from /proc. NULL if it is not there either, or no memory. */
struct thread *threads__find(struct threads *threads, uint32_t tid);

/* Find a thread in the table alone. NULL if it is not there. */
struct thread *threads__known(const struct threads *threads, uint32_t tid);

/* Go through all. `previous` is NULL at first. Threads must not be added or removed meanwhile. */
struct thread *threads__next(const struct threads *threads, const struct thread *previous);

/* Find the entry of a thread that is seen to be one of a process, or add an empty one. NULL: no memory. */
struct thread *threads__get(struct threads *threads, uint32_t tid, uint32_t tgid);

/* A thread has ended. */
void threads__remove(struct threads *threads, uint32_t tid);

/* Read the namespaces of a thread from /proc; those that cannot be read are 0. */
void namespaces__read(struct ebpf_ns_info *ret_ns, uint32_t tid);

#endif
