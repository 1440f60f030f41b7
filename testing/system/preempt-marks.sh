# SPDX-License-Identifier: BSD-2-Clause
# Tasks that end leave marks behind in the whole table of marks (Spare.h), as if the kernel had skipped the last program
# each time: actions of other processes are still reported, and once.
# kernels: 6.12
# vm: --smp 2 --append preempt=full
# shellcheck shell=sh
. /root/system/tap.sh
mkdir -p /tmp/marks
cd /tmp/marks || exit 1

full_of_marks() {
    trace marks.out marks.err --file-modify --disable-hook fexit__chmod_common_spare2 ||
        { cat marks.err; return 1; }
    made=$(mark-leavers 12000 2 400) || return 1
    trace_stop || return 1
    grep -o '"path":"/tmp/marks/victim-[0-9]*"' marks.out >victims
    seen=$(sort -u victims | wc -l)
    events=$(grep -c . victims)
    echo "$seen of ${made% *} changes seen, in $events events; leaving marks took ${made#* } ms"
    [ "$seen" = "${made% *}" ] && [ "$events" -le $((seen + seen / 50)) ]
}
check "all events are reported beside a full table of marks" full_of_marks
