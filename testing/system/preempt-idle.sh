# SPDX-License-Identifier: BSD-2-Clause
# Tasks that are preempted in probes hold the programs that others would need: what is lost of that is told, all of it.
# kernels: 6.12 newest
# vm: --smp 1 --append preempt=full
# shellcheck shell=sh
. /root/system/tap.sh
mkdir -p /tmp/idle /tmp/before
cd /tmp/idle || exit 1

# Somebody changes files while the programs are attached one by one: what spares do that are there before the main
# program is not to be counted.
trace_beside_changes() {
    (cd /tmp/before && exec idle-holders 1 1000000 100) &
    changer=$!
    trace idle.out idle.err --file-modify
    started=$?
    kill $changer
    return $started
}

lost_is_told() {
    trace_beside_changes || { cat idle.err; return 1; }
    # shellcheck disable=SC2046 # two numbers
    set -- $(idle-holders 2 200 50)
    trace_stop || return 1
    [ "$1" = 10000 ] || { echo "$1 changes of 10000"; return 1; }
    own=$(grep -c '"path":"/tmp/idle/victim"' idle.out)
    told=$(grep STATS idle.err | tail -n 1 | sed -n 's/.*"FILE_MODIFY":{[^}]*"recursion":\([0-9]*\).*/\1/p')
    echo "$own of $1 seen, ${told:-0} told lost"
    [ "$own" -le "$1" ] && [ $(($1 - own)) -le "${told:-0}" ]
}
check "what holders of programs take from others is told" lost_is_told
