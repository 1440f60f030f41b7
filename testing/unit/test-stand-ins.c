// SPDX-License-Identifier: BSD-2-Clause
/* test-stand-ins.c - what replaces programs that are refused, or that the kernel preempts. */
#include "Bpf/Object/Forced.h"
#include "check.h"
#include "choice.h"

/* A kprobe is better than a program that is preempted; else it replaces only what the kernel refuses. */
static void test_kprobes_of_other_kernels(void)
{
    hooks__init(&hooks);
    hooks.stand_ins[STAND_IN_KPROBE] = true;
    hooks__choose(&hooks, set_of(EBPF_EVENT_FILE_DELETE));
    CHECK(wanted("fentry__d_delete") && !wanted("kprobe__d_delete"));
    hooks__refuse(hooks__find(&hooks, "fentry__d_delete"), "for a test");
    hooks__choose(&hooks, set_of(EBPF_EVENT_FILE_DELETE));
    CHECK(wanted("kprobe__d_delete") && wanted("fentry__security_path_unlink"));
    hooks.spares = true;
    hooks__choose(&hooks, set_of(EBPF_EVENT_FILE_DELETE));
    CHECK(wanted("kprobe__d_delete") && wanted("kprobe__security_path_unlink"));
}

/* One program takes the place of all that a kernel without the path hooks lacks, and of no others. */
static void test_kernel_without_path_hooks(void)
{
    struct ebpf_event_set deleted = set_of(EBPF_EVENT_FILE_DELETE);

    hooks__init(&hooks);
    hooks.spares = hooks.stand_ins[STAND_IN_ELSE] = true;
    hooks__choose(&hooks, deleted);
    CHECK(wanted("fentry__security_path_unlink") && !wanted("fentry__mnt_want_write"));
    hooks__refuse(hooks__find(&hooks, "fentry__security_path_unlink"), "for a test");
    hooks__choose(&hooks, deleted);
    CHECK(wanted("fentry__mnt_want_write") && wanted("fentry__d_delete") && wanted("fentry__security_path_rmdir"));
    CHECK(hooks.available.bits == deleted.bits && !hooks__called_events(&hooks).bits);
    CHECK(skipped_event("fentry__mnt_want_write") == EBPF_EVENT_FILE_DELETE);
    hooks__refuse(hooks__find(&hooks, "fentry__mnt_want_write"), "for a test");
    hooks__choose(&hooks, deleted);
    CHECK(hooks__called_events(&hooks).bits == deleted.bits);
}

/* Where vfs_write is inlined, other system calls take no longer, nor do writes to terminals change. */
static void test_writes_are_permitted(void)
{
    struct ebpf_event_set written = set_of(EBPF_EVENT_FILE_MODIFY);

    ebpf_event_set__add(&written, EBPF_EVENT_PROCESS_TTY_WRITE);
    hooks__init(&hooks);
    hooks.stand_ins[STAND_IN_ELSE] = true;
    hooks__choose(&hooks, written);
    CHECK(wanted("fexit__vfs_write") && !wanted("fentry__security_file_permission_write"));
    hooks__refuse(hooks__find(&hooks, "fexit__vfs_write"), "for a test");
    hooks__choose(&hooks, written);
    CHECK(wanted("fentry__security_file_permission_write") && wanted("fexit__vfs_writev"));
    CHECK(!wanted("fentry__security_file_permission_writev"));
    CHECK(!wanted("tp_btf__sys_exit") && !wanted("tp_btf__sys_enter") && wanted("fexit__n_tty_write"));
    CHECK(lacks_of("process-tty-write") == 0 && lacks_of(HOOKS_TRACING) == 0 && lacks_of("file-modify") == 1);
    CHECK_SAME(lacks, "write is reported without bytes, even if it fails");
    CHECK_SAME(lacks_program, "fexit__vfs_write");
    CHECK(skipped_event("fentry__security_file_permission_write") == EBPF_EVENT_FILE_MODIFY);
    hooks__refuse(hooks__find(&hooks, "fexit__n_tty_write"), "for a test");
    hooks__choose(&hooks, written);
    CHECK(hooks__called_events(&hooks).bits == set_of(EBPF_EVENT_PROCESS_TTY_WRITE).bits);
    hooks__refuse(hooks__find(&hooks, "fentry__security_file_permission_write"), "for a test");
    hooks__choose(&hooks, written);
    CHECK(hooks__called_events(&hooks).bits == written.bits);
}

/* Where udp_send_skb is inlined, flows lack nothing; as kprobes, the stand-ins have the limit of what they replace. */
static void test_datagrams_are_handed_on(void)
{
    struct ebpf_event_set flows = set_of(EBPF_EVENT_NETWORK_DATAGRAM_FLOW);

    hooks__init(&hooks);
    hooks.stand_ins[STAND_IN_ELSE] = true;
    hooks__choose(&hooks, flows);
    CHECK(!wanted("fentry__ip_send_skb") && !wanted("fentry__ip6_send_skb"));
    hooks__refuse(hooks__find(&hooks, "fentry__udp_send_skb"), "for a test");
    hooks__choose(&hooks, flows);
    CHECK(wanted("fentry__ip_send_skb") && !wanted("fentry__ip6_send_skb") && wanted("fentry__udp_v6_send_skb"));
    hooks__refuse(hooks__find(&hooks, "fentry__udp_v6_send_skb"), "for a test");
    hooks__choose(&hooks, flows);
    CHECK(wanted("fentry__ip_send_skb") && wanted("fentry__ip6_send_skb") && !hooks__called_events(&hooks).bits);
    CHECK(lacks_of("net-datagram") == 0);
    hooks__convert(&hooks, "no trampolines");
    hooks__choose(&hooks, flows);
    CHECK(wanted("fentry__ip_send_skb") && hooks__find(&hooks, "fentry__ip_send_skb")->by_kprobe);
    CHECK(!wanted("fentry__udp_send_skb") && wanted("fentry__skb_consume_udp"));
    CHECK(lacks_of("net-datagram") == 1 && strstr(lacks, "4,096 sockets"));
    CHECK_SAME(lacks_program, "fentry__ip_send_skb");
    hooks__refuse(hooks__find(&hooks, "fentry__ip6_send_skb"), "for a test");
    hooks__choose(&hooks, flows);
    CHECK(!hooks__called_events(&hooks).bits && lacks_of("net-datagram") == 2);
}

/* An LSM program replaces a program and its spares, unless it is refused. */
static void test_lsm(void)
{
    hooks__init(&hooks);
    hooks.spares = true;
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_SETUID));
    CHECK(!wanted("lsm__task_fix_setuid") && wanted("fexit__security_task_fix_setuid"));
    CHECK(wanted("tp_btf__sched_process_exec")); /* an exec may change ids */
    CHECK(wanted("fexit__security_task_fix_setuid_spare1"));
    hooks.stand_ins[STAND_IN_RECORDING_LSM] = true;
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_SETUID));
    CHECK(wanted("lsm__task_fix_setuid") && !wanted("fexit__security_task_fix_setuid"));
    CHECK(!wanted("fexit__security_task_fix_setuid_spare1"));
    hooks.stand_ins[STAND_IN_KPROBE] = hooks.stand_ins[STAND_IN_SESSION] = true; /* which hold no shared slot */
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_SETUID));
    CHECK(!wanted("lsm__task_fix_setuid") && wanted("session__security_task_fix_setuid"));
    hooks.stand_ins[STAND_IN_SESSION] = false;
    hooks.stand_ins[STAND_IN_ELSE_KPROBE] = true;
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_SETUID));
    CHECK(!wanted("lsm__task_fix_setuid") && wanted("kprobe__commit_creds"));
    hooks.stand_ins[STAND_IN_KPROBE] = hooks.stand_ins[STAND_IN_ELSE_KPROBE] = false;
    hooks__refuse(hooks__find(&hooks, "fexit__security_task_fix_setuid"), "for a test");
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_SETUID));
    CHECK(hooks.available.bits == set_of(EBPF_EVENT_PROCESS_SETUID).bits);
    hooks__refuse(hooks__find(&hooks, "lsm__task_fix_setuid"), "for a test");
    hooks__refuse(hooks__find(&hooks, "fentry__commit_creds"), "for a test");
    hooks__choose(&hooks, set_of(EBPF_EVENT_PROCESS_SETUID));
    CHECK(hooks.ways[EBPF_EVENT_PROCESS_SETUID] == WAY_SYSCALLS);
}

/*
 * If there are kprobes, they replace programs and their spares; one kprobe may replace several; LSM programs come
 * first.
 */
static void test_kprobes(void)
{
    hooks__init(&hooks);
    hooks.spares = hooks.stand_ins[STAND_IN_KPROBE] = true;
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("kprobe__security_file_open") && !wanted("fentry__security_file_open"));
    CHECK(!wanted("fentry__security_file_open_spare1"));
    CHECK(wanted("kprobe__security_d_instantiate") && !wanted("fexit__vfs_mkdir") && !wanted("fexit__vfs_link"));
    CHECK(wanted("kprobe__wake_up_new_task") && !wanted("tp_btf__sched_process_fork"));
    CHECK(wanted("kprobe__security_path_mkdir") && !wanted("fentry__security_path_mkdir"));
    hooks.stand_ins[STAND_IN_LSM] = true;
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("lsm__path_mkdir") && !wanted("kprobe__security_path_mkdir"));
    hooks__refuse(hooks__find(&hooks, "kprobe__security_d_instantiate"), "for a test");
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("fexit__vfs_mkdir") && wanted("fexit__vfs_mkdir_spare1") && wanted("fexit__vfs_link"));
}

/* Sessions replace programs at the ends of functions, and a skip of a session counts as a loss of the event. */
static void test_sessions(void)
{
    hooks__init(&hooks);
    hooks.spares = hooks.stand_ins[STAND_IN_KPROBE] = true;
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("fexit__vfs_write") && wanted("fexit__vfs_write_spare1") && !wanted("session__vfs_write"));
    hooks.stand_ins[STAND_IN_SESSION] = true;
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("session__vfs_write") && !wanted("fexit__vfs_write") && !wanted("fexit__vfs_write_spare1"));
    CHECK(wanted("session__aio_write") && !wanted("fentry__aio_write") && !wanted("fexit__aio_write"));
    CHECK(wanted("kprobe__security_d_instantiate") && !wanted("fexit__vfs_mkdir"));
    CHECK(skipped_event("session__vfs_write") == EBPF_EVENT_FILE_MODIFY);
    CHECK(skipped_event("session__ptrace_attach") == EBPF_EVENT_PROCESS_PTRACE);
    hooks__refuse(hooks__find(&hooks, "session__vfs_write"), "for a test");
    hooks__choose(&hooks, ebpf_event_set__all());
    CHECK(wanted("fexit__vfs_write") && wanted("fexit__vfs_write_spare2") && wanted("session__vfs_writev"));
}

int main(void)
{
    test_kprobes_of_other_kernels();
    test_kernel_without_path_hooks();
    test_writes_are_permitted();
    test_datagrams_are_handed_on();
    test_lsm();
    test_kprobes();
    test_sessions();
    return check__report();
}
