# SPDX-License-Identifier: BSD-2-Clause
# Attach and detach under load: no splat in the kernel's log, no program, map or link left.
# kernels: 5.10 newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

CYCLES=12 # one in six with all events, which takes the newest kernel 15 seconds to attach under the load

cycles() {
    dmesg -c >/dev/null
    none="programs 0 maps 0 links 0"
    # the kernel frees those of scripts before this one after a grace period
    wait_for 100 sh -c "[ \"\$(/opt/bin/bpf-objects)\" = '$none' ]"
    sh -c 'while :; do /bin/true; setsid true; done' &
    load=$!
    i=0
    while [ $i -lt $CYCLES ]; do
        if [ $((i % 6)) = 0 ]; then events=-a; else events="--process-exec --file-delete"; fi
        # shellcheck disable=SC2086 # options
        trace cycle.out cycle.err -u $events || { kill $load; return 1; }
        trace_stop || { kill $load; return 1; }
        i=$((i + 1))
    done
    kill $load
    wait_for 100 sh -c "[ \"\$(/opt/bin/bpf-objects)\" = '$none' ]"
    after=$(/opt/bin/bpf-objects)
    echo "left: $after"
    [ "$after" = "$none" ] || return 1
    ! dmesg | grep -i "warning:\|bug:\|oops\|rcu.*stall\|scheduling while atomic\|invalid context"
}
check "$CYCLES attach and detach cycles under load leave nothing" cycles
