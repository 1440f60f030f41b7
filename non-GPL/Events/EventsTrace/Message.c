/* SPDX-License-Identifier: BSD-2-Clause */
#include "Message.h"

#include <stdio.h>
#include <stdlib.h>

void message__vwrite(const char *prefix, const char *format, va_list args)
{
    char *text;

    if (vasprintf(&text, format, args) < 0)
        return;
    flockfile(stderr);
    fputs(prefix, stderr);
    for (const char *c = text; *c; c++)
        fprintf(stderr, (unsigned char)*c < ' ' || *c == '\x7f' ? "\\x%02x" : "%c", (unsigned char)*c);
    fputc('\n', stderr);
    funlockfile(stderr);
    free(text);
}

void message__write(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message__vwrite("EventsTrace: ", format, args);
    va_end(args);
}
