/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output to a terminal: plain, in 12 segments, a large write, every byte, by /dev/tty, by a process without a
 * controlling terminal, and to a terminal that accepts no more. Input (written to the master) is not reported.
 */
#include "case.h"

#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <termios.h>

#define ROWS 33
#define COLS 77
#define MUCH 100000
#define SEGMENTS 12

static int master;
static char slave_name[64];
static int count_pipe[2];

/* Deterministic, and without a short period, so that a lost or repeated piece shows. */
static char *text_of(size_t len)
{
    static char text[MUCH];

    for (size_t i = 0; i < len; i++)
        text[i] = ' ' + (i * 7 + i / 95 * 13) % 95;
    return text;
}

/* The slave, as controlling terminal of a new session or not. */
static int slave__open(bool controlling)
{
    CHECK(setsid() == getpid());
    int fd = open(slave_name, O_RDWR | O_NOCTTY | O_CLOEXEC);

    CHECK(fd >= 0 && (!controlling || !ioctl(fd, TIOCSCTTY, 0)));
    return fd;
}

static void raw(int fd)
{
    struct termios termios;

    CHECK(!tcgetattr(fd, &termios));
    cfmakeraw(&termios);
    CHECK(!tcsetattr(fd, TCSANOW, &termios));
}

static void write_plain(void *unused)
{
    (void)unused;
    fd__write_all(slave__open(true), "hello\n", 6);
}

static void write_dev_tty(void *unused)
{
    (void)unused;
    slave__open(true);
    int tty = open("/dev/tty", O_WRONLY | O_CLOEXEC);

    CHECK(tty >= 0);
    fd__write_all(tty, "by /dev/tty", 11);
}

static void write_without_ctty(void *unused)
{
    (void)unused;
    fd__write_all(slave__open(false), "not mine", 8);
}

static void write_segments(void *unused)
{
    struct iovec segments[SEGMENTS];
    char *text = text_of(SEGMENTS * 100);
    size_t len = 0;

    (void)unused;
    for (int i = 0; i < SEGMENTS; i++) {
        segments[i] = (struct iovec){.iov_base = text + len, .iov_len = i * 9 + 1};
        len += segments[i].iov_len;
    }
    CHECK(writev(slave__open(true), segments, SEGMENTS) == (ssize_t)len);
    number__send(count_pipe[1], len);
}

static void write_bytes(void *unused)
{
    char bytes[256];
    int fd = slave__open(true);

    (void)unused;
    raw(fd);
    for (int byte = 0; byte < 256; byte++)
        bytes[byte] = byte;
    fd__write_all(fd, bytes, sizeof(bytes));
}

static void write_much(void *is_raw)
{
    int fd = slave__open(true);

    if (is_raw)
        raw(fd);
    CHECK(write(fd, text_of(MUCH), MUCH) == MUCH);
}

/* Without a reader it accepts what it has room for, and then nothing. */
static void write_to_full(void *unused)
{
    int fd = slave__open(true);
    ssize_t n, total = 0;

    (void)unused;
    raw(fd);
    CHECK(!fcntl(fd, F_SETFL, O_NONBLOCK));
    while ((n = write(fd, text_of(MUCH) + total, MUCH - total)) > 0)
        total += n;
    CHECK(errno == EAGAIN && total > 0);
    number__send(count_pipe[1], total);
}

static void *drain(void *fd)
{
    char buf[65536];

    /* It fails when the last slave is closed. */
    while (read(*(int *)fd, buf, sizeof(buf)) > 0)
        ;
    return NULL;
}

static void pty__open(void)
{
    struct winsize size = {.ws_row = ROWS, .ws_col = COLS};

    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(master >= 0 && !grantpt(master) && !unlockpt(master));
    CHECK(!ptsname_r(master, slave_name, sizeof(slave_name)) && !ioctl(master, TIOCSWINSZ, &size));
}

static void fact__tty(void)
{
    struct stat st;

    CHECK(!stat(slave_name, &st));
    fact__int("major", major(st.st_rdev));
    fact__int("minor", minor(st.st_rdev));
    fact__int("rows", ROWS);
    fact__int("cols", COLS);
}

/*
 * A writer on a terminal of its own, with a reader of its output. The slave is kept open until the reader runs, because
 * without a slave a read fails and the reader would give up.
 */
static void run(const char *key, child_fn *fn, void *arg, bool drained)
{
    pthread_t reader;

    pty__open();
    int slave = open(slave_name, O_RDWR | O_NOCTTY | O_CLOEXEC);

    CHECK(slave >= 0);
    fact__object(key);
    fact__tty();
    if (drained)
        CHECK(!pthread_create(&reader, NULL, drain, &master));
    fact__int("pid", child__run(fn, arg));
    CHECK(!close(slave));
    if (drained)
        CHECK(!pthread_join(reader, NULL));
    CHECK(!close(master));
}

static void fact__written(const void *data, size_t len)
{
    fact__bytes("written", data, len);
    fact__object_end();
}

static void fact__all_bytes(void)
{
    char bytes[256];

    for (int byte = 0; byte < 256; byte++)
        bytes[byte] = byte;
    fact__written(bytes, sizeof(bytes));
}

/* Bytes written to the master are input. */
static void type_at_master(void)
{
    pty__open();
    int slave = open(slave_name, O_RDWR | O_NOCTTY | O_CLOEXEC);

    CHECK(slave >= 0 && write(master, "typed\n", 6) == 6);
    CHECK(!close(slave) && !close(master));
}

int main(void)
{
    CHECK(!pipe2(count_pipe, O_CLOEXEC));
    fact__int("pid", getpid());
    run("plain", write_plain, NULL, true);
    fact__written("hello\n", 6);
    run("dev_tty", write_dev_tty, NULL, true);
    fact__written("by /dev/tty", 11);
    run("without_ctty", write_without_ctty, NULL, true);
    fact__written("not mine", 8);
    run("segments", write_segments, NULL, true);
    size_t segments = number__receive(count_pipe[0]);

    fact__written(text_of(segments), segments);
    run("bytes", write_bytes, NULL, true);
    fact__all_bytes();
    run("much_raw", write_much, "raw", true);
    fact__written(text_of(MUCH), MUCH);
    run("much_cooked", write_much, NULL, true);
    fact__written(text_of(MUCH), MUCH);
    run("full", write_to_full, NULL, false);
    size_t taken = number__receive(count_pipe[0]);

    fact__written(text_of(taken), taken);
    type_at_master();
    return facts__print();
}
