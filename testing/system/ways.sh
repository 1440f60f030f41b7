# SPDX-License-Identifier: BSD-2-Clause
# What each event is with each way to attach, and by tracefs, as --doctor finds it by starting. ways_check.py compares
# it with what is recorded in testing/golden/ways, of which the table in docs/COMPATIBILITY.md is made.
# takes: 60
# kernels: 5.10
# also: 6.1 6.1-odd 6.12 newest arm64-5.10 arm64-6.1 arm64-newest
# cached: 5.10-nobpf
# shellcheck shell=sh
. /root/system/tap.sh

# reported WAY OPTION...: the doctor's report is left to be compared.
reported() {
    way=$1
    shift
    timeout 300 EventsTrace --doctor --json "$@" >"/tmp/results/$way.json" 2>report.err
    [ $? -le 2 ] && [ ! -s report.err ] || { cat report.err; return 1; }
}
grep -qw bpf_prog_load /proc/kallsyms && for way in best lsm trampoline kprobe tracepoint; do
    check "a report with --attach $way" reported $way --attach $way
done
case $(uname -rm) in
*odd*|*aarch64*) ;;
*) check "a report with --backend tracefs" reported tracefs --backend tracefs ;;
esac
