# SPDX-License-Identifier: BSD-2-Clause
# Events from tracefs in numbers: 10,000 short processes, 10,000 operations on files, 1,000 connections, with a reader
# that keeps up: as many events as the generators made. A reader that is stopped for ten seconds: each loss is counted.
# takes: 115
# kernels: 5.10
# vm: --smp 2 --memory 1024
# also: 6.1 newest 5.10-nobpf
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1
echo 32768 >/proc/sys/kernel/pid_max
PROCESSES=10000
FILES=2500 # each is created, written to, renamed and deleted
CONNECTIONS=1000

# count FIELD TYPE FILE: a number of the last line of statistics.
count() {
    tail -n 1 "$3" | grep -o "\"$2\":{[^}]*" | grep -o "\"$1\":[0-9]*" | cut -d: -f2
}

# lost TYPE FILE: the sum over all reasons.
lost() {
    tail -n 1 "$2" | grep -o "\"$1\":{[^}]*}" | sed 's/.*"lost":{\([^}]*\)}.*/\1/' | tr ',' '\n' | cut -d: -f2 |
        awk '{ sum += $1 } END { print sum + 0 }'
}

# nothing_lost ERR TYPE...
nothing_lost() {
    err=$1
    shift
    for type; do
        is "lost $type" "$(lost "$type" "$err")" 0 || { tail -n 1 "$err"; return 1; }
    done
}

# adds_up ERR TYPE...
adds_up() {
    err=$1
    shift
    for type; do
        sum=$(($(count delivered "$type" "$err") + $(count filtered "$type" "$err") + $(lost "$type" "$err")))
        is "seen $type" "$(count seen "$type" "$err")" $sum || return 1
    done
}

# events TYPE TEXT OUT: how many events of a type have a text.
events() {
    grep "\"event_type\":\"$1\"" "$3" | grep -cF "$2"
}

run_short() {
    n=$1
    while [ "$n" -gt 0 ]; do
        /opt/bin/nop
        n=$((n - 1))
    done
}

processes() {
    trace p.out p.err --backend tracefs --stats --process-fork --process-exec --process-exit || { cat p.err; return 1; }
    run_short $PROCESSES
    trace_stop || { cat p.err; return 1; }
    is executed "$(events PROCESS_EXEC '"filename":"/opt/bin/nop"' p.out)" $PROCESSES &&
        is ended "$(events PROCESS_EXIT '"comm":"nop"' p.out)" $PROCESSES &&
        nothing_lost p.err PROCESS_FORK PROCESS_EXEC PROCESS_EXIT
}

files() {
    trace f.out f.err --backend tracefs --stats --file-create --file-modify --file-rename --file-delete ||
        { cat f.err; return 1; }
    /opt/bin/file-burst /tmp/f $FILES read /tmp/f.out >f.json || { cat f.json; return 1; }
    trace_stop || { cat f.err; return 1; }
    is created "$(events FILE_CREATE '"path":"/tmp/f/c' f.out)" $FILES &&
        is written "$(events FILE_MODIFY '"path":"/tmp/f/c' f.out)" $FILES &&
        is renamed "$(events FILE_RENAME '"new_path":"/tmp/f/r' f.out)" $FILES &&
        is deleted "$(events FILE_DELETE '"path":"/tmp/f/r' f.out)" $FILES &&
        nothing_lost f.err FILE_CREATE FILE_MODIFY FILE_RENAME FILE_DELETE
}

connections() {
    trace n.out n.err --backend tracefs --stats --net-conn-attempt --net-conn-accept --net-conn-closed ||
        { cat n.err; return 1; }
    /opt/bin/net-burst $CONNECTIONS loop read /tmp/n.out >n.json || { cat n.json; return 1; }
    trace_stop || { cat n.err; return 1; }
    is attempted "$(events NETWORK_CONNECTION_ATTEMPTED '"comm":"net-burst"' n.out)" $CONNECTIONS &&
        is accepted "$(events NETWORK_CONNECTION_ACCEPTED '"comm":"net-burst"' n.out)" $CONNECTIONS &&
        is closed "$(events NETWORK_CONNECTION_CLOSED '"comm":"net-burst"' n.out)" $((2 * CONNECTIONS)) &&
        nothing_lost n.err NETWORK_CONNECTION_ATTEMPTED NETWORK_CONNECTION_ACCEPTED NETWORK_CONNECTION_CLOSED
}

# While the reader stands still: STOPPED files, each created, written to, renamed and deleted, by programs of their own.
STOPPED=500
stopped() {
    trace s.out s.err --backend tracefs --stats --ring-size 64K --process-fork --process-exec --process-exit \
        --file-create --file-modify --file-rename --file-delete || { cat s.err; return 1; }
    mkdir -p s
    kill -STOP "$TRACE_PID"
    n=0
    while [ $n -lt $STOPPED ]; do
        echo x >s/$n
        mv s/$n s/r$n
        rm s/r$n
        n=$((n + 1))
    done
    sleep 10
    kill -CONT "$TRACE_PID"
    trace_stop || { cat s.err; return 1; }
    tail -n 1 s.err
    for type in FILE_CREATE FILE_RENAME FILE_DELETE PROCESS_EXEC; do
        [ "$(lost $type s.err)" -gt 0 ] && [ "$(count seen $type s.err)" -ge $STOPPED ] || return 1
    done
    adds_up s.err PROCESS_FORK PROCESS_EXEC PROCESS_EXIT FILE_CREATE FILE_MODIFY FILE_RENAME FILE_DELETE
}

check "10000 short processes: each has its events" processes
check "10000 operations on files: each has its event" files
check "1000 connections: each has its events" connections
check "a reader that is stopped for ten seconds: each loss is counted" stopped
check "the kernel's log is clean" no_splat
