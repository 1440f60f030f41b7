# SPDX-License-Identifier: BSD-2-Clause
# Attach and detach under load: no splat in the kernel's log, and no program, map or link is left.
# takes: 35
# kernels: 5.10
# also: newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

CYCLES=6 # one with all events, which takes the newest kernel 15 seconds to attach under the load

cycles() {
    dmesg -c >/dev/null
    nothing_left || return 1
    sh -c 'while :; do /bin/true; setsid true; done' &
    load=$!
    i=0
    while [ $i -lt $CYCLES ]; do
        if [ $i = 0 ]; then events=-a; else events="--process-exec --process-setsid"; fi
        # shellcheck disable=SC2086 # options
        trace cycle.out cycle.err -u $events || { kill $load; return 1; }
        trace_stop || { kill $load; return 1; }
        i=$((i + 1))
    done
    kill $load
    nothing_left || return 1
    no_splat
}
check "$CYCLES attach and detach cycles under load leave nothing" cycles
