/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin-host - a program that uses libbpf itself, and loads this library with dlopen: it keeps getting its own libbpf
 * messages, before, while and after sources are open, and after the library has been unloaded. Prints what fails; so
 * does its status.
 */
#include <EbpfEvents.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <pthread.h>

#include "../../holds.h"

#define LIBRARY "/opt/bin/libebpf-events.so"
#define THREADS 2

static struct {
    void *library;
    int (*open)(const struct ebpf_source_opts *opts, struct ebpf_source **ret_source);
    void (*close)(struct ebpf_source *source);
    void (*add)(struct ebpf_event_set *set, enum ebpf_event_type type);
} plugin;

static int printed; /* messages that the host's own function has received */

static int on_print(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level, (void)format, (void)args;
    __atomic_add_fetch(&printed, 1, __ATOMIC_RELAXED);
    return 0;
}

/* The host makes libbpf print a message, which the host receives. */
static void fail_in_libbpf(void)
{
    printed = 0;
    CHECK(!bpf_object__open_file("/no/such/object", NULL));
    CHECK(printed > 0);
}

struct opener {
    pthread_t thread;
    bool libbpf_log;
    int libbpf_lines, lines_of_others;
    struct ebpf_source *source;
};

static int on_event(void *user, const struct ebpf_event *event)
{
    (void)user, (void)event;
    return 0;
}

static void on_log(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    struct opener *opener = user;

    (void)format, (void)args;
    if (level == EBPF_LOG_DEBUG)
        opener->libbpf_lines++;
    if (!pthread_equal(opener->thread, pthread_self()))
        opener->lines_of_others++;
}

static void *open_source(void *user)
{
    struct opener *opener = user;
    struct ebpf_source_opts opts = {
        .sz = sizeof(opts), .handler = on_event, .log = on_log, .user = opener, .libbpf_log = opener->libbpf_log};

    opener->thread = pthread_self();
    plugin.add(&opts.events, EBPF_EVENT_PROCESS_SETSID);
    CHECK(!plugin.open(&opts, &opener->source));
    return NULL;
}

/* Sources that are opened and closed at once. libbpf's messages go where each of them says, and never to the host. */
static void open_at_once(bool libbpf_log)
{
    struct opener openers[THREADS] = {0};
    pthread_t threads[THREADS];

    printed = 0;
    for (int i = 0; i < THREADS; i++) {
        openers[i].libbpf_log = libbpf_log;
        CHECK(!pthread_create(&threads[i], NULL, open_source, &openers[i]));
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(!pthread_join(threads[i], NULL));
    CHECK(printed == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(openers[i].lines_of_others == 0 && (openers[i].libbpf_lines > 0) == libbpf_log);
    fail_in_libbpf(); /* while they are open */
    printed = 0;
    for (int i = 0; i < THREADS; i++)
        plugin.close(openers[i].source);
    CHECK(printed == 0);
}

static bool plugin__load(void)
{
    plugin.library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!plugin.library) {
        printf("dlopen: %s\n", dlerror());
        return false;
    }
    *(void **)&plugin.open = dlsym(plugin.library, "ebpf_source__open");
    *(void **)&plugin.close = dlsym(plugin.library, "ebpf_source__close");
    *(void **)&plugin.add = dlsym(plugin.library, "ebpf_event_set__add");
    return plugin.open && plugin.close && plugin.add;
}

int main(void)
{
    libbpf_set_print(on_print);
    for (int turn = 0; turn < 2; turn++) {
        if (!plugin__load())
            return 1;
        fail_in_libbpf();
        open_at_once(turn);
        CHECK(!dlclose(plugin.library));
        fail_in_libbpf();
    }
    CHECK(libbpf_set_print(NULL) == on_print);
    return failed;
}
