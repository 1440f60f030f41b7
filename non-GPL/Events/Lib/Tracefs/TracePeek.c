// SPDX-License-Identifier: BSD-2-Clause
/* TracePeek.c - see TracePeek.h. */
#include "TracePeek.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "TracePages.h"

#if defined(__x86_64__)
#define CALL_FUNCTION "__x64_sys_getsid"
#define CALLER_ARGUMENT "+112(%di)" /* rdi in struct pt_regs, as in user_regs_struct */
#define FIRST_ARGUMENT "%di"
#define SECOND_ARGUMENT "%si"
#elif defined(__aarch64__)
#define CALL_FUNCTION "__arm64_sys_getsid"
#define CALLER_ARGUMENT "+0(%x0)"
#define FIRST_ARGUMENT "%x0"
#define SECOND_ARGUMENT "%x1"
#else
#error "only x86_64 and aarch64 are supported"
#endif

#define PEEK_EVENT "peek"
#define FORK_EVENT "new_task"
#define IMAGE_EVENT "image"
#define WATCH_EVENT "watch%d"
#define EVENT_LEN 24
#define STAT_EVENT "status"
#define XATTR_EVENT "attribute"
#define DEFINITION_LEN 4096 /* the most that kprobe_events takes at once */
#define PAGE_MAX 65536
/* Documentation/arch/x86/x86_64/mm.rst: the image, then modules. Not on arm64, which has no fixed place. */
#define IMAGE_BEGIN UINT64_C(0xffffffff80000000)
#define IMAGE_END UINT64_C(0xffffffffc0000000)
#define ARGUMENTS_AT 16                 /* behind the common part and the address of the probe */
#define LINEAR_SPAN (UINT64_C(1) << 46) /* most memory that x86-64 maps linearly with four levels of tables */

static int peek__define(struct trace_peek *peek)
{
    char lines[DEFINITION_LEN];
    int n = snprintf(lines, sizeof(lines), "p:%s/" PEEK_EVENT " " CALL_FUNCTION, peek->in->name);

    for (int i = 0; i < PEEK_WORDS; i++)
        n += snprintf(lines + n, sizeof(lines) - (size_t)n, " w%d=+%d(%s):x64", i, 8 * i, CALLER_ARGUMENT);
    n += snprintf(lines + n, sizeof(lines) - (size_t)n, "\n");
    int err = trace_instance__define(peek->in, lines);

    if (err)
        return err;
    snprintf(lines, sizeof(lines), "p:%s/" FORK_EVENT " wake_up_new_task task=%s:x64\n", peek->in->name,
             FIRST_ARGUMENT);
    err = trace_instance__define(peek->in, lines);
    if (err)
        return err;
    snprintf(lines, sizeof(lines), "p:%s/" STAT_EVENT " security_inode_getattr path=%s:x64 dentry=+8(%s):x64\n",
             peek->in->name, FIRST_ARGUMENT, FIRST_ARGUMENT);
    peek->has_stat = !trace_instance__define(peek->in, lines);
    snprintf(lines, sizeof(lines), "p:%s/" XATTR_EVENT " vfs_setxattr first=%s:x64 second=%s:x64\n", peek->in->name,
             FIRST_ARGUMENT, SECOND_ARGUMENT);
    peek->has_xattr = !trace_instance__define(peek->in, lines);
    return 0;
}

/* Without this probe scripts are not known. */
static int image__define(struct trace_peek *peek)
{
    char line[DEFINITION_LEN];
    int n = snprintf(line, sizeof(line), "p:%s/" IMAGE_EVENT " security_bprm_check", peek->in->name);

    for (int i = 0; i < PEEK_IMAGE_WORDS; i++)
        n += snprintf(line + n, sizeof(line) - (size_t)n, " w%d=+%d(%s):x64", i, 8 * i, FIRST_ARGUMENT);
    snprintf(line + n, sizeof(line) - (size_t)n, "\n");
    return trace_instance__define(peek->in, line);
}

static int event__enable(struct trace_peek *peek, const char *event, uint16_t *ret_id)
{
    char path[128];

    snprintf(path, sizeof(path), "events/%s/%s/id", peek->in->name, event);
    char *id = trace_file__read(peek->in->dir, path, NULL);

    if (!id)
        return -errno;
    *ret_id = (uint16_t)atoi(id);
    free(id);
    return trace_instance__enable(peek->in, event, true);
}

int trace_peek__begin(struct trace_peek *peek, struct trace_instance *in)
{
    cpu_set_t one;
    int cpu = sched_getcpu();

    *peek = (struct trace_peek){.in = in, .cpu_fd = -1};
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    if (cpu < 0 || sched_getaffinity(0, sizeof(peek->cpus), &peek->cpus) || sched_setaffinity(0, sizeof(one), &one))
        return -errno;
    int err = peek__define(peek);

    if (!err) { /* the kernel looks at that before it fetches: nobody else's argument is taken for an address */
        char tid[16];

        snprintf(tid, sizeof(tid), "%d", (int)gettid());
        err = trace_instance__write(in, "set_event_pid", tid);
    }
    if (!err)
        err = event__enable(peek, PEEK_EVENT, &peek->event);
    if (!err)
        err = event__enable(peek, FORK_EVENT, &peek->fork);
    if (!err && (image__define(peek) || event__enable(peek, IMAGE_EVENT, &peek->image)))
        peek->image = 0;
    if (!err && peek->has_stat)
        peek->has_stat = !event__enable(peek, STAT_EVENT, &peek->stat);
    if (!err && peek->has_xattr)
        peek->has_xattr = !event__enable(peek, XATTR_EVENT, &peek->xattr);
    if (!err) {
        peek->cpu_fd = trace_instance__open_cpu(in, cpu);
        err = peek->cpu_fd < 0 ? peek->cpu_fd : 0;
    }
    return err;
}

void trace_peek__end(struct trace_peek *peek)
{
    static const char *const events[] = {PEEK_EVENT, FORK_EVENT, IMAGE_EVENT, STAT_EVENT, XATTR_EVENT};

    if (peek->cpu_fd >= 0)
        close(peek->cpu_fd);
    peek->cpu_fd = -1;
    sched_setaffinity(0, sizeof(peek->cpus), &peek->cpus);
    for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
        trace_instance__enable(peek->in, events[i], false);
        trace_instance__undefine(peek->in, events[i]);
    }
    for (int i = 0; i < peek->watches; i++) {
        char event[EVENT_LEN];

        snprintf(event, sizeof(event), WATCH_EVENT, i);
        trace_instance__enable(peek->in, event, false);
        trace_instance__undefine(peek->in, event);
    }
    peek->watches = 0;
    trace_instance__write(peek->in, "set_event_pid", "");
}

int trace_peek__watch(struct trace_peek *peek, const char *function, bool words)
{
    char line[DEFINITION_LEN], event[EVENT_LEN];
    int watch = peek->watches;

    if (watch == PEEK_WATCHES)
        return -ENOSPC;
    snprintf(event, sizeof(event), WATCH_EVENT, watch);
    int n = snprintf(line, sizeof(line), "p:%s/%s %s first=%s:x64 second=%s:x64", peek->in->name, event, function,
                     FIRST_ARGUMENT, SECOND_ARGUMENT);

    for (int i = 0; words && i < PEEK_WATCH_WORDS; i++)
        n += snprintf(line + n, sizeof(line) - (size_t)n, " w%d=+%d(%s):x64", i, 8 * i, SECOND_ARGUMENT);
    snprintf(line + n, sizeof(line) - (size_t)n, "\n");
    int err = trace_instance__define(peek->in, line);

    if (err)
        return err;
    peek->watches++;
    peek->watch_words[watch] = words;
    err = event__enable(peek, event, &peek->watch_events[watch]);
    return err ? err : watch;
}

/* Read the buffer until it is empty. Returns the words of the last record of this thread that an event has made. */
static bool peek__last(struct trace_peek *peek, uint16_t event, uint64_t *ret_words, size_t words)
{
    uint8_t data[PAGE_MAX];
    const uint32_t tid = (uint32_t)gettid();
    struct trace_record record;
    struct trace_page page;
    bool found = false;
    ssize_t size;

    while ((size = read(peek->cpu_fd, data, (size_t)getpagesize())) > 0) {
        if (!trace_page__begin(&page, data, (size_t)size))
            continue;
        while (trace_page__next(&page, &record)) {
            uint32_t maker;

            memcpy(&maker, record.data + 4, sizeof(maker));
            if (trace_record__event(&record) != event || maker != tid ||
                record.size < ARGUMENTS_AT + words * sizeof(*ret_words))
                continue;
            memcpy(ret_words, record.data + ARGUMENTS_AT, words * sizeof(*ret_words));
            found = true;
        }
    }
    return found;
}

uint64_t trace_peek__new_task(struct trace_peek *peek)
{
    uint64_t task = 0;

    if (!peek__last(peek, peek->fork, &task, 1))
        return 0;
    peek->near = task;
    return task;
}

bool trace_peek__image(struct trace_peek *peek, int fd, uint64_t ret_words[PEEK_IMAGE_WORDS])
{
    static char *const argv[] = {"", NULL}, *const envp[] = {NULL};

    if (!peek->image)
        return false;
    syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH); /* fails: it has no format that can be executed */
    return peek__last(peek, peek->image, ret_words, PEEK_IMAGE_WORDS);
}

bool trace_peek__watched(struct trace_peek *peek, int watch, struct trace_watched *ret_watched)
{
    uint64_t words[2 + PEEK_WATCH_WORDS] = {0};
    size_t count = watch >= 0 && peek->watch_words[watch] ? 2 + PEEK_WATCH_WORDS : 2;

    if (watch < 0 || !peek__last(peek, peek->watch_events[watch], words, count))
        return false;
    memcpy(ret_watched->arguments, words, sizeof(ret_watched->arguments));
    memcpy(ret_watched->words, words + 2, sizeof(ret_watched->words));
    return true;
}

bool trace_peek__file(struct trace_peek *peek, int fd, uint64_t *ret_path, uint64_t *ret_dentry)
{
    uint64_t words[2];
    struct stat st;

    if (!peek->has_stat || syscall(SYS_fstat, fd, &st) || !peek__last(peek, peek->stat, words, 2))
        return false;
    *ret_path = words[0];
    *ret_dentry = words[1];
    return true;
}

bool trace_peek__link(struct trace_peek *peek, const char *path, uint64_t *ret_dentry)
{
    uint64_t words[2];
    struct stat st;

    if (!peek->has_stat || lstat(path, &st) || !S_ISLNK(st.st_mode) || !peek__last(peek, peek->stat, words, 2))
        return false;
    *ret_dentry = words[1];
    return true;
}

bool trace_peek__xattr(struct trace_peek *peek, int fd, uint64_t ret_arguments[2])
{
    if (!peek->has_xattr)
        return false;
    fsetxattr(fd, "user.odd", "", 0, 0); /* not all file systems have it */
    return peek__last(peek, peek->xattr, ret_arguments, 2);
}

/*
 * Return whether an address is canonical, and near one of the linear mapping, or in the kernel's image, where the first
 * namespaces are.
 */
static bool address__may_be_read(const struct trace_peek *peek, uint64_t address)
{
    if (!(address % 8) && address >= IMAGE_BEGIN && address < IMAGE_END)
        return true;
    int64_t distance = (int64_t)(address - peek->near);
    int64_t shape = (int64_t)peek->near >> 47 == -1 ? (int64_t)address >> 47 : (int64_t)address >> 56;

    return peek->near && !(address % 8) && shape == -1 && distance < (int64_t)LINEAR_SPAN &&
           distance > -(int64_t)LINEAR_SPAN;
}

bool trace_peek__read(struct trace_peek *peek, uint64_t address, uint64_t ret_words[PEEK_WORDS])
{
    if (!address__may_be_read(peek, address))
        return false;
    memset(ret_words, 0, PEEK_WORDS * sizeof(*ret_words));
    syscall(SYS_getsid, address); /* fails: there is no such process */
    return peek__last(peek, peek->event, ret_words, PEEK_WORDS);
}
