# SPDX-License-Identifier: BSD-2-Clause
# Thousands of connections, over the loopback and between two network namespaces, with a reader that keeps up: all are
# reported.
# takes: 60
# kernels: 5.10
# vm: --smp 2 --memory 1024
# also: 6.1 6.12 newest
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
results=/tmp/results

# burst COUNT loop|veth
burst() {
    run=$results/net-burst-$2
    trace "$run.ndjson" "$run.err" --process-exec --net-conn-attempt --net-conn-accept --net-conn-closed \
        --net-conn-failed || return 1
    /opt/bin/net-burst "$1" "$2" read "$run.ndjson" >"$run.json" || { trace_stop; return 1; }
    wait_for came end-of-burst "$run.ndjson" || { echo "the last event has not come"; trace_stop; return 1; }
    trace_stop
}
mkdir -p $results
cat /sys/kernel/debug/sched/preempt >$results/preempt-mode 2>/dev/null
modprobe veth
check "10000 connections over the loopback" burst 10000 loop
check "3000 connections between two network namespaces" burst 3000 veth
