/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace.h - a tracing: from what the options ask for to the final counts. */
#ifndef EVENTS_TRACE_TRACE_H
#define EVENTS_TRACE_TRACE_H

#include "Command.h"
#include "Options.h"
#include "Output.h"
#include "Signals.h"

struct trace {
    struct options options;
    struct ebpf_source *source;
    struct output out;
    struct signals signals;
    struct command command;
    uint32_t writers[2]; /* processes that write the output and messages; see Writer.h */
    size_t writer_count;
    bool signalled; /* the command was */
    bool warned_of_full;
};

/*
 * Trace until a signal, the end of the command or, without a command, of the output's reader. Returns the exit
 * code.
 */
int trace__start(const struct options *options);

/* End the tracing if it is time; to be called when a wait for the reader was interrupted in the middle of a round. */
void trace__look(struct trace *trace);

#endif
