# SPDX-License-Identifier: BSD-2-Clause
# Tasks that are preempted in probes block programs that others would need: every event that is lost is reported.
# kernels: newest
# vm: --smp 1 --append preempt=full
# also: 6.12
# vm: --smp 1 --append preempt=full
# shellcheck shell=sh
. /root/system/tap.sh
mkdir -p /tmp/idle /tmp/before
cd /tmp/idle || exit 1

# Another process changes files while the programs are attached one by one: runs of spares before the main program is
# attached must not be counted.
trace_beside_changes() {
    (cd /tmp/before && exec idle-holders 1 1000000 100) &
    changer=$!
    trace idle.out idle.err --file-modify
    started=$?
    kill $changer
    return $started
}

losses_are_reported() {
    trace_beside_changes || { cat idle.err; return 1; }
    # shellcheck disable=SC2046 # two numbers
    set -- $(idle-holders 2 200 50)
    trace_stop || return 1
    [ "$1" = 10000 ] || { echo "$1 changes of 10000"; return 1; }
    own=$(grep -cF '"path":"/tmp/idle/victim"' idle.out)
    lost=$(grep STATS idle.err | tail -n 1 | sed -n 's/.*"FILE_MODIFY":{[^}]*"recursion":\([0-9]*\).*/\1/p')
    echo "$own of $1 seen, ${lost:-0} reported as lost"
    [ "$own" -le "$1" ] && [ $(($1 - own)) -le "${lost:-0}" ]
}
check "losses caused by preempted programs are reported" losses_are_reported
