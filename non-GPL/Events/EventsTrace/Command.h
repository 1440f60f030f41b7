/* SPDX-License-Identifier: BSD-2-Clause */
/* Command.h - a command that is started to be traced. */
#ifndef EVENTS_TRACE_COMMAND_H
#define EVENTS_TRACE_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "Signals.h"

/* The user as which it is executed. */
struct command_user {
    const char *name; /* NULL: the caller */
    uid_t uid;
    gid_t gid;
};

struct command {
    pid_t pid; /* 0: there is none */
    int start; /* our end of the socket that it waits at, until command__go */
    bool ended;
    int status; /* as wait(2) returns it, once it has ended */
};

/*
 * Make the process that will execute argv, with signals as they were before. If a user is given, it has the groups of
 * that user and, except for root, no capabilities. It waits for command__go, and ends if this process ends before. 0,
 * or a negative errno after a message.
 */
int command__prepare(struct command *ret_command, char **argv, const struct command_user *user,
                     const struct signals_saved *saved);

void command__go(struct command *command);

/* Return whether it has ended; to be asked after SIGCHLD. */
bool command__has_ended(struct command *command);

/* Pass a signal on to it. */
void command__signal(const struct command *command, int signal);

/* Return its exit status, or 128 plus the signal that ended it, as a shell does. */
int command__exit_code(const struct command *command);

#endif
