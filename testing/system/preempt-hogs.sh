# SPDX-License-Identifier: BSD-2-Clause
# Processes of nobody that are preempted in probes, and kept so, hide no events of other processes.
# takes: 60
# kernels: newest
# vm: --smp 2 --memory 1024
# also: newest
# vm: --smp 2 --memory 1024 --append lsm=capability
# also: 6.12
# vm: --smp 2 --memory 1024 --append preempt=full
# also: 6.12-rt
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
results=/tmp/results

# Programs at the ends of functions are not preempted since 6.14.
case $(uname -r) in
6.12*) changes="" more="" ;;
*) changes=changes more="--file-modify --process-tty-write --process-shmget --process-ptrace" ;;
esac

hogs() {
    # shellcheck disable=SC2086
    trace $results/idle-hogs.ndjson $results/idle-hogs.err --file-create --file-delete --file-rename --file-link \
        --process-fork --process-exec --process-exit --process-setsid --process-setuid \
        --process-setgid --process-memfd-create $more ||
        { cat $results/idle-hogs.err; return 1; }
    /opt/bin/idle-hogs 150 4 40 $changes >$results/idle-hogs.json || return 1
    : >/tmp/end-of-idle-hogs
    wait_for at_end end-of-idle-hogs $results/idle-hogs.ndjson || return 1
    trace_stop
}
mkdir -p $results /tmp/bin
cp /bin/true /tmp/bin/true
check "150 preempted processes and a victim end" hogs
