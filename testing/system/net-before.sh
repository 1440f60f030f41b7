# SPDX-License-Identifier: BSD-2-Clause
# Connections older than the tool: each end is closed once, with its bytes, but without an owner.
# kernels: 5.10 6.1 newest
# vm: --smp 2 --memory 1024
# also: 6.12
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
results=/tmp/results
run=$results/net-before

# The program opens connections, reports that they are open, and closes them when it gets a byte.
before() {
    rm -f /tmp/net-before-*
    mkfifo /tmp/net-before-go || return 1
    /opt/bin/net-before /tmp/net-before-ready </tmp/net-before-go >$run.facts &
    program=$!
    exec 4>/tmp/net-before-go
    wait_for test -e /tmp/net-before-ready || { echo "the connections did not come up"; exec 4>&-; return 1; }
    trace $run.ndjson $run.err --net-conn-attempt --net-conn-accept --net-conn-closed --net-conn-failed || return 1
    echo >&4
    wait $program || { trace_stop; return 1; }
    trace_stop
}
mkdir -p $results
cat /sys/kernel/debug/sched/preempt >$results/preempt-mode 2>/dev/null
check "connections older than the tool end" before
