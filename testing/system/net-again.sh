# SPDX-License-Identifier: BSD-2-Clause
# If the kernel skips the program that removes the entries of sockets, the entry of one is not reported for the next
# one at its address.
# kernels: 5.10 6.1
# shellcheck shell=sh
. /root/system/tap.sh
results=/tmp/results
mkdir -p $results

ended() {
    [ "$(grep -cF '"event_type":"NETWORK_CONNECTION_CLOSED"' $results/net-again.ndjson)" -ge 120 ]
}

# A build of EventsTrace without that program.
again() {
    EventsTrace-odd-hooks -i -u --net-conn-attempt --net-conn-accept --net-conn-closed --net-conn-failed \
        >$results/net-again.ndjson 2>$results/net-again.err &
    TRACE_PID=$!
    began $results/net-again.ndjson $TRACE_PID || { cat $results/net-again.err; return 1; }
    if /opt/bin/bpf-objects names | grep tcp_destroy; then
        trace_stop
        return 1
    fi
    /opt/bin/net-again 60 >$results/net-again.json || { trace_stop; return 1; }
    wait_for ended
    trace_stop
}
check "connections of reused sockets end" again
