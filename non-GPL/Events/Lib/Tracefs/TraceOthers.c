// SPDX-License-Identifier: BSD-2-Clause
/* TraceOthers.c - see TraceOthers.h. */
#include "TraceOthers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELPER_PREFIX "helper_"
#define HELPER_FUNCTION "wake_up_new_task" /* any one would do */
#define LINE_LEN 160
#define NS_PER_S UINT64_C(1000000000)

void trace_helpers__publish(const struct trace_instance *in, const uint32_t *helpers, size_t count)
{
    char line[LINE_LEN];

    for (size_t i = 0; i < count; i++) {
        snprintf(line, sizeof(line), "p:%s/" HELPER_PREFIX "%u_%llu " HELPER_FUNCTION "\n", in->name, helpers[i],
                 (unsigned long long)trace_process__start(helpers[i]));
        trace_instance__define(in, line);
    }
}

/* Add a process that started at a time, in ticks since boot, as the table has it, unless it is there already. */
static size_t others__add(struct ebpf_process *others, size_t count, struct processes *processes, uint32_t tgid,
                          uint64_t start, bool helps)
{
    const uint64_t tick = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);

    if (count == EBPF_OTHERS_MAX || trace_process__start(tgid) != start)
        return count;
    const struct process *p = processes__find(processes, tgid);

    if (!p)
        p = processes__see(processes, tgid);
    if (!p || p->pids.start_time_ns / tick > start) /* the start of this one includes no time of suspension */
        return count;
    for (size_t i = 0; i < count; i++) {
        if (others[i].tgid == tgid)
            return count;
    }
    others[count] = (struct ebpf_process){.tgid = tgid, .helps = helps, .start_time_ns = p->pids.start_time_ns};
    return count + 1;
}

size_t trace_others__find(const struct trace_instance *in, struct processes *processes,
                          struct ebpf_process ret_others[EBPF_OTHERS_MAX])
{
    char *lines = trace_file__read(in->root, "kprobe_events", NULL), *rest = lines, *line;
    size_t count = 0;

    while ((line = strsep(&rest, "\n"))) {
        unsigned int tgid, helper;
        unsigned long long start, helper_start;
        const char *group = strchr(line, ':'), *event = group ? strchr(group, '/') : NULL;

        if (!event || sscanf(group, ":" TRACE_NAME_PREFIX "%u_%llu_", &tgid, &start) != 2)
            continue;
        if (tgid != (uint32_t)getpid())
            count = others__add(ret_others, count, processes, tgid, start, false);
        if (sscanf(event, "/" HELPER_PREFIX "%u_%llu", &helper, &helper_start) == 2)
            count = others__add(ret_others, count, processes, helper, helper_start, true);
    }
    free(lines);
    return count;
}
