/* SPDX-License-Identifier: BSD-2-Clause */
#include "Signals.h"

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int stops[] = {SIGTERM, SIGINT, SIGHUP};

static bool signal__is_ignored(int signal)
{
    struct sigaction action;

    return !sigaction(signal, NULL, &action) && action.sa_handler == SIG_IGN;
}

void signals__prepare(struct signals_saved *ret_saved)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN},
                           standard = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};

    sigprocmask(SIG_SETMASK, NULL, &ret_saved->mask);
    sigaction(SIGCHLD, &standard, &ret_saved->child);
    sigaction(SIGPIPE, &ignore, &ret_saved->pipe);
    sigaction(SIGXFSZ, &ignore, &ret_saved->file_size);
}

void signals__restore(const struct signals_saved *saved)
{
    sigaction(SIGCHLD, &saved->child, NULL);
    sigaction(SIGPIPE, &saved->pipe, NULL);
    sigaction(SIGXFSZ, &saved->file_size, NULL);
    sigprocmask(SIG_SETMASK, &saved->mask, NULL);
}

int signals__open(struct signals *ret_signals)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof(stops) / sizeof(*stops); i++) {
        if (!signal__is_ignored(stops[i])) /* one that is blocked is queued even so */
            sigaddset(&set, stops[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL))
        return -errno;
    *ret_signals = (struct signals){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    return ret_signals->fd < 0 ? -errno : 0;
}

void signals__look(struct signals *signals)
{
    struct signalfd_siginfo info;

    while (read(signals->fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            continue;
        signals->stop = (int)info.ssi_signo;
        signals->by_process = info.ssi_code <= 0;
    }
}
