# SPDX-License-Identifier: BSD-2-Clause
# A signal ends it, whatever happens meanwhile. Two seconds are promised; an emulated machine that is busy gets ten.
# kernels: 5.10 6.1 6.12 newest
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

ends() {
    kill -"$1" "$TRACE_PID"
    wait_for 100 sh -c "! kill -0 $TRACE_PID" || { kill -9 "$TRACE_PID"; echo "still running after 10 s"; return 1; }
    wait "$TRACE_PID"
}

# Writes without end, and the reader keeps up. What is told is whole, and all that is counted.
in_flood() {
    trace end.out end.err --all -u "$@" || { cat end.err; return 1; }
    dd if=/dev/zero of=/tmp/flood bs=1 2>/dev/null &
    flood_pid=$!
    wait_for 100 grep -q '"path":"/tmp/flood"' end.out || { kill $flood_pid; echo "no flood"; return 1; }
    ends TERM
    status=$?
    kill $flood_pid
    wait $flood_pid
    [ $status = 0 ] || { echo "status $status"; return 1; }
    delivered=$(grep STATS end.err | tail -n 1 | sed 's/.*"FILE_MODIFY":{"seen":[0-9]*,"delivered":\([0-9]*\).*/\1/')
    [ "$(events FILE_MODIFY end.out)" = "$delivered" ] || { echo "$delivered are counted"; return 1; }
    [ "$(tail -c 1 end.out | wc -l)" = 1 ]
}
check "SIGTERM in a flood" in_flood
check "SIGTERM in a flood, with statistics" in_flood --stats

# The kernel takes seconds to give hooks back; who reads the output is not to wait for that.
end_of_file() {
    rm -f fifo
    mkfifo fifo
    cat fifo >eof.out &
    cat_pid=$!
    EventsTrace -i --all >fifo 2>eof.err &
    TRACE_PID=$!
    wait_for 900 grep -q probes_initialized eof.out || { cat eof.err; return 1; }
    ends TERM || return 1
    wait_for 15 sh -c "! kill -0 $cat_pid" || { kill $cat_pid; echo "no end of file 1.5 s after the end"; return 1; }
    wait $cat_pid
}
check "the reader gets the end of file with the end" end_of_file

# While the probes are being loaded. Nothing is left in the kernel.
in_start() {
    EventsTrace --all >start.out 2>start.err &
    TRACE_PID=$!
    wait_for 100 sh -c "[ \"\$(/opt/bin/bpf-objects)\" != 'programs 0 maps 0 links 0' ]" || return 1
    ends "$1" || { echo "status $?"; cat start.err; return 1; }
    [ ! -s start.out ] && grep -q '"event_type":"STATS","records":0' start.err && nothing_left
}
nothing_left
check "SIGTERM while it starts" in_start TERM
check "SIGHUP while it starts" in_start HUP
