# SPDX-License-Identifier: BSD-2-Clause
# Each program of Hooks.def is refused in turn: the missing one is named, all other events still come. Those that are
# only there where the kernel preempts BPF programs are refused on such a kernel, and together on one that does not.
# kernels: 6.1
# vm: --file GPL/Events/Hooks.def
# kernels: newest
# vm: --file GPL/Events/Hooks.def --append preempt=full
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

made="fork exec exit setsid setuid setgid tty-write memfd-create shmget ptrace load-module"

make_events() {
    sh -c 'exit 3'
    setsid true
    for case in "setid uid" "setid gid" tty memfd shmget ptrace module; do
        # shellcheck disable=SC2086 # a program and its argument
        case-$case >case.out 2>&1 || { tail -n 2 case.out; return 1; }
    done
}

# The event that is lost without a program: what the program is the only way to. As PROCESS_FORK, or nothing.
event_lost_without() {
    sed -n 's/^HOOK(\([A-Z_]*\), *\([0-9]*\), *\([a-z0-9_]*\),.*/\1 \2 \3/p' /root/Hooks.def |
        awk -v program="$1" '{ways[$1] = ways[$1] < $2 ? $2 : ways[$1]} $3 == program && $2 == 0 {event = $1}
                             END {if (event && !ways[event]) print event}'
}

# Whether it is missed: spares and second ways are not wanted here while all is well.
is_wanted() {
    grep -q "^HOOK([A-Z_]*, *0, *$1,\|^HOOK_OPTIONAL([A-Z_]*, *$1," /root/Hooks.def
}

# without PROGRAM[,PROGRAM...]
without() {
    lost=$(event_lost_without "$1")
    trace part.out part.err -u -a --disable-hook "$1" || { cat part.err; return 1; }
    make_events || { trace_stop; return 1; }
    trace_stop || return 1
    if is_wanted "$1"; then
        grep -q "$1: disabled" part.err || { echo "not named: $(cat part.err)"; return 1; }
    elif grep warning part.err; then
        return 1
    fi
    for event in $made; do
        type=PROCESS_$(echo "$event" | tr 'a-z-' 'A-Z_')
        count=$(events "$type" part.out)
        if [ "$type" = "$lost" ]; then
            [ "$count" = 0 ] || { echo "$type although its hook is missing"; return 1; }
        else
            [ "$count" -gt 0 ] || { echo "no $type"; return 1; }
        fi
    done
}

sed -n 's/^HOOK_SPARE(.*, *\([a-z0-9_]*\))/\1/p' /root/Hooks.def >spares
grep -o '\(tp_btf\|fentry\|fexit\)__[a-z0-9_]*' /root/Hooks.def | sort -u | grep -vxFf spares >programs
if grep -q "(full)" /sys/kernel/debug/sched/preempt 2>/dev/null; then
    in_turn=spares
else
    in_turn=programs
    check "without any spare" without "$(paste -s -d , spares)"
fi
while read -r program; do
    check "without $program" without "$program"
done <$in_turn
