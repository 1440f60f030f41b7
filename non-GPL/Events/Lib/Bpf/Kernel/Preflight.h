/* SPDX-License-Identifier: BSD-2-Clause */
/* Preflight.h - reports what is missing before anything is loaded, in one line with cause and remedy. */
#ifndef EBPF_PREFLIGHT_H
#define EBPF_PREFLIGHT_H

#include "Log.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"

/* Since 5.8; older headers lack them. */
#define CAP_NR_PERFMON 38
#define CAP_NR_BPF 39

/* Return whether this process has a capability; true if that is unknown. */
bool preflight__has_capability(int cap);

/* Return whether this process may load BPF programs. */
bool preflight__has_privilege(void);

/* Return whether kernel lockdown forbids reading kernel memory. */
bool preflight__is_locked_down(void);

/* Return whether the limit of locked memory is in the way: before 5.11, without CAP_SYS_RESOURCE. */
bool preflight__is_short_of_memlock(void);

/* Read the first line of a file, without its end; "" if it cannot be read. */
void preflight__read_line(const char *path, char *buf, int size);

/* Likewise, of a file in securityfs, whether or not that is mounted. */
void preflight__read_security(const char *name, char *buf, int size);

/* Check for privilege, lockdown and BTF. 0, or -EPERM or -EOPNOTSUPP, logged. */
int preflight__check(const struct ebpf_log *log);

/* Return whether the kernel preempts BPF programs (preempt=full, lazy, PREEMPT_RT); true if that is unknown. */
bool preflight__kernel_preempts(void);

/* Return whether `bpf` is among the active LSMs; elsewhere LSM programs load and attach, but never run. */
bool preflight__lsm_is_active(void);

/* Return whether unprivileged processes may use bpf(2); false if that is unknown. */
bool preflight__anybody_may_use_bpf(void);

/* Return whether the kernel has a file system, built in or as a loaded module; true if that is unknown. */
bool preflight__has_file_system(const char *name);

/* Mount a file system without attaching it to a directory. Returns a descriptor of its root, or -1. */
int preflight__mount_nowhere(const char *file_system);

/* Return whether an error means that a resource has run out, which no other choice of programs can change. */
bool preflight__is_shortage(int err);

/* Return the text of an error, an errno or one of libbpf's own. Valid until the next call. */
const char *preflight__error(int err);

/* Check that `needed` more files can be opened. 0, or -EMFILE or -ENFILE, logged. */
int preflight__check_descriptors(const struct ebpf_log *log, int needed);

/* Log that `what` ("cannot ...") failed, with cause and remedy. */
void preflight__report_failure(const struct ebpf_log *log, const char *what, int err);

/*
 * Log what the error means with which loading failed, if no single program is the cause. Returns the error for the
 * caller.
 */
int preflight__explain(const struct ebpf_log *log, int err);

#endif
