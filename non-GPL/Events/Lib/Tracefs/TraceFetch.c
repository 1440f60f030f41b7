// SPDX-License-Identifier: BSD-2-Clause
/* TraceFetch.c - see TraceFetch.h. */
#include "TraceFetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
static const char *const registers[] = {"%di", "%si", "%dx", "%cx", "%r8", "%r9"};
#elif defined(__aarch64__)
static const char *const registers[] = {"%x0", "%x1", "%x2", "%x3", "%x4", "%x5"};
#endif

#define REGISTERS ((int)(sizeof(registers) / sizeof(*registers)))
#define NO_MEMBER (-1) /* a distance alone */
#define BAD_WORD (-2)

static const char *const member_ids[] = {
#define MEMBER(id, structure, path) #id,
#include "TraceMembers.def"
#undef MEMBER
};

/* Take a word of a path: its member, or NO_MEMBER or BAD_WORD, the distance behind it, and whose memory it is in. */
static int path__take(const char **path, long *ret_distance, bool *ret_is_user)
{
    *path += strspn(*path, " ");
    *ret_is_user = !strncmp(*path, "u+", 2);
    *path += *ret_is_user;
    size_t len = strcspn(*path, " +");
    int found = len ? BAD_WORD : NO_MEMBER;
    char *end = (char *)*path + len;

    for (int i = 0; len && i < TRACE_MEMBER_COUNT; i++) {
        if (strlen(member_ids[i]) == len && !strncmp(member_ids[i], *path, len))
            found = i;
    }
    *ret_distance = *end == '+' ? strtol(end + 1, &end, 10) : 0;
    if (*end && *end != ' ')
        found = BAD_WORD;
    *path = end + strspn(end, " ");
    return found;
}

const char *trace_fetch__missing(const struct trace_offsets *offsets, const char *path)
{
    bool is_user;
    long distance;

    while (*path) {
        int member = path__take(&path, &distance, &is_user);

        if (member >= 0 && offsets->of[member] < 0)
            return trace_member__name((enum trace_member)member);
    }
    return NULL;
}

int trace_fetch__compose(const struct trace_offsets *offsets, int argument, const char *path, const char *type,
                         char *ret_text)
{
    char inner[TRACE_FETCH_LEN], text[TRACE_FETCH_LEN];

    if (argument == TRACE_COMM) { /* its type is the default */
        snprintf(ret_text, TRACE_FETCH_LEN, "$comm");
        return 0;
    }
    if (argument >= TRACE_FROM_DENTRY(0)) {
        if (offsets->mapped < 0)
            return -ENOENT;
        argument += offsets->mapped - TRACE_FROM_DENTRY(0);
    }
    if (argument < TRACE_RETURNED || argument > REGISTERS)
        return -EINVAL;
    snprintf(text, sizeof(text), "%s", argument == TRACE_RETURNED ? "$retval" : registers[argument - 1]);
    while (*path) {
        bool is_user;
        long distance;
        int member = path__take(&path, &distance, &is_user);

        if (member == BAD_WORD)
            return -EINVAL;
        if (member >= 0 && offsets->of[member] < 0)
            return -ENOENT;
        memcpy(inner, text, sizeof(inner));
        if (snprintf(text, sizeof(text), "+%s%ld(%s)", is_user ? "u" : "",
                     distance + (member < 0 ? 0 : offsets->of[member]), inner) >= TRACE_FETCH_LEN)
            return -E2BIG;
    }
    int len = snprintf(ret_text, TRACE_FETCH_LEN, type ? "%s:%s" : "%s", text, type);

    return len < TRACE_FETCH_LEN ? 0 : -E2BIG;
}
