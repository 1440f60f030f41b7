// SPDX-License-Identifier: BSD-2-Clause
/* Record.c - checks records against the schema; see Record.h. */
#include "Record.h"

#include <errno.h>
#include <string.h>

static const bool tag_is_known[EBPF_TAG_COUNT] = {
#define TAG(id, NAME, kind, key) [id] = true,
#include "Events.def"
};

/* The types of the interface and of the wire have room for all ids. */
_Static_assert(EBPF_EVENT_TYPE_COUNT <= 64, "struct ebpf_event_set has no bit for the highest type");
#define FLAG(NAME, bit, key, doc) _Static_assert((bit) < 16, #NAME " does not fit into the header's flags");
#include "Events.def"

/*
 * No padding: a struct is as long as its members together. Asserted here, because C99 and C++ compile the header, too.
 */
#define GROUP(name, doc) _Static_assert(sizeof(struct ebpf_##name) == 0
#define END_GROUP(name) , "struct ebpf_" #name " has a hole");
#define EVENT(id, NAME, name, option, ring, doc)                                                                       \
    _Static_assert(sizeof(struct ebpf_##name##_event) == sizeof(struct ebpf_event_header)
#define FIELD(kind, name, key, doc) +sizeof(EBPF_KIND_##kind)
#define END_EVENT(name)                                                                                                \
    &&sizeof(struct ebpf_##name##_event) % 8 == 0, "struct ebpf_" #name "_event has a hole or is not a multiple of 8");
#include "Events.def"
_Static_assert(sizeof(struct ebpf_event_header) == 48, "the header has a hole");
_Static_assert(sizeof(struct ebpf_varlen) == 16, "the head of a variable field has a hole");

int ebpf_record__check(const void *data, size_t size)
{
    const struct ebpf_event_header *hdr = data;

    if (size < sizeof(*hdr) || hdr->size != size)
        return -EBADMSG;
    size_t off = ebpf_event_type__size(hdr->type);

    if (!off || size < off)
        return -EBADMSG;
    while (off < size) {
        const struct ebpf_varlen *v = record__varlen(data, size, off, &off);

        if (!v || v->tag >= EBPF_TAG_COUNT || !tag_is_known[v->tag])
            return -EBADMSG;
    }
    return 0;
}

int ebpf_event__field(const struct ebpf_event *event, enum ebpf_tag tag, struct ebpf_field *ret_field)
{
    size_t off = ebpf_event_type__size(event->hdr->type);
    const struct ebpf_varlen *v;

    while (off && (v = record__varlen(event->hdr, event->size, off, &off))) {
        if (v->tag != tag)
            continue;
        *ret_field = (struct ebpf_field){tag, v->flags, v + 1, v->len, v->orig_len};
        return 0;
    }
    errno = ENOENT;
    return -ENOENT;
}

/* Return the length of a path as text: a separator takes the place of each component's NUL. */
static size_t path__length(const struct ebpf_field *field)
{
    const char *data = field->data;
    bool absolute = path__is_absolute(field->flags);

    if (!field->len)
        return absolute ? 1 : 0;
    return (size_t)field->len + (data[field->len - 1] ? 1 : 0) - (absolute ? 0 : 1);
}

int ebpf_field__path(const struct ebpf_field *field, char *buf, size_t size)
{
    struct slice path = {field->data, field->len}, component;
    size_t len = path__length(field);
    bool separator = path__is_absolute(field->flags);
    char *p = buf;

    if (len >= size || len > INT32_MAX) {
        errno = ENOSPC;
        return -ENOSPC;
    }
    if (!path.len && len)
        *p++ = '/';
    while (slice__last_component(&path, &component)) {
        if (separator)
            *p++ = '/';
        separator = true;
        memcpy(p, component.data, component.len);
        p += component.len;
    }
    *p = '\0';
    return (int)len;
}
