/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message.h - messages of EventsTrace: lines on standard error.
 *
 * While it traces nothing waits for who reads them: what is not taken is given up, and counted, which is told when
 * there is room again.
 */
#ifndef EVENTS_TRACE_MESSAGE_H
#define EVENTS_TRACE_MESSAGE_H

#include <stdarg.h>
#include <stddef.h>

/*
 * "EventsTrace: " and the text. Control characters, which arguments may have, are escaped: they could make a second
 * line of it or change the terminal.
 */
void message__write(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with "warning: ". */
void message__warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same behind another prefix. */
void message__vwrite(const char *prefix, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* A text as it is, and a newline. */
void message__put(const char *text, size_t len);

/* From now on standard error is not waited for. 0 or a negative errno. */
int message__begin(void);

/* Write what is there and can be written; to be called now and then. */
void message__flush(void);

/* See output__abandon. */
void message__abandon(void);

/* Wait for up to `ms` for what is there to be taken; then messages are written as they come again. */
void message__end(int ms);

#endif
