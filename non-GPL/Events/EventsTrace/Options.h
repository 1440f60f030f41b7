/* SPDX-License-Identifier: BSD-2-Clause */
/* Options.h - the command line of EventsTrace. */
#ifndef EVENTS_TRACE_OPTIONS_H
#define EVENTS_TRACE_OPTIONS_H

#include "Command.h"
#include "EbpfEvents.h"

/* Exit codes; the man page lists them. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NO_PRIVILEGE = 3,
    EXIT_UNSUPPORTED = 4,
    EXIT_NO_HOOK = 5,
    EXIT_OUTPUT = 6,
};

enum action {
    ACTION_TRACE,
    ACTION_HELP,
    ACTION_USAGE,
    ACTION_VERSION,
    ACTION_SCHEMA,
    ACTION_DOCTOR,
};

/* In the order of the choices of --format. */
enum format {
    FORMAT_JSON,
    FORMAT_ELASTIC, /* lines as consumers of Elastic's program read them */
};

#define CONDITIONS_MAX 128

struct options {
    enum action action;
    struct ebpf_event_set events;
    struct ebpf_event_set required; /* to be available, or nothing is traced */
    bool json;                      /* of the doctor's report */
    bool features_line;
    bool unbuffered;
    bool stats;
    bool libbpf_verbose;
    bool env;
    unsigned int format; /* enum format */
    const char *disable_hooks;
    unsigned int attach;  /* enum ebpf_attach */
    unsigned int backend; /* enum ebpf_backend_kind */
    uint32_t coalesce_ms; /* 0: do not merge writes */
    uint32_t ring_bytes;  /* 0: the library's default */
    uint32_t budget;      /* 0: none */
    size_t condition_count;
    struct ebpf_condition conditions[CONDITIONS_MAX + 1]; /* and the command's tree */
    char **command; /* what follows "--", NULL if there is none; the strings are argv's */
    struct command_user user;
};

/* Parse argv. Returns 0, or a negative errno after one line on standard error. */
int options__parse(struct options *ret_options, int argc, char **argv);

/* Print on standard output what --usage and --help ask for. */
void options__usage(void);
void options__help(void);

#endif
