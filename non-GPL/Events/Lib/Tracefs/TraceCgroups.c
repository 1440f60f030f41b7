// SPDX-License-Identifier: BSD-2-Clause
/* TraceCgroups.c - see TraceCgroups.h. */
#include "TraceCgroups.h"

#include <stdlib.h>
#include <string.h>

#include "../Processes.h"
#include "TraceProbes.h"

#define EVENT_DIR "events/cgroup/cgroup_attach_task/"

void trace_cgroups__start(struct trace_cgroups *cgroups, const struct trace_instance *in)
{
    char *format = trace_file__read(in->dir, EVENT_DIR "format", NULL);
    const char *id = format ? strstr(format, "\nID: ") : NULL;

    *cgroups = (struct trace_cgroups){.hierarchy = processes__hierarchy()};
    if (id) {
        cgroups->hierarchy_at = trace_format__offset(format, "dst_root");
        cgroups->pid_at = trace_format__offset(format, "pid");
        cgroups->path_at = trace_format__offset(format, "dst_path");
    }
    if (id && cgroups->hierarchy_at > 0 && cgroups->pid_at > 0 && cgroups->path_at > 0 &&
        !trace_instance__write(in, EVENT_DIR "enable", "1"))
        cgroups->event = (uint16_t)atoi(id + strlen("\nID: "));
    free(format);
}

bool trace_cgroups__take(const struct trace_cgroups *cgroups, const struct trace_record *record, uint32_t *ret_tgid,
                         struct slice *ret_path)
{
    int hierarchy = 0;

    if (!cgroups->event || trace_record__event(record) != cgroups->event ||
        record->size < (size_t)cgroups->path_at + 4 || record->size < (size_t)cgroups->pid_at + 4 ||
        record->size < (size_t)cgroups->hierarchy_at + 4)
        return false;
    memcpy(&hierarchy, record->data + cgroups->hierarchy_at, sizeof(hierarchy));
    memcpy(ret_tgid, record->data + cgroups->pid_at, sizeof(*ret_tgid));
    *ret_path = trace_record__text(record, (uint16_t)cgroups->path_at);
    return hierarchy == cgroups->hierarchy;
}
