// SPDX-License-Identifier: BSD-2-Clause
/* test-lacks.c - what the backend reports of programs and events: how they are used, and what they lack. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "Bpf/Object/Forced.h"
#include "check.h"
#include "fake-kernel.h"

static int warnings;
static char warned[LOG_LINE_MAX];

static void keep_warning(void *user, enum ebpf_log_level level, const char *line)
{
    (void)user;
    CHECK(level != EBPF_LOG_ERROR);
    if (level != EBPF_LOG_WARNING)
        return;
    warnings++;
    snprintf(warned, sizeof(warned), "%s", line);
}

static struct ebpf_source_opts opts_for(struct ebpf_event_set events)
{
    return (struct ebpf_source_opts){.sz = sizeof(struct ebpf_source_opts), .events = events, .log_line = keep_warning};
}

static struct ebpf_event_set two(enum ebpf_event_type first, enum ebpf_event_type second)
{
    struct ebpf_event_set set = {0};

    ebpf_event_set__add(&set, first);
    ebpf_event_set__add(&set, second);
    return set;
}

static struct ebpf_source *open_source(const struct ebpf_source_opts *opts)
{
    struct ebpf_source *source = NULL;

    kernel__forget();
    warnings = 0;
    CHECK(!ebpf_source__open(opts, &source));
    return source;
}

/* Return how a program is used; -1 if there is none of that name. */
static int use_of(const struct ebpf_source *source, const char *program, struct ebpf_hook *ret_hook)
{
    ret_hook->sz = sizeof(*ret_hook);
    for (size_t n = 0; !ebpf_source__hook(source, n, ret_hook); n++) {
        if (!strcmp(ret_hook->program, program))
            return (int)ret_hook->use;
    }
    return -1;
}

/* How each program is used, and what an event lacks that is made in another way. */
static void test_description(void)
{
    struct ebpf_source_opts opts = opts_for(two(EBPF_EVENT_PROCESS_PTRACE, EBPF_EVENT_PROCESS_FORK));
    struct ebpf_hook hook;
    const char *program;

    opts.disable_hooks = "fexit__ptrace_attach,session__ptrace_attach,fexit__sys_ptrace";
    struct ebpf_source *source = open_source(&opts);

    if (!source)
        return;
    CHECK(use_of(source, "tp_btf__sys_exit", &hook) == EBPF_HOOK_ATTACHED && !hook.by && !hook.why);
    CHECK(use_of(source, "tp_btf__sched_process_fork", &hook) == EBPF_HOOK_ATTACHED);
    CHECK(use_of(source, "tp_btf__sys_exit_setuid", &hook) == EBPF_HOOK_UNUSED && !hook.by);
    CHECK(use_of(source, "fexit__ptrace_attach", &hook) == EBPF_HOOK_REFUSED);
    CHECK_SAME(hook.why, "disabled by the caller");
    CHECK(use_of(source, "no_such", &hook) == -1 && errno == ENOENT);
    CHECK(!ebpf_source__lacks(source, EBPF_EVENT_PROCESS_FORK, 0, NULL));
    CHECK_SAME(ebpf_source__lacks(source, EBPF_EVENT_PROCESS_PTRACE, 0, &program),
               "a refusal has the id that the caller gave");
    CHECK_SAME(program, "fexit__ptrace_attach");
    CHECK(!ebpf_source__lacks(source, EBPF_EVENT_PROCESS_PTRACE, 1, &program) && !program);
    CHECK(!ebpf_source__lacks(source, EBPF_EVENT_PROCESS_EXEC, 0, NULL));
    hook.sz = 3;
    CHECK(ebpf_source__hook(source, 0, &hook) == -EINVAL && errno == EINVAL);
    ebpf_source__close(source);
}

/* Without any event there is no source, unless it is for a report: then each event has its own reason. */
static void test_no_hook(void)
{
    struct ebpf_source_opts opts = opts_for(two(EBPF_EVENT_PROCESS_LOAD_MODULE, EBPF_EVENT_PROCESS_FORK));
    struct ebpf_source *source = NULL;
    struct ebpf_hook hook;

    opts.disable_hooks = "tp_btf__module_load,kprobe__do_init_module,"
                         "tp_btf__sched_process_fork,kprobe__wake_up_new_task";
    kernel__forget();
    CHECK(ebpf_source__open(&opts, &source) == -ENXIO && !source);
    opts.allow_no_hook = true;
    source = open_source(&opts);
    if (!source)
        return;
    CHECK(!ebpf_source__events(source).bits);
    CHECK_SAME(ebpf_source__unavailable(source, EBPF_EVENT_PROCESS_LOAD_MODULE),
               "tp_btf__module_load: disabled by the caller");
    CHECK_SAME(ebpf_source__unavailable(source, EBPF_EVENT_PROCESS_FORK),
               "tp_btf__sched_process_fork: disabled by the caller");
    CHECK(use_of(source, "tp_btf__sched_process_fork", &hook) == EBPF_HOOK_REFUSED);
    ebpf_source__close(source);
}

/* Open and close a source. Returns how many warnings that made. */
static int warnings_of(struct ebpf_source_opts opts, const char *disable_hooks)
{
    opts.disable_hooks = disable_hooks;
    opts.allow_no_hook = true;
    ebpf_source__close(open_source(&opts));
    return warnings;
}

/* Everything that is missing for one cause is in one line, which is not cut. */
static void test_one_line_a_cause(void)
{
    struct ebpf_source_opts ids = opts_for(two(EBPF_EVENT_PROCESS_SETUID, EBPF_EVENT_PROCESS_SETGID));
    struct ebpf_source_opts modify = opts_for(two(EBPF_EVENT_FILE_MODIFY, EBPF_EVENT_FILE_MODIFY));
    struct ebpf_source_opts modules = opts_for(two(EBPF_EVENT_PROCESS_LOAD_MODULE, EBPF_EVENT_PROCESS_FORK));
    struct ebpf_source_opts forced = opts_for(ebpf_event_set__all());

    CHECK(warnings_of(ids, "fentry__bprm_change_interp") == 1);
    CHECK_SAME(
        warned,
        "fentry__bprm_change_interp: disabled by the caller; limited: process-setuid (ids before an exec of a "
        "binfmt_misc file may be wrong), process-setgid (ids before an exec of a binfmt_misc file may be wrong)");
    CHECK(warnings_of(modify, "fexit__vfs_writev,fexit__do_splice") == 2);
    CHECK_SAME(warned, "fexit__do_splice: disabled by the caller; limited: file-modify (not seen: splice)");
    CHECK(warnings_of(modules, "tp_btf__module_load,kprobe__do_init_module") == 1);
    CHECK_SAME(warned, "tp_btf__module_load: disabled by the caller; unavailable: process-load-module");
    forced.attach = EBPF_ATTACH_TRACEPOINT;
    CHECK(warnings_of(forced, NULL) == 1);
    CHECK(!strncmp(warned, REASON_FORCED "; limited: tracing (", strlen(REASON_FORCED "; limited: tracing (")));
    CHECK(strstr(warned, "), process-chroot (") && warned[strlen(warned) - 1] == ')');
}

int main(void)
{
    test_description();
    test_no_hook();
    test_one_line_a_cause();
    kernel__forget();
    return check__report();
}
