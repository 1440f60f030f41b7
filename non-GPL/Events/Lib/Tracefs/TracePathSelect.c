// SPDX-License-Identifier: BSD-2-Clause
/* TracePathSelect.c - applies conditions on paths to records of files; see TraceSelect.h. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../Record.h"
#include "Bpf/Select/Resolve.h"
#include "TraceSelect.h"

#define PATH_LEN_MAX 255 /* as with BPF */

int trace_condition__resolve(struct trace_condition *condition, const char *text, const struct ebpf_log *log)
{
    char path[PATH_MAX], target[PATH_MAX];
    const char *why = "a path has to be given";
    int links = text ? path__resolve(text, path, target, &why) : -1;

    if (links >= 0 && (strlen(path) > PATH_LEN_MAX || strlen(target) > PATH_LEN_MAX)) {
        why = "a path can have 255 bytes at most; name a directory above it";
        links = -1;
    }
    if (links < 0) {
        ebpf_log__write(log, EBPF_LOG_ERROR, "cannot select by '%s': %s", text ? text : "", why);
        return -EINVAL;
    }
    if (links && !*target && !strcmp(text, path))
        ebpf_log__write(log, EBPF_LOG_WARNING,
                        "'%s' is a link that leads nowhere: only events about the link itself match", text);
    else if (links)
        ebpf_log__write(log, EBPF_LOG_INFO, "for '%s', events about '%s'%s%s%s match", text, path,
                        *target ? " and '" : "", target, *target ? "'" : "");
    condition->text = strdup(path);
    condition->target = *target ? strdup(target) : NULL;
    return condition->text && (condition->target || !*target) ? 0 : -ENOMEM;
}

/* Return whether a path, from the root down, is at or below a prefix, which is "/" or has none at its end. */
static bool components__begin_with(struct slice components, const char *prefix)
{
    struct slice component;

    while (*prefix == '/' && prefix[1]) {
        const char *name = prefix + 1;
        size_t len = strcspn(name, "/");

        if (!slice__last_component(&components, &component) || component.len != len ||
            memcmp(component.data, name, len) != 0)
            return false;
        prefix = name + len;
    }
    return true;
}

static bool path__matches(const struct ebpf_varlen *path, const struct trace_condition *c)
{
    struct slice components = varlen__slice(path);

    if (!path__is_absolute(path->flags))
        return false;
    return components__begin_with(components, c->text) || (c->target && components__begin_with(components, c->target));
}

/* What the paths of a record are. */
struct paths {
    const struct ebpf_varlen *of[2];
    size_t count;
    bool is_cut; /* one of them lacks its beginning */
};

static struct paths record__paths(const struct ebpf_event_header *hdr)
{
    size_t off = ebpf_event_type__size(hdr->type);
    const struct ebpf_varlen *v;
    struct paths paths = {0};

    while (paths.count < 2 && (v = record__varlen(hdr, hdr->size, off, &off))) {
        if (v->tag != EBPF_TAG_PATH && v->tag != EBPF_TAG_OLD_PATH && v->tag != EBPF_TAG_NEW_PATH)
            continue;
        paths.of[paths.count++] = v;
        paths.is_cut = paths.is_cut || v->flags & EBPF_VARLEN_TRUNCATED;
    }
    return paths;
}

bool trace_selection__passes_paths(const struct trace_selection *selection, const struct ebpf_event_header *hdr)
{
    const struct paths paths = record__paths(hdr);
    bool is_included = false, includes = false;

    for (size_t i = 0; i < selection->count; i++) {
        const struct trace_condition *c = &selection->conditions[i];
        bool matches = false;

        if (c->kind != EBPF_SELECT_PATH)
            continue;
        for (size_t n = 0; n < paths.count; n++)
            matches = matches || path__matches(paths.of[n], c);
        if (c->exclude && matches)
            return false;
        includes = includes || !c->exclude;
        is_included = is_included || (!c->exclude && (matches || paths.is_cut));
    }
    return is_included || !includes;
}
