// SPDX-License-Identifier: BSD-2-Clause
/* TraceArgs.c - see TraceArgs.h. */
#include "TraceArgs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "TraceRecord.h"
#include "TraceTask.h"

#define ARGS_NOTES 64
#define ARGS_NOTE_BYTES 4096
#define ARGS_FETCHED (TRACE_VALUE_arg11 - TRACE_VALUE_arg0 + 1)
#define HEAD_WORDS (TRACE_VALUE_head7 - TRACE_VALUE_head0 + 1)

struct args_note {
    uint32_t tid;
    uint32_t len;
    char data[ARGS_NOTE_BYTES];
};

static uint32_t values__tgid(const struct trace_values *v)
{
    return trace_values__upper(NUMBER(v, tids));
}

int trace_args__init(struct trace_args *args)
{
    args->notes = calloc(ARGS_NOTES, sizeof(*args->notes));
    return args->notes ? 0 : -ENOMEM;
}

void trace_args__fini(struct trace_args *args)
{
    free(args->notes);
    args->notes = NULL;
}

void trace_args__note(struct trace_args *args, const struct trace_values *v)
{
    struct args_note *note = &args->notes[v->tid % ARGS_NOTES];

    note->tid = v->tid;
    note->len = 0;
    for (int i = 0; i < ARGS_FETCHED; i++) {
        struct slice text = v->of[TRACE_VALUE_arg0 + i].text;

        if (text.len + 1 > sizeof(note->data) - note->len)
            return;
        memcpy(note->data + note->len, text.data, text.len);
        note->data[note->len + text.len] = '\0';
        note->len += (uint32_t)text.len + 1;
    }
}

/* Read a file of a process whole, up to `size` bytes. Returns how many there are. */
static size_t proc__read(uint32_t tgid, const char *file, char *ret_data, size_t size)
{
    char path[64];
    size_t len = 0;
    ssize_t got;

    snprintf(path, sizeof(path), "/proc/%u/%s", tgid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && len < size && (got = read(fd, ret_data + len, size - len)) > 0)
        len += (size_t)got;
    if (fd >= 0)
        close(fd);
    return len;
}

/* Those that were fetched, if they are as long as all of them together, or those of /proc, or what there is of them. */
void trace_args__add(struct trace_args *args, struct ebpf_event_header *hdr, const struct trace_values *v)
{
    static _Thread_local char data[EBPF_ARGS_MAX];
    struct args_note *note = &args->notes[v->tid % ARGS_NOTES];
    uint64_t len = NUMBER(v, args_end) - NUMBER(v, args_begin), head[HEAD_WORDS];
    const uint32_t kept = (uint32_t)(len < sizeof(data) ? len : sizeof(data));
    const uint32_t known = kept < sizeof(head) ? kept : (uint32_t)sizeof(head);
    const uint16_t cut = kept < len ? EBPF_VARLEN_TRUNCATED : 0;

    for (int i = 0; i < HEAD_WORDS; i++)
        head[i] = v->of[TRACE_VALUE_head0 + i].number;
    bool is_noted = note->tid == v->tid && note->len >= known && !memcmp(note->data, head, known);

    note->tid = 0;
    if (is_noted && len <= note->len && NUMBER(v, argc) <= ARGS_FETCHED) {
        trace_record__add(hdr, EBPF_TAG_ARGV, note->data, (uint32_t)len, 0, 0);
        return;
    }
    if (proc__read(values__tgid(v), "cmdline", data, kept) == kept && !memcmp(data, head, known)) {
        trace_record__add(hdr, EBPF_TAG_ARGV, data, kept, cut ? (uint32_t)len : 0, cut);
        return;
    }
    trace_record__add(hdr, EBPF_TAG_ARGV, is_noted ? note->data : (const char *)head, is_noted ? note->len : known,
                      (uint32_t)len, EBPF_VARLEN_TRUNCATED);
}

void trace_env__add(struct ebpf_event_header *hdr, uint32_t tgid)
{
    static _Thread_local char data[EBPF_ENV_MAX];
    size_t len = proc__read(tgid, "environ", data, sizeof(data));

    trace_record__add(hdr, EBPF_TAG_ENV, data, (uint32_t)len, 0, len && len < sizeof(data) ? 0 : EBPF_VARLEN_TRUNCATED);
}
