# SPDX-License-Identifier: BSD-2-Clause
# Events from tracefs: counts that are exact, a reader that is stopped, an end by SIGKILL, two at once, and tracefs that
# is not mounted.
# takes: 60
# kernels: 5.10
# also: 6.1 newest
# cached: 5.10-nobpf
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1
echo 32768 >/proc/sys/kernel/pid_max
umount /sys/kernel/debug/tracing /sys/kernel/tracing 2>/dev/null
cat /proc/mounts >mounts.before
SHORT=1000

has_bpf() {
    grep -qw bpf_prog_load /proc/kallsyms
}

# run_short N: start that many processes, one after the other.
run_short() {
    n=$1
    while [ "$n" -gt 0 ]; do
        /opt/bin/nop
        n=$((n - 1))
    done
}

# count FIELD TYPE FILE: a number of the last line of statistics.
count() {
    tail -n 1 "$3" | grep -o "\"$2\":{[^}]*" | grep -o "\"$1\":[0-9]*" | cut -d: -f2
}

# lost TYPE FILE
lost() {
    tail -n 1 "$2" | grep -o "\"$1\":{[^}]*}" | grep -o "\"ring_full\":[0-9]*" | cut -d: -f2 | grep . || echo 0
}

# What tracefs has of this project, seen through a mount of our own.
left_in_tracefs() {
    mkdir -p /run/t && mount -t tracefs nodev /run/t || return 1
    ls /run/t/instances
    grep ebpfev /run/t/kprobe_events
    umount /run/t
}

nothing_is_left() {
    left=$(left_in_tracefs)
    echo "left: $left"
    [ -z "$left" ] && diff /proc/mounts mounts.before
}

by_itself() {
    EventsTrace -i --process-exec -- /opt/bin/nop auto >auto.out 2>auto.err || { cat auto.err; return 1; }
    grep -q '"backend": "tracefs"' auto.out && grep -q '"args":\["/opt/bin/nop","auto"\]' auto.out &&
        [ "$(grep -c "^EventsTrace: " auto.err)" = 1 ] && grep -q "warning: BPF cannot be used here" auto.err ||
        { cat auto.err auto.out; return 1; }
}
if has_bpf; then
    set -- --backend tracefs
else
    set --
    check "without BPF it is chosen, which is said in one line" by_itself
    check "BPF alone is refused in one line, status 4" refused 4 "needs CONFIG_DEBUG_INFO_BTF" EventsTrace --backend bpf
fi

doctor_reports() {
    EventsTrace --doctor --backend tracefs >report.out 2>report.err
    [ $? -le 2 ] && grep -q "^  backend  *tracefs" report.out && grep -q "^  process-exec  *limited" report.out &&
        ! grep "null" report.out || { cat report.err report.out; return 1; }
}
check "the doctor's report" doctor_reports

exact() {
    trace exact.out exact.err "$@" --stats --process-fork --process-exec --process-exit || { cat exact.err; return 1; }
    run_short $SHORT
    trace_stop || { cat exact.err; return 1; }
    for type in PROCESS_FORK PROCESS_EXEC PROCESS_EXIT; do
        is "seen $type" "$(count seen $type exact.err)" "$(count delivered $type exact.err)" &&
            [ "$(count seen $type exact.err)" -ge $SHORT ] || { tail -n 1 exact.err; return 1; }
    done
    is "programs" "$(grep -cF '"filename":"/opt/bin/nop"' exact.out)" $SHORT && ! grep "BTF has it at" exact.err
}
check "short processes: none is missing, with its path and arguments" exact "$@"

# The smallest buffers: they hold fewer records than there are.
frozen() {
    trace frozen.out frozen.err "$@" --stats --ring-size 64K --process-fork --process-exec --process-exit ||
        { cat frozen.err; return 1; }
    kill -STOP "$TRACE_PID"
    run_short $SHORT
    sleep 5
    kill -CONT "$TRACE_PID"
    trace_stop || { cat frozen.err; return 1; }
    tail -n 1 frozen.err
    for type in PROCESS_FORK PROCESS_EXEC PROCESS_EXIT; do
        seen=$(count seen $type frozen.err)
        [ "$(lost $type frozen.err)" -gt 0 ] && [ "$seen" -ge $SHORT ] &&
            is "seen $type" "$seen" $(($(count delivered $type frozen.err) + $(lost $type frozen.err))) || return 1
    done
    grep -q '"event_type":"EVENTS_LOST"' frozen.out
}
check "a reader that stands still: what is lost is counted exactly, and reported" frozen "$@"

# What a source needs is open since its start.
without_descriptors() {
    trace nofiles.out nofiles.err "$@" --stats --ring-size 64K --process-fork --process-exec ||
        { cat nofiles.err; return 1; }
    no-files "$TRACE_PID" || return 1
    kill -STOP "$TRACE_PID"
    run_short 300
    sleep 4
    kill -CONT "$TRACE_PID"
    trace_stop || { cat nofiles.err; return 1; }
    tail -n 1 nofiles.err
    for type in PROCESS_FORK PROCESS_EXEC; do
        seen=$(count seen $type nofiles.err)
        [ "$seen" -ge 300 ] && [ "$(lost $type nofiles.err)" -gt 0 ] &&
            is "seen $type" "$seen" $(($(count delivered $type nofiles.err) + $(lost $type nofiles.err))) || return 1
    done
    ! grep "^EventsTrace: " nofiles.err | grep -v "BPF cannot be used here"
}
check "without a descriptor to spare losses are counted, and the end is clean" without_descriptors "$@"

killed() {
    trace killed.out killed.err "$@" --process-exec || { cat killed.err; return 1; }
    kill -KILL "$TRACE_PID"
    wait "$TRACE_PID"
    [ -n "$(left_in_tracefs)" ] || { echo "nothing to clean up"; return 1; }
    trace again.out again.err "$@" --process-exec || { cat again.err; return 1; }
    [ "$(left_in_tracefs | grep -c '^ebpfev')" = 1 ] || { left_in_tracefs; return 1; }
    trace_stop
}
check "what a killed one has left is removed by the next one" killed "$@"

two() {
    trace first.out first.err "$@" --process-exec || { cat first.err; return 1; }
    other=$TRACE_PID
    trace second.out second.err "$@" --process-exec || { cat second.err; return 1; }
    /opt/bin/nop both
    trace_stop || return 1
    TRACE_PID=$other
    /opt/bin/nop first
    trace_stop || return 1
    is first "$(grep -cF '"args":["/opt/bin/nop","both"]' first.out)" 1 &&
        is second "$(grep -cF '"args":["/opt/bin/nop","both"]' second.out)" 1 &&
        is "after the other's end" "$(grep -cF '"args":["/opt/bin/nop","first"]' first.out)" 1
}
check "two at once, and one after the end of the other" two "$@"

# Two that write to files, each by a process of its own: neither reports what the other one, or its own writer, does.
lines_of_output() {
    cat writes-a.out writes-b.out | grep '"event_type":"FILE_MODIFY"' | grep -c 'writes-[ab]'
}

know_each_other() {
    grep -q "process $1 traces as well" writes-b.err && grep -q "process $2 traces as well" writes-a.err
}

quiet() {
    trace writes-a.out writes-a.err -u "$@" --file-modify --process-exec || { cat writes-a.err; return 1; }
    other=$TRACE_PID
    trace writes-b.out writes-b.err -u "$@" --file-modify --process-exec || { cat writes-b.err; return 1; }
    wait_for know_each_other "$other" "$TRACE_PID" || { cat writes-a.err writes-b.err; return 1; }
    /opt/bin/nop begin
    sleep 2
    before=$(lines_of_output)
    for word in one two three; do
        /opt/bin/nop $word
        echo $word >>of-shell
        sleep 1
    done
    trace_stop && TRACE_PID=$other && trace_stop || { cat writes-a.err writes-b.err; return 1; }
    is "writes of the two" "$(lines_of_output)" "$before" &&
        is "writes of the shell" "$(cat writes-a.out writes-b.out | grep -c '"path":"/tmp/of-shell"')" 6
}
check "two that write to files leave each other out" quiet "$@"

selected() {
    trace selected.out selected.err "$@" --stats --process-exec --process-exit --pid $$ ||
        { cat selected.err; return 1; }
    /opt/bin/nop
    trace_stop || return 1
    is "events of others" "$(grep -c '"event_type":"PROCESS' selected.out)" 0 &&
        [ "$(count filtered PROCESS_EXEC selected.err)" -ge 1 ]
}
check "a selection: what is left out is counted as filtered" selected "$@"

# A link in the condition is resolved; a rename out of the directory has a path in it.
paths() {
    mkdir -p in/below out
    ln -s in link
    trace paths.out paths.err "$@" --stats --file-create --file-rename --path /tmp/link --exclude-path /tmp/in/below ||
        { cat paths.err; return 1; }
    echo x >in/one
    echo x >in/below/two
    echo x >out/three
    mv in/one out/one
    mv out/three out/four
    trace_stop || return 1
    is created "$(grep -c '"event_type":"FILE_CREATE"' paths.out)" 1 &&
        is renamed "$(grep -c '"event_type":"FILE_RENAME"' paths.out)" 1 &&
        grep -q '"path":"/tmp/in/one"' paths.out && grep -q '"new_path":"/tmp/out/one"' paths.out &&
        [ "$(count filtered FILE_CREATE paths.err)" -ge 2 ] && [ "$(count filtered FILE_RENAME paths.err)" -ge 1 ]
}
check "a selection by path: of files, with links, and both paths of a rename" paths "$@"

check "nothing is left in tracefs, and nothing is mounted" nothing_is_left
check "the kernel's log is clean" no_splat
