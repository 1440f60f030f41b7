/* SPDX-License-Identifier: BSD-2-Clause */
/* Preflight.h - what can be known to be missing before anything is loaded, each with one line of cause and remedy. */
#ifndef EBPF_PREFLIGHT_H
#define EBPF_PREFLIGHT_H

#include "Log.h"

/* 0, or -EPERM or -EOPNOTSUPP after having logged why. */
int preflight__check(const struct ebpf_log *log);

/* Whether the kernel preempts BPF programs (preempt=full, lazy, PREEMPT_RT); true when it cannot be told. */
bool preflight__kernel_preempts(void);

/* Whether `bpf` is among the active LSMs; elsewhere LSM programs load and attach, but never run. */
bool preflight__lsm_is_active(void);

/* Whether the kernel has a file system, built in or as a module that is loaded; true when it cannot be told. */
bool preflight__has_file_system(const char *name);

/* Mount a file system in no directory, where nobody else sees it. A descriptor of its root, -1 when that fails. */
int preflight__mount_nowhere(const char *file_system);

/* Whether an error tells that something has run out, which no choice of programs can help. */
bool preflight__is_shortage(int err);

/* The text of an error: an errno, or one of libbpf's own. Valid until the next call. */
const char *preflight__error(int err);

/* 0 when that many files can be opened besides those that are; else -EMFILE or -ENFILE, logged. */
int preflight__check_descriptors(const struct ebpf_log *log, int needed);

/* Log that `what` ("cannot ...") failed, with cause and remedy. */
void preflight__tell_failure(const struct ebpf_log *log, const char *what, int err);

/*
 * After loading failed with `err` for no reason of a program's own: log what it means. Returns the error to give back.
 */
int preflight__explain(const struct ebpf_log *log, int err);

#endif
