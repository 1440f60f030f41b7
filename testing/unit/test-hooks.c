// SPDX-License-Identifier: BSD-2-Clause
/* test-hooks.c - the programs that are chosen if some are refused. */
#include "Bpf/Object/Forced.h"
#include "check.h"
#include "choice.h"

#define WAYS 4

static int wanted_count(void)
{
    int count = 0;

    for (size_t i = 0; i < hooks.count; i++)
        count += hooks.programs[i].wanted;
    return count;
}

/* There is a row for every event, and a way for each if nothing is refused. */
static void test_every_event_has_a_way(void)
{
    hooks__init(&hooks);
    hooks__choose(&hooks, ebpf_event_set__all());
    for (enum ebpf_event_type type = 0; (type = ebpf_event_type__next(type));) {
        if (!CHECK(ebpf_event_set__has(hooks.available, type)))
            printf("    %s: %s\n", ebpf_event_type__name(type), hooks.unavailable[type]);
    }
    CHECK(!wanted("tp_btf__sched_process_exit_only"));
    CHECK(!wanted("fentry__probe_trampoline"));
}

/* Otherwise runs that the kernel's guard skips would be lost without being counted. */
static void test_every_way_is_charged(void)
{
    bool required[EBPF_EVENT_TYPE_COUNT][WAYS] = {0}, charged[EBPF_EVENT_TYPE_COUNT][WAYS] = {0};
    const struct hook_row *row;

    for (size_t i = 0; (row = hooks__row(i)); i++) {
        for (const struct hook_role *role = row->roles; role->event; role++) {
            if (!CHECK(role->way < WAYS && role < row->roles + HOOK_ROLES_MAX))
                return;
            required[role->event][role->way] |= role->is_required;
            charged[role->event][role->way] |= role->is_required && role->is_charged;
            if (!CHECK(role->is_required || role->is_charged || strncmp(role->lacks, "not seen", 8)))
                printf("    %s IMPROVES %s: %s\n", row->program, ebpf_event_type__name(role->event), role->lacks);
        }
    }
    for (int event = 1; event < EBPF_EVENT_TYPE_COUNT; event++) {
        for (int way = 0; way < WAYS; way++) {
            if (!CHECK(charged[event][way] == required[event][way]))
                printf("    %s, way %d: only SERVES\n", ebpf_event_type__name(event), way);
        }
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
static const char *last_lacks;

static void count_lacking(void *user, const char *event, const char *what, const char *program, const char *reason)
{
    (void)user;
    CHECK(event && what && what[0] && program && reason[0]);
    lacking++;
    last_lacks = what;
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
    hooks__report_lacking(&hooks, count_lacking, NULL);
    CHECK(lacking == 1);
    hooks__refuse(hooks__find(&hooks, "tp_btf__sched_process_exit_only"), "for a test too");
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_EXIT));
    CHECK(!hooks.available.bits);
    CHECK(strstr(hooks.unavailable[EBPF_EVENT_PROCESS_EXIT], "for a test"));
}

/* The last way: a program for the end of the system call, and the one that calls it, which is attached. */
static void test_takes_the_ends_of_system_calls(void)
{
    struct ebpf_event_set setuid = set_of(EBPF_EVENT_PROCESS_SETUID);

    hooks__init(&hooks);
    hooks__choose(&hooks, setuid);
    CHECK(!wanted("tp_btf__sys_exit") && !wanted("tp_btf__sys_exit_setuid"));
    hooks__refuse(hooks__find(&hooks, "fexit__security_task_fix_setuid"), "for a test");
    hooks__choose(&hooks, setuid);
    CHECK(wanted("fentry__commit_creds") && !wanted("tp_btf__sys_exit"));
    hooks__refuse(hooks__find(&hooks, "fentry__commit_creds"), "for a test");
    hooks__choose(&hooks, setuid);
    CHECK(wanted("tp_btf__sys_exit") && wanted("tp_btf__sys_exit_setuid"));
    CHECK(!wanted("tp_btf__sys_exit_setsid"));
    CHECK(wanted("tp_btf__sched_process_exec")); /* an exec is no such call */
    CHECK(skipped_event("tp_btf__sys_exit") == EBPF_EVENT_PROCESS_SETUID);
    CHECK(hooks__is_called((size_t)(hooks__find(&hooks, "tp_btf__sys_exit_setuid") - hooks.programs)));
    CHECK(!hooks__is_called((size_t)(hooks__find(&hooks, "tp_btf__sys_exit") - hooks.programs)));
    hooks__refuse(hooks__find(&hooks, "tp_btf__sys_exit"), "for a test too");
    hooks__choose(&hooks, setuid);
    CHECK(!hooks.available.bits);
    CHECK(strstr(hooks.unavailable[EBPF_EVENT_PROCESS_SETUID], "fexit__security_task_fix_setuid: for a test"));
}

/* What an optional program would add is seen at the end of the system call, or not at all. */
static void test_ends_of_system_calls_need_no_option(void)
{
    hooks__init(&hooks);
    hooks__refuse(hooks__find(&hooks, "fexit__shmem_file_setup"), "for a test");
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_MEMFD_CREATE));
    CHECK(wanted("tp_btf__sys_exit_memfd_create") && !wanted("fexit__hugetlb_file_setup"));
    hooks__refuse(hooks__find(&hooks, "fexit__hugetlb_file_setup"), "for a test");
    CHECK(lacks_of(HOOKS_TRACING) == 1 && !strcmp(lacks, "every system call takes longer"));
    CHECK(lacks_of("process-memfd-create") == 0);
}

/* A program that makes less stands in for one that the kernel lacks; what it does not make is named. */
static void test_limited_stand_in(void)
{
    struct ebpf_event_set modified = set_of(EBPF_EVENT_FILE_MODIFY);

    hooks__init(&hooks);
    hooks.stand_ins[STAND_IN_ELSE] = true;
    hooks__choose(&hooks, modified);
    CHECK(wanted("fentry__kiocb_done") && wanted("fentry__io_rw_fail") && !wanted("tp_btf__io_uring_complete_write"));
    hooks__refuse(hooks__find(&hooks, "fentry__kiocb_done"), "for a test");
    hooks__refuse(hooks__find(&hooks, "kprobe__kiocb_done"), "for a test");
    hooks__choose(&hooks, modified);
    CHECK(wanted("tp_btf__io_uring_complete_write"));
    CHECK(!wanted("fentry__io_rw_fail")); /* what it makes is completed, too */
    lacking = 0;
    hooks__report_lacking(&hooks, count_lacking, NULL);
    CHECK(lacking == 1);
    CHECK(strstr(last_lacks, "report no success"));
    hooks__refuse(hooks__find(&hooks, "tp_btf__io_uring_complete_write"), "for a test");
    hooks__choose(&hooks, modified);
    CHECK(wanted("fentry__io_rw_fail"));
    hooks__report_lacking(&hooks, count_lacking, NULL);
    CHECK(lacking == 2 && !strcmp(last_lacks, "not seen: writes by io_uring"));
}

/* Programs about connections share a table. */
static void test_connections_are_made_in_one_way(void)
{
    struct ebpf_event_set connections = {0};

    for (int event = EBPF_EVENT_NETWORK_CONNECTION_ATTEMPTED; event <= EBPF_EVENT_NETWORK_CONNECTION_FAILED; event++)
        ebpf_event_set__add(&connections, event);
    hooks__init(&hooks);
    hooks__choose(&hooks, connections);
    CHECK(wanted("fentry__tcp_connect") && !hooks__called_events(&hooks).bits);
    hooks__refuse(hooks__find(&hooks, "fentry__tcp_close"), "for a test");
    hooks__choose(&hooks, connections);
    CHECK(hooks__called_events(&hooks).bits == connections.bits);
    CHECK(wanted("tp_btf__sys_exit_accept") && wanted("tp_btf__inet_sock_set_state_open"));
    CHECK(!wanted("fentry__tcp_connect") && !wanted("fentry__security_sock_graft"));
    CHECK(lacks_of("net-conn-attempt") > 0 && !strcmp(lacks_program, "fentry__tcp_close"));
    hooks__refuse(hooks__find(&hooks, "tp_btf__sys_exit_connect"), "for a test");
    hooks__choose(&hooks, connections);
    CHECK(wanted("fentry__tcp_connect") && !wanted("tp_btf__sys_exit_accept"));
    CHECK(hooks.available.bits == (connections.bits & ~(set_of(EBPF_EVENT_NETWORK_CONNECTION_CLOSED).bits |
                                                        set_of(EBPF_EVENT_NETWORK_CONNECTION_FAILED).bits)));
}

/* An optional program of a way is of no use to the others. */
static void test_options_of_a_way(void)
{
    struct ebpf_event_set created = set_of(EBPF_EVENT_FILE_CREATE);

    hooks__init(&hooks);
    hooks__choose(&hooks, created);
    CHECK(!wanted("tp_btf__io_uring_complete_open") && wanted("fexit__vfs_mkdir"));
    hooks__refuse(hooks__find(&hooks, "fentry__security_file_open"), "for a test");
    hooks__choose(&hooks, created);
    CHECK(wanted("fentry__do_dentry_open") && wanted("fexit__vfs_mkdir"));
    hooks__refuse(hooks__find(&hooks, "fentry__do_dentry_open"), "for a test");
    hooks__choose(&hooks, created);
    CHECK(wanted("tp_btf__io_uring_complete_open") && !wanted("fexit__vfs_mkdir"));
    hooks__refuse(hooks__find(&hooks, "tp_btf__io_uring_complete_open"), "for a test");
    hooks__choose(&hooks, created);
    CHECK(hooks.available.bits == created.bits && !wanted("tp_btf__io_uring_complete_open"));
}

/* What an event lacks without an optional program of its way, and what it lacks with it. */
static void test_limits_of_a_way(void)
{
    struct ebpf_event_set accepted = set_of(EBPF_EVENT_NETWORK_CONNECTION_ACCEPTED);

    hooks__init(&hooks);
    hooks__choose(&hooks, accepted);
    CHECK(lacks_of("net-conn-accept") == 0 && lacks_of(HOOKS_TRACING) == 0);
    hooks__refuse(hooks__find(&hooks, "fentry__security_sock_graft"), "for a test");
    hooks__refuse(hooks__find(&hooks, "fexit__inet_csk_accept"), "for a test too");
    hooks__choose(&hooks, accepted);
    CHECK(lacks_of("net-conn-accept") == 1 && strstr(lacks, "post no descriptor"));
    CHECK_SAME(lacks_program, "fentry__security_sock_graft");
    hooks__refuse(hooks__find(&hooks, "tp_btf__io_uring_complete_accept"), "it has no request");
    hooks__choose(&hooks, accepted);
    CHECK(lacks_of("net-conn-accept") == 1 && strstr(lacks, "before 5.18"));
    CHECK_SAME(lacks_reason, "it has no request");
    CHECK_SAME(lacks_program, "tp_btf__io_uring_complete_accept");
}

/* The end of a connection has the process that accepted it, also if only ends are selected. */
static void test_ends_have_owners(void)
{
    hooks__init(&hooks);
    hooks__refuse(hooks__find(&hooks, "fentry__tcp_close"), "for a test");
    hooks__choose(&hooks, set_of(EBPF_EVENT_NETWORK_CONNECTION_CLOSED));
    CHECK(wanted("tp_btf__sys_exit_accept") && wanted("tp_btf__io_uring_complete_accept"));
}

/* With one way to attach, events that need another one are unavailable or made at the ends of system calls. */
static void test_forced_way(void)
{
    struct ebpf_event_set events = set_of(EBPF_EVENT_FILE_DELETE);

    ebpf_event_set__add(&events, EBPF_EVENT_PROCESS_FORK);
    ebpf_event_set__add(&events, EBPF_EVENT_NETWORK_DATAGRAM_FLOW);
    for (enum ebpf_attach way = EBPF_ATTACH_BEST; way <= EBPF_ATTACH_TRACEPOINT; way++) {
        bool has_functions = way != EBPF_ATTACH_TRACEPOINT, has_kprobes = way == EBPF_ATTACH_KPROBE;

        hooks__init(&hooks);
        hooks.stand_ins[STAND_IN_KPROBE] = has_kprobes;
        hooks.stand_ins[STAND_IN_LSM] = true;
        hooks__force(&hooks, way);
        if (has_kprobes)
            hooks__convert(&hooks, "");
        hooks__choose(&hooks, events);
        CHECK(wanted("tp_btf__sched_process_fork") && wanted("kprobe__d_delete") == has_kprobes);
        CHECK(wanted("lsm__path_unlink") == (way == EBPF_ATTACH_BEST || way == EBPF_ATTACH_LSM));
        CHECK(wanted("fentry__security_path_unlink") == (way == EBPF_ATTACH_TRAMPOLINE));
        CHECK(wanted("fentry__d_delete") == (has_functions && !has_kprobes));
        CHECK(wanted("tp_btf__sys_exit_delete") == !has_functions);
        CHECK(ebpf_event_set__has(hooks.available, EBPF_EVENT_FILE_DELETE));
        CHECK(ebpf_event_set__has(hooks.available, EBPF_EVENT_NETWORK_DATAGRAM_FLOW));
        CHECK(wanted("fentry__udp_send_skb") == has_functions && wanted("cgroup__sock_release") == !has_functions);
        CHECK(wanted("tp_btf__sys_exit_datagram") == wanted("cgroup__sock_release"));
    }
    hooks__refuse(hooks__find(&hooks, "tp_btf__sys_exit_datagram"), "for a test");
    hooks__choose(&hooks, events);
    CHECK(!ebpf_event_set__has(hooks.available, EBPF_EVENT_NETWORK_DATAGRAM_FLOW));
    CHECK_SAME(hooks.unavailable[EBPF_EVENT_NETWORK_DATAGRAM_FLOW],
               "fentry__udp_send_skb: another way to attach was asked for");
}

/* Without a path hook, a kprobe does not know what is created: links and files are seen at the ends of calls then. */
static void test_unnoted(void)
{
    struct ebpf_event_set events = set_of(EBPF_EVENT_FILE_LINK);

    ebpf_event_set__add(&events, EBPF_EVENT_FILE_CREATE);
    for (int has_hook = 0; has_hook < 2; has_hook++) {
        for (int preempts = 0; preempts < 2; preempts++) {
            hooks__init(&hooks);
            hooks.spares = preempts;
            hooks.stand_ins[STAND_IN_KPROBE] = hooks.stand_ins[STAND_IN_ELSE] = true;
            if (!preempts)
                hooks__force(&hooks, EBPF_ATTACH_KPROBE);
            hooks__convert(&hooks, "");
            if (!has_hook) {
                hooks__refuse(hooks__find(&hooks, "fentry__security_path_link"), "for a test");
                hooks__refuse(hooks__find(&hooks, "kprobe__security_path_link"), "for a test");
            }
            hooks__choose(&hooks, events);
            CHECK(hooks.available.bits == events.bits);
            CHECK(wanted("kprobe__security_path_link") == has_hook);
            CHECK(wanted("fentry__mnt_want_write") == (!has_hook && preempts));
            CHECK(wanted("fexit__vfs_link") == (!has_hook && preempts));
            CHECK(wanted("tp_btf__sys_exit_link") == (!has_hook && !preempts));
            CHECK(wanted("tp_btf__sys_exit_open") == (!has_hook && !preempts));
        }
    }
}

/* Where trampolines are refused, some programs are loaded for kprobes, but not those refused for another reason. */
static void test_converted(void)
{
    struct ebpf_event_set events = set_of(EBPF_EVENT_PROCESS_EXIT);

    hooks__init(&hooks);
    hooks.spares = true;
    for (size_t i = 0; i < hooks.count; i++) {
        if (!strncmp(hooks.programs[i].name, "fentry__", 8))
            hooks__refuse(&hooks.programs[i], "trampolines");
    }
    hooks__refuse(hooks__find(&hooks, "fentry__udp_send_skb"), "for a test");
    ebpf_event_set__add(&events, EBPF_EVENT_NETWORK_DATAGRAM_FLOW);
    hooks__convert(&hooks, "trampolines");
    hooks__choose(&hooks, events);
    CHECK(hooks.available.bits == events.bits && wanted("tp_btf__sys_exit_datagram"));
    CHECK(wanted("fentry__do_notify_parent") && hooks__find(&hooks, "fentry__do_notify_parent")->by_kprobe);
    CHECK(!wanted("fentry__skb_consume_udp") && !wanted("fentry__tcp_connect"));
    hooks__find(&hooks, "fentry__udp_send_skb")->refused = false;
    hooks__choose(&hooks, events);
    CHECK(hooks.available.bits == events.bits && wanted("fentry__skb_consume_udp"));
    CHECK(!wanted("fentry__skb_consume_udp_spare1")); /* it cannot be preempted */
    CHECK(!hooks__find(&hooks, "fentry__tcp_connect")->by_kprobe);
    CHECK(lacks_of("process-exit") == 1 && strstr(lacks, "partial"));
    CHECK_SAME(lacks_program, "fentry__do_notify_parent");
    CHECK_SAME(lacks_reason, "trampolines");
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
    hooks__report_lacking(&hooks, count_lacking, NULL);
    CHECK(lacking == 1);
}

static void test_finds_the_event_of_a_program(void)
{
    hooks__init(&hooks);
    hooks__choose(&hooks, set_of(EBPF_EVENT_FILE_SHMEM_OPEN));
    CHECK(skipped_event("fentry__security_file_open") == EBPF_EVENT_FILE_SHMEM_OPEN);
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(skipped_event("fentry__security_file_open") == EBPF_EVENT_FILE_CREATE);
    CHECK(skipped_event("fexit__vfs_mkdir") == EBPF_EVENT_FILE_CREATE); /* which other programs make as well */
    CHECK(skipped_event("fentry__bprm_change_interp") == 0);
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_FORK)); /* no loss of an event that is not selected */
    CHECK(skipped_event("fentry__security_file_open") == 0);
    CHECK(!hooks__find(&hooks, "no_such_program"));
}

/* A spare calls the program of which it is a copy through a map, or does its work; both are named after it. */
static void test_bodies(void)
{
    const struct hook_row *row;
    size_t bodies = 0;

    hooks__init(&hooks);
    for (size_t i = 0; (row = hooks__row(i)); i++) {
        CHECK(!strcmp(row->program, hooks.programs[i].name) && (!row->body || row->spare_count));
        bodies += row->body != NULL;
        if (strcmp(row->program, "fexit__vfs_write"))
            continue;
        CHECK(!strcmp(hooks__spare(&hooks, i, 1)->name, "fexit__vfs_write_spare2") && !hooks__spare(&hooks, i, 2));
        CHECK(!strcmp(row->body, "write_body"));
    }
    CHECK(bodies > 0);
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
    /* attached after the program of which they are spares, and so run after it, or on a trampoline before it */
    CHECK(hooks__find(&hooks, "tp_btf__sched_process_exec") < hooks__find(&hooks, "tp_btf__sched_process_exec_spare1"));
}

/* Print all programs, and the maps through which spares call them, to be compared with the object. */
static void print_names(void)
{
    const struct hook_row *row;

    hooks__init(&hooks);
    for (size_t i = 0; i < hooks.count; i++)
        puts(hooks.programs[i].name);
    for (size_t i = 0; (row = hooks__row(i)); i++) {
        if (row->body)
            puts(row->body);
    }
}

static void print_choice(enum ebpf_event_type event, const char *condition)
{
    hooks__choose(&hooks, set_of(event));
    printf("%s, %s:", ebpf_event_type__option(event), condition);
    for (size_t i = 0; i < hooks.count; i++) {
        if (hooks.programs[i].wanted)
            printf(" %s", hooks.programs[i].name);
    }
    puts("");
}

/*
 * Print what is loaded for each event alone, on a kernel that preempts no programs, and on one with all replacements.
 */
static void print_choices(void)
{
    for (int event = 1; event < EBPF_EVENT_TYPE_COUNT; event++) {
        hooks__init(&hooks);
        print_choice(event, "none preempted");
        hooks.spares = true;
        for (int kind = 0; kind < STAND_IN_COUNT; kind++)
            hooks.stand_ins[kind] = true;
        print_choice(event, "stand-ins");
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        strcmp(argv[1], "names") ? print_choices() : print_names();
        return 0;
    }
    test_every_event_has_a_way();
    test_every_way_is_charged();
    test_only_what_is_wanted();
    test_takes_the_other_way();
    test_takes_the_ends_of_system_calls();
    test_ends_of_system_calls_need_no_option();
    test_limited_stand_in();
    test_connections_are_made_in_one_way();
    test_options_of_a_way();
    test_limits_of_a_way();
    test_ends_have_owners();
    test_forced_way();
    test_unnoted();
    test_converted();
    test_does_without_an_option();
    test_bodies();
    test_spares();
    test_finds_the_event_of_a_program();
    return check__report();
}
