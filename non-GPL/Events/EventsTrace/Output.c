/* SPDX-License-Identifier: BSD-2-Clause */
#include "Output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int output__init(struct output *output, int fd)
{
    memset(output, 0, sizeof(*output));
    output->fd = fd;
    output->buffer = malloc(OUTPUT_BUFFER);
    return output->buffer ? 0 : -ENOMEM;
}

char *output__reserve(struct output *output, size_t size)
{
    if (OUTPUT_BUFFER - output->used < size + 1)
        output__flush(output);
    if (output->closed || output->error || OUTPUT_BUFFER - output->used < size + 1)
        return NULL;
    return output->buffer + output->used;
}

void output__commit(struct output *output, size_t len)
{
    output->buffer[output->used + len] = '\n';
    output->used += len + 1;
}

/* How far into its first line what is left of the buffer begins. */
static void output__consumed(struct output *output, size_t len)
{
    const char *newline = memrchr(output->buffer, '\n', len);

    output->partial = newline ? (size_t)(output->buffer + len - newline - 1) : output->partial + len;
    output->used -= len;
    memmove(output->buffer, output->buffer + len, output->used);
}

void output__hurry(struct output *output, int ms)
{
    clock_gettime(CLOCK_MONOTONIC, &output->deadline);
    output->deadline.tv_sec += ms / 1000;
    output->deadline.tv_nsec += ms % 1000 * 1000000L;
    output->hurry = true;
}

static int output__ms_left(const struct output *output)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    long long ms = (output->deadline.tv_sec - now.tv_sec) * 1000LL + (output->deadline.tv_nsec - now.tv_nsec) / 1000000;

    return ms > 0 ? (int)ms : 0;
}

/*
 * How much to write at once. A pipe that says that it is ready takes PIPE_BUF without blocking; whole lines, where one
 * is that short. 0 when the time is up.
 */
static size_t output__portion(const struct output *output)
{
    struct pollfd ready = {.fd = output->fd, .events = POLLOUT};

    if (!output->hurry)
        return output->used;
    if (poll(&ready, 1, output__ms_left(output)) <= 0)
        return 0;
    if (output->used <= PIPE_BUF)
        return output->used;
    const char *newline = memrchr(output->buffer, '\n', PIPE_BUF);

    return newline ? (size_t)(newline - output->buffer + 1) : PIPE_BUF;
}

bool output__flush(struct output *output)
{
    while (output->used && !output->closed && !output->error) {
        size_t portion = output__portion(output);

        if (!portion)
            return false;
        ssize_t n = write(output->fd, output->buffer, portion);

        if (n > 0) {
            output->full = false;
            output__consumed(output, (size_t)n);
            continue;
        }
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            return true; /* a signal: the caller looks at it and comes again */
        output->full = n == 0 || errno == ENOSPC || errno == EDQUOT;
        if (output->full)
            return true;
        output->closed = errno == EPIPE;
        if (!output->closed)
            output->error = errno;
    }
    return !output->closed && !output->error;
}

void output__fini(struct output *output)
{
    struct stat st;

    output__flush(output);
    if (output->partial && !fstat(output->fd, &st) && S_ISREG(st.st_mode) &&
        lseek(output->fd, 0, SEEK_CUR) == st.st_size && ftruncate(output->fd, st.st_size - (off_t)output->partial))
        output->error = errno;
    free(output->buffer);
    output->buffer = NULL;
}
