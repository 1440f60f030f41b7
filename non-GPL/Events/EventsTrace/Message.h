/* SPDX-License-Identifier: BSD-2-Clause */
/* Message.h - messages of EventsTrace: each one line on standard error. */
#ifndef EVENTS_TRACE_MESSAGE_H
#define EVENTS_TRACE_MESSAGE_H

#include <stdarg.h>

/*
 * "EventsTrace: " and the text. Control characters, which arguments may have, are escaped: they could make a second
 * line of it or change the terminal.
 */
void message__write(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same behind another prefix. */
void message__vwrite(const char *prefix, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

#endif
