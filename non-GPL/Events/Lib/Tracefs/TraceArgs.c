// SPDX-License-Identifier: BSD-2-Clause
/* TraceArgs.c - see TraceArgs.h. */
#include "TraceArgs.h"

#include <stdlib.h>
#include <string.h>

#include "TraceRecord.h"
#include "TraceTask.h"

#define ARGS_FETCHED (TRACE_VALUE_arg11 - TRACE_VALUE_arg0 + 1)
#define HEAD_WORDS (TRACE_VALUE_stack_head7 - TRACE_VALUE_stack_head0 + 1)
#define NAMES (TRACE_VALUE_exe3 - TRACE_VALUE_cwd0 + 1) /* values that are neighbours */
_Static_assert(NAMES == 2 * TRACE_NAMES_MAX, "the names of cwd and exe are neighbours");
#define TEXT_MAX 4096 /* of a record, which is not longer than a page */

/* Texts of a record, one behind the other. */
struct text_note {
    uint32_t ends[NAMES > ARGS_FETCHED ? NAMES : ARGS_FETCHED];
    char data[TEXT_MAX];
};

struct args_note {
    struct args_note *next; /* in its bucket */
    uint32_t tid;
    bool has_stack;
    uint32_t argc;
    uint64_t first; /* where the first argument is */
    uint64_t head[HEAD_WORDS];
    uint64_t names_of; /* what `names` belong to: see names__owner */
    struct text_note *args, *names;
    bool has_script;
    int script_mount;
};

/* What is noted of a script belongs to the process: only one of its threads executes something at a time. */
#define SCRIPT_KEY(tgid) ((tgid) | UINT32_C(1) << 31)

static struct args_note **note__link(const struct trace_args *args, uint32_t tid)
{
    struct args_note **link = (struct args_note **)&args->buckets[tid % ARGS_BUCKETS];

    while (*link && (*link)->tid != tid)
        link = &(*link)->next;
    return link;
}

static void note__remove(struct trace_args *args, struct args_note **link)
{
    struct args_note *note = *link;

    *link = note->next;
    args->count--;
    free(note->args);
    free(note->names);
    free(note);
}

void trace_args__drop(struct trace_args *args, uint32_t tid)
{
    struct args_note **link = note__link(args, tid);

    if (*link)
        note__remove(args, link);
}

static void notes__clear(struct trace_args *args)
{
    for (int i = 0; i < ARGS_BUCKETS; i++) {
        while (args->buckets[i])
            note__remove(args, &args->buckets[i]);
    }
}

void trace_args__fini(struct trace_args *args)
{
    notes__clear(args);
    trace_procfs__fini(&args->procfs);
}

/* Find the note of a thread, or make one. NULL: no memory. */
static struct args_note *note__get(struct trace_args *args, uint32_t tid)
{
    struct args_note **link = note__link(args, tid);

    if (*link)
        return *link;
    if (args->count >= ARGS_NOTES_MAX) { /* most of them are of threads that are gone, whose next record was lost */
        notes__clear(args);
        link = note__link(args, tid);
    }
    *link = calloc(1, sizeof(**link));
    if (!*link)
        return NULL;
    (*link)->tid = tid;
    args->count++;
    return *link;
}

/* Keep `count` texts, that of `first` and those behind it; each with a NUL behind it. */
static void text__note(struct text_note **text, const struct trace_values *v, enum trace_value first, int count)
{
    uint32_t len = 0;

    if (!*text)
        *text = malloc(sizeof(**text));
    for (int i = 0; *text && i < count; i++) {
        struct slice part = v->of[first + (unsigned int)i].text;

        if (part.len + 1 <= TEXT_MAX - len) {
            if (part.len)
                memcpy((*text)->data + len, part.data, part.len);
            (*text)->data[len + part.len] = '\0';
            len += (uint32_t)part.len + 1;
        }
        (*text)->ends[i] = len;
    }
}

/* Return a text that was kept; one that does not fit is empty. */
static struct slice text__at(const struct text_note *text, int i)
{
    const uint32_t start = i ? text->ends[i - 1] : 0, end = text->ends[i];

    return end > start ? (struct slice){text->data + start, end - start - 1} : (struct slice){"", 0};
}

/* What a record of names belongs to: the threads of a fork, the arguments of an exec, a new root directory. */
static uint64_t names__owner(const struct trace_values *v)
{
    switch (v->probe) {
    case TRACE_PROBE_fork:
    case TRACE_PROBE_fork_names:
        return NUMBER(v, tids);
    case TRACE_PROBE_chrooted:
    case TRACE_PROBE_chroot_names:
        return NUMBER(v, set_root_dentry);
    default:
        return NUMBER(v, args_begin);
    }
}

static void stack__note(struct args_note *note, const struct trace_values *v)
{
    note->has_stack = true;
    note->argc = (uint32_t)NUMBER(v, stack_argc);
    note->first = NUMBER(v, stack_first);
    for (int i = 0; i < HEAD_WORDS; i++)
        note->head[i] = v->of[TRACE_VALUE_stack_head0 + i].number;
}

static void names__note(struct args_note *note, const struct trace_values *v)
{
    note->names_of = names__owner(v);
    if (v->probe == TRACE_PROBE_chroot_names)
        text__note(&note->names, v, TRACE_VALUE_set_root0, TRACE_NAMES_MAX);
    else
        text__note(&note->names, v, TRACE_VALUE_cwd0, NAMES);
}

bool trace_args__note(struct trace_args *args, const struct trace_values *v)
{
    bool is_stack = v->probe == TRACE_PROBE_stack, is_args = v->probe == TRACE_PROBE_args;

    if (!is_stack && !is_args && v->probe != TRACE_PROBE_fork_names && v->probe != TRACE_PROBE_exec_names &&
        v->probe != TRACE_PROBE_chroot_names)
        return false;
    if (is_stack) /* the first one of an exec */
        trace_args__drop(args, v->tid);
    struct args_note *note = note__get(args, v->tid);

    if (!note)
        return true;
    if (is_stack)
        stack__note(note, v);
    else if (is_args)
        text__note(&note->args, v, TRACE_VALUE_arg0, ARGS_FETCHED);
    else
        names__note(note, v);
    return true;
}

/* ----------------------------------------------------------------------- scripts */

bool trace_script__note(struct trace_args *args, const struct trace_values *v, uint32_t tgid)
{
    const uint32_t key = SCRIPT_KEY(tgid);
    struct args_note *note;

    switch (v->probe) {
    case TRACE_PROBE_image:
        args->sees_scripts = true;
        trace_args__drop(args, key);
        note__get(args, key);
        return true;
    case TRACE_PROBE_script:
        note = *note__link(args, key);
        if (note && !note->has_script) {
            note->has_script = true;
            note->script_mount = (int)NUMBER(v, script_mount);
        }
        return true;
    case TRACE_PROBE_script_names:
        note = *note__link(args, key);
        if (note && !note->has_script)
            text__note(&note->names, v, TRACE_VALUE_script0, TRACE_NAMES_MAX);
        return true;
    default:
        return false;
    }
}

bool trace_script__find(const struct trace_args *args, uint32_t tgid, struct trace_names *ret_names)
{
    const struct args_note *note = *note__link(args, SCRIPT_KEY(tgid));

    *ret_names = (struct trace_names){.mount = -1, .tgid = tgid, .link = ""};
    if (!note)
        return args->sees_scripts;
    ret_names->mount = note->script_mount;
    for (int i = 0; note->names && i < TRACE_NAMES_MAX; i++)
        ret_names->of[i] = text__at(note->names, i);
    return note->has_script;
}

void trace_script__drop(struct trace_args *args, uint32_t tgid)
{
    trace_args__drop(args, SCRIPT_KEY(tgid));
}

/* ------------------------------------------------------------------------- names */

void trace_args__names(const struct trace_args *args, const struct trace_values *v, enum trace_value first,
                       struct slice ret_names[TRACE_NAMES_MAX])
{
    const struct args_note *note = *note__link(args, v->tid);
    const int begin = (int)first - (first == TRACE_VALUE_set_root0 ? TRACE_VALUE_set_root0 : TRACE_VALUE_cwd0);

    for (int i = 0; i < TRACE_NAMES_MAX; i++)
        ret_names[i] = (struct slice){"", 0};
    if (!note || !note->names || note->names_of != names__owner(v))
        return;
    for (int i = 0; i < TRACE_NAMES_MAX; i++)
        ret_names[i] = text__at(note->names, begin + i);
}

/* --------------------------------------------------------------------- arguments */

/* What is known of the arguments of an exec. */
struct known_args {
    const struct args_note *note; /* NULL: nothing was noted */
    uint64_t len;
    uint32_t argc;
    uint64_t head[HEAD_WORDS];
};

static void known_args__find(struct known_args *known, const struct trace_args *args, const struct trace_values *v)
{
    const struct args_note *note = *note__link(args, v->tid);

    *known = (struct known_args){.len = NUMBER(v, args_end) - NUMBER(v, args_begin), .argc = (uint32_t)NUMBER(v, argc)};
    if (!note || !note->has_stack || (note->argc && note->first != NUMBER(v, args_begin)))
        return;
    known->note = note;
    known->argc = note->argc;
    memcpy(known->head, note->head, sizeof(note->head));
}

uint32_t trace_args__count(const struct trace_args *args, const struct trace_values *v)
{
    struct known_args known;

    known_args__find(&known, args, v);
    return known.argc;
}

/* Read them from /proc, if the process still has the program. False if it does not, or they are others. */
static bool cmdline__read(struct trace_args *args, const struct trace_values *v, char *ret_data, uint32_t len)
{
    const uint32_t tgid = trace_values__upper(NUMBER(v, tids));
    const uint64_t begin = NUMBER(v, args_begin);

    return begin && trace_procfs__is_program(tgid, begin, v->time_ns) &&
           trace_procfs__read(&args->procfs, tgid, "cmdline", ret_data, len) == len &&
           trace_procfs__is_program(tgid, begin, v->time_ns);
}

/* Those that were fetched, if they are as long as all of them together, or those of /proc, or what there is of them. */
void trace_args__add(struct trace_args *args, struct ebpf_event_header *hdr, const struct trace_values *v)
{
    static _Thread_local char data[EBPF_ARGS_MAX];
    struct known_args a;

    known_args__find(&a, args, v);
    const struct text_note *noted = a.note ? a.note->args : NULL;
    const uint32_t kept = (uint32_t)(a.len < sizeof(data) ? a.len : sizeof(data));
    const uint32_t known = !a.note ? 0 : kept < sizeof(a.head) ? kept : (uint32_t)sizeof(a.head);
    const uint32_t noted_len = noted ? noted->ends[ARGS_FETCHED - 1] : 0;
    const uint16_t cut = kept < a.len ? EBPF_VARLEN_TRUNCATED : 0;
    bool is_noted = noted && noted_len >= known && !memcmp(noted->data, a.head, known);

    if (is_noted && a.len <= noted_len && a.argc <= ARGS_FETCHED) {
        trace_record__add(hdr, EBPF_TAG_ARGV, noted->data, (uint32_t)a.len, 0, 0);
        return;
    }
    if (cmdline__read(args, v, data, kept) && !memcmp(data, a.head, known)) {
        trace_record__add(hdr, EBPF_TAG_ARGV, data, kept, cut ? (uint32_t)a.len : 0, cut);
        return;
    }
    const uint32_t len = !is_noted ? known : noted_len < kept ? noted_len : kept;

    trace_record__add(hdr, EBPF_TAG_ARGV, is_noted ? noted->data : (const char *)a.head, len, (uint32_t)a.len,
                      a.note && len == a.len ? 0 : EBPF_VARLEN_TRUNCATED);
}

void trace_env__add(struct trace_args *args, struct ebpf_event_header *hdr, const struct trace_values *v)
{
    static _Thread_local char data[EBPF_ENV_MAX];
    const uint32_t tgid = trace_values__upper(NUMBER(v, tids));
    const uint64_t begin = NUMBER(v, args_begin);
    size_t len = 0;

    if (begin && trace_procfs__is_program(tgid, begin, v->time_ns))
        len = trace_procfs__read(&args->procfs, tgid, "environ", data, sizeof(data));
    if (len && !trace_procfs__is_program(tgid, begin, v->time_ns))
        len = 0;
    trace_record__add(hdr, EBPF_TAG_ENV, data, (uint32_t)len, 0, len && len < sizeof(data) ? 0 : EBPF_VARLEN_TRUNCATED);
}
