/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message.h - messages of EventsTrace: lines on standard error.
 *
 * While it traces, nothing waits for their reader: a message that is not taken is dropped and counted, and the count is
 * written once there is room again.
 */
#ifndef EVENTS_TRACE_MESSAGE_H
#define EVENTS_TRACE_MESSAGE_H

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Write "EventsTrace: " and the text. Control characters, which arguments may have, are escaped: they could make it two
 * lines or change the terminal.
 */
void message__write(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write a warning: "EventsTrace: warning: " and the text. */
void message__warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write the text behind another prefix. */
void message__vwrite(const char *prefix, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Write a text as it is, and a newline. */
void message__put(const char *text, size_t len);

/* Begin not to wait for the reader of standard error. 0 or a negative errno. */
int message__begin(void);

/* Write what can be written without waiting; to be called now and then. */
void message__flush(void);

/* Return the process that writes them; 0: this one. */
pid_t message__writer(void);

/* See output__abandon. */
void message__abandon(void);

/* Wait for at most `ms` until the reader has taken what is left. Later messages are written at once, as before. */
void message__end(int ms);

#endif
