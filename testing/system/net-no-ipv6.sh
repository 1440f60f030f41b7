# SPDX-License-Identifier: BSD-2-Clause
# A kernel that was told to do without IPv6: that is said, and IPv4 is as it is elsewhere.
# kernels: 5.10 newest
# vm: --append ipv6.disable=1
# also: 6.1 6.12
# vm: --append ipv6.disable=1
# shellcheck shell=sh
. /root/system/tap.sh
results=/tmp/results
run=$results/net-no-ipv6

everything() {
    trace $run.ndjson $run.err --net-conn-attempt --net-conn-accept --net-conn-closed --net-conn-failed --net-listen \
        --net-datagram || return 1
    for case in case-net-connect case-net-datagram; do
        "/opt/bin/$case" >"$results/$case.facts" || { trace_stop; return 1; }
    done
    # listens at two ports
    /opt/bin/net-burst 20 loop read $run.ndjson >$run.json || { trace_stop; return 1; }
    trace_stop
}

is_said() {
    head -n 1 $run.ndjson
    head -n 1 $run.ndjson | grep -q '"ipv6": false'
}

# Warnings, too: standard error has nothing but the statistics.
nothing_else_is_said() {
    [ -s $run.err ] && ! grep -v '"event_type":"STATS"' $run.err
}
mkdir -p $results
cat /sys/kernel/debug/sched/preempt >$results/preempt-mode 2>/dev/null
check "no IPv6 here" test ! -e /proc/net/if_inet6
check "connections, listeners and datagrams" everything
check "the features say that there is no IPv6" is_said
check "no event is unavailable for that" nothing_else_is_said
