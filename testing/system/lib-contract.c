/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib-contract - checks the library's contract with a kernel: two sources at once in a process, the reason for an
 * unavailable event, errors, the end, and the accounting. Prints what fails; so does its status.
 */
#include <EbpfEvents.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../holds.h"

#define CHILDREN 20
#define WAIT_S 300 /* for a loaded machine */
#define TYPES_MAX 64
#define RINGS 2

struct seen {
    unsigned int events[TYPES_MAX];
    uint64_t last_seq;
    int lines;
};

static int on_event(void *user, const struct ebpf_event *event)
{
    struct seen *seen = user;

    CHECK(event->seq == seen->last_seq + 1);
    seen->last_seq = event->seq;
    seen->events[event->hdr->type]++;
    return 0;
}

static void on_log(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    (void)level, (void)format, (void)args;
    ((struct seen *)user)->lines++;
}

static struct ebpf_source_opts opts_for(struct seen *seen, enum ebpf_event_type first, enum ebpf_event_type second)
{
    struct ebpf_source_opts opts = {
        .sz = sizeof(opts), .handler = on_event, .log = on_log, .user = seen, .low_latency = true};

    ebpf_event_set__add(&opts.events, first);
    ebpf_event_set__add(&opts.events, second);
    return opts;
}

static void make_sessions(void)
{
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();

        if (!pid)
            _exit(setsid() < 0);
        CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
    }
}

static void poll_until(struct ebpf_source *source, const struct seen *seen, enum ebpf_event_type type)
{
    time_t end = time(NULL) + WAIT_S;

    while (seen->events[type] < CHILDREN && time(NULL) < end)
        CHECK(ebpf_source__poll(source, 100) >= 0);
    CHECK(seen->events[type] == CHILDREN);
}

/* Detach, drain, and compare the counts with each other and with the events that the handler saw. */
static void end(struct ebpf_source *source, const struct seen *seen)
{
    const struct ebpf_stats *stats;
    int n;

    ebpf_source__stop(source);
    while ((n = ebpf_source__consume(source)) > 0)
        ;
    CHECK(n == 0);
    ebpf_source__stop(source);
    CHECK(!ebpf_source__stats(source, &stats));
    for (enum ebpf_event_type type = ebpf_event_type__next(0); type; type = ebpf_event_type__next(type)) {
        struct ebpf_type_stats counts = {.sz = sizeof(counts)};

        CHECK(!ebpf_stats__type(stats, type, &counts));
        CHECK(counts.seen == counts.delivered + counts.filtered + counts.lost);
        CHECK(counts.delivered == seen->events[type]);
        for (enum ebpf_reason reason = 0; ebpf_reason__key(reason); reason++)
            counts.lost -= ebpf_stats__lost(stats, type, reason);
        CHECK(counts.lost == 0);
    }
}

static void two_at_once(void)
{
    struct seen seen_a = {0}, seen_b = {0};
    struct ebpf_source_opts opts_a = opts_for(&seen_a, EBPF_EVENT_PROCESS_SETSID, EBPF_EVENT_PROCESS_SETSID);
    struct ebpf_source_opts opts_b = opts_for(&seen_b, EBPF_EVENT_PROCESS_EXIT, EBPF_EVENT_PROCESS_EXEC);
    struct ebpf_source *a = NULL, *b = NULL;

    opts_b.disable_hooks = "tp_btf__sched_process_exec,kprobe__finalize_exec";
    CHECK(!ebpf_source__open(&opts_a, &a));
    CHECK(!ebpf_source__open(&opts_b, &b));
    if (!a || !b)
        return;
    CHECK(!ebpf_source__unavailable(a, EBPF_EVENT_PROCESS_SETSID) && seen_a.lines == 0);
    const char *why = ebpf_source__unavailable(b, EBPF_EVENT_PROCESS_EXEC);

    CHECK(why && strstr(why, "disabled") && seen_b.lines == 1);
    CHECK(!ebpf_event_set__has(ebpf_source__events(b), EBPF_EVENT_PROCESS_EXEC));
    CHECK(ebpf_event_set__has(ebpf_source__events(b), EBPF_EVENT_PROCESS_EXIT));
    CHECK(!ebpf_source__unavailable(b, EBPF_EVENT_PROCESS_EXIT));
    CHECK(!ebpf_source__unavailable(b, EBPF_EVENT_PROCESS_FORK)); /* not asked for */
    make_sessions();
    poll_until(b, &seen_b, EBPF_EVENT_PROCESS_EXIT);
    poll_until(a, &seen_a, EBPF_EVENT_PROCESS_SETSID);
    end(a, &seen_a);
    ebpf_source__close(a);
    end(b, &seen_b); /* stopping one does not stop the other */
    ebpf_source__close(b);
}

/*
 * A map that looks like that of another source, but has larger values, is not written to: the kernel would read that
 * much of our memory.
 */
static void false_instance(void)
{
    LIBBPF_OPTS(bpf_map_create_opts, map_opts, .map_flags = BPF_F_NO_PREALLOC);
    char key[24]; /* as large as theirs */
    int map = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "ebpf_instances", sizeof(key), 256, 64, &map_opts);
    const struct bpf_insn instructions[] = {
        {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
        {0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    int program = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "ebpf_instances", "BSD", instructions,
                                sizeof(instructions) / sizeof(instructions[0]), NULL);
    struct seen seen = {0};
    struct ebpf_source_opts opts = opts_for(&seen, EBPF_EVENT_PROCESS_SETSID, EBPF_EVENT_PROCESS_SETSID);
    struct ebpf_source *source = NULL;

    CHECK(map >= 0 && program >= 0 && !ebpf_source__open(&opts, &source));
    CHECK(bpf_map_get_next_key(map, NULL, key) == -ENOENT);
    ebpf_source__close(source);
    close(map);
    close(program);
}

static void no_hook(void)
{
    struct seen seen = {0};
    struct ebpf_source_opts opts = opts_for(&seen, EBPF_EVENT_PROCESS_EXEC, EBPF_EVENT_PROCESS_EXEC);
    struct ebpf_source *const untouched = (void *)&seen, *source = untouched;

    opts.disable_hooks = "tp_btf__sched_process_exec,kprobe__finalize_exec";
    errno = 0;
    int err = ebpf_source__open(&opts, &source);

    CHECK(err == -ENXIO && errno == ENXIO && source == untouched);
    CHECK(ebpf_source__classify(err) == EBPF_SOURCE_NO_HOOK);
    opts.disable_hooks = "no_such_program";
    err = ebpf_source__open(&opts, &source);
    CHECK(err == -EINVAL && errno == EINVAL && source == untouched);
    CHECK(ebpf_source__classify(err) == EBPF_SOURCE_INVALID);
}

/* The selection changes while the source runs; an invalid one changes nothing. */
static void selection(void)
{
    struct seen seen = {0};
    struct ebpf_source_opts opts = opts_for(&seen, EBPF_EVENT_PROCESS_SETSID, EBPF_EVENT_PROCESS_SETSID);
    const struct ebpf_condition nobody = {.kind = EBPF_SELECT_UID, .id = 12345};
    const struct ebpf_condition us = {.kind = EBPF_SELECT_UID, .id = getuid()};
    const struct ebpf_condition wrong = {.kind = EBPF_SELECT_PATH, .text = "no/root"};
    const struct ebpf_condition tree = {.kind = EBPF_SELECT_TREE, .id = (uint32_t)getppid()};
    struct ebpf_source *source = NULL;
    struct ebpf_type_stats counts = {.sz = sizeof(counts)};
    const struct ebpf_stats *stats;

    opts.conditions = &nobody;
    opts.condition_count = 1;
    opts.select_kinds = 1u << EBPF_SELECT_PATH;
    CHECK(!ebpf_source__open(&opts, &source));
    if (!source)
        return;
    make_sessions();
    CHECK(ebpf_source__select(source, &wrong, 1) == -EINVAL && seen.lines == 1);
    CHECK(ebpf_source__select(source, &tree, 1) == -EOPNOTSUPP && seen.lines == 2);
    CHECK(ebpf_source__select(source, NULL, 1) == -EINVAL && seen.lines == 3);
    make_sessions(); /* still selects no process */
    CHECK(!ebpf_source__select(source, &us, 1) && seen.lines == 3);
    make_sessions();
    poll_until(source, &seen, EBPF_EVENT_PROCESS_SETSID);
    CHECK(!ebpf_source__select(source, &nobody, 1));
    make_sessions();
    CHECK(!ebpf_source__select(source, NULL, 0));
    seen.events[EBPF_EVENT_PROCESS_SETSID] = 0;
    make_sessions();
    poll_until(source, &seen, EBPF_EVENT_PROCESS_SETSID);
    seen.events[EBPF_EVENT_PROCESS_SETSID] += CHILDREN;
    end(source, &seen);
    CHECK(!ebpf_source__stats(source, &stats) && !ebpf_stats__type(stats, EBPF_EVENT_PROCESS_SETSID, &counts));
    CHECK(counts.filtered == 3 * CHILDREN);
    ebpf_source__close(source);
}

static int printed;

static int on_print(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level, (void)format, (void)args;
    printed++;
    return 0;
}

/* Make libbpf print a message. */
static void *fail_in_libbpf(void *unused)
{
    (void)unused;
    CHECK(!bpf_object__open_file("/no/such/object", NULL));
    return NULL;
}

static struct ebpf_source *guest_source;
static int in_handler, logged;

static int on_event_of_guest(void *user, const struct ebpf_event *event)
{
    (void)user, (void)event;
    CHECK(ebpf_source__consume(guest_source) == -EBUSY && ebpf_source__poll(guest_source, 0) == -EBUSY);
    if (++in_handler == CHILDREN)
        ebpf_source__close(guest_source); /* after we have returned */
    return 0;
}

/* While a source is opened, libbpf's messages of other threads go where they went before. */
static void on_log_of_guest(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    pthread_t thread;

    (void)user, (void)format, (void)args;
    if (level == EBPF_LOG_DEBUG && !logged++) {
        printed = 0;
        CHECK(!pthread_create(&thread, NULL, fail_in_libbpf, NULL) && !pthread_join(thread, NULL));
        CHECK(printed > 0);
    }
}

/* Return the number of memory mappings that belong to a BPF map. */
static int mapped(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char line[512];
    int count = 0;

    while (file && fgets(line, sizeof(line), file))
        count += strstr(line, "bpf-map") || strstr(line, "bpf_map");
    if (file)
        fclose(file);
    return count;
}

/* A child has neither the rings, each of which is two mappings, nor the counts; it changes nothing here. */
static void try_in_child(void)
{
    int of_parent = mapped();
    const struct ebpf_stats *stats;
    int status;
    pid_t pid = fork();

    if (!pid) {
        failed = 0;
        CHECK(of_parent > 2 * RINGS && mapped() == 0);
        CHECK(ebpf_source__consume(guest_source) == -EPERM && ebpf_source__poll(guest_source, 0) == -EPERM);
        CHECK(ebpf_source__stats(guest_source, &stats) == -EPERM);
        CHECK(ebpf_source__select(guest_source, NULL, 0) == -EPERM);
        ebpf_source__stop(guest_source);
        ebpf_source__close(guest_source);
        fflush(stdout);
        _exit(failed);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static void good_guest(void)
{
    struct ebpf_source_opts opts = {.sz = sizeof(opts),
                                    .handler = on_event_of_guest,
                                    .log = on_log_of_guest,
                                    .libbpf_log = true,
                                    .low_latency = true};
    libbpf_print_fn_t own = libbpf_set_print(on_print);
    time_t end = time(NULL) + WAIT_S;

    ebpf_event_set__add(&opts.events, EBPF_EVENT_PROCESS_SETSID);
    CHECK(!ebpf_source__open(&opts, &guest_source) && logged > 1);
    printed = 0;
    fail_in_libbpf(NULL);
    CHECK(printed > 0); /* the print function is restored */
    if (!guest_source)
        return;
    try_in_child();
    make_sessions();
    while (in_handler < CHILDREN && time(NULL) < end) {
        int n = ebpf_source__poll(guest_source, 100);

        CHECK(in_handler < CHILDREN ? n >= 0 : n == -ECANCELED);
    }
    CHECK(in_handler == CHILDREN);
    CHECK(libbpf_set_print(own) == on_print);
}

int main(void)
{
    false_instance();
    no_hook();
    selection();
    two_at_once();
    good_guest();
    return failed;
}
