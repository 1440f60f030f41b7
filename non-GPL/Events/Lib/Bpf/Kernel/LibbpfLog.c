// SPDX-License-Identifier: BSD-2-Clause
#include "LibbpfLog.h"

#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int users;                  /* threads between begin and end */
static libbpf_print_fn_t previous; /* in use before the first of them */

static _Thread_local struct {
    bool is_inside;
    struct ebpf_log log;
} own;

bool libbpf_log__is_on(void)
{
    return own.is_inside && (own.log.fn || own.log.line_fn);
}

void libbpf_log__write(const char *head, char *text)
{
    for (char *line; (line = strsep(&text, "\n"));) {
        if (*line)
            ebpf_log__write(&own.log, EBPF_LOG_DEBUG, "%s: %s", head, line);
    }
}

static void own__write(const char *format, va_list args)
{
    char *text;
    int len = libbpf_log__is_on() ? vasprintf(&text, format, args) : -1;

    if (len < 0)
        return;
    if (len > 0 && text[len - 1] == '\n')
        text[len - 1] = '\0';
    ebpf_log__write(&own.log, EBPF_LOG_DEBUG, "%s", text);
    free(text);
}

static int libbpf__print(enum libbpf_print_level level, const char *format, va_list args)
{
    libbpf_print_fn_t others = __atomic_load_n(&previous, __ATOMIC_ACQUIRE);

    if (!own.is_inside)
        return others ? others(level, format, args) : 0;
    own__write(format, args);
    return 0;
}

void libbpf_log__begin(const struct ebpf_log *log)
{
    own.is_inside = true;
    own.log = log ? *log : (struct ebpf_log){0};
    pthread_mutex_lock(&lock);
    if (!users++)
        __atomic_store_n(&previous, libbpf_set_print(libbpf__print), __ATOMIC_RELEASE);
    pthread_mutex_unlock(&lock);
}

void libbpf_log__end(void)
{
    own.is_inside = false;
    pthread_mutex_lock(&lock);
    if (!--users) {
        libbpf_print_fn_t now = libbpf_set_print(previous);

        if (now != libbpf__print) /* another one was set meanwhile */
            libbpf_set_print(now);
    }
    pthread_mutex_unlock(&lock);
}
