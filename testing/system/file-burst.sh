# SPDX-License-Identifier: BSD-2-Clause
# 100,000 operations on files: a reader that keeps up gets all, for one that is stopped meanwhile all are counted.
# takes: 55
# kernels: 6.1
# vm: --smp 2 --memory 1024
# also: 5.10 newest
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
results=/tmp/results

burst() {
    name=file-burst-$1
    trace $results/"$name.ndjson" $results/"$name.err" --process-fork --process-exec --process-exit --file-create \
        --file-modify --file-rename --file-delete || return 1
    if [ "$1" = read ]; then
        /opt/bin/file-burst /tmp/read 25000 read $results/"$name.ndjson"
    else
        /opt/bin/file-burst /tmp/stop 25000 stop "$TRACE_PID"
    fi >$results/"$name.json" || return 1
    /bin/true end-of-burst
    wait_for at_end end-of-burst "$results/$name.ndjson" || return 1
    trace_stop
}
mkdir -p $results
cat /sys/kernel/debug/sched/preempt >/tmp/results/preempt-mode 2>/dev/null
check "100000 operations with a reader that keeps up" burst read
check "100000 operations with a reader that is stopped meanwhile" burst stop
