# SPDX-License-Identifier: BSD-2-Clause
# tap.sh - sourced by the guest scripts: each check prints one line, "ok NAME" or "not ok NAME: what was seen".
# shellcheck shell=sh

# check NAME COMMAND...: the command's status decides; its output is shown if it fails. Processes that it leaves are not
# waited for, as they would be if the output went through a pipe.
check() {
    name=$1
    shift
    if ("$@") >/run/check.out 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name: $(tail -n 3 /run/check.out | tr '\n' '|')"
    fi
}

skip() {
    echo "skip $1: $2"
}

# trace OUT ERR OPTION...: start EventsTrace, by the command TRACE_WITH if there is one, and wait until its probes are
# attached. Sets TRACE_PID.
trace() {
    out=$1
    err=$2
    shift 2
    : >"$out"
    # shellcheck disable=SC2086 # the words of a command
    ${TRACE_WITH:-} EventsTrace -i "$@" >>"$out" 2>"$err" &
    TRACE_PID=$!
    began "$out" $TRACE_PID
}

# began OUT PID: wait until the output of EventsTrace says that the probes are attached. False if it has ended, or after
# five minutes. Between two looks nothing but sleep is executed, because each program takes time from the start.
began() {
    left=3000
    while [ "$left" -gt 0 ]; do
        alive=yes
        kill -0 "$2" 2>/dev/null || alive=''
        first=''
        read -r first <"$1"
        case $first in
        *probes_initialized*) return 0 ;;
        esac
        [ "$alive" ] || return 1
        left=$((left - 1))
        sleep 0.1
    done
    return 1
}

# wait_for COMMAND...: repeat it until it succeeds, for as long as may pass on a loaded machine: five minutes.
wait_for() {
    within 3000 "$@"
}

# within TENTHS COMMAND...: repeat it until it succeeds, at most for that many tenths of a second.
within() {
    left=$1
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}

# has_ended PID: wait for it, at most for five minutes.
has_ended() {
    left=3000
    while kill -0 "$1" 2>/dev/null; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}

# trace_stop [SIGNAL]: end it (end.sh tests that it takes two seconds). The status is that of EventsTrace.
trace_stop() {
    kill -"${1:-TERM}" "$TRACE_PID"
    has_ended "$TRACE_PID" || { kill -9 "$TRACE_PID"; echo "still running"; return 1; }
    wait "$TRACE_PID"
}

# Wait until the kernel has freed the objects of earlier tracers, which it does after a grace period.
no_objects() {
    [ "$(/opt/bin/bpf-objects)" = "programs 0 maps 0 links 0" ]
}

nothing_left() {
    wait_for no_objects && return
    echo "left: $(/opt/bin/bpf-objects names)"
    return 1
}

# at_end TEXT FILE: look for it in the last 100,000 bytes of a file that is too large to be searched. For wait_for; what
# is traced meanwhile must not write as much between two looks.
at_end() {
    tail -c 100000 "$2" | grep -qF "$1"
}

# came WORD FILE: execute a command with that word, and look for such an event at the end of a file. For wait_for: the
# ring may be so full that one is lost.
came() {
    /bin/true "$1"
    tail -c 20000 "$2" | grep -q "$1"
}

# Check that the kernel has logged no fault of its own. A busy host causes soft lockups and stalls in a guest.
no_splat() {
    ! dmesg | grep -v "soft lockup\|rcu.*stall\|loops_per_jiffy" |
        grep -i "warning:\|bug:\|oops\|scheduling while atomic\|invalid context\|general protection"
}

# is WHAT NUMBER EXPECTED
is() {
    echo "$1: $2, expected $3"
    [ "$2" = "$3" ]
}

# Print the number of events of a type in a file. In large files busybox finds text much faster than a pattern.
events() {
    grep -cF "\"event_type\":\"$1\"" "$2"
}

# A refusal takes at most two seconds: so much time of a processor here, where a guest is at least ten times slower than
# its host, which may be loaded. What takes more is killed.
REFUSAL_CPU_S=20

# in_time COMMAND...: its status, on a machine however loaded.
in_time() {
    timeout 300 sh -c 'ulimit -t "$0"; exec "$@"' $REFUSAL_CPU_S "$@"
}

# refused STATUS PATTERN COMMAND...: it ends in time with that status, one line on standard error, nothing on standard
# output.
refused() {
    status=$1
    pattern=$2
    shift 2
    in_time "$@" >refused.out 2>refused.err </dev/null
    got=$?
    echo "status $got, $(wc -l <refused.err) lines: $(head -n 3 refused.err)"
    [ "$got" = "$status" ] && [ "$(wc -l <refused.err)" = 1 ] && [ ! -s refused.out ] &&
        grep -q -- "$pattern" refused.err
}
