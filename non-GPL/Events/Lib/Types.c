// SPDX-License-Identifier: BSD-2-Clause
/* Types.c - the version, and the names of event types and reasons for loss; sets of types. */
#include "EbpfEvents.h"
#include "Record.h"

struct type_info {
    const char *name, *option, *doc;
    size_t size;
};

static const struct type_info types[EBPF_EVENT_TYPE_COUNT] = {
#define EVENT(id, NAME, name, option, ring, doc) [id] = {#NAME, option, doc, sizeof(struct ebpf_##name##_event)},
#include "Events.def"
};

static const char *const reason_keys[EBPF_REASON_COUNT] = {
#define REASON(id, NAME, key, doc) [id] = key,
#include "Events.def"
};

static const struct type_info *type_info__get(unsigned int type)
{
    return type < EBPF_EVENT_TYPE_COUNT && types[type].name ? &types[type] : NULL;
}

size_t ebpf_event_type__size(unsigned int type)
{
    const struct type_info *info = type_info__get(type);

    return info ? info->size : 0;
}

const char *ebpf_event_type__name(enum ebpf_event_type type)
{
    const struct type_info *info = type_info__get(type);

    return info ? info->name : NULL;
}

const char *ebpf_event_type__option(enum ebpf_event_type type)
{
    const struct type_info *info = type_info__get(type);

    return info ? info->option : NULL;
}

const char *ebpf_event_type__doc(enum ebpf_event_type type)
{
    const struct type_info *info = type_info__get(type);

    return info ? info->doc : NULL;
}

enum ebpf_event_type ebpf_event_type__next(enum ebpf_event_type type)
{
    for (size_t next = (size_t)type + 1; next < EBPF_EVENT_TYPE_COUNT; next++) {
        if (types[next].name)
            return (enum ebpf_event_type)next;
    }
    return (enum ebpf_event_type)0;
}

const char *ebpf_reason__key(enum ebpf_reason reason)
{
    return (unsigned int)reason < EBPF_REASON_COUNT ? reason_keys[reason] : NULL;
}

const char *ebpf_events__version(void)
{
    return EBPF_EVENTS_VERSION;
}

void ebpf_event_set__add(struct ebpf_event_set *set, enum ebpf_event_type type)
{
    if ((unsigned int)type < EBPF_EVENT_TYPE_COUNT)
        set->bits |= UINT64_C(1) << type;
}

bool ebpf_event_set__has(struct ebpf_event_set set, enum ebpf_event_type type)
{
    return (unsigned int)type < EBPF_EVENT_TYPE_COUNT && (set.bits >> type & 1);
}

struct ebpf_event_set ebpf_event_set__all(void)
{
    struct ebpf_event_set set = {0};

    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        if (types[type].name)
            ebpf_event_set__add(&set, type);
    }
    return set;
}
