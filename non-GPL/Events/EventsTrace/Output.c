/* SPDX-License-Identifier: BSD-2-Clause */
#include "Output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int output__init(struct output *output, int fd, const sigset_t *signals)
{
    struct stat st;

    memset(output, 0, sizeof(*output));
    if (fstat(fd, &st))
        return -errno;
    output->fd = fd;
    output->regular = S_ISREG(st.st_mode);
    output->slow = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd);
    output->signals = *signals;
    output->buffer = malloc(OUTPUT_BUFFER);
    return output->buffer ? 0 : -ENOMEM;
}

static char *output__room(struct output *output, size_t size)
{
    if (OUTPUT_BUFFER - output->used < size)
        output__flush(output);
    if (output->closed || output->error || OUTPUT_BUFFER - output->used < size)
        return NULL;
    return output->buffer + output->used;
}

char *output__reserve(struct output *output, size_t size)
{
    return output__room(output, size + 1 + OUTPUT_NOTICE_MAX);
}

char *output__reserve_notice(struct output *output, size_t size)
{
    return output__room(output, size + 1);
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

    if (!output->partial || newline) {
        const char *line = newline ? newline + 1 : output->buffer;
        size_t n = (size_t)(output->buffer + len - line);

        memset(output->start, 0, sizeof(output->start));
        memcpy(output->start, line, n < sizeof(output->start) ? n : sizeof(output->start));
    }
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

static struct timespec output__time_left(const struct output *output)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    long long ns = (output->deadline.tv_sec - now.tv_sec) * 1000000000LL + (output->deadline.tv_nsec - now.tv_nsec);

    if (ns < 0)
        ns = 0;
    return (struct timespec){ns / 1000000000, ns % 1000000000};
}

/* Whether the reader has made room. False, with errno EINTR for a signal or ETIMEDOUT. */
static bool output__wait(const struct output *output)
{
    struct pollfd ready = {.fd = output->fd, .events = POLLOUT};
    struct timespec left = output->hurry ? output__time_left(output) : (struct timespec){0};
    int n = ppoll(&ready, 1, output->hurry ? &left : NULL, output->hurry ? NULL : &output->signals);

    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0;
}

/* How much to write at once: a pipe that has room takes that much without blocking. Whole lines, if they are short. */
static size_t output__portion(const struct output *output)
{
    if (!output->slow || output->used <= PIPE_BUF)
        return output->used;
    const char *newline = memrchr(output->buffer, '\n', PIPE_BUF);

    return newline ? (size_t)(newline - output->buffer + 1) : PIPE_BUF;
}

bool output__flush(struct output *output)
{
    while (output->used && !output->closed && !output->error) {
        if (output->slow && !output__wait(output))
            return errno == EINTR;
        ssize_t n = write(output->fd, output->buffer, output__portion(output));

        if (n > 0) {
            output->full = false;
            output__consumed(output, (size_t)n);
            continue;
        }
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        output->full = n == 0 || errno == ENOSPC || errno == EDQUOT;
        if (output->full)
            return true;
        output->closed = errno == EPIPE;
        if (!output->closed)
            output->error = errno;
    }
    return !output->closed && !output->error;
}

bool output__left(const struct output *output, size_t *pos, const char **ret_line, size_t *ret_len)
{
    const char *line = output->buffer + *pos;
    const char *newline = memchr(line, '\n', output->used - *pos);

    if (!newline)
        return false;
    bool is_partial = !*pos && output->partial;

    *ret_line = is_partial ? output->start : line;
    *ret_len = is_partial ? sizeof(output->start) : (size_t)(newline - line);
    *pos = (size_t)(newline - output->buffer) + 1;
    return true;
}

void output__fini(struct output *output)
{
    struct stat st;

    if (output->regular && output->partial && !fstat(output->fd, &st) && lseek(output->fd, 0, SEEK_CUR) == st.st_size &&
        ftruncate(output->fd, st.st_size - (off_t)output->partial))
        output->error = errno;
    free(output->buffer);
    output->buffer = NULL;
}
