// SPDX-License-Identifier: BSD-2-Clause
/* test-source.c - the contract of a source, as far as it needs no kernel. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"
#include "fake-backend.h"

#define UNTOUCHED ((struct ebpf_source *)&lines)
#define NO_TYPE ((enum ebpf_event_type)200)

static int lines; /* that the library has logged */

static void count_line(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    (void)user, (void)level, (void)format, (void)args;
    lines++;
}

static int take(void *user, const struct ebpf_event *event)
{
    (void)user, (void)event;
    return 0;
}

static struct ebpf_source_opts good_opts(void)
{
    struct ebpf_source_opts opts = {.sz = sizeof(opts), .handler = take, .log = count_line, .ring_bytes = 1u << 20};

    ebpf_event_set__add(&opts.events, EBPF_EVENT_PROCESS_EXEC);
    return opts;
}

/* Opening fails with that error, also in errno, and writes no source; it has logged that many lines. */
static void check_refused(const struct ebpf_source_opts *opts, int err, int want_lines)
{
    struct ebpf_source *source = UNTOUCHED;

    lines = 0;
    errno = 0;
    CHECK(ebpf_source__open(opts, &source) == err);
    CHECK(errno == -err);
    CHECK(source == UNTOUCHED);
    CHECK(lines == want_lines);
}

static void check_opens(const struct ebpf_source_opts *opts)
{
    struct ebpf_source *source = NULL;

    lines = 0;
    if (CHECK(!ebpf_source__open(opts, &source)))
        ebpf_source__close(source);
    CHECK(lines == 0);
}

static void test_refusals(void)
{
    struct ebpf_source_opts opts = good_opts();

    check_refused(NULL, -EINVAL, 0);
    errno = 0;
    CHECK(ebpf_source__open(&opts, NULL) == -EINVAL && errno == EINVAL);
    opts.ring_bytes = 5000;
    check_refused(&opts, -EINVAL, 1);
    opts = good_opts();
    opts.events.bits = ~UINT64_C(0);
    check_refused(&opts, -EINVAL, 1);
    opts = good_opts();
    opts.coalesce_ms = EBPF_COALESCE_MS_MAX;
    check_opens(&opts);
    opts.coalesce_ms++;
    check_refused(&opts, -EINVAL, 1);
    opts = good_opts();
    opts.condition_count = 1;
    check_refused(&opts, -EINVAL, 1);
    opts = good_opts();
    opts.helper_count = 1;
    check_refused(&opts, -EINVAL, 1);
    opts.helpers = (const uint32_t[EBPF_HELPERS_MAX + 1]){0};
    opts.helper_count = EBPF_HELPERS_MAX;
    check_opens(&opts);
    opts.helper_count++;
    check_refused(&opts, -EINVAL, 1);
    opts = good_opts();
    opts.backend = EBPF_BACKEND_TRACEFS;
    check_opens(&opts);
    opts.backend++;
    check_refused(&opts, -EINVAL, 1);
    opts = good_opts();
    fake_error = -EPERM;
    check_refused(&opts, -EPERM, 0); /* the backend has logged */
    fake_error = 0;
}

/*
 * A caller of an older version: members that are not in its struct are absent. A size that is no multiple of a word is
 * invalid.
 */
static void test_smaller_opts(void)
{
    struct ebpf_source_opts opts = good_opts();

    opts.sz = offsetof(struct ebpf_source_opts, loss_handler);
    check_opens(&opts);
    CHECK(fake_opts.handler == take && !fake_opts.log && !fake_opts.ring_bytes);
    opts.disable_hooks = "x";
    opts.sz = offsetof(struct ebpf_source_opts, disable_hooks);
    check_opens(&opts);
    CHECK(fake_opts.log == count_line && fake_opts.ring_bytes == 1u << 20 && !fake_opts.disable_hooks);
    opts.budget = 7;
    opts.sz = offsetof(struct ebpf_source_opts, over_budget_handler);
    check_opens(&opts);
    CHECK(fake_opts.disable_hooks && fake_opts.budget == 7);
    opts.sz = offsetof(struct ebpf_source_opts, budget);
    check_opens(&opts);
    CHECK(!fake_opts.budget);
    opts.sz = sizeof(opts) - 1;
    check_refused(&opts, -EINVAL, 0);
    opts.sz = 0;
    check_refused(&opts, -EINVAL, 0);
}

/* A caller of a newer version: it must not ask for what is not known here. */
static void test_larger_opts(void)
{
    struct {
        struct ebpf_source_opts opts;
        unsigned char newer[24];
    } larger = {.opts = good_opts()};

    larger.opts.sz = sizeof(larger);
    check_opens(&larger.opts);
    larger.newer[23] = 1;
    check_refused(&larger.opts, -EINVAL, 1);
}

/* A backend that does not describe itself; the other one has a test of its own. */
static void test_description(const struct ebpf_source *source)
{
    struct ebpf_hook hook = {.sz = sizeof(hook)};
    const char *program = "";

    CHECK(!ebpf_source__lacks(source, EBPF_EVENT_PROCESS_EXEC, 0, &program) && !program);
    CHECK(!ebpf_source__lacks(source, NO_TYPE, 0, NULL));
    CHECK(ebpf_source__hook(source, 0, &hook) == -ENOENT && errno == ENOENT);
}

/* Each fact has a name of its own and a value. */
static void test_facts(void)
{
    struct ebpf_host_fact fact = {.sz = sizeof(fact)};
    char names[512] = ",";
    size_t n = 0;

    for (; !ebpf_host__fact(n, &fact); n++) {
        char name[64];

        snprintf(name, sizeof(name), ",%s,", fact.name);
        CHECK(fact.value[0] && !strchr(fact.value, '\n') && !strstr(names, name));
        strncat(names, name + 1, sizeof(names) - strlen(names) - 1);
    }
    CHECK(n > 5 && errno == ENOENT && strstr(names, ",kernel,") && strstr(names, ",lockdown,"));
    fact.sz = 1;
    CHECK(ebpf_host__fact(0, &fact) == -EINVAL && errno == EINVAL);
}

static void test_no_type(void)
{
    struct ebpf_event_set set = {0};
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;

    ebpf_event_set__add(&set, NO_TYPE);
    ebpf_event_set__add(&set, EBPF_EVENT_TYPE_COUNT);
    ebpf_event_set__add(&set, (enum ebpf_event_type) - 1);
    CHECK(set.bits == 0);
    set.bits = ~UINT64_C(0);
    CHECK(!ebpf_event_set__has(set, NO_TYPE) && !ebpf_event_set__has(set, (enum ebpf_event_type) - 1));
    CHECK(ebpf_event_set__has(set, EBPF_EVENT_PROCESS_EXEC));
    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    CHECK(!ebpf_source__unavailable(source, NO_TYPE));
    CHECK(!ebpf_source__unavailable(source, EBPF_EVENT_PROCESS_EXIT)); /* not asked for */
    CHECK(!ebpf_source__unavailable(source, EBPF_EVENT_PROCESS_EXEC)); /* available */
    test_description(source);
    ebpf_source__close(source);
}

static void test_the_end(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;

    ebpf_source__stop(NULL);
    ebpf_source__close(NULL);
    fake_stopped = 0;
    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    CHECK(ebpf_source__fd(source) >= 0);
    CHECK(ebpf_source__poll(source, 0) == 0);
    ebpf_source__stop(source);
    CHECK(fake_stopped == 1);
    CHECK(ebpf_source__consume(source) == 0);
    ebpf_source__close(source);
}

static struct ebpf_source *shared;
static int taken;

static void *read_too(void *unused)
{
    (void)unused;
    errno = 0;
    CHECK(ebpf_source__consume(shared) == -EBUSY && errno == EBUSY);
    CHECK(ebpf_source__poll(shared, 0) == -EBUSY);
    return NULL;
}

/* While one thread has an event, another one reads too. */
static int take_beside_another(void *user, const struct ebpf_event *event)
{
    pthread_t thread;

    if (!taken++ && CHECK(!pthread_create(&thread, NULL, read_too, NULL)))
        pthread_join(thread, NULL);
    return take(user, event);
}

static void test_two_threads(void)
{
    struct ebpf_source_opts opts = good_opts();

    opts.handler = take_beside_another;
    if (!CHECK(!ebpf_source__open(&opts, &shared)))
        return;
    fake__put_setsid(1);
    CHECK(ebpf_source__consume(shared) == 1 && taken == 1);
    CHECK(ebpf_source__consume(shared) == 0); /* not busy any more */
    ebpf_source__close(shared);
}

static bool next_is(struct ebpf_source *source, uint32_t tgid, uint64_t seq)
{
    const struct ebpf_event *event;

    return ebpf_source__next(source, 0, &event) == 1 && event->seq == seq &&
           event->size == sizeof(struct ebpf_process_setsid_event) &&
           ((const struct ebpf_process_setsid_event *)event->hdr)->pids.tgid == tgid;
}

/* Without a handler events are returned one by one, in order, and wait until they are asked for. */
static void test_next(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;
    const struct ebpf_event *event = NULL;

    opts.handler = NULL;
    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    CHECK(ebpf_source__next(source, 0, &event) == 0 && !event);
    CHECK(ebpf_source__next(source, 30, &event) == 0); /* nothing arrives in that time */
    fake__put_setsid(1);
    fake__put_setsid(2);
    CHECK(next_is(source, 1, 1));
    fake__put_setsid(3);
    CHECK(next_is(source, 2, 2) && next_is(source, 3, 3));
    CHECK(ebpf_source__next(source, 0, &event) == 0);
    fake__put_setsid(4);
    CHECK(ebpf_source__poll(source, 0) == 1); /* reads it, and it waits */
    ebpf_source__stop(source);
    CHECK(ebpf_source__next(source, -1, &event) == 1 && event->seq == 4);
    CHECK(ebpf_source__next(source, -1, &event) == 0); /* stopped: waiting for ever would take long */
    ebpf_source__close(source);
}

#define ENDLESS 200000 /* records, of which one call reads fewer */

static uint64_t put_so_far;

/* No event passes, and whenever a record is read there is another one. */
static bool is_wanted_never(void *user, const struct ebpf_event_header *hdr)
{
    (void)user, (void)hdr;
    if (put_so_far < ENDLESS)
        fake__put_setsid(++put_so_far);
    return false;
}

/* Records that become no event do not hold a call beyond its time. */
static void test_next_beside_what_is_left_out(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;
    const struct ebpf_event *event;
    const struct ebpf_stats *stats;

    opts.handler = NULL;
    opts.is_wanted = is_wanted_never;
    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    fake__put_setsid(++put_so_far);
    CHECK(ebpf_source__next(source, 0, &event) == 0);
    CHECK(!ebpf_source__stats(source, &stats) && stats->records > 0 && stats->records < ENDLESS);
    put_so_far = ENDLESS;
    while (ebpf_source__consume(source) > 0)
        ;
    ebpf_source__close(source);
}

/* While an event waits to be returned, nothing is read: the rings are bounded, and a queue would not be. */
static void test_next_is_bounded(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;

    opts.handler = NULL;
    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    fake__put_setsid(1);
    CHECK(ebpf_source__poll(source, 0) == 1);
    fake__put_setsid(2);
    CHECK(ebpf_source__poll(source, 0) == 0 && ebpf_source__consume(source) == 0);
    CHECK(next_is(source, 1, 1) && next_is(source, 2, 2));
    ebpf_source__close(source);
}

static void ignore_signal(int signal)
{
    (void)signal;
}

/* A call without a timeout is interrupted by a signal; a source with a handler has no next event. */
static void test_next_refused(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct ebpf_source *source = NULL;
    const struct ebpf_event *event;

    if (CHECK(!ebpf_source__open(&opts, &source))) {
        errno = 0;
        CHECK(ebpf_source__next(source, 0, &event) == -EINVAL && errno == EINVAL);
        ebpf_source__close(source);
    }
    opts.handler = NULL;
    if (!CHECK(!ebpf_source__open(&opts, &source)))
        return;
    CHECK(!sigaction(SIGALRM, &(struct sigaction){.sa_handler = ignore_signal}, NULL));
    CHECK(!setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 50000, .it_interval.tv_usec = 50000}, NULL));
    CHECK(ebpf_source__next(source, -1, &event) == -EINTR && errno == EINTR);
    CHECK(!setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 0}, NULL));
    ebpf_source__close(source);
}

static char last_line[64];

static void keep_line(void *user, enum ebpf_log_level level, const char *line)
{
    CHECK(user == last_line && level == EBPF_LOG_ERROR);
    snprintf(last_line, sizeof(last_line), "%s", line);
}

static void test_log_line(void)
{
    struct ebpf_source_opts opts = good_opts();

    opts.ring_bytes = 5000;
    opts.log = NULL;
    opts.log_line = keep_line;
    opts.user = last_line;
    check_refused(&opts, -EINVAL, 0);
    CHECK(strstr(last_line, "the ring size is no power of two"));
    opts.log = count_line;
    check_refused(&opts, -EINVAL, 1); /* both */
}

static void test_version(void)
{
    CHECK_SAME(ebpf_events__version(), EBPF_EVENTS_VERSION);
}

/* Nothing is left if descriptors run out, and a line reports it. */
static void test_shortage(void)
{
    struct ebpf_source_opts opts = good_opts();
    struct rlimit limit;
    int next = dup(0);

    close(next);
    CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
    CHECK(!setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)next + EBPF_RING_COUNT, limit.rlim_max}));
    check_refused(&opts, -EMFILE, 1);
    CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
    int still = dup(0);

    close(still);
    CHECK(still == next);
}

int main(void)
{
    test_refusals();
    test_smaller_opts();
    test_larger_opts();
    test_facts();
    test_no_type();
    test_the_end();
    test_two_threads();
    test_next();
    test_next_beside_what_is_left_out();
    test_next_is_bounded();
    test_next_refused();
    test_log_line();
    test_version();
    test_shortage();
    return check__report();
}
