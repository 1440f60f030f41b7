# SPDX-License-Identifier: BSD-2-Clause
# Writers in directories of their own, on kernels that preempt probes: their changes are reported.
# kernels: newest
# vm: --smp 2
# kernels: newest
# vm: --smp 4 --append preempt=full
# also: 6.12
# vm: --smp 4 --append preempt=full
# also: 6.12-rt
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
results=/tmp/results

# With `disabled` in the options of the tracer: without those programs.
own_dirs() {
    trace $results/own-dirs.ndjson $results/own-dirs.err --file-create --file-delete --file-rename --file-link \
        --file-modify ${disabled:+--disable-hook "$disabled"} || { cat $results/own-dirs.err; return 1; }
    /opt/bin/own-dirs /tmp/own 10 "$1" >$results/own-dirs.json || return 1
    : >/tmp/end-of-own-dirs
    wait_for at_end end-of-own-dirs $results/own-dirs.ndjson || return 1
    trace_stop
}
mkdir -p $results
check "changes of 10 writers end" own_dirs 300
