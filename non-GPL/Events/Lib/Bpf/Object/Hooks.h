/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks.h - chooses the programs to load for the wanted events, without those that this kernel refuses. Hooks.def is
 * the table.
 */
#ifndef EBPF_HOOKS_H
#define EBPF_HOOKS_H

#include "EbpfEvents.h"

#define HOOKS_ROWS_MAX 160
#define HOOKS_PROGRAMS_MAX 320
#define HOOKS_NAME_MAX 64
#define HOOKS_REASON_LEN 160
#define HOOKS_SELECTION "the selection"
#define HOOKS_TRACING "tracing"
#define HOOK_ROLES_MAX 14 /* of a program, with an empty one at the end */
#define WAY_SYSCALLS 3    /* the way to make an event at the ends of system calls */

struct ebpf_log;

/* Operations that the library performs at the start to see whether the kernel calls the targets of programs. */
enum hooks_trial {
    TRIAL_NONE,
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

/* What can replace a program and its spares, best first. */
enum hook_stand_in {
    STAND_IN_LSM,
    STAND_IN_KPROBE,
    STAND_IN_SESSION,
    STAND_IN_ELSE_KPROBE,
    STAND_IN_RECORDING_LSM,
    STAND_IN_ELSE,
    STAND_IN_COUNT
};

/* The role of a program for an event. */
struct hook_role {
    int event;               /* 0: there are no more */
    bool is_required;        /* by one way; else the event also works without it */
    int way;                 /* the one that requires it */
    bool in_all_ways;        /* if it is not required: of use beside WAY_SYSCALLS too */
    bool is_charged;         /* each run that the kernel skips counts as an event lost */
    const char *lacks;       /* warning for the user, "" for none; see Hooks.def */
    const char *limit;       /* likewise, although the program is there; NULL for none */
    bool is_limit_of_kprobe; /* only if the program is loaded for a kprobe */
};

/* A row of Hooks.def, which describes the columns. */
struct hook_row {
    const char *program;
    struct hook_role roles[HOOK_ROLES_MAX];
    uint32_t selects; /* bit n: keeps conditions of kind n current */
    const char *selects_lacks;
    const char *unless, *file_system;
    const char *module; /* that may have the program's target; NULL: the kernel itself has it */
    bool if_present;    /* not needed on kernels that lack the program's target */
    struct {
        const char *program;           /* the stand-in, if only this row has it; else NULL */
        const struct hook_row *shared; /* the row of a stand-in for several rows; else NULL */
    } stand_ins[STAND_IN_COUNT];
    const char *else_lacks; /* warning if the stand-in of the kind ELSE is used; NULL for none */
    int spare_count;
    int spare_hook;   /* enum spare_hook, if there is a `body` */
    const char *body; /* the map through which spares call the program; NULL: they do the work themselves */
    const struct hook_row *second;
    const struct hook_row *noted_by; /* notes what a kprobe that replaces the program reports */
    const struct hook_row *beside;   /* of no use if that row's program is replaced by one that makes less */
    const struct hook_row *via;      /* the program that calls this one, which is attached in its place */
    bool as_kprobe;                  /* can be loaded as the program of a kprobe */
    enum hooks_trial trial;
};

struct hooks_program {
    char name[HOOKS_NAME_MAX];
    bool wanted;   /* by the last choice */
    bool refused;  /* by this kernel */
    bool unneeded; /* on this kernel */
    bool attached;
    bool by_kprobe;                /* loaded as the program of a kprobe */
    int fd;                        /* of the loaded program; -1 if it is not loaded */
    char reason[HOOKS_REASON_LEN]; /* why it is refused */
};

struct hooks {
    struct hooks_program
        programs[HOOKS_PROGRAMS_MAX]; /* those of the rows, in their order, then spares and stand-ins */
    size_t count;
    struct {
        size_t first_spare;
        size_t stand_ins[STAND_IN_COUNT]; /* 0: there is none */
    } others[HOOKS_ROWS_MAX];             /* indices of the other programs of a row */
    uint32_t select_kinds;                /* bit n: there may be conditions of kind n; set before the choice */
    enum ebpf_attach forced;              /* the only way to attach */
    bool spares; /* programs get their spares, because the kernel preempts them; set before the choice */
    bool stand_ins[STAND_IN_COUNT];  /* which ones this kernel supports; set before the choice */
    struct ebpf_event_set available; /* of those wanted, by the last choice */
    int ways[EBPF_EVENT_TYPE_COUNT]; /* the way chosen for each of them */
    const struct hooks_program *missing[EBPF_EVENT_TYPE_COUNT]; /* for want of which an event is unavailable, if one */
    char unavailable[EBPF_EVENT_TYPE_COUNT][HOOKS_REASON_LEN];
};

/* Return the i-th row of Hooks.def, which is about `programs[i]` of any struct hooks; NULL behind the last one. */
const struct hook_row *hooks__row(size_t i);

void hooks__init(struct hooks *hooks);

/*
 * Choose the best way of each event that is wanted. Returns whether a program is wanted that the last choice did not.
 */
bool hooks__choose(struct hooks *hooks, struct ebpf_event_set wanted);

/* Return the events that are made at the ends of system calls. */
struct ebpf_event_set hooks__called_events(const struct hooks *hooks);

/* Return whether a loaded program that is wanted makes one of the events. */
bool hooks__make_any(struct hooks *hooks, struct ebpf_event_set events);

/* Describe how the i-th program is used, as ebpf_source__hook, but for sz. False behind the last one. */
bool hooks__describe(struct hooks *hooks, size_t i, struct ebpf_hook *ret_hook);

/* Return the program of that name, or NULL. */
struct hooks_program *hooks__find(struct hooks *hooks, const char *name);

/* Return whether a program, by its index, is called by another one instead of being attached. */
bool hooks__is_called(size_t program);

/* Mark a program as refused by the kernel, with the reason. */
void hooks__refuse(struct hooks_program *program, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Return a row's program or its stand-in, whichever is wanted; NULL if neither is. */
struct hooks_program *hooks__in_use(struct hooks *hooks, size_t row);

/* Return the n-th spare of a row's program, in the order in which they are attached; NULL behind the last one. */
struct hooks_program *hooks__spare(struct hooks *hooks, size_t row, int n);

/* Return a row's second program (SECOND in Hooks.def) if it is wanted, else NULL. */
const struct hooks_program *hooks__second(const struct hooks *hooks, size_t row);

/*
 * Return the event to charge for the skipped runs of a program, by its index: the first one that is sourced; 0 if none
 * is.
 */
int hooks__skipped_event(const struct hooks *hooks, size_t program);

/*
 * Call `report` for each thing that the events lack after the last choice, or the selection, or tracing as such, whose
 * names are HOOKS_SELECTION and HOOKS_TRACING in place of an event's.
 */
typedef void (*hooks_report_fn)(void *user, const char *event, const char *lacks, const char *program,
                                const char *reason);
void hooks__report_lacking(struct hooks *hooks, hooks_report_fn report, void *user);

#endif
