/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embedder.c - a program that was built with an earlier header, run with a library that has more; later-backend.c makes
 * the events. Prints what fails; so does its status.
 */
#include EARLIER_HEADER

#include "../holds.h"
#include <string.h>

/* A struct that is given to the library, and the memory after it. */
#define GUARDED(type)                                                                                                  \
    struct {                                                                                                           \
        type value;                                                                                                    \
        uint64_t guard;                                                                                                \
    }
#define GUARD UINT64_C(0x5555555555555555)

static int events, later_events, losses;

static void check_exec(const struct ebpf_event *event)
{
    const struct ebpf_process_exec_event *exec = (const void *)event->hdr;
    struct ebpf_field filename;
    char path[64];

    CHECK(exec->pids.tgid == 7);
    CHECK(!ebpf_event__field(event, EBPF_TAG_FILENAME, &filename));
    CHECK(ebpf_field__path(&filename, path, sizeof(path)) == 7 && !strcmp(path, "/bin/ls"));
}

/* A type that the header does not have. */
static void check_later(const struct ebpf_event *event)
{
    char line[4096];

    CHECK(!strcmp(ebpf_event_type__name(event->hdr->type), "TEST_LATER"));
    CHECK(ebpf_event__json(event, line, sizeof(line)) > 0 && strstr(line, "\"answer\":42"));
    later_events++;
}

static int on_event(void *user, const struct ebpf_event *event)
{
    CHECK(user == &events && event->seq == (uint64_t)++events && event->time_ns && event->size == event->hdr->size);
    if (event->hdr->type == EBPF_EVENT_PROCESS_EXEC)
        check_exec(event);
    else
        check_later(event);
    return 0;
}

static int on_loss(void *user, const struct ebpf_loss *loss)
{
    GUARDED(struct ebpf_loss_count) count = {.guard = GUARD};
    uint64_t sum = 0;

    CHECK(user == &events);
    while (ebpf_loss__next(loss, &count.value)) {
        bool is_exec = count.value.type == EBPF_EVENT_PROCESS_EXEC;

        CHECK(!strcmp(ebpf_event_type__name(count.value.type), is_exec ? "PROCESS_EXEC" : "TEST_LATER"));
        CHECK(!strcmp(ebpf_reason__key(count.value.reason), is_exec ? "ring_full" : "test_later"));
        CHECK(count.value.events == (is_exec ? 3 : 2));
        sum += count.value.events;
        losses++;
    }
    CHECK(count.guard == GUARD);
    CHECK(sum == 5 && loss->last_seq == loss->first_seq + sum - 1 && loss->time_ns && loss->ts_boot_ns);
    return 0;
}

static struct ebpf_source *open_source(ebpf_event_fn handler)
{
    GUARDED(struct ebpf_source_opts) opts = {.guard = GUARD}; /* what the library must not take for an option */
    struct ebpf_source *source = NULL;

    opts.value = (struct ebpf_source_opts){.sz = sizeof(opts.value),
                                           .events = ebpf_event_set__all(),
                                           .handler = handler,
                                           .loss_handler = on_loss,
                                           .user = &events};
    CHECK(!ebpf_source__open(&opts.value, &source));
    return source;
}

static void check_stats(struct ebpf_source *source)
{
    const struct ebpf_stats *stats;
    unsigned int types = 0, reasons = 0;

    CHECK(!ebpf_source__stats(source, &stats) && stats->records == 2 && stats->corrupt == 0);
    for (enum ebpf_event_type type = ebpf_event_type__next(0); type; type = ebpf_event_type__next(type)) {
        GUARDED(struct ebpf_type_stats) counts = {.value.sz = sizeof(counts.value), .guard = GUARD};
        const char *name = ebpf_event_type__name(type);
        bool is_exec = type == EBPF_EVENT_PROCESS_EXEC, is_counted = is_exec || !strcmp(name, "TEST_LATER");

        types++;
        CHECK(!ebpf_stats__type(stats, type, &counts.value) && counts.guard == GUARD);
        CHECK(counts.value.seen == counts.value.delivered + counts.value.filtered + counts.value.lost);
        CHECK(counts.value.delivered == is_counted && counts.value.filtered == (is_counted ? type : 0));
        CHECK(counts.value.lost == (is_exec ? 3u : is_counted ? 2u : 0u));
        for (enum ebpf_reason reason = 0; ebpf_reason__key(reason); reason++) {
            counts.value.lost -= ebpf_stats__lost(stats, type, reason);
            reasons++;
        }
        CHECK(counts.value.lost == 0 && counts.guard == GUARD);
    }
    CHECK(types >= 25 && reasons == types * 8);
    CHECK(!ebpf_source__drop(source, EBPF_EVENT_PROCESS_EXEC, 1));
    CHECK(ebpf_source__drop(source, EBPF_EVENT_PROCESS_EXEC, 1) == -EINVAL);
    CHECK(!ebpf_source__stats(source, &stats) &&
          ebpf_stats__lost(stats, EBPF_EVENT_PROCESS_EXEC, EBPF_REASON_HANDLER) == 1);
    CHECK(ebpf_source__consume(source) == 0 && losses == 2); /* what was dropped is not reported */
}

static void check_features(const struct ebpf_source *source)
{
    GUARDED(struct ebpf_features) features = {.value.sz = sizeof(features.value), .guard = GUARD};

    CHECK(!ebpf_source__features(source, &features.value) && features.value.bpf_tramp && features.guard == GUARD);
    CHECK(features.value.sz == sizeof(features.value));
}

static void called_for_each_event(void)
{
    struct ebpf_source *source = open_source(on_event);

    if (!source)
        return;
    CHECK(ebpf_source__poll(source, 1000) == 2);
    ebpf_source__stop(source);
    CHECK(ebpf_source__consume(source) == 0);
    CHECK(events == 2 && later_events == 1 && losses == 2);
    check_stats(source);
    check_features(source);
    ebpf_source__close(source);
}

static void takes_each_event(void)
{
    struct ebpf_source *source = open_source(NULL);
    const struct ebpf_event *event;

    if (!source)
        return;
    ebpf_source__stop(source);
    CHECK(ebpf_source__next(source, 1000, &event) == 1 && event->seq == 1);
    check_exec(event);
    CHECK(ebpf_source__next(source, 1000, &event) == 1 && event->seq == 2);
    check_later(event);
    CHECK(ebpf_source__next(source, 1000, &event) == 0);
    ebpf_source__close(source);
}

int main(void)
{
    called_for_each_event();
    takes_each_event();
    return failed;
}
