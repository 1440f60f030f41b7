/* SPDX-License-Identifier: BSD-2-Clause */
/* OptionTake.c - see OptionTake.h. */
#include "OptionTake.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Message.h"

/* The member of struct options that a row names. */
#define ROW_MEMBER(row, type, options) ((type *)((char *)(options) + (row)->member))

bool option_take__event(const struct option_row *row, const char *text, struct options *options)
{
    (void)text;
    ebpf_event_set__add(&options->events, (enum ebpf_event_type)row->value);
    return true;
}

bool option_take__events(const struct option_row *row, const char *text, struct options *options)
{
    enum ebpf_event_type type = 0;

    (void)text;
    while ((type = ebpf_event_type__next(type))) {
        if (!strncmp(ebpf_event_type__option(type), row->prefix, strlen(row->prefix)))
            ebpf_event_set__add(&options->events, type);
    }
    return true;
}

/* Return the event with that option; 0 if there is none. */
static enum ebpf_event_type event__of(const char *option)
{
    enum ebpf_event_type type = 0;

    while ((type = ebpf_event_type__next(type))) {
        if (!strcmp(ebpf_event_type__option(type), option))
            return type;
    }
    return 0;
}

bool option_take__required(const struct option_row *row, const char *text, struct options *options)
{
    char *copy = strdup(text), *rest = copy;

    for (const char *name; (name = strsep(&rest, ","));) {
        enum ebpf_event_type type = event__of(name);

        if (!type) {
            message__write("option '--%s' requires events, such as process-exec, and there is no '%s'; see EventsTrace "
                           "--help",
                           row->name, name);
            free(copy);
            return false;
        }
        ebpf_event_set__add(ROW_MEMBER(row, struct ebpf_event_set, options), type);
        ebpf_event_set__add(&options->events, type);
    }
    free(copy);
    return true;
}

bool option_take__flag(const struct option_row *row, const char *text, struct options *options)
{
    (void)text;
    *ROW_MEMBER(row, bool, options) = true;
    return true;
}

bool option_take__action(const struct option_row *row, const char *text, struct options *options)
{
    (void)text;
    options->action = (enum action)row->value;
    return true;
}

/* Parse a whole number within the range of a row. False after a message. */
static bool number__parse(const struct option_row *row, const char *text, uint32_t *ret_number)
{
    char *end;

    errno = 0;
    long number = strtol(text, &end, 10);

    if (errno || end == text || *end || number < row->min || number > row->max) {
        message__write("option '--%s' requires a whole number from %ld to %ld, not '%s'; see EventsTrace --help",
                       row->name, row->min, row->max, text);
        return false;
    }
    *ret_number = (uint32_t)number;
    return true;
}

bool option_take__number(const struct option_row *row, const char *text, struct options *options)
{
    return number__parse(row, text, ROW_MEMBER(row, uint32_t, options));
}

bool option_take__ring_size(const struct option_row *row, const char *text, struct options *options)
{
    unsigned long long most = (unsigned long long)row->max;
    char *end;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    unsigned int shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 0;
    bool is_number = !errno && isdigit((unsigned char)*text) && !end[shift ? 1 : 0] && number <= most;
    unsigned long long bytes = is_number ? number << shift : 0;

    if (bytes & (bytes - 1) || bytes < (unsigned long long)getpagesize() || bytes > most) {
        message__write("option '--%s' requires a power of two from %dK to %lluM, such as 512K or 16M, not '%s'",
                       row->name, getpagesize() >> 10, most >> 20, text);
        return false;
    }
    *ROW_MEMBER(row, uint32_t, options) = (uint32_t)bytes;
    return true;
}

/* Join the choices of a row as "a, b or c". */
static void choices__join(const char *const *choices, char *text, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; choices[i] && len < size; i++) {
        const char *separator = !i ? "" : choices[i + 1] ? ", " : " or ";

        len += (size_t)snprintf(text + len, size - len, "%s%s", separator, choices[i]);
    }
}

bool option_take__choice(const struct option_row *row, const char *text, struct options *options)
{
    char all[128];

    for (unsigned int i = 0; row->choices[i]; i++) {
        if (!strcmp(text, row->choices[i])) {
            *ROW_MEMBER(row, unsigned int, options) = i;
            return true;
        }
    }
    choices__join(row->choices, all, sizeof(all));
    message__write("option '--%s' requires %s, not '%s'", row->name, all, text);
    return false;
}

/* The joined text is never freed. */
bool option_take__list(const struct option_row *row, const char *text, struct options *options)
{
    const char **list = ROW_MEMBER(row, const char *, options);
    char *joined;

    if (!*list) {
        *list = text;
        return true;
    }
    if (asprintf(&joined, "%s,%s", *list, text) < 0) {
        message__write("option '--%s': out of memory; free some", row->name);
        return false;
    }
    *list = joined;
    return true;
}

/* Return whether a text is the number of a user, who need not have an entry among the users. */
static bool text__is_uid(const char *text, uint32_t *ret_uid)
{
    char *end;

    errno = 0;
    long number = strtol(text, &end, 10);

    if (errno || end == text || *end || number < 0 || number >= UINT32_MAX)
        return false;
    *ret_uid = (uint32_t)number;
    return true;
}

/* Find the entry of a user, given by name or number. NULL after a message without one. */
static const struct passwd *user__find(const struct option_row *row, const char *text)
{
    const struct passwd *user = getpwnam(text);
    uint32_t uid;

    if (!user && text__is_uid(text, &uid))
        user = getpwuid(uid);
    if (!user)
        message__write(
            "option '--%s' requires the name or the number of a user, and there is no '%s'; see getent passwd",
            row->name, text);
    return user;
}

/* The name is never freed. */
bool option_take__user(const struct option_row *row, const char *text, struct options *options)
{
    const struct passwd *user = user__find(row, text);

    if (!user)
        return false;
    options->user = (struct command_user){.name = strdup(user->pw_name), .uid = user->pw_uid, .gid = user->pw_gid};
    if (!options->user.name)
        message__write("option '--%s': out of memory; free some", row->name);
    return options->user.name;
}

static bool condition__add(const struct option_row *row, const char *text, uint32_t id, struct options *options)
{
    if (options->condition_count == CONDITIONS_MAX) {
        message__write("there are more than %d conditions of what to trace; leave some out", CONDITIONS_MAX);
        return false;
    }
    options->conditions[options->condition_count++] = (struct ebpf_condition){
        .kind = (enum ebpf_select_kind)row->value, .exclude = row->excludes, .id = id, .text = text};
    return true;
}

bool option_take__condition(const struct option_row *row, const char *text, struct options *options)
{
    return condition__add(row, text, 0, options);
}

bool option_take__number_condition(const struct option_row *row, const char *text, struct options *options)
{
    uint32_t number;

    return number__parse(row, text, &number) && condition__add(row, text, number, options);
}

bool option_take__user_condition(const struct option_row *row, const char *text, struct options *options)
{
    uint32_t uid;

    if (text__is_uid(text, &uid))
        return condition__add(row, text, uid, options);
    const struct passwd *user = user__find(row, text);

    return user && condition__add(row, text, user->pw_uid, options);
}
