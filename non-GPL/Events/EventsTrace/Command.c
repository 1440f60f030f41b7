/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command.c - starts a command, held back until the probes are there; see Command.h.
 *
 * Its standard output is this program's standard error: standard output has events and nothing else.
 */
#include "Command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "Message.h"

#define EXIT_NOT_EXECUTED 126
#define EXIT_NOT_FOUND 127

static _Noreturn void command__run(char **argv, int start, const struct signals_saved *saved)
{
    char byte;

    if (read(start, &byte, 1) != 1) /* nothing came of the tracing */
        _exit(EXIT_NOT_EXECUTED);
    signals__restore(saved);
    if (dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
        execvp(argv[0], argv);
    int err = errno;

    message__write("cannot run '%s': %s; check its name and its permissions", argv[0], strerror(err));
    _exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTED);
}

int command__prepare(struct command *ret_command, char **argv, const struct signals_saved *saved)
{
    int start[2];

    if (pipe2(start, O_CLOEXEC))
        return -errno;
    pid_t pid = fork();

    if (pid < 0) {
        int err = errno;

        close(start[0]);
        close(start[1]);
        return -err;
    }
    if (!pid) {
        close(start[1]);
        command__run(argv, start[0], saved);
    }
    close(start[0]);
    *ret_command = (struct command){.pid = pid, .start = start[1]};
    return 0;
}

void command__go(struct command *command)
{
    while (write(command->start, "", 1) < 0 && errno == EINTR)
        ;
    close(command->start);
}

bool command__has_ended(struct command *command)
{
    if (command->pid && !command->ended)
        command->ended = waitpid(command->pid, &command->status, WNOHANG) == command->pid;
    return command->ended;
}

void command__signal(const struct command *command, int signal)
{
    if (command->pid && !command->ended)
        kill(command->pid, signal);
}

int command__exit_code(const struct command *command)
{
    return WIFSIGNALED(command->status) ? 128 + WTERMSIG(command->status) : WEXITSTATUS(command->status);
}
