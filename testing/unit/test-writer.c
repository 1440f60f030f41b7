// SPDX-License-Identifier: BSD-2-Clause
/* test-writer.c - a process that writes to a file */
#include "../../non-GPL/Events/EventsTrace/Writer.c"

#include <stdlib.h>

#include "check.h"

#define DEADLINE_MS 60000

static char path[] = "/tmp/test-writer-XXXXXX";

/* Return a descriptor of the file, which is empty, as somebody else has it. */
static int file__reset(void)
{
    int file = open(path, O_RDWR | O_TRUNC | O_APPEND | O_CLOEXEC);

    CHECK(file >= 0);
    return file;
}

static void check_content(const char *want)
{
    char text[64] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC);

    CHECK(read(file, text, sizeof(text) - 1) >= 0);
    CHECK_SAME(text, want);
    close(file);
}

static void write_by(struct writer *writer, const char *text)
{
    struct pollfd answered = {.fd = writer->fd, .events = POLLIN};

    writer__ask(writer, text, strlen(text));
    CHECK(writer->asked && poll(&answered, 1, DEADLINE_MS) == 1);
    CHECK(writer__answer(writer) == (ssize_t)strlen(text));
    CHECK(!writer->asked);
}

static void test_half_lines(void)
{
    CHECK(half_line__after(0, "a\n", 2) == 0);
    CHECK(half_line__after(5, "a\nbc", 4) == 2);
    CHECK(half_line__after(5, "bc", 2) == 7);
    CHECK(half_line__after(5, "", 0) == 5);
}

static void test_writes_whole_lines(void)
{
    struct writer writer;
    struct stat st;
    int file = file__reset(), before = fcntl(file, F_GETFL), own = dup(file);

    if (!CHECK(!writer__start(&writer, own, before & ~O_APPEND)))
        return;
    CHECK(!fstat(own, &st) && S_ISCHR(st.st_mode)); /* so that closing it waits for nothing */
    write_by(&writer, "whole\nha");
    write_by(&writer, "lf");
    check_content("whole\nhalf");
    writer__end(&writer, DEADLINE_MS);
    CHECK(!writer.pid);
    check_content("whole\n");
    CHECK(fcntl(file, F_GETFL) == (before & ~O_APPEND));
    close(own);
    close(file);
}

/* Half a line stays in the file if another has written since. */
static void test_leaves_what_others_wrote(void)
{
    struct writer writer;
    int file = file__reset(), other = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (!CHECK(!writer__start(&writer, file, O_APPEND)))
        return;
    write_by(&writer, "half");
    CHECK(write(other, "\nother\n", 7) == 7);
    writer__end(&writer, DEADLINE_MS);
    check_content("half\nother\n");
    close(other);
    close(file);
}

static void test_is_not_waited_for(void)
{
    struct writer writer;
    int file = file__reset();

    if (!CHECK(!writer__start(&writer, file, O_APPEND)))
        return;
    pid_t pid = writer.pid;

    CHECK(!kill(pid, SIGSTOP) && waitpid(pid, NULL, WUNTRACED) == pid);
    writer__ask(&writer, "line\n", 5);
    CHECK(writer__answer(&writer) == -1 && errno == EINTR && writer.asked == 5);
    writer__end(&writer, 10);
    check_content("");
    CHECK(!kill(pid, SIGCONT) && waitpid(pid, NULL, 0) == pid);
    check_content("line\n");
    close(file);
}

static void test_reports_its_end(void)
{
    struct writer writer;
    int file = file__reset();

    if (!CHECK(!writer__start(&writer, file, O_APPEND)))
        return;
    struct pollfd end = {.fd = writer.fd};

    CHECK(!kill(writer.pid, SIGKILL) && poll(&end, 1, DEADLINE_MS) == 1);
    writer__ask(&writer, "line\n", 5);
    CHECK(writer__answer(&writer) == -1 && errno == ECHILD);
    writer__end(&writer, DEADLINE_MS);
    close(file);
}

int main(void)
{
    int file = mkstemp(path);

    if (!CHECK(file >= 0))
        return check__report();
    close(file);
    test_half_lines();
    test_writes_whole_lines();
    test_leaves_what_others_wrote();
    test_is_not_waited_for();
    test_reports_its_end();
    unlink(path);
    return check__report();
}
