// SPDX-License-Identifier: BSD-2-Clause
/* test-source-calls.c - what calls for an open source return, log and leave in errno, also in a child. */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "fake-backend.h"

#define NO_TYPE ((enum ebpf_event_type)200)

static int lines; /* that the library has logged */

static void count_line(void *user, enum ebpf_log_level level, const char *line)
{
    (void)user, (void)level, (void)line;
    lines++;
}

static struct ebpf_source_opts good_opts(void)
{
    return (struct ebpf_source_opts){
        .sz = sizeof(struct ebpf_source_opts), .events = ebpf_event_set__all(), .log_line = count_line};
}

/* A selection that makes no sense is refused with a message, like those of an open. */
static void test_select(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;

    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    lines = 0;
    errno = 0;
    CHECK(!ebpf_source__select(source, NULL, 0) && !errno && !lines);
    CHECK(ebpf_source__select(source, NULL, 1) == -EINVAL && errno == EINVAL && lines == 1);
    ebpf_source__close(source);
}

/* errno is set by a call that fails, and not touched by one that succeeds. */
static void test_stats(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_type_stats counts = {.sz = sizeof(counts)}, sizeless = {.sz = 0};
    struct ebpf_source *source = NULL;
    const struct ebpf_stats *stats;

    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    if (CHECK(!ebpf_source__stats(source, &stats))) {
        errno = E2BIG;
        CHECK(!ebpf_stats__type(stats, EBPF_EVENT_PROCESS_EXEC, &counts) && errno == E2BIG);
        CHECK(ebpf_stats__type(stats, NO_TYPE, &counts) == -EINVAL && errno == EINVAL);
        errno = 0;
        CHECK(ebpf_stats__type(stats, EBPF_EVENT_PROCESS_EXEC, &sizeless) == -EINVAL && errno == EINVAL);
    }
    ebpf_source__close(source);
}

/* A child of the process that opened a source can do no more than close it. Returns whether that is so. */
static bool child_is_refused(struct ebpf_source *source)
{
    const struct ebpf_stats *stats;

    lines = 0;
    ebpf_source__stop(source);
    return fake_stopped == 0 && ebpf_source__poll(source, 0) == -EPERM && ebpf_source__consume(source) == -EPERM &&
           ebpf_source__select(source, NULL, 0) == -EPERM && ebpf_source__select(source, NULL, 1) == -EPERM &&
           ebpf_source__stats(source, &stats) == -EPERM &&
           ebpf_source__drop(source, EBPF_EVENT_PROCESS_EXEC, 0) == -EPERM && errno == EPERM && lines == 0;
}

static void test_child(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;
    int status = -1;

    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    fake_stopped = 0;
    pid_t child = fork();

    if (!child)
        _exit(!child_is_refused(source));
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    ebpf_source__close(source);
}

int main(void)
{
    test_select();
    test_stats();
    test_child();
    return check__report();
}
