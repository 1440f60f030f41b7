/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file EbpfEvents.h
 * @brief Reports what processes do.
 *
 * Open a source, give it a handler, poll it:
 *
 * @code
 *   struct ebpf_source_opts opts = {.sz = sizeof(opts), .handler = on_event, .user = &state};
 *   struct ebpf_source *source;
 *
 *   ebpf_event_set__add(&opts.events, EBPF_EVENT_PROCESS_EXEC);
 *   int err = ebpf_source__open(&opts, &source);
 *
 *   if (err)
 *       return err;
 *   do {
 *       err = ebpf_source__poll(source, -1); // calls on_event for each event
 *   } while (err >= 0 || err == -EINTR);
 *   ebpf_source__close(source);
 *   return err;
 * @endcode
 *
 * Conventions. A function that can fail returns 0, or a count that is not negative, and on failure a negative errno,
 * which errno holds as well. Outputs come last, are named `ret_...` and are written on success only. Functions that end
 * or free something take NULL. The library never prints: it has a log callback. It installs no signal handlers, and
 * starts no threads, except for one that reads /proc if events come from tracefs. Several sources may be open in one
 * process; one source must not be used by two threads at a time.
 *
 * Versions. A program runs with a later library of the same major version (before 1.0, of the same minor version) than
 * it was built with. Later ones may have more types of events, reasons and tags, and longer structs. So a struct that
 * the caller provides and that may become longer begins with `sz`: set it to sizeof. Do not copy a struct that the
 * library returns by pointer: it may be longer than this header declares. Skip events of a type that you do not know.
 *
 * The documents named here (events.md, MIGRATING.md, HOOKS.md) are installed in share/doc/ebpf-events.
 *
 * The first source registers handlers for sections "ebpf.*" with libbpf, which keeps them for the process, without a
 * lock: a program that uses the same libbpf must not open objects in another thread while the first source is opened.
 */
#ifndef EBPF_EVENTS_H
#define EBPF_EVENTS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "EbpfEventProto.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Version of this header; that of the library is what ebpf_events__version returns. */
#define EBPF_EVENTS_VERSION "0.1.0"

/** Return the version of the library that the program runs with ("0.1.0"); a static string. */
const char *ebpf_events__version(void);

/** A set of event types, which are below 64. Zero is the empty set. */
struct ebpf_event_set {
    uint64_t bits; /**< bit n: type n is in the set */
};

/** Add a type to a set; a number that is no type is not added. */
void ebpf_event_set__add(struct ebpf_event_set *set, enum ebpf_event_type type);

/** Return whether a set has a type; false for a number that is no type. */
bool ebpf_event_set__has(struct ebpf_event_set set, enum ebpf_event_type type);

/** Return every type that this library knows, which may be more than this header does. */
struct ebpf_event_set ebpf_event_set__all(void);

/** Return the type after `type` of those that this library knows: the first one after 0, and 0 after the last one. */
enum ebpf_event_type ebpf_event_type__next(enum ebpf_event_type type);

/** Return the name of a type, `event_type` in the JSON ("PROCESS_EXEC"); NULL for a number that is no type. */
const char *ebpf_event_type__name(enum ebpf_event_type type);

/** Return the command-line name of a type ("process-exec"); NULL for a number that is no type. */
const char *ebpf_event_type__option(enum ebpf_event_type type);

/** Return what a type reports, in half a sentence; NULL for a number that is no type. */
const char *ebpf_event_type__doc(enum ebpf_event_type type);

/** Return the key of a reason for loss in the JSON ("ring_full"). Reasons are 0, 1, and so on, until this is NULL. */
const char *ebpf_reason__key(enum ebpf_reason reason);

/**
 * An event. Everything in it belongs to the library. It is valid until the handler returns, or, if it is from
 * ebpf_source__next, until the next call of any function for its source.
 */
struct ebpf_event {
    /** Starts the fixed part: cast it to the struct ebpf_<event>_event of hdr->type. */
    const struct ebpf_event_header *hdr;
    size_t size;      /**< bytes of the whole record */
    uint64_t seq;     /**< 1, 2, 3, ... in this source; a lost event has a number too */
    uint64_t time_ns; /**< wall clock, nanoseconds since 1970-01-01T00:00:00Z */
};

/** A variable field of an event. */
struct ebpf_field {
    enum ebpf_tag tag; /**< which field it is */
    uint16_t flags;    /**< enum ebpf_varlen_flag */
    const void *data;  /**< its value; enum ebpf_tag describes the kinds */
    uint32_t len;      /**< bytes of the value */
    uint32_t orig_len; /**< bytes of the whole value if it was cut; 0 if not known */
};

/**
 * Find a variable field.
 * @param tag the field's tag
 * @param ret_field the field; its data points into the event
 * @return 0, or -ENOENT if the event does not have it
 */
int ebpf_event__field(const struct ebpf_event *event, enum ebpf_tag tag, struct ebpf_field *ret_field);

/**
 * Turn a field of kind path into a path: from the root, components separated by '/', ended by a NUL. A path that was
 * cut does not begin with '/': it lacks its first components. A name that is in no directory ("memfd:x") stands as it
 * is.
 * @param buf output buffer
 * @param size bytes of buf; field->len + 2 always suffices
 * @return length without the NUL, or -ENOSPC
 */
int ebpf_field__path(const struct ebpf_field *field, char *buf, size_t size);

/**
 * Write an event as one line of JSON, without a newline, ended by a NUL. Strings that are not UTF-8 are encoded as
 * events.md says, reversibly.
 * @param buf output buffer
 * @param size bytes of buf
 * @return length without the NUL, or -ENOSPC if it does not fit: try again with a larger buffer
 */
int ebpf_event__json(const struct ebpf_event *event, char *buf, size_t size);

/**
 * Write an event as a consumer of Elastic's EventsTrace reads it; MIGRATING.md lists what differs. A failed attempt to
 * connect is written as a connection that was closed.
 */
int ebpf_event__json_elastic(const struct ebpf_event *event, char *buf, size_t size);

/**
 * Return the types that Elastic's EventsTrace has too. Failed attempts to connect are not among them: if you want
 * closed connections, add them, because ebpf_event__json_elastic writes them as such.
 */
struct ebpf_event_set ebpf_event_set__elastic(void);

/** Return whether Elastic's EventsTrace would report an event; an answer to ebpf_source_opts.is_wanted. */
bool ebpf_event__is_elastic(const struct ebpf_event_header *hdr);

/** Return the JSON Schema (draft 2020-12) of what ebpf_event__json and the like write; a static string. */
const char *ebpf_schema__json(void);

/**
 * Counts of a source at one moment, from ebpf_source__stats; ebpf_stats__type and ebpf_stats__lost have those by type.
 */
struct ebpf_stats {
    uint64_t records; /**< records read from the rings */
    uint64_t corrupt; /**< of these, how many are no records of the schema: a fault of the probes; 0 */
};

/**
 * Counts of one type of event since the source was opened. Once the source is stopped and everything is consumed,
 * seen = delivered + filtered + lost; before, an event that is still in a ring is seen and nothing else.
 */
struct ebpf_type_stats {
    size_t sz;          /**< size of this struct as the caller knows it */
    uint64_t seen;      /**< times that the operation happened while the probe was attached */
    uint64_t delivered; /**< given to the handler, and accepted by it */
    uint64_t filtered;  /**< not wanted: by a process that has a source, or left out by the selection */
    uint64_t lost;      /**< for whatever reason */
};

/**
 * Get the counts of a type.
 * @param ret_type set its sz
 * @return 0, or -EINVAL for a number that is no type
 */
int ebpf_stats__type(const struct ebpf_stats *stats, enum ebpf_event_type type, struct ebpf_type_stats *ret_type);

/** Return how many events of a type were lost for a reason; 0 for a number that is no type or no reason. */
uint64_t ebpf_stats__lost(const struct ebpf_stats *stats, enum ebpf_event_type type, enum ebpf_reason reason);

/** Write counts as one line of JSON, event_type STATS; as ebpf_event__json. NULL: all counts are 0. */
int ebpf_stats__json(const struct ebpf_stats *stats, char *buf, size_t size);

/** A batch of losses, reported once; ebpf_loss__next has its counts. It is valid until the handler returns. */
struct ebpf_loss {
    uint64_t first_seq, last_seq; /**< numbers that the lost events would have had; both are inclusive */
    uint64_t time_ns;             /**< when it was noticed */
    uint64_t ts_boot_ns;          /**< when it was noticed, in nanoseconds since boot */
};

/** How many events of a type a batch has lost for a reason. */
struct ebpf_loss_count {
    enum ebpf_event_type type; /**< type of the lost events */
    enum ebpf_reason reason;   /**< why they were lost */
    uint64_t events;           /**< how many */
};

/**
 * Go through the counts of a batch.
 * @param count zero it before the first call; it becomes the next count, which is never 0
 * @return false if there is none left
 */
bool ebpf_loss__next(const struct ebpf_loss *loss, struct ebpf_loss_count *count);

/** Write a batch of losses as one line of JSON, event_type EVENTS_LOST; as ebpf_event__json. */
int ebpf_loss__json(const struct ebpf_loss *loss, char *buf, size_t size);

/** The process that has lost most events for exceeding its budget (ebpf_source_opts.budget). */
struct ebpf_over_budget {
    struct ebpf_pid_info pids; /**< the process; the thread is one that made an event too many */
    uint32_t uid;              /**< its real user id */
    char comm[EBPF_COMM_LEN];  /**< name of the thread; ended by a NUL unless all 16 bytes are used */
    uint64_t lost;             /**< events that it has lost for this reason since the last such record */
    uint64_t time_ns;          /**< when it was noticed */
    uint64_t ts_boot_ns;       /**< when it was noticed, in nanoseconds since boot */
};

/** Write such a process as one line of JSON, event_type EVENTS_OVER_BUDGET; as ebpf_event__json. */
int ebpf_over_budget__json(const struct ebpf_over_budget *over, char *buf, size_t size);

/** What a message is about. */
enum ebpf_log_level {
    EBPF_LOG_ERROR,   /**< a call fails; cause and remedy */
    EBPF_LOG_WARNING, /**< something is missing or will not be seen */
    EBPF_LOG_INFO,    /**< what the library has found out */
    EBPF_LOG_DEBUG,   /**< libbpf's own log, line by line */
};

/** One message, without a newline. */
typedef void (*ebpf_log_fn)(void *user, enum ebpf_log_level level, const char *format, va_list args);

/** One message as text, for languages that have no va_list. It is valid until the function returns. */
typedef void (*ebpf_log_line_fn)(void *user, enum ebpf_log_level level, const char *line);

/**
 * One event. For the same source, ebpf_source__poll and __consume fail with -EBUSY until the handler has returned. If
 * it closes the source, neither it nor another function of the options is called again.
 * @return 0 if it was taken; anything else counts it as lost for the reason EBPF_REASON_HANDLER
 */
typedef int (*ebpf_event_fn)(void *user, const struct ebpf_event *event);

/**
 * One batch of losses.
 * @return 0 if it was taken; after anything else it is reported again later, with what was lost by then
 */
typedef int (*ebpf_loss_fn)(void *user, const struct ebpf_loss *loss);

/**
 * A process has exceeded its budget. Once a second at most, the one that lost most is reported.
 * @return 0 if it was taken; after anything else it is reported again later
 */
typedef int (*ebpf_over_budget_fn)(void *user, const struct ebpf_over_budget *over);

/** Return whether to deliver an event; called before it gets a number. Others are counted as filtered. */
typedef bool (*ebpf_wanted_fn)(void *user, const struct ebpf_event_header *hdr);

/** Longest time for which successive writes can be merged. */
#define EBPF_COALESCE_MS_MAX 60000

/** What a condition of a selection is about. */
enum ebpf_select_kind {
    EBPF_SELECT_PID,       /**< id: the process that has it when the condition is made, and no later one; 16 at most */
    EBPF_SELECT_TREE,      /**< id: such a process and its descendants, those that start later too */
    EBPF_SELECT_UID,       /**< id: real user id of the thread that acts (initial user namespace); 16 at most */
    EBPF_SELECT_COMM,      /**< text: name of the thread that acts, at most 15 bytes; 8 at most */
    EBPF_SELECT_CGROUP,    /**< text: a cgroup (v2) and those below it, by its path from the root, even if it is created
                                later, or removed and created again; 8 at most. Not in a cgroup namespace */
    EBPF_SELECT_CONTAINER, /**< processes in another pid or mount namespace than the first process */
    EBPF_SELECT_PATH,      /**< text: for file events, a path and what is below it, links resolved as the library sees
                                them now, which is logged; if its last component is a link, both the link and its target
                                match, and count as two paths; 8 at most, of 255 bytes at most */
    EBPF_SELECT_ADDRESS, /**< text: for network events, an address of one of the two ends, of IPv4 or IPv6, or a network
                                ("192.0.2.0/24"); 16 at most */
    EBPF_SELECT_PORT,    /**< id: for network events, a port of one of the two ends; 16 at most */
};

/**
 * A condition of a selection. An event passes if it matches one include of every kind that has any, and no exclude.
 * Addresses and ports are tested by the library before the handler, everything else in the kernel before anything of
 * the event is computed, except for its path if there are conditions on paths. An event that does not pass is counted
 * as filtered.
 *
 * Process ids are those of the initial pid namespace. The kernel uses an id again when its process has ended: a
 * condition is about the process that has the id when the source is opened or ebpf_source__select is called. After that
 * process has ended, or if there was none (which is logged as a warning), no process matches. The end of a process is
 * decided by the process itself, whichever process waits for it.
 */
struct ebpf_condition {
    enum ebpf_select_kind kind; /**< what it is about */
    bool exclude;               /**< leave out what matches, instead of including it */
    uint32_t id;                /**< value of a kind that has an id, else 0 */
    const char *text;           /**< value of a kind that has a text, else NULL; read by the call only */
};

/** Most that ebpf_source_opts.helpers may have. */
#define EBPF_HELPERS_MAX 4

/** How programs are attached. */
enum ebpf_attach {
    EBPF_ATTACH_BEST,       /**< in the best way that the kernel offers, hook by hook */
    EBPF_ATTACH_LSM,        /**< LSM programs where there are, the others as by EBPF_ATTACH_TRAMPOLINE */
    EBPF_ATTACH_TRAMPOLINE, /**< to functions by fentry and fexit, and to tracepoints of their own */
    EBPF_ATTACH_KPROBE,     /**< to functions by kprobes, and to tracepoints as by EBPF_ATTACH_TRACEPOINT */
    EBPF_ATTACH_TRACEPOINT, /**< to tracepoints, among them that of the ends of all system calls */
};

/** Where events come from. */
enum ebpf_backend_kind {
    EBPF_BACKEND_AUTO,    /**< from BPF; where that cannot be used at all, from tracefs, which is logged as a warning */
    EBPF_BACKEND_BPF,     /**< from BPF programs */
    EBPF_BACKEND_TRACEFS, /**< from kprobes and tracepoints in an instance of tracefs, which see less */
};

/**
 * Options of a source. Zero a member for its default. With a smaller sz, that of an older header, further members have
 * their defaults; with a larger one, members that this library does not know must be zero.
 */
struct ebpf_source_opts {
    /** Size of this struct as the caller knows it: sizeof. */
    size_t sz;

    /** The events to report; nothing else is loaded into the kernel. */
    struct ebpf_event_set events;

    /** Called for each event. NULL: events are read by ebpf_source__next. */
    ebpf_event_fn handler;

    /** Called for each batch of losses, in its place in the stream, within a second. */
    ebpf_loss_fn loss_handler;

    /** Called for each message; no messages by default. */
    ebpf_log_fn log;

    /** First argument of the functions of this struct. */
    void *user;

    /** Record the environments of executed programs. */
    bool env;

    /** Wake the reader for each record instead of once for a batch of records. */
    bool low_latency;

    /** Pass on libbpf's log about this source, at EBPF_LOG_DEBUG; some messages refer to it. */
    bool libbpf_log;

    /** Size of each ring: a power of two, at least a page; default 4 MiB. */
    uint32_t ring_bytes;

    /** Comma-separated programs that are treated as if the kernel refused them, by their names in HOOKS.md. */
    const char *disable_hooks;

    /** Merge successive writes of one process to one file for this many ms, at most 60000. 0: do not merge. */
    uint32_t coalesce_ms;

    /**
     * Bit n: later selections may have conditions of kind n. Kinds of the first selection, addresses and ports need no
     * bit.
     */
    uint32_t select_kinds;

    /** How many conditions are in `conditions`. */
    size_t condition_count;

    /** The selection; all events without one. Read by open only. */
    const struct ebpf_condition *conditions;

    /** Called now and then while open works, which can take seconds: true cancels it. */
    bool (*is_cancelled)(void *user);

    /** Filters events before they have a number; none by default. */
    ebpf_wanted_fn is_wanted;

    /**
     * Events that a process may make in a second, of those that any user can make at will and that wait in the same
     * ring as execs (events.md lists them). The processes of a user other than root may make 16 times as many
     * together. More are lost, for the reason EBPF_REASON_BUDGET. 0: any number.
     */
    uint32_t budget;

    /** Called with the process that exceeds its budget most. */
    ebpf_over_budget_fn over_budget_handler;

    /** Called for each message as text, besides or instead of `log`; no messages by default. */
    ebpf_log_line_fn log_line;

    /**
     * Ids of up to EBPF_HELPERS_MAX children of the calling thread that work for the caller, such as one that writes
     * its output: what they do is left out, like what the caller itself does. Read by open only.
     */
    const uint32_t *helpers;

    /** How many ids are in `helpers`. */
    size_t helper_count;

    /** For tests: the only way to attach; what cannot be had in it makes its event unavailable, or less. */
    enum ebpf_attach attach;

    /** No event may be left: instead of failing with -ENXIO, open a source that only reports on what is missing. */
    bool allow_no_hook;

    /**
     * Where events come from. `attach` and `disable_hooks` are about BPF: with one of them, EBPF_BACKEND_AUTO never
     * means tracefs, and EBPF_BACKEND_TRACEFS is refused.
     */
    enum ebpf_backend_kind backend;
};

/** A source of events. */
struct ebpf_source;

/** Why a source could not be opened. */
enum ebpf_source_error {
    EBPF_SOURCE_OK,           /**< no error */
    EBPF_SOURCE_INVALID,      /**< options that make no sense */
    EBPF_SOURCE_NO_PRIVILEGE, /**< root, or CAP_BPF and CAP_PERFMON, are missing, or BPF is denied (lockdown) */
    EBPF_SOURCE_UNSUPPORTED,  /**< the kernel lacks what BPF needs, and tracefs cannot be used */
    EBPF_SOURCE_NO_HOOK,      /**< no event that was asked for has a hook here */
    EBPF_SOURCE_FAILED,       /**< anything else; the log says what */
};

/**
 * Load and attach the probes of the events asked for. An event whose hooks this kernel does not have is left out with a
 * warning (see ebpf_source__unavailable); it is an error only if none is left of those that were asked for, unless
 * allow_no_hook is set.
 *
 * Then some probes are tried, by operations on files of a tmpfs that is mounted in no directory, by memfd_create and by
 * shmget. A seccomp filter of the process may refuse calls for it, fsopen first, with an error, which costs only the
 * trials; a filter that kills for fsopen, fsconfig, fsmount, mkdirat, linkat, splice and the like kills the process.
 * @param ret_source to be closed with ebpf_source__close
 * @return 0; -EINVAL if an option makes no sense; -EPERM if privilege is missing or BPF is denied; -EOPNOTSUPP if the
 *         kernel lacks what all probes need; -ENXIO if it has hooks for none of the events; -ECANCELED if is_cancelled
 *         returned true; or another errno, such as -ENOMEM. One message has the cause and the remedy. With -ENXIO there
 *         is one for each event or kind of probe; with -ECANCELED, and if an argument is NULL or sz is no size of this
 *         struct, there is none.
 */
int ebpf_source__open(const struct ebpf_source_opts *opts, struct ebpf_source **ret_source);

/** Classify an error that ebpf_source__open has returned. */
enum ebpf_source_error ebpf_source__classify(int err);

/**
 * Return a file descriptor that is readable when there may be events, for the caller's own poll or epoll. It belongs to
 * the source.
 */
int ebpf_source__fd(const struct ebpf_source *source);

/**
 * Wait for events and give them to the handler.
 * @param timeout_ms longest wait; 0: none, -1: no limit. A wait is never longer than what batching allows (200 ms), so
 *        that a record cannot sit unseen.
 * @return how many records were read (0 is no error); -EINTR if a signal arrived; -EBUSY in the handler, or while
 *         another thread reads the source; -ECANCELED if a function of the options has closed the source, which is gone
 *         then; -EPERM in a child of the process that opened the source: it does not have the memory of the records
 */
int ebpf_source__poll(struct ebpf_source *source, int timeout_ms);

/** Poll without waiting; as ebpf_source__poll. Call it at least once a second when polling the fd by other means. */
int ebpf_source__consume(struct ebpf_source *source);

/**
 * Wait for the next event of a source that was opened without a handler, and return it. A loss is reported to the loss
 * handler when it is noticed, which may be before events with lower numbers are returned. With a poll or epoll of your
 * own, take events until there is none: ebpf_source__poll and __consume read nothing while events wait to be taken.
 * @param timeout_ms longest wait; 0: none, -1: no limit. As that of ebpf_source__poll, it ends after 200 ms at the
 *        latest, so that a caller can look at what its signal handlers have set: call again.
 * @param ret_event the event; valid until the next call of any function for this source
 * @return 1 with an event; 0 if none has come yet, and at once if the source is stopped and everything was returned;
 *         -EINTR if a signal arrived; -EINVAL if the source has a handler; else as ebpf_source__poll
 */
int ebpf_source__next(struct ebpf_source *source, int timeout_ms, const struct ebpf_event **ret_event);

/**
 * Stop the probes: they do nothing from now on, and the counts are final. What they have put into the rings stays to
 * be consumed, until ebpf_source__consume returns 0. In a child of the process that opened the source, this function
 * does nothing.
 */
void ebpf_source__stop(struct ebpf_source *source);

/**
 * Replace the selection while the source runs. For a moment between the two, none is in force and every event passes.
 * @param conditions may be NULL if count is 0, which selects everything
 * @return 0; -EINVAL if a condition makes no sense; -EOPNOTSUPP for a kind that select_kinds does not have, or one that
 *         cannot be decided in this namespace; -EPERM in a child of the process that opened the source. After a failure
 *         the selection is as it was before; one message has the cause, except for -EPERM.
 */
int ebpf_source__select(struct ebpf_source *source, const struct ebpf_condition *conditions, size_t count);

/**
 * Take the counts so far.
 * @param ret_stats valid until the next call of this function for the source, and until it is closed
 * @return 0, or -EPERM in a child of the process that opened the source
 */
int ebpf_source__stats(struct ebpf_source *source, const struct ebpf_stats **ret_stats);

/**
 * Count events as lost that the handler had taken, for the reason EBPF_REASON_HANDLER: a queue or an output behind it
 * has dropped them. They keep their numbers, and the loss handler is not called for them.
 * @return 0; -EINVAL for a number that is no type, or if fewer events of it were delivered; -EPERM in a child of the
 *         process that opened the source
 */
int ebpf_source__drop(struct ebpf_source *source, enum ebpf_event_type type, uint64_t events);

/** Return the events that the source reports: those asked for without those that are unavailable. */
struct ebpf_event_set ebpf_source__events(const struct ebpf_source *source);

/**
 * Return why an event that was asked for is unavailable here; NULL if it is available, was not asked for, or is no
 * type. Valid until the source is closed.
 */
const char *ebpf_source__unavailable(const struct ebpf_source *source, enum ebpf_event_type type);

/**
 * Return what an available event lacks here, such as "not seen: writev". Ask with n from 0 on, until it is NULL.
 * @param ret_program the program for want of which it lacks that (see ebpf_source__hook), NULL if none is; may be NULL
 * @return valid, as *ret_program, until the source is closed
 */
const char *ebpf_source__lacks(const struct ebpf_source *source, enum ebpf_event_type type, size_t n,
                               const char **ret_program);

/** How a program of the probes is used. */
enum ebpf_hook_use {
    EBPF_HOOK_ATTACHED, /**< it runs where it is attached */
    EBPF_HOOK_CALLED,   /**< another program calls it */
    EBPF_HOOK_REPLACED, /**< the better program `by` runs in its place */
    EBPF_HOOK_UNUSED,   /**< no event that was asked for needs it here */
    EBPF_HOOK_REFUSED,  /**< this kernel does not have its target or refuses it; see `why` */
};

/** A program of the probes, as HOOKS.md lists them. */
struct ebpf_hook {
    size_t sz;              /**< size of this struct as the caller knows it */
    const char *program;    /**< its name: how it attaches and to what, as in "fexit__vfs_write" */
    enum ebpf_hook_use use; /**< how it is used */
    const char *by;         /**< the program in its place, or that calls it; else NULL */
    const char *why;        /**< why it cannot be used; else NULL */
};

/**
 * Find out how the n-th program is used. Ask with n from 0 on, until there are no more.
 * @param ret_hook set its sz; the strings are valid until the source is closed
 * @return 0; -ENOENT if there are no more; -EINVAL if sz makes no sense
 */
int ebpf_source__hook(const struct ebpf_source *source, size_t n, struct ebpf_hook *ret_hook);

/** Something that this machine has or lacks, and that matters to a source. */
struct ebpf_host_fact {
    size_t sz;          /**< size of this struct as the caller knows it */
    const char *name;   /**< such as "lockdown" */
    const char *value;  /**< such as "none"; valid until the thread calls this function again */
    const char *remedy; /**< what can be done if it is in the way; else NULL */
};

/**
 * Find out the n-th fact about this machine, as far as the caller may see it. Ask with n from 0 on, until there are no
 * more. No source is needed, and no privilege.
 * @param ret_fact set its sz
 * @return 0; -ENOENT if there are no more; -EINVAL if sz makes no sense
 */
int ebpf_host__fact(size_t n, struct ebpf_host_fact *ret_fact);

/** What the kernel offers. */
struct ebpf_features {
    size_t sz;                      /**< size of this struct as the caller knows it */
    bool bpf_tramp;                 /**< fentry and fexit programs can be attached */
    bool ipv6;                      /**< the kernel has IPv6 and it is not disabled */
    enum ebpf_backend_kind backend; /**< where events come from: EBPF_BACKEND_BPF or EBPF_BACKEND_TRACEFS */
};

/**
 * Find out what this kernel offers.
 * @param ret_features set its sz
 * @return 0, or -EINVAL if that makes no sense
 */
int ebpf_source__features(const struct ebpf_source *source, struct ebpf_features *ret_features);

/**
 * Detach, unload, free. What was not consumed is dropped. Detaching may take 0.1 s a hook (6.1, 6.12), about 5 s in
 * all, for which the last process that has the source's descriptors is blocked. In the handler it is put off until the
 * handler has returned; the call that reads then returns -ECANCELED. A child of the process that opened the source may
 * close it too, which ends nothing.
 */
void ebpf_source__close(struct ebpf_source *source);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
