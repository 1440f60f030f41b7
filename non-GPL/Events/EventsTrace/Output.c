/* SPDX-License-Identifier: BSD-2-Clause */
#include "Output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int output__init(struct output *output, int fd, const sigset_t *signals)
{
    struct stat st, err;

    memset(output, 0, sizeof(*output));
    if (fstat(fd, &st))
        return -errno;
    output->fd = fd;
    output->regular = S_ISREG(st.st_mode);
    output->slow = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd);
    output->own_pipe = S_ISFIFO(st.st_mode) && (fstat(STDERR_FILENO, &err) || err.st_ino != st.st_ino);
    output->signals = *signals;
    output->next_try = OUTPUT_BATCH;
    output->buffer = malloc(OUTPUT_BUFFER);
    return output->buffer ? 0 : -ENOMEM;
}

static bool output__write_out(struct output *output);

static size_t output__used(const struct output *output)
{
    return output->end - output->begin;
}

static void output__compact(struct output *output)
{
    memmove(output->buffer, output->buffer + output->begin, output__used(output));
    output->end -= output->begin;
    output->begin = 0;
    output->next_try = output->end + OUTPUT_BATCH;
}

static char *output__room(struct output *output, size_t size)
{
    if (OUTPUT_BUFFER - output->end < size)
        output__compact(output);
    if (OUTPUT_BUFFER - output->end < size) {
        output__write_out(output);
        output__compact(output);
    }
    if (output->closed || output->error || OUTPUT_BUFFER - output->end < size)
        return NULL;
    return output->buffer + output->end;
}

char *output__reserve(struct output *output, size_t size)
{
    return output__room(output, size + 1 + OUTPUT_NOTICE_MAX);
}

char *output__reserve_notice(struct output *output, size_t size)
{
    return output__room(output, size + 1);
}

/* How far into its first line what is left of the buffer begins. */
static void output__consumed(struct output *output, size_t len)
{
    const char *from = output->buffer + output->begin;
    const char *newline = memrchr(from, '\n', len);

    if (!output->partial || newline) {
        const char *line = newline ? newline + 1 : from;
        size_t n = (size_t)(from + len - line);

        memset(output->start, 0, sizeof(output->start));
        memcpy(output->start, line, n < sizeof(output->start) ? n : sizeof(output->start));
    }
    output->partial = newline ? (size_t)(from + len - newline - 1) : output->partial + len;
    output->begin += len;
    if (output->begin == output->end)
        output->begin = output->end = 0;
    output->next_try = output->end + OUTPUT_BATCH;
}

void output__hurry(struct output *output, int ms)
{
    clock_gettime(CLOCK_MONOTONIC, &output->deadline);
    output->deadline.tv_sec += ms / 1000;
    output->deadline.tv_nsec += ms % 1000 * 1000000L;
    output->hurry = true;
    output->interrupted = false;
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

/*
 * What a pipe takes at once in any case: all of its size, when it is empty. Of one that standard error goes to as well,
 * nothing: what others write must not come between.
 */
static size_t output__pipe_room(const struct output *output)
{
    int queued, size;

    if (!output->own_pipe || ioctl(output->fd, FIONREAD, &queued) || queued)
        return 0;
    size = fcntl(output->fd, F_GETPIPE_SZ);
    return size > 0 ? (size_t)size : 0;
}

/* As much as that, and whole lines if they are short. */
static size_t output__portion(const struct output *output, size_t most)
{
    const char *from = output->buffer + output->begin;

    if (output__used(output) <= most)
        return output__used(output);
    const char *newline = memrchr(from, '\n', most);

    return newline ? (size_t)(newline - from + 1) : most;
}

/* Write once, which does not block. False when that is all for now. */
static bool output__write(struct output *output, size_t most)
{
    ssize_t n = write(output->fd, output->buffer + output->begin, output__portion(output, most));

    if (n > 0) {
        output->full = false;
        output__consumed(output, (size_t)n);
        return true;
    }
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    output->full = n == 0 || errno == ENOSPC || errno == EDQUOT;
    if (output->full)
        return false;
    output->closed = errno == EPIPE;
    if (!output->closed)
        output->error = errno;
    return false;
}

/* Write until nothing is left, a signal comes, or nothing can be written; after a signal, what needs no waiting. */
static bool output__write_out(struct output *output)
{
    while (output->begin < output->end && !output->closed && !output->error) {
        size_t most = output->slow ? output__pipe_room(output) : OUTPUT_BUFFER;

        if (!most && output->interrupted)
            return true;
        if (!most && !output__wait(output)) {
            output->interrupted = errno == EINTR;
            return output->interrupted;
        }
        if (!most)
            most = output__pipe_room(output); /* who reads has most often taken everything */
        if (!output__write(output, most ? most : PIPE_BUF) && output->full)
            return true;
    }
    return !output->closed && !output->error;
}

bool output__flush(struct output *output)
{
    bool goes_on = output__write_out(output);

    output->interrupted = false;
    return goes_on;
}

void output__commit(struct output *output, size_t len)
{
    output->buffer[output->end + len] = '\n';
    output->end += len + 1;
    if (output->end < output->next_try || output->closed || output->error || output->full)
        return;
    size_t most = output->slow ? output__pipe_room(output) : OUTPUT_BUFFER;

    if (most)
        output__write(output, most);
    else if (output__used(output) > OUTPUT_WAIT)
        output__write_out(output);
    output->next_try = output->end + OUTPUT_BATCH;
}

bool output__left(const struct output *output, size_t *pos, const char **ret_line, size_t *ret_len)
{
    const char *from = output->buffer + output->begin, *line = from + *pos;
    const char *newline = memchr(line, '\n', output__used(output) - *pos);

    if (!newline)
        return false;
    bool is_partial = !*pos && output->partial;

    *ret_line = is_partial ? output->start : line;
    *ret_len = is_partial ? sizeof(output->start) : (size_t)(newline - line);
    *pos = (size_t)(newline - from) + 1;
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
