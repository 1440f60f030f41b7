# SPDX-License-Identifier: BSD-2-Clause
# A signal ends it within two seconds, whatever happens meanwhile. Five attempts, for emulated machines may be busy.
# takes: 50
# kernels: 6.1
# vm: --smp 2 --memory 1024
# also: 5.10 6.12 newest
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

TRACE_WITH=as-given # a shell makes its background processes ignore SIGINT

# Set now, in hundredths of a second.
now() {
    read -r now _ </proc/uptime
    echo "${now%.*}${now#*.}"
}

# ends SIGNAL: send it; the status is that of EventsTrace. Sets LATE to the time it took, if that was more than two
# seconds.
ends() {
    begin=$(now)
    kill -"$1" "$TRACE_PID"
    (sleep 300 && kill -9 "$TRACE_PID") &
    guard=$!
    wait "$TRACE_PID"
    ended=$?
    took=$(($(now) - begin))
    kill $guard
    [ $took -le 200 ] || LATE=$took
    [ $ended != 137 ] || echo "still running after five minutes"
    return $ended
}

# in_time COMMAND...: it succeeds, and is late at most four times.
in_time() {
    for _ in 1 2 3 4 5; do
        LATE=
        "$@" || return 1
        [ -n "$LATE" ] || return 0
        echo "# $*: ${LATE}0 ms from the signal to the end" | tee /proc/self/fd/3
    done
    return 1
}
exec 3>&1

# It writes without end, and the reader keeps up. The reported events are complete, and all of them are counted.
in_flood() {
    signal=$1
    shift
    trace end.out end.err --all -u "$@" || { cat end.err; return 1; }
    dd if=/dev/zero of=/tmp/flood bs=1 2>/dev/null &
    flood_pid=$!
    wait_for grep -qF '"path":"/tmp/flood"' end.out || { kill $flood_pid; echo "no flood"; return 1; }
    ends "$signal"
    status=$?
    kill $flood_pid
    wait $flood_pid
    if [ $status = 6 ] && grep "does not answer" end.err; then
        LATE=200 # the process that writes the file has had no processor for so long
        return 0
    fi
    [ $status = 0 ] || { echo "status $status"; cat end.err; return 1; }
    delivered=$(grep STATS end.err | tail -n 1 | sed 's/.*"FILE_MODIFY":{"seen":[0-9]*,"delivered":\([0-9]*\).*/\1/')
    [ "$(events FILE_MODIFY end.out)" = "$delivered" ] || { echo "$delivered are counted"; return 1; }
    [ "$(tail -c 1 end.out | wc -l)" = 1 ]
}
check "SIGTERM in a flood" in_time in_flood TERM
check "SIGINT in a flood, with statistics" in_time in_flood INT --stats

# Detaching takes the kernel seconds; the reader of the output must not have to wait for it.
end_of_file() {
    rm -f fifo
    mkfifo fifo
    cat fifo >eof.out &
    cat_pid=$!
    EventsTrace -i --all >fifo 2>eof.err &
    TRACE_PID=$!
    began eof.out $TRACE_PID || { cat eof.err; return 1; }
    ends HUP || return 1
    within 15 sh -c "! kill -0 $cat_pid" || { kill $cat_pid; LATE=150; }
    wait $cat_pid || [ -n "$LATE" ]
}
check "the reader gets the end of file when the tool ends" in_time end_of_file

# A frozen file system holds up the process that writes to it, even against SIGKILL. The lines that are not in the file
# then are reported and counted, and the file ends with a whole line.
frozen_file_system() {
    rm -f frozen.image
    dd if=/dev/zero of=frozen.image bs=1M count=16 2>/dev/null
    mke2fs -F frozen.image >/dev/null && mkdir -p frozen && mount -o loop frozen.image frozen || return 1
    trace frozen/out end.err -u --process-exec || { cat end.err; return 1; }
    fsfreeze --freeze frozen || return 1
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        /bin/true
        sleep 0.05
    done
    ends TERM
    status=$?
    fsfreeze --unfreeze frozen
    [ $status = 6 ] && grep -q "does not answer" end.err || { echo "status $status"; cat end.err; return 1; }
    seen=$(sed -n 's/.*"PROCESS_EXEC":{"seen":\([0-9]*\),.*/\1/p' end.err | tail -n 1)
    lost=$(sed -n 's/.*"PROCESS_EXEC":.*"handler":\([0-9]*\).*/\1/p' end.err | tail -n 1)
    wait_for umount frozen && mount -o loop frozen.image frozen || return 1
    written=$(events PROCESS_EXEC frozen/out)
    whole=$(tail -c 1 frozen/out | wc -l)
    umount frozen
    # one that was being written is counted as lost
    [ "$seen" -ge 20 ] && [ $((written + lost)) -ge "$seen" ] && [ "$lost" -gt 0 ] && [ "$whole" = 1 ] ||
        { echo "seen $seen, lost $lost, written $written, whole $whole"; return 1; }
}
check "a file on a frozen file system" in_time frozen_file_system

# While the probes are being loaded. Nothing is left in the kernel.
in_start() {
    $TRACE_WITH EventsTrace --all >start.out 2>start.err &
    TRACE_PID=$!
    wait_for sh -c "[ \"\$(/opt/bin/bpf-objects)\" != 'programs 0 maps 0 links 0' ]" || return 1
    ends "$1" || { echo "status $?"; cat start.err; return 1; }
    [ ! -s start.out ] && grep -q '"event_type":"STATS","records":0' start.err && nothing_left
}
nothing_left
check "SIGTERM during the start" in_time in_start TERM
check "SIGINT during the start" in_time in_start INT
