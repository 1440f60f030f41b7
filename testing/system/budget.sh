# SPDX-License-Identifier: BSD-2-Clause
# Floods by the user nobody beside a stopped reader hide no execs: neither by the share of a user in a ring that is
# crowded, nor with a budget, which most of their events exceed long before.
# takes: 110
# kernels: 5.10
# vm: --smp 2 --memory 1024
# also: 6.1 newest
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
results=/tmp/results
mkdir -p $results
budget-floods list >$results/budget.kinds
kinds=$(cut -d ' ' -f 1 $results/budget.kinds)
flooding=$(cut -d ' ' -f 2 $results/budget.kinds | sort -u)

# Wait until everything that was made before has been read.
drained() {
    /opt/bin/flood exec 1 >/dev/null || return 1
    wait_for came "end-of-$1" "$2"
}

# is_named PID FILE
is_named() {
    grep -F EVENTS_OVER_BUDGET "$2" | grep -qF "\"tgid\":$1,"
}

# Wait until the last flood has been named, which happens once a second; otherwise the next one might be named instead.
named() {
    pid=$(tail -n 1 "$results/$2.json" | sed 's/.*"pid":\([0-9]*\).*/\1/')
    [ "$2" = budget ] || return 0
    case $1 in processes | ids) return 0 ;; esac # any of them
    wait_for is_named "$pid" "$results/$2.ndjson"
}

# floods NAME COUNT EXECS OPTION...: run each flood while the reader is stopped
floods() {
    name=$1
    count=$2
    execs=$3
    shift 3
    : >"$results/$name.json"
    # shellcheck disable=SC2086 # the options of the floods' events
    trace "$results/$name.ndjson" "$results/$name.err" -u $flooding --process-exec --process-exit --net-conn-failed \
        --net-conn-closed "$@" || { cat "$results/$name.err"; return 1; }
    for kind in $kinds; do
        kill -STOP "$TRACE_PID"
        budget-floods "$kind" "$count" "$execs" >>"$results/$name.json"
        ended=$?
        kill -CONT "$TRACE_PID"
        [ "$ended" = 0 ] && drained "$kind" "$results/$name.ndjson" && named "$kind" "$name" ||
            { trace_stop; return 1; }
    done
    trace_stop
}
ip link set lo up
# 2,500 records of any kind would fill the ring; the execs beside one flood fit into the half that others have
check "floods without a budget" floods budget-none 2500 25 --ring-size 256K
check "floods with a budget" floods budget 2500 56 --ring-size 256K --budget 2
