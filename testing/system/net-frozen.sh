# SPDX-License-Identifier: BSD-2-Clause
# 10,000 connections, most of which are made while the reader is stopped: losses are counted and reported.
# takes: 45
# kernels: 5.10
# vm: --smp 2 --memory 1024
# also: 6.1 newest
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
results=/tmp/results

frozen() {
    run=$results/net-frozen
    trace "$run.ndjson" "$run.err" --process-exec --net-conn-attempt --net-conn-accept --net-conn-closed \
        --net-conn-failed || return 1
    /opt/bin/net-burst 10000 loop stop "$TRACE_PID" >"$run.json" || { kill -CONT "$TRACE_PID"; trace_stop; return 1; }
    wait_for came end-of-burst "$run.ndjson" || { echo "the last event has not come"; trace_stop; return 1; }
    trace_stop
}
mkdir -p $results
cat /sys/kernel/debug/sched/preempt >$results/preempt-mode 2>/dev/null
check "a reader that was stopped continues" frozen
