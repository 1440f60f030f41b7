/* SPDX-License-Identifier: BSD-2-Clause */
#include "Output.h"

#include <errno.h>
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

bool output__flush(struct output *output)
{
    while (output->used && !output->closed && !output->error) {
        ssize_t n = write(output->fd, output->buffer, output->used);

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
