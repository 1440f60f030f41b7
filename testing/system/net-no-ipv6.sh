# SPDX-License-Identifier: BSD-2-Clause
# A kernel with IPv6 disabled: the features show it, and IPv4 works as elsewhere.
# kernels: 5.10
# vm: --append ipv6.disable=1
# also: 6.1 6.12 newest
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

is_in_features() {
    head -n 1 $run.ndjson
    head -n 1 $run.ndjson | grep -q '"ipv6": false'
}

# There are no warnings either: standard error has only the statistics.
no_warnings() {
    [ -s $run.err ] && ! grep -v '"event_type":"STATS"' $run.err
}
mkdir -p $results
cat /sys/kernel/debug/sched/preempt >$results/preempt-mode 2>/dev/null
check "no IPv6 here" test ! -e /proc/net/if_inet6
check "connections, listeners and datagrams" everything
check "the features show that there is no IPv6" is_in_features
check "no event is unavailable" no_warnings
