# SPDX-License-Identifier: BSD-2-Clause
# Files in a directory that is renamed all the time: every event is reported, with a path that existed at some time.
# kernels: 6.1
# vm: --smp 2 --parallel
# also: 5.10 6.1 newest
# vm: --smp 2
# shellcheck shell=sh
. /root/system/tap.sh

race() {
    dmesg -c >/dev/null
    mkdir /tmp/race
    trace /tmp/results/rename-race.ndjson /tmp/results/rename-race.err -u --process-exec --file-create --file-modify \
        --file-delete || return 1
    /opt/bin/rename-race /tmp/race 10000 >/tmp/results/rename-race.json || return 1
    /bin/true end-of-race
    wait_for grep -qF end-of-race /tmp/results/rename-race.ndjson || return 1
    trace_stop
}
mkdir -p /tmp/results
cat /sys/kernel/debug/sched/preempt >/tmp/results/preempt-mode 2>/dev/null
check "10000 files are created while their directory is renamed" race
check "the kernel has logged no splat" no_splat
