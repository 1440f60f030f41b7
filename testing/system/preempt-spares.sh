# SPDX-License-Identifier: BSD-2-Clause
# The same as preempt-files by the programs that have spares, which kernels without CONFIG_FPROBE use.
# kernels: newest
# vm: --smp 2 --file GPL/Events/Hooks.def
# shellcheck shell=sh
. /root/system/tap.sh
results=/tmp/results

own_dirs() {
    kprobes=$(sed -n 's/^HOOK_KPROBE([a-z0-9_]*, *\([a-z0-9_]*\))/\1/p' /root/Hooks.def | sort -u | paste -s -d ,)
    trace $results/own-dirs.ndjson $results/own-dirs.err --file-create --file-delete --file-rename --file-link \
        --file-modify --disable-hook "$kprobes" || { cat $results/own-dirs.err; return 1; }
    /opt/bin/own-dirs /tmp/own 10 300 >$results/own-dirs.json || return 1
    : >/tmp/end-of-own-dirs
    wait_for 600 sh -c "tail -c 10000 $results/own-dirs.ndjson | grep -q end-of-own-dirs" || return 1
    trace_stop
}
mkdir -p $results
check "changes of 10 writers end" own_dirs
