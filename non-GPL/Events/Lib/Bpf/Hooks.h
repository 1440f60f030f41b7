/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks.h - which programs to load for the events that are wanted, given those that this kernel refuses: Hooks.def at
 * work.
 */
#ifndef EBPF_HOOKS_H
#define EBPF_HOOKS_H

#include "EbpfEvents.h"

#define HOOKS_PROGRAMS_MAX 224
#define HOOKS_REASON_LEN 160

struct ebpf_log;

struct hooks_program {
    const char *name;
    bool wanted;                   /* by the last choice */
    bool refused;                  /* by this kernel */
    bool unneeded;                 /* on this kernel */
    char reason[HOOKS_REASON_LEN]; /* why */
};

struct hooks {
    struct hooks_program programs[HOOKS_PROGRAMS_MAX];
    size_t count;
    uint32_t select_kinds;           /* bit n: there may be conditions of kind n; set before the choice */
    bool spares;                     /* hooks get their spare programs; set before the choice */
    bool lsm;                        /* LSM programs run, and without a recursion guard; set before the choice */
    bool kprobes;                    /* programs are preempted, but not those of kprobes; set before the choice */
    bool sessions;                   /* the same for those at the ends of functions */
    struct ebpf_event_set available; /* of those wanted, by the last choice */
    int ways[EBPF_EVENT_TYPE_COUNT]; /* the way chosen for each of them */
    char unavailable[EBPF_EVENT_TYPE_COUNT][HOOKS_REASON_LEN];
};

void hooks__init(struct hooks *hooks);

/*
 * Choose the best way of each event that is wanted. Returns whether a program is wanted that the last choice did not.
 */
bool hooks__choose(struct hooks *hooks, struct ebpf_event_set wanted);

/* The program of that name, or NULL. */
struct hooks_program *hooks__find(struct hooks *hooks, const char *name);

/* Note that the kernel refuses a program, and why. */
void hooks__refuse(struct hooks_program *program, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Refuse programs that the caller wants to do without, to see how the rest fares. 0, or -errno, logged. */
int hooks__disable(struct hooks *hooks, const char *names, const struct ebpf_log *log);

/* The i-th program that kernels with a certain function do not need; false when there are no more. */
bool hooks__unless(size_t i, const char **ret_program, const char **ret_function);

/* The i-th program that only kernels with a certain file system need; false when there are no more. */
bool hooks__file_system(size_t i, const char **ret_program, const char **ret_name);

/* Operations that the library tries at the start, to see that the kernel calls what programs are attached to. */
enum hooks_trial {
    TRIAL_MKDIR,
    TRIAL_MKNOD,
    TRIAL_CREATE, /* mknod of a regular file */
    TRIAL_SYMLINK,
    TRIAL_OPEN, /* with O_CREAT */
    TRIAL_LINK,
    TRIAL_WRITE,
    TRIAL_WRITEV,
    TRIAL_TRUNCATE,
    TRIAL_FALLOCATE,
    TRIAL_CHMOD,
    TRIAL_CHOWN,
    TRIAL_UTIMES,
    TRIAL_SETXATTR,
    TRIAL_REMOVEXATTR,
    TRIAL_MAP,
    TRIAL_MPROTECT,
    TRIAL_COPY,
    TRIAL_SENDFILE,
    TRIAL_SPLICE,
    TRIAL_RENAME,
    TRIAL_EXCHANGE,
    TRIAL_UNLINK,
    TRIAL_RMDIR,
    TRIAL_MEMFD,
    TRIAL_SHMGET,
    TRIAL_COUNT
};

/* The program of the i-th trial's row that is in use, or the one in its place; false when there are no more. */
bool hooks__trial(struct hooks *hooks, size_t i, enum hooks_trial *ret_trial, struct hooks_program **ret_program);

/* Write what lacks when the program of the i-th trial is never run: "file-create (not seen: mkdir), file-delete". */
void hooks__trial_lacks(const struct hooks *hooks, size_t i, char *text, size_t size);

/* A program whose spares call it by way of a map; its hook is one of enum spare_hook. */
struct hooks_body {
    const char *program, *map;
    int hook;
};

/* The i-th such program; false when there are no more. */
bool hooks__body(size_t i, struct hooks_body *ret_body);

/* The i-th spare of a program, in the order in which they are attached; NULL when there are no more. */
struct hooks_program *hooks__spare(struct hooks *hooks, const char *program, size_t i);

/* The program that reports what is lost when the kernel skips this one, if it is in use; NULL when there is none. */
const struct hooks_program *hooks__second(struct hooks *hooks, const char *program);

/* Whether an event is lost when the kernel skips a program. */
bool hooks__emits(const char *program, int event);

/*
 * The event that counts as lost when the kernel skips a program: one that is sourced; 0 for none.
 */
int hooks__skipped_event(const struct hooks *hooks, const char *program);

/* Call `tell` for each thing that the events, or the conditions of the selection, lack by the last choice. */
void hooks__tell_lacking(struct hooks *hooks,
                         void (*tell)(void *user, const char *event, const char *lacks, const char *program,
                                      const char *reason),
                         void *user);

#endif
