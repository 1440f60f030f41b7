/* SPDX-License-Identifier: BSD-2-Clause */
/* Command.h - a command that is started to be traced. */
#ifndef EVENTS_TRACE_COMMAND_H
#define EVENTS_TRACE_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "Signals.h"

struct command {
    pid_t pid; /* 0: there is none */
    int start; /* write end of the pipe that it waits at, until command__go */
    bool ended;
    int status; /* as wait tells, when it has ended */
};

/*
 * Make the process that will execute argv, with signals as they were. It waits until command__go, and ends when that
 * never comes. 0, or a negative errno.
 */
int command__prepare(struct command *ret_command, char **argv, const struct signals_saved *saved);

void command__go(struct command *command);

/* Whether it has ended; to be asked after SIGCHLD. */
bool command__has_ended(struct command *command);

/* Pass a signal on to it. */
void command__signal(const struct command *command, int signal);

/* Its exit status, or 128 plus the signal that ended it, as a shell has it. */
int command__exit_code(const struct command *command);

#endif
