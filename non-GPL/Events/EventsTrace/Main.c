/* SPDX-License-Identifier: BSD-2-Clause */
/* Main.c - EventsTrace: prints what it is asked for and ends, or traces. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "Doctor.h"
#include "Message.h"
#include "Options.h"
#include "Trace.h"

/* Open the standard descriptors that are closed: else another file would get their numbers, and the messages. */
static bool descriptors__complete(void)
{
    bool has_output = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    return has_output;
}

/* Return the exit code of an action that prints something and ends. */
static int printed(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return EXIT_OK;
    message__write("cannot write to standard output: %s; check where it goes", strerror(errno));
    return EXIT_OUTPUT;
}

int main(int argc, char **argv)
{
    struct options options;
    int code;

    if (!descriptors__complete()) {
        message__write("cannot write to standard output: it is closed; direct it somewhere");
        return EXIT_OUTPUT;
    }
    if (options__parse(&options, argc, argv))
        return EXIT_USAGE;
    switch (options.action) {
    case ACTION_HELP:
        options__help();
        return printed();
    case ACTION_USAGE:
        options__usage();
        return printed();
    case ACTION_VERSION:
        printf("EventsTrace %s\n", EBPF_EVENTS_VERSION);
        return printed();
    case ACTION_SCHEMA:
        printf("%s\n", ebpf_schema__json());
        return printed();
    case ACTION_DOCTOR:
        code = doctor__report(&options);
        return printed() ? EXIT_OUTPUT : code;
    case ACTION_TRACE:
        break;
    }
    return trace__start(&options);
}
