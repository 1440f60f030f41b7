/* SPDX-License-Identifier: BSD-2-Clause */
/* OptionRows.c - the options; see OptionRows.h. */
#include "OptionRows.h"

#include <string.h>

#include "OptionTake.h"

#define EVENTS_MAX 64            /* as many as a set of events has room for */
#define BUDGET_MAX 1000000       /* events a second: more than a process can make */
#define RING_BYTES_MAX (1 << 30) /* a larger value is probably a mistake */

#define MEMBER(name) .member = offsetof(struct options, name)
#define RANGE(least, most) .min = (least), .max = (most)
#define EVENTS_OF(begin) .section = SECTION_EVENTS, .take = option_take__events, .prefix = (begin)
#define INCLUDE(KIND) .section = SECTION_SELECTION, .repeats = true, .value = EBPF_SELECT_##KIND
#define EXCLUDE(KIND) INCLUDE(KIND), .excludes = true
#define TEXT(called) .argument = called, .take = option_take__condition
#define USER .argument = "USER", .take = option_take__user_condition
#define NUMBER(called, least, most) .argument = called, RANGE(least, most), .take = option_take__number_condition
#define FLAG(name) .section = SECTION_OTHER, .take = option_take__flag, MEMBER(name)
#define ACTION(NAME) .section = SECTION_OTHER, .take = option_take__action, .value = ACTION_##NAME
#define OTHER(called, how) .section = SECTION_OTHER, .argument = called, .take = option_take__##how

static const struct option_row others[] = {
    {"all", 'a', EVENTS_OF(""), .doc = "every event"},
    {"process", EVENTS_OF("process-"), .doc = "every process event"},
    {"file", EVENTS_OF("file-"), .doc = "every file event"},
    {"net", EVENTS_OF("net-"), .doc = "every network event"},

    {"pid", INCLUDE(PID), NUMBER("PID", 1, INT32_MAX), .doc = "only what this process does"},
    {"exclude-pid", EXCLUDE(PID), NUMBER("PID", 1, INT32_MAX), .doc = "leave out what this process does"},
    {"tree", INCLUDE(TREE), NUMBER("PID", 1, INT32_MAX), .doc = "only what this process and its descendants do"},
    {"exclude-tree", EXCLUDE(TREE), NUMBER("PID", 1, INT32_MAX),
     .doc = "leave out what this process and its descendants do"},
    {"uid", INCLUDE(UID), USER, .doc = "only what threads with this real user id do; a name or a number"},
    {"exclude-uid", EXCLUDE(UID), USER, .doc = "leave out what threads with this real user id do"},
    {"comm", INCLUDE(COMM), TEXT("NAME"), .doc = "only what threads of this name do"},
    {"exclude-comm", EXCLUDE(COMM), TEXT("NAME"), .doc = "leave out what threads of this name do"},
    {"cgroup", INCLUDE(CGROUP), TEXT("PATH"), .doc = "only what is done in this cgroup (v2) and those below it"},
    {"exclude-cgroup", EXCLUDE(CGROUP), TEXT("PATH"),
     .doc = "leave out what is done in this cgroup and those below it"},
    {"container-only", INCLUDE(CONTAINER), TEXT(NULL),
     .doc = "only what processes do that have a pid or mount namespace other than the host's"},
    {"host-only", EXCLUDE(CONTAINER), TEXT(NULL), .doc = "leave out what those processes do"},
    {"path", INCLUDE(PATH), TEXT("PREFIX"), .doc = "of file events, only those about this path or what is below it"},
    {"exclude-path", EXCLUDE(PATH), TEXT("PREFIX"), .doc = "leave out file events about this path or what is below it"},
    {"address", INCLUDE(ADDRESS), TEXT("ADDRESS"),
     .doc = "of network events, only those with this address at an end; ADDRESS/BITS for a network"},
    {"exclude-address", EXCLUDE(ADDRESS), TEXT("ADDRESS"),
     .doc = "leave out network events with this address at an end"},
    {"port", INCLUDE(PORT), NUMBER("PORT", 1, UINT16_MAX),
     .doc = "of network events, only those with this port at an end"},
    {"exclude-port", EXCLUDE(PORT), NUMBER("PORT", 1, UINT16_MAX),
     .doc = "leave out network events with this port at an end"},

    {"print-features-on-init", 'i', FLAG(features_line),
     .doc = "first write a line with what the kernel offers, once the probes are attached"},
    {"unbuffer-stdout", 'u', FLAG(unbuffered), .doc = "write each event as soon as it is read"},
    {"stats", 's', FLAG(stats), .doc = "write statistics to standard error every second"},
    {"libbpf-verbose", 'v', FLAG(libbpf_verbose), .doc = "write libbpf's log to standard error"},
    {"env", FLAG(env), .doc = "add the environments of executed programs to PROCESS_EXEC; they may hold secrets"},
    {"format", OTHER("FORMAT", choice), MEMBER(format), .choices = (const char *const[]){"json", "elastic", NULL},
     .doc = "json, the default, or elastic: lines as Elastic's EventsTrace writes them"},
    {"coalesce", OTHER("MS", number), MEMBER(coalesce_ms), RANGE(1, EBPF_COALESCE_MS_MAX),
     .doc = "merge successive writes of one process to one file for this many milliseconds"},
    {"ring-size", OTHER("SIZE", ring_size), MEMBER(ring_bytes), RANGE(0, RING_BYTES_MAX),
     .doc = "size of each of the two rings in which events wait to be read: a power of two, in bytes or with K or M "
            "behind; default 4M"},
    {"budget", OTHER("N", number), MEMBER(budget), RANGE(1, BUDGET_MAX),
     .doc = "report at most N events of a process per second, of those that any user can make at will; more are lost"},
    {"user", OTHER("USER", user), .doc = "execute COMMAND as this user, a name or a number"},
    {"disable-hook", OTHER("NAME", list), MEMBER(disable_hooks), .repeats = true,
     .doc = "do not load this probe (names: HOOKS.md), to see what is missing without it; NAME,NAME for several"},
    {"attach", OTHER("WAY", choice), MEMBER(attach),
     .choices = (const char *const[]){"best", "lsm", "trampoline", "kprobe", "tracepoint", NULL},
     .doc = "attach probes only in this way, to see what is missing without the others; best: hook by hook"},
    {"backend", OTHER("BACKEND", choice), MEMBER(backend),
     .choices = (const char *const[]){"auto", "bpf", "tracefs", NULL},
     .doc = "where events come from: bpf; tracefs, which sees less; or auto, the default: tracefs only where BPF "
            "cannot be used"},
    {"require", OTHER("EVENT", required), MEMBER(required), .repeats = true,
     .doc = "trace this event too, and nothing if it is unavailable here; EVENT,EVENT for several"},
    {"doctor", ACTION(DOCTOR),
     .doc = "print what this machine offers, and what the selected events, or all, lack here, and exit (DOCTOR.md)"},
    {"json", FLAG(json), .doc = "with --doctor: print the report as JSON"},
    {"schema", ACTION(SCHEMA), .doc = "print the JSON Schema of the output and exit"},
    {"help", 'h', ACTION(HELP), .doc = "print this help and exit; so does -?"},
    {"usage", ACTION(USAGE), .doc = "print the first lines of this help and exit"},
    {"version", ACTION(VERSION), .doc = "print the version and exit"},
};

#define OTHER_COUNT (sizeof(others) / sizeof(*others))

/* Make rows of the events that an option selects together. Returns how many there are. */
static size_t rows__add_events(struct option_row *rows, const char *prefix)
{
    enum ebpf_event_type type = 0;
    size_t count = 0;

    while ((type = ebpf_event_type__next(type))) {
        const char *name = ebpf_event_type__option(type);

        if (!strncmp(name, prefix, strlen(prefix)))
            rows[count++] = (struct option_row){.name = name,
                                                .section = SECTION_EVENTS,
                                                .doc = ebpf_event_type__doc(type),
                                                .take = option_take__event,
                                                .value = (int)type};
    }
    return count;
}

size_t option_rows(const struct option_row **ret_rows)
{
    static struct option_row rows[EVENTS_MAX + OTHER_COUNT];
    static size_t count;

    *ret_rows = rows;
    if (count)
        return count;
    for (size_t i = 0; i < OTHER_COUNT; i++) {
        if (others[i].prefix && *others[i].prefix)
            count += rows__add_events(rows + count, others[i].prefix);
    }
    for (size_t i = 0; i < OTHER_COUNT; i++)
        rows[count++] = others[i];
    return count;
}

const struct option_section_row option_sections[SECTION_COUNT] = {
    [SECTION_EVENTS] = {"Events", "Only what is selected is loaded into the kernel."},
    [SECTION_SELECTION] = {"Selection", "Each option may be given several times. An event passes if it matches one "
                                        "include of every kind that has any, and no exclude."},
    [SECTION_OTHER] = {"Other options", ""},
};
