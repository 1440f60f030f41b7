/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command.c - starts a command, held back until the probes are there; see Command.h.
 *
 * Its standard output is this program's standard error: standard output has events and nothing else.
 */
#include "Command.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "Message.h"

#define EXIT_NOT_EXECUTED 126
#define EXIT_NOT_FOUND 127

/* Drop the capabilities by which the caller could become another user. */
static int capabilities__drop(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) || syscall(SYS_capset, &header, none))
        return -errno;
    return 0;
}

static int user__become(const struct command_user *user)
{
    if (initgroups(user->name, user->gid) || setresgid(user->gid, user->gid, user->gid) ||
        setresuid(user->uid, user->uid, user->uid))
        return -errno;
    return user->uid ? capabilities__drop() : 0;
}

static _Noreturn void command__run(char **argv, int start, const struct command_user *user,
                                   const struct signals_saved *saved)
{
    int err = user->name ? user__become(user) : 0;
    char byte;

    if (write(start, &err, sizeof(err)) != sizeof(err) || read(start, &byte, 1) != 1) /* the tracing has failed */
        _exit(EXIT_NOT_EXECUTED);
    signals__restore(saved);
    if (dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
        execvp(argv[0], argv);
    err = errno;
    message__write("cannot run '%s': %s; check its name and its permissions", argv[0], strerror(err));
    _exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTED);
}

static int process__make(struct command *command, char **argv, const struct command_user *user,
                         const struct signals_saved *saved)
{
    int start[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, start))
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
        command__run(argv, start[0], user, saved);
    }
    close(start[0]);
    *command = (struct command){.pid = pid, .start = start[1]};
    return 0;
}

int command__prepare(struct command *ret_command, char **argv, const struct command_user *user,
                     const struct signals_saved *saved)
{
    struct command command;
    int err = process__make(&command, argv, user, saved), become_err = 0;

    if (err) {
        message__write("cannot start a process: %s; see ulimit -u", strerror(-err));
        return err;
    }
    if (read(command.start, &become_err, sizeof(become_err)) != sizeof(become_err))
        become_err = -ECHILD;
    if (become_err) {
        message__write("cannot start a process as '%s': %s; run it as root", user->name ? user->name : "",
                       strerror(-become_err));
        close(command.start);
        return become_err;
    }
    *ret_command = command;
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
