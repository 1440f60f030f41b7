// SPDX-License-Identifier: BSD-2-Clause
/* test-hooks.c - which programs are chosen when some are refused. */
#include "Bpf/Hooks.h"
#include "check.h"

static struct hooks hooks;

static struct ebpf_event_set set_of(enum ebpf_event_type type)
{
    struct ebpf_event_set set = {0};

    ebpf_event_set__add(&set, type);
    return set;
}

static bool wanted(const char *program)
{
    return hooks__find(&hooks, program)->wanted;
}

static int wanted_count(void)
{
    int count = 0;

    for (size_t i = 0; i < hooks.count; i++)
        count += hooks.programs[i].wanted;
    return count;
}

/* A row for every event, and a way for each when nothing is refused. */
static void test_every_event_has_a_way(void)
{
    hooks__init(&hooks);
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(hooks.available.bits == ebpf_event_set__all().bits);
    CHECK(!wanted("tp_btf__sched_process_exit_only"));
    CHECK(!wanted("fentry__probe_trampoline"));
}

/* Or what the kernel's guard skips would be lost and nobody told. */
static void test_every_way_tells_what_it_emits(void)
{
    static const struct {
        enum ebpf_event_type event;
        int way;
        const char *program;
    } ways[] = {
#define HOOK(EVENT, way, program, doc) {EBPF_EVENT_##EVENT, way, #program},
#include "Hooks.def"
    };
    const size_t count = sizeof(ways) / sizeof(*ways);

    for (size_t i = 0; i < count; i++) {
        bool emits = false;

        for (size_t j = 0; j < count; j++)
            emits |= ways[j].event == ways[i].event && ways[j].way == ways[i].way &&
                     hooks__emits(ways[j].program, ways[i].event);
        if (!CHECK(emits))
            printf("    %s, way %d: no HOOK_EMITS row\n", ebpf_event_type__name(ways[i].event), ways[i].way);
    }
}

static void test_only_what_is_wanted(void)
{
    hooks__init(&hooks);
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_EXEC));
    CHECK(wanted("tp_btf__sched_process_exec") && wanted("fentry__bprm_change_interp"));
    CHECK(wanted_count() == 2);
    hooks__choose(&hooks, (struct ebpf_event_set){0});
    CHECK(wanted_count() == 1 && wanted("fentry__probe_trampoline"));
}

static int lacking;

static void count_lacking(void *user, const char *event, const char *lacks, const char *program, const char *reason)
{
    (void)user;
    CHECK(event && lacks && lacks[0] && program && reason[0]);
    lacking++;
}

static void test_takes_the_other_way(void)
{
    hooks__init(&hooks);
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_EXIT));
    CHECK(wanted("fentry__do_notify_parent") && wanted("tp_btf__sched_process_exit"));
    hooks__refuse(hooks__find(&hooks, "fentry__do_notify_parent"), "for a test");
    CHECK(hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_EXIT)));
    CHECK(wanted("tp_btf__sched_process_exit_only") && !wanted("tp_btf__sched_process_exit"));
    lacking = 0;
    hooks__tell_lacking(&hooks, count_lacking, NULL);
    CHECK(lacking == 1);
    hooks__refuse(hooks__find(&hooks, "tp_btf__sched_process_exit_only"), "for a test too");
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_EXIT));
    CHECK(!hooks.available.bits);
    CHECK(strstr(hooks.unavailable[EBPF_EVENT_PROCESS_EXIT], "for a test"));
}

static void test_does_without_an_option(void)
{
    hooks__init(&hooks);
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_EXEC));
    hooks__refuse(hooks__find(&hooks, "fentry__bprm_change_interp"), "for a test");
    CHECK(!hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_EXEC)) || wanted("fentry__probe_trampoline"));
    CHECK(hooks.available.bits == set_of(EBPF_EVENT_PROCESS_EXEC).bits);
    CHECK(wanted("tp_btf__sched_process_exec") && !wanted("fentry__bprm_change_interp"));
    lacking = 0;
    hooks__tell_lacking(&hooks, count_lacking, NULL);
    CHECK(lacking == 1);
}

static void test_finds_the_event_of_a_program(void)
{
    hooks__init(&hooks);
    CHECK(hooks__emits("tp_btf__module_load", EBPF_EVENT_PROCESS_LOAD_MODULE));
    CHECK(!hooks__emits("tp_btf__module_load", EBPF_EVENT_PROCESS_EXEC));
    CHECK(!hooks__emits("no_such_program", EBPF_EVENT_PROCESS_EXEC));
    hooks__choose(&hooks, set_of(EBPF_EVENT_FILE_SHMEM_OPEN));
    CHECK(hooks__skipped_event(&hooks, "fentry__security_file_open") == EBPF_EVENT_FILE_SHMEM_OPEN);
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(hooks__skipped_event(&hooks, "fentry__security_file_open") == EBPF_EVENT_FILE_CREATE);
    CHECK(hooks__skipped_event(&hooks, "fentry__bprm_change_interp") == 0);
    CHECK(hooks__skipped_event(&hooks, "no_such_program") == 0);
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_FORK)); /* no loss of an event that nobody wants */
    CHECK(hooks__skipped_event(&hooks, "fentry__security_file_open") == 0);
    CHECK(!hooks__find(&hooks, "no_such_program"));
}

/* An LSM program takes the place of a program and of its spares, unless it is refused. */
static void test_lsm(void)
{
    hooks__init(&hooks);
    hooks.spares = true;
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_SETUID));
    CHECK(!wanted("lsm__task_fix_setuid") && wanted("fexit__security_task_fix_setuid"));
    CHECK(wanted("tp_btf__sched_process_exec")); /* an exec may change ids */
    CHECK(wanted("fexit__security_task_fix_setuid_spare1"));
    hooks.lsm = true;
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_SETUID));
    CHECK(wanted("lsm__task_fix_setuid") && !wanted("fexit__security_task_fix_setuid"));
    CHECK(!wanted("fexit__security_task_fix_setuid_spare1"));
    hooks__refuse(hooks__find(&hooks, "fexit__security_task_fix_setuid"), "for a test");
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_SETUID));
    CHECK(hooks.available.bits == set_of(EBPF_EVENT_PROCESS_SETUID).bits);
    hooks__refuse(hooks__find(&hooks, "lsm__task_fix_setuid"), "for a test");
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_SETUID));
    CHECK(!hooks.available.bits);
}

/* Where there are kprobes they take the places of programs and their spares, several of one kprobe's; LSM first. */
static void test_kprobes(void)
{
    hooks__init(&hooks);
    hooks.spares = hooks.kprobes = true;
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("kprobe__security_file_open") && !wanted("fentry__security_file_open"));
    CHECK(!wanted("fentry__security_file_open_spare1"));
    CHECK(wanted("kprobe__security_d_instantiate") && !wanted("fexit__vfs_mkdir") && !wanted("fexit__vfs_link"));
    CHECK(wanted("kprobe__wake_up_new_task") && !wanted("tp_btf__sched_process_fork"));
    CHECK(wanted("kprobe__security_path_mkdir") && !wanted("fentry__security_path_mkdir"));
    hooks.lsm = true;
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("lsm__path_mkdir") && !wanted("kprobe__security_path_mkdir"));
    hooks__refuse(hooks__find(&hooks, "kprobe__security_d_instantiate"), "for a test");
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("fexit__vfs_mkdir") && wanted("fexit__vfs_mkdir_spare1") && wanted("fexit__vfs_link"));
}

/* Sessions do so for programs at the ends of functions, and a skip of theirs is the loss of the same event. */
static void test_sessions(void)
{
    hooks__init(&hooks);
    hooks.spares = hooks.kprobes = true;
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("fexit__vfs_write") && wanted("fexit__vfs_write_spare1") && !wanted("session__vfs_write"));
    hooks.sessions = true;
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("session__vfs_write") && !wanted("fexit__vfs_write") && !wanted("fexit__vfs_write_spare1"));
    CHECK(wanted("session__aio_write") && !wanted("fentry__aio_write") && !wanted("fexit__aio_write"));
    CHECK(wanted("kprobe__security_d_instantiate") && !wanted("fexit__vfs_mkdir"));
    CHECK(hooks__skipped_event(&hooks, "session__vfs_write") == EBPF_EVENT_FILE_MODIFY);
    CHECK(hooks__emits("session__ptrace_attach", EBPF_EVENT_PROCESS_PTRACE));
    CHECK(!hooks__emits("session__ptrace_attach", EBPF_EVENT_FILE_MODIFY));
    hooks__refuse(hooks__find(&hooks, "session__vfs_write"), "for a test");
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("fexit__vfs_write") && wanted("fexit__vfs_write_spare2") && wanted("session__vfs_writev"));
}

/* The programs and maps by which spares come to the body of their hook. */
static void test_bodies(void)
{
    struct hooks_body body;
    size_t count = 0;

    hooks__init(&hooks);
    for (; hooks__body(count, &body); count++)
        CHECK(hooks__find(&hooks, body.program) && hooks__spare(&hooks, body.program, 0) && body.map);
    CHECK(count > 0);
    CHECK(!strcmp(hooks__spare(&hooks, "fexit__vfs_write", 1)->name, "fexit__vfs_write_spare2"));
    CHECK(!hooks__spare(&hooks, "fexit__vfs_write", 2) && !hooks__spare(&hooks, "no_such_program", 0));
}

static void test_spares(void)
{
    hooks__init(&hooks);
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_EXEC));
    CHECK(!wanted("tp_btf__sched_process_exec_spare1"));
    hooks.spares = true;
    CHECK(hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_EXEC)));
    CHECK(wanted("tp_btf__sched_process_exec_spare1") && wanted("tp_btf__sched_process_exec_spare3"));
    CHECK(!wanted("tp_btf__sched_process_fork_spare1"));
    hooks__refuse(hooks__find(&hooks, "tp_btf__sched_process_exec_spare1"), "for a test");
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_EXEC));
    CHECK(!wanted("tp_btf__sched_process_exec_spare1") && wanted("tp_btf__sched_process_exec_spare2"));
    /* attached after what they are spares of, and so run after it, or on a trampoline before it */
    CHECK(hooks__find(&hooks, "tp_btf__sched_process_exec") < hooks__find(&hooks, "tp_btf__sched_process_exec_spare1"));
}

int main(void)
{
    test_every_event_has_a_way();
    test_every_way_tells_what_it_emits();
    test_only_what_is_wanted();
    test_takes_the_other_way();
    test_does_without_an_option();
    test_lsm();
    test_kprobes();
    test_sessions();
    test_bodies();
    test_spares();
    test_finds_the_event_of_a_program();
    return check__report();
}
