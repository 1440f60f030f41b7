/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals.h - signals that end the tracing, as a descriptor that is polled with the others: no call is interrupted, and
 * a flood of events cannot delay them.
 */
#ifndef EVENTS_TRACE_SIGNALS_H
#define EVENTS_TRACE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct signals {
    int fd;
    int stop;        /* SIGTERM, SIGINT or SIGHUP has come; 0: none */
    bool by_process; /* it was sent by a process, not by the terminal */
};

/* What signals__restore restores in a process that is started, so that it runs as without this program. */
struct signals_saved {
    sigset_t mask;
    struct sigaction child, pipe, file_size;
};

/*
 * Prepare to start a process: its end can be waited for, and a write to a closed pipe, or beyond the file size limit,
 * is an error and no signal. Signals that the caller has set to be ignored (nohup) stay ignored.
 */
void signals__prepare(struct signals_saved *ret_saved);

/* Restore signals in the process that is started. */
void signals__restore(const struct signals_saved *saved);

/* Open the descriptor. 0 or a negative errno. */
int signals__open(struct signals *ret_signals);

/* Read the signals that have come. */
void signals__look(struct signals *signals);

#endif
