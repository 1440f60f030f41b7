/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals.h - signals that end the tracing, as a descriptor: it becomes readable, whatever else is ready, and nothing
 * is cut short.
 */
#ifndef EVENTS_TRACE_SIGNALS_H
#define EVENTS_TRACE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct signals {
    int fd;
    int stop;        /* SIGTERM, SIGINT or SIGHUP has come; 0: none */
    bool by_process; /* it was sent by one, and not by the terminal */
};

/* What a process that is started is to get back: it runs as it would without us. */
struct signals_saved {
    sigset_t mask;
    struct sigaction child, pipe, file_size;
};

/*
 * Before a process is started: its end can be waited for, and writing to what nobody reads, or beyond a limit, is an
 * error and no signal. What the caller has the process ignore (nohup) stays ignored.
 */
void signals__prepare(struct signals_saved *ret_saved);

/* In the process that is started. */
void signals__restore(const struct signals_saved *saved);

/* 0 or a negative errno. */
int signals__open(struct signals *ret_signals);

/* Take in those that have come. */
void signals__look(struct signals *signals);

#endif
