/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TraceFetch.h - composes what a probe fetches: the text of an argument in the language of kprobe_events.
 *
 * A value is at the end of a path, which begins at an argument of the function. Its words are separated by blanks: a
 * member of TraceMembers.def, with a distance behind it if a neighbour is meant, or a distance alone. Each is one
 * dereference. So "task_real_parent task_tgid" from argument 1 becomes +2236(+2248(%di)), and "task_cred cred_uid+4"
 * is the group id beside the user id. A distance alone with u before it is one in user memory: "u+8". Without words it
 * is the argument itself.
 */
#ifndef EBPF_TRACE_FETCH_H
#define EBPF_TRACE_FETCH_H

#include <stddef.h>

#include "TraceOffsets.h"

#define TRACE_FETCH_LEN                                                                                                \
    64 /* of an argument behind its name, with a NUL: the kernel's MAX_ARGSTR_LEN, in each version */

/* Instead of an argument: what a function returned; the name of the thread that came by, which has no path. */
#define TRACE_RETURNED 0
#define TRACE_COMM (-1)

/* An argument from the dentry on, which is the first one, or since 5.12 the second one. */
#define TRACE_FROM_DENTRY(n) (64 + (n))

/*
 * Compose the text of a value.
 * @param argument which argument of the function, from 1 to 6; TRACE_RETURNED, TRACE_COMM or TRACE_FROM_DENTRY
 * @param type as kprobe_events names it ("u32", "string"); NULL for the kernel's default
 * @param ret_text output, TRACE_FETCH_LEN bytes
 * @return 0; -ENOENT if the offset of a member is not known; -E2BIG if the text is too long; -EINVAL for a word that is
 *         no member
 */
int trace_fetch__compose(const struct trace_offsets *offsets, int argument, const char *path, const char *type,
                         char *ret_text);

/* Find the first member of a path whose offset is not known. NULL if there is none. */
const char *trace_fetch__missing(const struct trace_offsets *offsets, const char *path);

#endif
