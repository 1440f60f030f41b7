/* SPDX-License-Identifier: BSD-2-Clause */
#include "Message.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Output.h"

#define MESSAGES_MAX (256u << 10)
#define DROPPED_MAX 128 /* the line with the count of dropped ones */
#define ESCAPED 4       /* bytes that one byte can become */

static struct output messages; /* has a buffer from message__begin to message__end */
static unsigned long dropped;

/* Put a line in the buffer, if `reserve` bytes remain free behind it. */
static bool message__buffer(const char *text, size_t len, size_t reserve)
{
    char *line = output__reserve_notice(&messages, len + reserve);

    if (!line)
        return false;
    memcpy(line, text, len);
    output__commit(&messages, len);
    return true;
}

static void dropped__report(void)
{
    char line[DROPPED_MAX];
    int len =
        snprintf(line, sizeof(line), "EventsTrace: warning: %lu messages were dropped: nobody read them", dropped);

    if (dropped && message__buffer(line, (size_t)len, 0))
        dropped = 0;
}

void message__put(const char *text, size_t len)
{
    if (!messages.buffer) {
        fwrite(text, 1, len, stderr);
        fputc('\n', stderr);
        return;
    }
    message__flush();
    if (dropped || !message__buffer(text, len, DROPPED_MAX))
        dropped++;
    output__flush(&messages);
}

void message__flush(void)
{
    output__flush(&messages);
    dropped__report();
}

/* Escape a text and put it behind the prefix. Returns the length, 0 without memory. */
static size_t message__escape(char **ret_line, const char *prefix, const char *text)
{
    size_t len = strlen(prefix);
    char *line = malloc(len + strlen(text) * ESCAPED + 1);

    *ret_line = line;
    if (!line)
        return 0;
    memcpy(line, prefix, len);
    for (const char *c = text; *c; c++) {
        bool is_control = (unsigned char)*c < ' ' || *c == '\x7f';

        len += (size_t)sprintf(line + len, is_control ? "\\x%02x" : "%c", (unsigned char)*c);
    }
    return len;
}

void message__vwrite(const char *prefix, const char *format, va_list args)
{
    char *text, *line;

    if (vasprintf(&text, format, args) < 0)
        return;
    size_t len = message__escape(&line, prefix, text);

    if (len)
        message__put(line, len);
    free(line);
    free(text);
}

void message__write(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message__vwrite("EventsTrace: ", format, args);
    va_end(args);
}

void message__warn(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message__vwrite("EventsTrace: warning: ", format, args);
    va_end(args);
}

int message__begin(void)
{
    fflush(stderr);
    return output__init(&messages, STDERR_FILENO, MESSAGES_MAX, false, -1);
}

pid_t message__writer(void)
{
    return messages.writer.pid;
}

void message__abandon(void)
{
    output__abandon(&messages);
}

void message__end(int ms)
{
    if (!messages.buffer)
        return;
    output__set_deadline(&messages, ms);
    message__flush();
    output__flush(&messages);
    output__fini(&messages);
}
