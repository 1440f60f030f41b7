# SPDX-License-Identifier: BSD-2-Clause
# The library's interface on a kernel; rows of Hooks.def with names that do not exist.
# kernels: 5.10 newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

check "library: two sources, errors, the end, accounting" lib-contract

check "library: a program that opens it keeps libbpf's messages" plugin-host

# A build whose table of hooks names programs that no probe has: each is refused by name, the others work.
odd_hooks() {
    : >odd.out
    EventsTrace-odd-hooks -i -u --process-setsid >odd.out 2>odd.err &
    pid=$!
    began odd.out $pid || { tail -n 2 odd.err; wait $pid; echo "status $?"; return 1; }
    setsid true
    wait_for grep -q PROCESS_SETSID odd.out || return 1
    kill $pid
    wait $pid || return 1
    grep "fexit__ksys_setsid: the kernel never" odd.err |
        grep -q "; limited: tracing (every system call takes longer)$"
}
check "a row that names no program is refused" odd_hooks

# The self-test at the start, which finds that function, needs CAP_SYS_ADMIN. -c 38 is CAP_PERFMON, 39 CAP_BPF, 24
# CAP_SYS_RESOURCE.
untested() {
    chmod 755 /opt/bin/EventsTrace-odd-hooks
    as-given -c 38 -c 39 -c 24 EventsTrace-odd-hooks --doctor --process-setsid >odd.out 2>odd.err
    grep -q "^  \(fexit__ksys_setsid\|kprobe__proc_sid_connector\)  *attached$" odd.out &&
        grep -A 1 "^  self_test  *not possible without CAP_SYS_ADMIN$" odd.out | grep -q "  add CAP_SYS_ADMIN;" ||
        { cat odd.err odd.out; return 1; }
    EventsTrace-odd-hooks --doctor --process-setsid >odd.out 2>odd.err
    grep -A 1 "^  the kernel never calls ksys_setsid" odd.out | grep -q "^    fexit__ksys_setsid$" &&
        grep -q "^  self_test  *possible$" odd.out ||
        { cat odd.err odd.out; return 1; }
}
check "without CAP_SYS_ADMIN there is no self-test, which the doctor says" untested

