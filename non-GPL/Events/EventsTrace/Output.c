/* SPDX-License-Identifier: BSD-2-Clause */
#include "Output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id /* before glibc 2.38 */
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define STUCK_MS 20
#define ANSWER_MS 20
#define LAST_END_MS 200
#define LINES_FEWEST 256
#define BLOCKED_NS 20000000 /* longest that a write blocks, where it cannot be kept from that */
#define PTMX_MAJOR 5        /* opening it anew makes another terminal */
#define PTMX_MINOR 2

/* Open a pipe or terminal again, with a description to which writes do not block. Returns `fd` if that fails. */
static int fd__open_anew(int fd, const struct stat *st)
{
    char path[32];
    struct stat anew;

    if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(PTMX_MAJOR, PTMX_MINOR))
        return fd;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (own < 0)
        return fd;
    if (!fstat(own, &anew) && anew.st_dev == st->st_dev && anew.st_ino == st->st_ino && anew.st_rdev == st->st_rdev)
        return own;
    close(own);
    return fd;
}

static void on_timer(int signal)
{
    (void)signal;
}

/*
 * Make a timer whose signal interrupts this thread when a write blocks. Not SIGALRM: the parent may have set an alarm
 * to end this program.
 */
static int output__make_timer(struct output *output)
{
    const struct sigaction action = {.sa_handler = on_timer};
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN, .sigev_notify_thread_id = gettid()};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    if (sigaction(SIGRTMIN, &action, NULL) || sigprocmask(SIG_UNBLOCK, &set, NULL) ||
        timer_create(CLOCK_MONOTONIC, &event, &output->timer))
        return -errno;
    output->blocks = true;
    return 0;
}

/* Append to a file. The flag is shared, so that later writers continue at its end. */
static void output__begin_file(struct output *output)
{
    fcntl(output->fd, F_SETFL, output->given_flags | O_APPEND);
    if (writer__start(&output->writer, output->fd, output->given_flags))
        return; /* this process writes to it */
    output->fd = output->writer.fd;
    output->slow = true;
}

int output__init(struct output *output, int fd, size_t size, bool patient, int wake_fd)
{
    struct stat st, err;

    memset(output, 0, sizeof(*output));
    if (fstat(fd, &st))
        return -errno;
    output->given_flags = fcntl(fd, F_GETFL);
    output->fd = output->given_fd = fd;
    output->regular = S_ISREG(st.st_mode);
    output->socket = S_ISSOCK(st.st_mode);
    output->slow = S_ISFIFO(st.st_mode) || output->socket || isatty(fd);
    output->own_pipe =
        S_ISFIFO(st.st_mode) && fd != STDERR_FILENO && (fstat(STDERR_FILENO, &err) || err.st_ino != st.st_ino);
    output->size = size;
    output->patient = patient;
    output->wake_fd = wake_fd;
    output->next_try = OUTPUT_BATCH;
    output->buffer = malloc(size);
    if (!output->buffer)
        return -ENOMEM;
    if (output->regular)
        output__begin_file(output);
    else if (output->slow && !output->socket)
        output->fd = fd__open_anew(fd, &st);
    bool never_blocks = output->regular || S_ISBLK(st.st_mode) || output->socket || output->fd != fd;
    int failed = never_blocks ? 0 : output__make_timer(output);

    return output->slow ? failed : 0; /* most other devices never block */
}

static bool output__write_out(struct output *output);

static size_t output__used(const struct output *output)
{
    return output->end - output->begin;
}

static void output__compact(struct output *output)
{
    if (!output->begin)
        return;
    memmove(output->buffer, output->buffer + output->begin, output__used(output));
    output->end -= output->begin;
    output->begin = 0;
    output->next_try = output->end + OUTPUT_BATCH;
}

/* Make room for one more in the list of lines. False without memory. */
static bool output__has_line(struct output *output)
{
    size_t used = output->line_end - output->first_line;

    if (output->line_end < output->line_room)
        return true;
    if (output->first_line > used) {
        memcpy(output->lines, output->lines + output->first_line, used * sizeof(*output->lines));
        output->first_line = 0;
        output->line_end = used;
        return true;
    }
    size_t room = output->line_room ? 2 * output->line_room : LINES_FEWEST;
    struct output_line *larger = realloc(output->lines, room * sizeof(*larger));

    if (!larger)
        return false;
    output->lines = larger;
    output->line_room = room;
    return true;
}

char *output__make_room(struct output *output, size_t size)
{
    if (!output__has_line(output))
        return NULL;
    if (output->size - output->end < size)
        output__compact(output);
    if (output->size - output->end < size) {
        output__write_out(output);
        output__compact(output);
    }
    if (output->closed || output->error || output->size - output->end < size)
        return NULL;
    return output->buffer + output->end;
}

char *output__reserve_notice(struct output *output, size_t size)
{
    return output__make_room(output, size + 1);
}

/* Remove written bytes from the buffer, and the lines that are written as a whole from the list. */
static void output__consumed(struct output *output, size_t len)
{
    output->begin += len;
    output->partial += len;
    if (output->begin == output->end)
        output->begin = output->end = output->first_line = output->line_end = output->partial = 0;
    while (output->first_line < output->line_end && output->lines[output->first_line].len <= output->partial)
        output->partial -= output->lines[output->first_line++].len;
    output->next_try = output->end + OUTPUT_BATCH;
}

static int64_t now__ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void output__set_deadline(struct output *output, int ms)
{
    output->deadline_ms = now__ms() + ms;
    output->grace_ms = output->writer.pid ? ms / 2 : 0;
    output->has_deadline = true;
    output->interrupted = false;
}

/* Return how long to wait for the reader, in ms; -1: without limit. */
static int output__wait_ms(const struct output *output)
{
    if (output->interrupted)
        return 0;
    if (output->has_deadline) {
        int64_t left = output->deadline_ms - now__ms();

        return (int)(left > output->grace_ms ? left : output->grace_ms);
    }
    return output->patient ? -1 : 0;
}

static void output__take_grace(struct output *output, int64_t ms)
{
    output->grace_ms = ms < output->grace_ms ? output->grace_ms - (int)ms : 0;
}

/* Wait until the reader has made room. False if the wait was interrupted or has timed out. */
static bool output__wait(struct output *output)
{
    struct pollfd ready[] = {{.fd = output->fd, .events = output->writer.pid ? POLLIN : POLLOUT},
                             {.fd = output->has_deadline ? -1 : output->wake_fd, .events = POLLIN}};
    int ms = output__wait_ms(output);
    bool was_stuck = output->stuck;

    if (was_stuck && !ms) {
        output->stuck = output->blocks && output->has_deadline; /* there is no time for another write that blocks */
        return false;
    }
    output->stuck = false;
    if (was_stuck) {
        ready[0].fd = -1;
        ms = ms < 0 || ms > STUCK_MS ? STUCK_MS : ms;
    }
    int64_t begin = now__ms();
    int n = poll(ready, 2, ms);

    if (output->grace_ms && begin >= output->deadline_ms)
        output__take_grace(output, now__ms() - begin);
    if (n > 0 && ready[1].revents)
        output->interrupted = true;
    return was_stuck || (n > 0 && ready[0].revents);
}

/*
 * Return what the output takes at once in any case: a pipe its size if it is empty, and nothing if standard error goes
 * to it as well, since what others write must not come between.
 */
static size_t output__room(const struct output *output)
{
    int queued, size;

    if (output->writer.pid)
        return output->writer.asked ? 0 : WRITER_ROOM;
    if (!output->own_pipe || ioctl(output->fd, FIONREAD, &queued) || queued)
        return 0;
    size = fcntl(output->fd, F_GETPIPE_SZ);
    return size > 0 ? (size_t)size : 0;
}

/* Return how much to write, at most `most`, and whole lines if they are short. */
static size_t output__portion(const struct output *output, size_t most)
{
    const char *from = output->buffer + output->begin;

    if (output__used(output) <= most)
        return output__used(output);
    const char *newline = memrchr(from, '\n', most);

    return newline ? (size_t)(newline - from + 1) : most;
}

/* EAGAIN comes from files that cannot be polled, as some of drivers. */
static bool errno__is_full(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EFBIG || number == EAGAIN;
}

/*
 * Return whether a failed write means that the reader has gone; a terminal that has gone is not the only cause of EIO.
 */
static bool output__is_closed(const struct output *output, int number)
{
    struct pollfd terminal = {.fd = output->fd};

    return number == EPIPE || number == ECONNRESET ||
           (number == EIO && output->slow && poll(&terminal, 1, 0) == 1 && terminal.revents & POLLHUP);
}

/* Write to a description that blocks; EAGAIN if the timer has interrupted it. */
static ssize_t output__write_in_time(const struct output *output, const char *from, size_t len)
{
    const struct itimerspec stop = {0}, period = {.it_interval.tv_nsec = BLOCKED_NS, .it_value.tv_nsec = BLOCKED_NS};

    timer_settime(output->timer, 0, &period, NULL);
    ssize_t n = write(output->fd, from, len);
    int err = errno;

    timer_settime(output->timer, 0, &stop, NULL);
    errno = err == EINTR ? EAGAIN : err;
    return n;
}

static ssize_t output__write_some(struct output *output, const char *from, size_t len)
{
    if (output->socket)
        return send(output->fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (output->writer.pid)
        return writer__answer(&output->writer);
    return output->blocks ? output__write_in_time(output, from, len) : write(output->fd, from, len);
}

/* Ask the writer. One that is not waited for later has a moment to answer. False if there is no memory for it now. */
static bool output__ask_writer(struct output *output, size_t most)
{
    struct pollfd answered = {.fd = output->fd, .events = POLLIN};

    if (!writer__ask(&output->writer, output->buffer + output->begin, output__portion(output, most))) {
        output->full = errno;
        return false;
    }
    if (!output->patient)
        poll(&answered, 1, ANSWER_MS);
    return true;
}

/* Write once, without blocking for long. False if no more can be written now. */
static bool output__write(struct output *output, size_t most)
{
    if (output->writer.pid && !output->writer.asked)
        return output__ask_writer(output, most);
    ssize_t n = output__write_some(output, output->buffer + output->begin, output__portion(output, most));

    if (n > 0) {
        output->full = 0;
        output__consumed(output, (size_t)n);
        return true;
    }
    if (n < 0 && (errno == EINTR || (errno == EAGAIN && output->slow))) {
        output->stuck = errno == EAGAIN;
        return true;
    }
    output->full = n == 0 ? ENOSPC : errno__is_full(errno) ? errno : 0;
    if (output->full)
        return false;
    int err = errno;

    output->closed = output__is_closed(output, err);
    if (!output->closed)
        output->error = err;
    return false;
}

/* Write until nothing is left, the wait for the reader ends, or nothing can be written. False in the last case. */
static bool output__write_out(struct output *output)
{
    while (output->begin < output->end && !output->closed && !output->error) {
        size_t most = output->slow ? output__room(output) : output->size;

        if (!most && !output__wait(output))
            return output->interrupted || !output->patient;
        if (!most)
            most = output__room(output); /* the reader has most often taken everything */
        if (!output__write(output, most ? most : PIPE_BUF) && output->full)
            return true;
    }
    return !output->closed && !output->error;
}

struct pollfd output__watch(const struct output *output)
{
    bool is_watched = output->slow && !output->closed && !output->error;

    return (struct pollfd){.fd = is_watched ? output->fd : -1};
}

void output__look(struct output *output, const struct pollfd *watched)
{
    if (!(watched->revents & (POLLERR | POLLHUP | POLLNVAL)))
        return;
    if (!output->writer.pid)
        output->closed = true;
    else if (!output->writer.asked) /* or there may be an answer */
        output->error = ECHILD;
}

bool output__flush(struct output *output)
{
    bool goes_on = output__write_out(output);

    output->interrupted = false;
    return goes_on;
}

void output__write_batch(struct output *output)
{
    if (output->closed || output->error || output->full)
        return;
    size_t most = output->slow ? output__room(output) : output->size;

    if (most)
        output__write(output, most);
    else if (output__used(output) > OUTPUT_WAIT)
        output__write_out(output);
    output->next_try = output->end + OUTPUT_BATCH;
}

void output__commit(struct output *output, size_t len)
{
    output__commit_events(output, len, 0, 0);
}

size_t output__left(const struct output *output, const struct output_line **ret_lines)
{
    *ret_lines = output->lines + output->first_line;
    return output->line_end - output->first_line;
}

void output__abandon(const struct output *output)
{
    if (output->buffer)
        close(output->fd);
}

void output__fini(struct output *output)
{
    if (!output->buffer)
        return;
    if (output->writer.pid) {
        writer__end(&output->writer, output->writer.asked ? 0 : LAST_END_MS);
        output->fd = output->given_fd;
    } else if (output->regular) {
        file__remove_half_line(output->fd, output->partial, lseek(output->fd, 0, SEEK_CUR));
        fcntl(output->fd, F_SETFL, output->given_flags);
    }
    if (output->fd != output->given_fd)
        close(output->fd);
    if (output->blocks)
        timer_delete(output->timer);
    free(output->lines);
    free(output->buffer);
    output->buffer = NULL;
}
