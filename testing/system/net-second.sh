# SPDX-License-Identifier: BSD-2-Clause
# A connection that connect ends is reported by the second program if the first one is missing, as if it was skipped.
# kernels: 5.10 6.1 newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

# MPTCP has no second program.
closes() {
    trace second.out second.err --net-conn-closed --net-conn-failed "$@" || return 1
    case-net-close >/dev/null || { trace_stop; return 1; }
    trace_stop || return 1
    grep CONNECTION_CLOSED second.out | grep -c '"mptcp":false'
}

same_closes() {
    with=$(closes) || { echo "$with"; return 1; }
    without=$(closes --disable-hook fentry__inet_stream_connect) || { echo "$without"; return 1; }
    echo "with the first program: $with; without: $without"
    [ "$with" -gt 10 ] && [ "$with" = "$without" ]
}
check "a connection that connect ends is reported without inet_stream_connect" same_closes
