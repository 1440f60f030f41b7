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
        grep -q "; limited: process-setsid (every system call takes longer)$"
}
check "a row that names no program is refused" odd_hooks

