/* SPDX-License-Identifier: BSD-2-Clause */
/* TraceRecord.h - appends variable fields to a record that is being made. */
#ifndef EBPF_TRACE_RECORD_H
#define EBPF_TRACE_RECORD_H

#include <string.h>

#include "../Record.h"

static inline uint32_t trace_record__aligned(uint32_t len)
{
    return (len + 7) & ~UINT32_C(7);
}

/* Append a field at the end of a record, which has room for it. */
static inline void trace_record__add(struct ebpf_event_header *hdr, enum ebpf_tag tag, const void *data, uint32_t len,
                                     uint32_t orig_len, uint16_t flags)
{
    const struct ebpf_varlen field = {.tag = (uint16_t)tag, .flags = flags, .len = len, .orig_len = orig_len};
    char *at = (char *)hdr + hdr->size;

    memcpy(at, &field, sizeof(field));
    memcpy(at + sizeof(field), data, len);
    memset(at + sizeof(field) + len, 0, trace_record__aligned(len) - len);
    hdr->size += (uint32_t)sizeof(field) + trace_record__aligned(len);
}

#endif
