# SPDX-License-Identifier: BSD-2-Clause
# Outputs: jq, a pipe that nobody reads, a disk that is full at the end or for a while.
# kernels: newest
# vm: --file /usr/bin/jq
# also: 5.10
# vm: --file /usr/bin/jq
# shellcheck shell=sh
. /root/system/tap.sh
mkdir -p /tmp/results
cd /tmp || exit 1

# Check the final counts of an event: they add up, and `delivered` is the given number.
counts_hold() {
    grep '"event_type":"STATS"' "$1" | tail -n 1 >stats.json
    jq -c ".events.$2" stats.json
    jq -e ".events.$2 | .seen == .delivered + .filtered + ([.lost[]] | add // 0) and .delivered == $3" stats.json
}

# The documented command, ended by the name of the program, which the process that writes jq.err has as well; the first
# keys are those that consumers expect there.
into_jq() {
    EventsTrace -i --unbuffer-stdout --process-exec 2>jq.err | jq --unbuffered . >jq.out &
    wait_for grep -q probes_initialized jq.out || { cat jq.err; return 1; }
    ls --color=auto >/dev/null
    wait_for grep -q '"argv": "ls --color=auto"' jq.out || { tail -n 3 jq.out; return 1; }
    # shellcheck disable=SC2046 # one or more
    kill $(pidof EventsTrace) && wait
    jq -se '[.[] | select(.argv == "ls --color=auto")] | length == 1 and (.[0] | keys_unsorted[0:8] == ["event_type",
        "pids", "creds", "ctty", "filename", "cwd", "pids_ss_cgroup_path", "argv"])' jq.out
}
check "EventsTrace -u --process-exec | jq" into_jq

# It waits for room in its output, by poll(2) for two descriptors (output__wait), unlike for events.
waits_for_room() {
    grep -q '^7 0x[0-9a-f]* 0x2 ' "/proc/$TRACE_PID/syscall"
}

# The shell holds the FIFO open, and reads everything at the end. Events that came while EventsTrace was stopped are
# read in one round, in the middle of which it has to wait for room.
unread_fifo() {
    rm -f fifo fifo.err
    mkfifo fifo
    exec 7<>fifo
    EventsTrace -s -u --process-memfd-create >fifo 2>fifo.err 7>&- &
    TRACE_PID=$!
    wait_for grep -q STATS fifo.err || { cat fifo.err; return 1; }
    [ -z "$1" ] || kill -STOP $TRACE_PID
    flood memfd 3000 >/dev/null
    [ -z "$1" ] || kill -CONT $TRACE_PID
    wait_for waits_for_room || { echo "does not wait: $(cat "/proc/$TRACE_PID/syscall")"; trace_stop; return 1; }
    trace_stop
    status=$?
    timeout 1 cat <&7 >fifo.rest
    exec 7>&-
    [ $status = 6 ] || { echo "status $status: $(tail -n 1 fifo.err)"; return 1; }
    grep -q "lines were not written: nobody reads" fifo.err || return 1
    counts_hold fifo.err PROCESS_MEMFD_CREATE "$(grep -c '^{.*"event_type":"PROCESS_MEMFD_CREATE".*}$' fifo.rest)" &&
        jq -e '.events.PROCESS_MEMFD_CREATE.seen == 3000' stats.json
}
check "a FIFO that nobody reads: ends in 2 s, counts hold" unread_fifo ""
check "a FIFO that nobody reads, in the middle of a round" unread_fifo stopped

full_at_the_end() {
    mkdir -p full && mount -t tmpfs -o size=64k full full || return 1
    trace full/out full.err -u --process-exec || return 1
    i=0
    while [ $i -lt 400 ]; do /bin/true; i=$((i + 1)); done
    trace_stop
    status=$?
    cp full/out full.out
    umount full
    [ $status = 6 ] || { echo "status $status"; return 1; }
    [ "$(grep -c warning full.err)" = 1 ] || { grep warning full.err; return 1; }
    ! grep -v '^{.*}$' full.out || return 1
    counts_hold full.err PROCESS_EXEC "$(events PROCESS_EXEC full.out)"
}
check "a disk that is full at the end: status, counts, one warning" full_at_the_end

# Lines so short that one may find room where another one did not; flood_check.py checks the numbers. They come spread
# over time, because the tool tries to write again after some time.
full_for_a_while() {
    mkdir -p room && mount -t tmpfs -o size=64k room room || return 1
    trace room/out /tmp/results/output.err -u --process-memfd-create --process-setsid || return 1
    flood memfd 12000 2 >/dev/null
    for _ in 1 2 3 4 5 6 7 8; do setsid true; sleep 0.1; done
    mount -o remount,size=32m room
    for _ in 1 2 3 4 5 6 7 8; do setsid true; sleep 0.1; done
    flood memfd 100 >/dev/null
    wait_for sh -c 'tail -n 20 room/out | grep -q flood1-99-' || { echo "did not go on"; trace_stop; return 1; }
    trace_stop || { echo "status $?"; return 1; }
    cp room/out /tmp/results/output.ndjson
    umount room
}
check "a disk that is full for a while" full_for_a_while
