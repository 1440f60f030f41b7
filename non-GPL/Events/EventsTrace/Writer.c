/* SPDX-License-Identifier: BSD-2-Clause */
/* Writer.c - see Writer.h. A question is a length, its answer a length or a negative errno. */
#include "Writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_FD 0 /* descriptors of the writer */
#define SOCKET_FD 1

void file__remove_half_line(int file, size_t len, off_t end)
{
    struct stat st;

    if (len && !fstat(file, &st) && end == st.st_size && ftruncate(file, end - (off_t)len)) {
        ; /* it cannot be reported any more */
    }
}

/* Return how many bytes of half a line a file ends with, after so many bytes were written, and `before` before. */
static size_t half_line__after(size_t before, const char *written, size_t len)
{
    const char *newline = memrchr(written, '\n', len);

    return newline ? (size_t)(written + len - newline - 1) : before + len;
}

/* These two have no meaning for a file: what they ask for is to try again later, as a full one does. */
static int errno__of_file(int number)
{
    return number == EAGAIN || number == EINTR ? ENOSPC : number;
}

static _Noreturn void writer__run(const char *room, int flags)
{
    size_t half_line = 0;
    off_t end = 0;
    uint32_t len;

    while (recv(SOCKET_FD, &len, sizeof(len), 0) == sizeof(len)) {
        ssize_t n = write(FILE_FD, room, len);
        int32_t answer = n < 0 ? -errno__of_file(errno) : (int32_t)n;

        if (n > 0) {
            half_line = half_line__after(half_line, room, (size_t)n);
            end = lseek(FILE_FD, 0, SEEK_CUR);
        }
        if (send(SOCKET_FD, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
            break;
    }
    file__remove_half_line(FILE_FD, half_line, end);
    fcntl(FILE_FD, F_SETFL, flags);
    close(FILE_FD);
    _exit(0);
}

/* Become a process that has only these descriptors, and is ended by no signal of a terminal. */
static _Noreturn void writer__become(int file, int socket, const char *room, int flags)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    dup2(file, FILE_FD);
    dup2(socket, SOCKET_FD);
    closefrom(SOCKET_FD + 1);
    writer__run(room, flags);
}

/* Start one that has the other end of the socket. 0 or a negative errno. */
static int writer__fork(struct writer *writer, int file, int flags)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return -errno;
    writer->fd = ends[0];
    writer->pid = fork();
    if (!writer->pid)
        writer__become(file, ends[1], writer->room, flags);
    int err = writer->pid < 0 ? -errno : 0;

    close(ends[1]);
    if (err)
        close(ends[0]);
    return err;
}

int writer__start(struct writer *ret_writer, int file, int flags)
{
    struct writer writer = {.room = mmap(NULL, WRITER_ROOM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)};

    if (writer.room == MAP_FAILED)
        return -errno;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int err = null < 0 ? -errno : writer__fork(&writer, file, flags);

    if (err) {
        munmap(writer.room, WRITER_ROOM);
    } else {
        dup2(null, file);
        *ret_writer = writer;
    }
    if (null >= 0)
        close(null);
    return err;
}

bool writer__ask(struct writer *writer, const char *from, size_t len)
{
    uint32_t question = (uint32_t)len;

    memcpy(writer->room, from, len);
    writer->asked = len;
    if (send(writer->fd, &question, sizeof(question), MSG_NOSIGNAL) >= 0 || errno == EPIPE || errno == ECONNRESET)
        return true; /* if it has ended, the answer reports it */
    writer->asked = 0;
    return false;
}

ssize_t writer__answer(struct writer *writer)
{
    int32_t answer;
    ssize_t n = recv(writer->fd, &answer, sizeof(answer), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        errno = EINTR;
        return -1;
    }
    writer->asked = 0;
    if (n != sizeof(answer))
        answer = -ECHILD;
    if (answer >= 0)
        return answer;
    errno = -answer;
    return -1;
}

void writer__end(struct writer *writer, int ms)
{
    struct pollfd end = {.fd = writer->fd}; /* not for an answer: what is written now is not waited for */

    shutdown(writer->fd, SHUT_WR);
    if (poll(&end, 1, ms) == 1)
        waitpid(writer->pid, NULL, 0);
    close(writer->fd);
    munmap(writer->room, WRITER_ROOM);
    *writer = (struct writer){0};
}
