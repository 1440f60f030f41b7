# SPDX-License-Identifier: BSD-2-Clause
# Calls whose descriptor another thread closes or replaces before they end: reported, or counted as lost where they are
# seen at their ends.
# kernels: 6.1
# also: 5.10 6.12 newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

# lost TYPE COUNT: so many events of the type were lost because their file was not known.
lost() {
    grep -q "\"$1\":{[^}]*\"lost\":{\"unreadable\":$2[,}]" swapped.last
}

# calls WAY: make the calls.
calls() {
    rm -f swapped opens
    trace swapped.out swapped.err -u --process-tty-write --file-create --file-modify --net-datagram --attach "$1" || {
        cat swapped.err
        return 1
    }
    swapped-files >opens || return 1
    trace_stop || return 1
    tail -n 1 swapped.err >swapped.last
    cat swapped.last
    ! grep '"FILE_MODIFY"' swapped.out | grep '"path":"/etc/passwd"'
}

# The first file and that of the count are created besides those that were opened while another thread closed them.
at_ends() {
    calls "$1" && lost FILE_MODIFY 2 && lost PROCESS_TTY_WRITE 1 &&
        { [ "$2" ] || lost NETWORK_DATAGRAM_FLOW 1; } &&
        is "creations seen" "$(sed -n 's/.*"FILE_CREATE":{"seen":\([0-9]*\).*/\1/p' swapped.last)" $(($(cat opens) + 2))
}

in_functions() {
    calls trampoline && is "events lost" "$(grep -c '"lost":{"' swapped.last)" 0 &&
        is "writes to a file" "$(grep '"FILE_MODIFY"' swapped.out | grep -c '"path":"/tmp/swapped"')" 2 &&
        is "writes to a terminal" "$(grep -c '"PROCESS_TTY_WRITE"' swapped.out)" 1
}

check "tracepoints only" at_ends tracepoint
check "kprobes" at_ends kprobe but-for-datagrams
check "trampolines" in_functions
