// SPDX-License-Identifier: BSD-2-Clause
/* test-source-calls.c - what calls for an open source return, log and leave in errno, also in a child. */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
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

static struct ebpf_source *closed;
static int calls;

/* Close the source in the first call; another one would use what its owner has freed. */
static int close_at_once(void *user, const struct ebpf_event *event)
{
    (void)user, (void)event;
    calls++;
    ebpf_source__close(closed);
    return 0;
}

static int close_after_loss(void *user, const struct ebpf_loss *loss)
{
    (void)loss;
    return close_at_once(user, NULL);
}

static bool close_when_asked(void *user, const struct ebpf_event_header *hdr)
{
    (void)hdr;
    return close_at_once(user, NULL) == 0;
}

static int take(void *user, const struct ebpf_event *event)
{
    (void)user, (void)event;
    calls++;
    return 0;
}

static bool want(void *user, const struct ebpf_event_header *hdr)
{
    (void)user, (void)hdr;
    calls++;
    return true;
}

/* A source that one of its functions closes calls none of them again, and the call that reads it returns that. */
static void check_closed_within(ebpf_event_fn handler, ebpf_loss_fn loss_handler, ebpf_wanted_fn is_wanted,
                                int (*read)(struct ebpf_source *source, int timeout_ms))
{
    struct ebpf_source_opts opts = good_opts();

    opts.handler = handler;
    opts.loss_handler = loss_handler;
    opts.is_wanted = is_wanted;
    opts.coalesce_ms = 1;
    calls = 0;
    if (!CHECK(!ebpf_source__open(&opts, &closed)))
        return;
    for (uint64_t number = 1; number <= 4; number++)
        fake__put_setsid(loss_handler ? 2 * number : number); /* a gap, before which losses are reported */
    errno = 0;
    CHECK(read(closed, 0) == -ECANCELED && errno == ECANCELED && calls == 1);
}

static int read_next(struct ebpf_source *source, int timeout_ms)
{
    const struct ebpf_event *event;

    return ebpf_source__next(source, timeout_ms, &event);
}

static int consume(struct ebpf_source *source, int timeout_ms)
{
    (void)timeout_ms;
    return ebpf_source__consume(source);
}

static void test_closed_within(void)
{
    check_closed_within(close_at_once, NULL, NULL, ebpf_source__poll);
    check_closed_within(close_at_once, NULL, NULL, consume);
    check_closed_within(take, NULL, close_when_asked, consume);
    check_closed_within(NULL, NULL, close_when_asked, read_next);
    fake_lost = 1;
    check_closed_within(take, close_after_loss, NULL, consume);
    check_closed_within(take, close_after_loss, want, consume);
    check_closed_within(NULL, close_after_loss, NULL, read_next);
    fake_lost = 0;
}

static sem_t is_in_handler, may_return;

static int wait_in_handler(void *user, const struct ebpf_event *event)
{
    (void)user, (void)event;
    sem_post(&is_in_handler);
    sem_wait(&may_return);
    return 0;
}

static void *consume_in_thread(void *source)
{
    CHECK(ebpf_source__consume(source) == 1);
    return NULL;
}

/* A child closes a source although another thread of its parent was in the handler: it is not in there. */
static void test_child_beside_a_reader(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;
    pthread_t thread;
    int status = -1;

    opts.handler = wait_in_handler;
    if (!CHECK(!sem_init(&is_in_handler, 0, 0) && !sem_init(&may_return, 0, 0) && !ebpf_source__open(&opts, &source)))
        return;
    fake__put_setsid(1);
    CHECK(!pthread_create(&thread, NULL, consume_in_thread, source) && !sem_wait(&is_in_handler));
    int fd = ebpf_source__fd(source);
    pid_t child = fork();

    if (!child) {
        ebpf_source__close(source);
        _exit(fcntl(fd, F_GETFD) >= 0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    sem_post(&may_return);
    CHECK(!pthread_join(thread, NULL));
    ebpf_source__close(source);
}

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
    (void)signal;
    signals++;
}

static bool raise_when_asked(void *user, const struct ebpf_event_header *hdr)
{
    (void)user, (void)hdr;
    raise(SIGUSR1);
    return false;
}

/* A signal that is handled while records are read ends the wait that follows. */
static void test_signal_while_reading(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;
    const struct ebpf_event *event;

    opts.is_wanted = raise_when_asked;
    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    CHECK(!sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal}, NULL));
    fake__put_setsid(1);
    CHECK(ebpf_source__next(source, -1, &event) == 0 && signals == 1);
    ebpf_source__close(source);
}

int main(void)
{
    alarm(60); /* a wait without an end would be a failure */
    test_select();
    test_stats();
    test_child();
    test_closed_within();
    test_child_beside_a_reader();
    test_signal_while_reading();
    return check__report();
}
