/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * as-given - runs a command with what it is given, whatever its caller has.
 *
 *   as-given [-c CAPABILITY]... COMMAND...
 *
 * No signal is ignored or blocked. With -c, a number, the command runs as the user nobody and has these capabilities
 * and no others.
 */
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

static int failed(const char *what)
{
    fprintf(stderr, "as-given: %s: %s\n", what, strerror(errno));
    return 125;
}

static int become_nobody(uint64_t caps)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    for (int i = 0; i < 2; i++)
        data[i].effective = data[i].permitted = data[i].inheritable = (uint32_t)(caps >> (32 * i));
    if (prctl(PR_SET_KEEPCAPS, 1) || setgid(NOBODY) || setuid(NOBODY) || syscall(SYS_capset, &header, data))
        return -1;
    for (int cap = 0; cap < 64; cap++) {
        if (caps >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0))
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t caps = 0;
    sigset_t none;
    int option;

    while ((option = getopt(argc, argv, "+c:")) == 'c')
        caps |= UINT64_C(1) << (atoi(optarg) & 63);
    if (option != -1 || optind == argc) {
        fprintf(stderr, "usage: as-given [-c CAPABILITY]... COMMAND...\n");
        return 125;
    }
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (caps && become_nobody(caps))
        return failed("cannot become nobody");
    execvp(argv[optind], argv + optind);
    return failed(argv[optind]);
}
