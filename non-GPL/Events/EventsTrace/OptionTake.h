/* SPDX-License-Identifier: BSD-2-Clause */
/* OptionTake.h - the kinds of options: how each is put into struct options, and what of its row it uses. */
#ifndef EVENTS_TRACE_OPTION_TAKE_H
#define EVENTS_TRACE_OPTION_TAKE_H

#include "OptionRows.h"

/* value: the type of event that it selects. */
bool option_take__event(const struct option_row *row, const char *text, struct options *options);

/* prefix: it selects the events whose options begin so. */
bool option_take__events(const struct option_row *row, const char *text, struct options *options);

/* member: the set of events to which it adds those of a list of options; it selects them too. */
bool option_take__required(const struct option_row *row, const char *text, struct options *options);

/* member: the bool that it sets. */
bool option_take__flag(const struct option_row *row, const char *text, struct options *options);

/* value: the enum action. */
bool option_take__action(const struct option_row *row, const char *text, struct options *options);

/* member: the uint32_t that it sets, from min to max. */
bool option_take__number(const struct option_row *row, const char *text, struct options *options);

/* member: the uint32_t that becomes a power of two, from a page to max. */
bool option_take__ring_size(const struct option_row *row, const char *text, struct options *options);

/* member: the unsigned int that becomes the index of the text in choices. */
bool option_take__choice(const struct option_row *row, const char *text, struct options *options);

/* member: the string that the text is added to, behind a comma. */
bool option_take__list(const struct option_row *row, const char *text, struct options *options);

/* Take the user of the command, by name or number. */
bool option_take__user(const struct option_row *row, const char *text, struct options *options);

/*
 * A condition. value: its enum ebpf_select_kind; excludes. It is about the text, which the library checks, about a
 * number from min to max, or about a user, by name or number.
 */
bool option_take__condition(const struct option_row *row, const char *text, struct options *options);
bool option_take__number_condition(const struct option_row *row, const char *text, struct options *options);
bool option_take__user_condition(const struct option_row *row, const char *text, struct options *options);

#endif
