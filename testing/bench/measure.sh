# SPDX-License-Identifier: BSD-2-Clause
# measure.sh - the part of scripts/bench that runs in a guest; nanoseconds are instructions there (--icount).
#
#   measure.sh [--added] SHARE COMMAND...
#
# SHARE is the percentage of operations to perform; --added measures only what tracers add to operations, not their
# start and their programs. Each COMMAND is a tracer, a line for the shell; it is ready when it writes the first byte to
# standard output. Prints lines of JSON; the standard error of a tracer is in /tmp/bench-out.
# shellcheck shell=sh
added_only=''
if [ "$1" = --added ]; then
    added_only=yes
    shift
fi
share=$1
shift
modes="exec file write open proc net pread getppid"
out=/tmp/bench-out
ready=/tmp/bench-ready
settled_s=45
mkdir -p $out

# wait_for SECONDS COMMAND...
wait_for() {
    left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 1
    done
}

up_for() {
    [ "$(cut -d. -f1 /proc/uptime)" -ge "$1" ]
}

# A tracer's programs are freed some time after it has ended.
no_programs() {
    [ "$(bpf-objects)" = "programs 0 maps 0 links 0" ]
}

ended() {
    ! kill -0 "$1" 2>/dev/null
}

is_ready() {
    [ -e $ready ] || ended "$sink"
}

# Measure the start of a tracer. "start" ends the tracer once that is ready and waits for it; some tracers lose a signal
# that comes at a bad moment, so it is sent again.
start_cost() {
    start sh -c "echo \$\$ >/tmp/bench-pid; exec $1" >/tmp/bench-start 2>"$2" &
    starter=$!
    until ended $starter; do
        sleep 2
        grep -q do_wait /proc/$starter/wchan 2>/dev/null && kill -TERM "$(cat /tmp/bench-pid)" 2>/dev/null
    done
    cat /tmp/bench-start
    wait $starter
}

# Run prog-stats before and after a mode; both include the start of the load generator.
program_stats() {
    echo "{\"stats\":\"$1\",\"ops\":0}"
    prog-stats
    load --ops 0 --label none "$1" >/dev/null
    echo "{\"stats\":\"$1\",\"ops\":0}"
    prog-stats
    load --ops "$2" --label none "$1" >/dev/null
    echo "{\"stats\":\"$1\",\"ops\":$2}"
    prog-stats
}

stop() {
    kill -TERM "$1"
    wait_for 20 ended "$1" || kill -KILL "$1"
    echo '{"done":true}'
}

measure() {
    rm -f $ready
    # The first process of the pipe prints its process id, the shell that of the last one.
    sh -c "echo \$\$ >/tmp/bench-pid; exec $1" 2>>"$2" | sink $ready &
    sink=$!
    wait_for 600 is_ready
    [ -e $ready ] || return
    tracer=$(cat /tmp/bench-pid)
    sleep 3
    prog-stats --maps
    # shellcheck disable=SC2086 # one word a mode
    load --share "$share" --label total --pids "$tracer,$sink" $modes || return
    # shellcheck disable=SC2086
    load --share "$share" --label kernel --pids "$tracer,$sink" --freeze "$tracer" $modes || return
    if [ "$added_only" ]; then
        stop "$tracer"
        return
    fi
    echo 1 >/proc/sys/kernel/bpf_stats_enabled
    kill -STOP "$tracer"
    for mode in $modes; do
        program_stats "$mode" 100
        kill -CONT "$tracer"
        sleep 2
        kill -STOP "$tracer"
    done
    kill -CONT "$tracer"
    echo 0 >/proc/sys/kernel/bpf_stats_enabled
    awk '$1 == "VmHWM:" { printf "{\"peak_kb_end\":%d}\n", $2 }' "/proc/$tracer/status"
    awk '/^[0-9a-f]+-/ { is_map = /anon_inode:bpf-map/ } is_map && $1 == "Rss:" { sum += $2 }
         END { printf "{\"mapped_kb\":%d}\n", sum }' "/proc/$tracer/smaps"
    stop "$tracer"
}

wait_for 300 up_for $settled_s
for phase in first baseline; do
    # shellcheck disable=SC2086
    load --share "$share" --label "$phase" $modes
    # shellcheck disable=SC2086
    load --share "$share" --label "$phase-rounds" --rounds $modes
done
echo 1 >/proc/sys/kernel/bpf_stats_enabled
prog-stats --overhead
echo 0 >/proc/sys/kernel/bpf_stats_enabled
number=0
for command; do
    wait_for 60 no_programs || echo "measure.sh: left by the tracer before: $(bpf-objects)" >&2
    echo "{\"tracer\":$number}"
    errors=$out/tracer$number.err
    if [ "$added_only" ] || start_cost "$command" "$errors"; then
        wait_for 60 no_programs || echo "measure.sh: left by the start: $(bpf-objects)" >&2
        measure "$command" "$errors"
    else
        # bpftrace, asked to be quiet, does not report why it ends.
        timeout 60 sh -c "$(echo "$command" | sed 's/ -q / /')" 2>>"$errors" >/dev/null
    fi
    number=$((number + 1))
done
