# SPDX-License-Identifier: BSD-2-Clause
# What each event is with each way to attach, as --doctor finds it by starting. ways_check.py compares it with what is
# recorded in testing/golden/ways, of which the table in docs/COMPATIBILITY.md is made.
# takes: 60
# kernels: 5.10
# also: 6.1 6.1-odd 6.12 newest arm64-5.10 arm64-6.1 arm64-newest
# shellcheck shell=sh
. /root/system/tap.sh

# reported WAY: the doctor's report is left to be compared.
reported() {
    timeout 300 EventsTrace --doctor --json --attach "$1" >"/tmp/results/$1.json" 2>report.err
    [ $? -le 2 ] && [ ! -s report.err ] || { cat report.err; return 1; }
}
for way in best lsm trampoline kprobe tracepoint; do
    check "a report with --attach $way" reported $way
done
