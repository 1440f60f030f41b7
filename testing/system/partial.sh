# SPDX-License-Identifier: BSD-2-Clause
# Each program of Hooks.def is refused in turn: a warning names the missing one, all other events are still reported. So
# is each that makes events at the ends of system calls, with tracepoints only.
# Programs for kernels that preempt BPF programs are refused on such a kernel, and all together on another one.
# takes: 80
# also: 6.1
# vm: --memory 1024 --file GPL/Events/Hooks.def
# kernels: newest
# vm: --file GPL/Events/Hooks.def --append preempt=full
# shellcheck shell=sh
. /root/system/tap.sh
. /root/system/hook-columns
cd /tmp || exit 1
hook_columns >columns
required="MAKES\|SERVES" optional="ADDS\|IMPROVES"

EventsTrace --schema >schema

# Print how the names of the events of a class, or of `all`, begin.
prefix_of() {
    case $1 in
    all) echo "[A-Z]*_" ;;
    *) echo "${1}_" | tr a-z A-Z ;;
    esac
}

types_of() {
    grep -o "\"const\":\"$(prefix_of "$1")[A-Z_]*\"" schema | cut -d '"' -f 4 | grep "^PROCESS\|^FILE\|^NETWORK"
}

# The cases that make the events of a class: a few that make most of them, then one for each event that is left.
choose_cases() {
    case $1 in
    file) printf 'file-%s\n' create delete rename attributes open ;;
    network) printf 'net-%s\n' "connect two" datagram ;;
    process) printf '%s\n' "setid uid" "setid gid" tty memfd shmget ptrace module ;;
    esac >chosen
    for type in $(types_of "$1"); do
        sed -n "s/^$type //p" /root/cases-of-events >able
        case $type in PROCESS_FORK | PROCESS_EXEC | PROCESS_EXIT | PROCESS_SETSID) continue ;; esac
        grep -qxFf chosen able || head -n 1 able >>chosen
    done
    cat chosen
}

make_events() {
    if [ "$1" = all ]; then
        make_events process && make_events file && make_events network
        return
    fi
    if [ "$1" = process ]; then
        sh -c 'exit 3'
        setsid true
    fi
    while read -r case; do
        # shellcheck disable=SC2086 # a program and its arguments
        case-$case >case.out 2>&1 </dev/null || { echo "case-$case"; tail -n 2 case.out; return 1; }
    done <"$1-cases"
}

# Print the events that are lost without a program: those for which it is in the only way.
events_lost_without() {
    awk -v program="$1" '$2 == "MAKES_ELSE" {other_ways[$3]} $1 == program && $2 ~ /^(MAKES|SERVES)$/ {events[$3]}
                         END {for (event in events) if (!(event in other_ways)) print event}' columns
}

# Return whether another program makes all of its events as well, as on kernels that lack its hook.
is_replaced() {
    grep -q "^$1 \(ELSE \|ELSE_LIMITED [^ ]* \"\"\)" columns ||
        awk -v program="$1" '$2 == "MAKES_ELSE" && $4 == 1 && $5 == "\"\"" {whole[$3]}
                             $1 == program && $2 == "MAKES" {made[$3]}
                             END {for (event in made) { count++; lacks += !(event in whole) }
                                  exit !count || lacks}' columns
}

# Return whether this kernel needs no such program: it has a certain function, or lacks the file system.
is_unneeded() {
    function=$(sed -n "s/^$1 UNLESS //p" columns)
    file_system=$(sed -n "s/^$1 FILE_SYSTEM //p" columns)
    { [ "$function" ] && grep -q " $function$" /proc/kallsyms; } ||
        { [ "$file_system" ] && ! grep -q "\<$file_system$" /proc/filesystems; }
}

# Return whether a warning is expected without it: not for spares, second ways, and programs that some kernels lack.
is_wanted() {
    ! is_replaced "$1" && ! is_unneeded "$1" && grep -q "^$1 \($required\) \|^$1 \($optional\) [A-Z_]* \"[^\"]" columns
}

# The programs, and those that could replace them.
with_stand_ins() {
    echo "$1" | tr , '\n'
    for program in $(echo "$1" | tr , ' '); do
        sed -n "s/^$program \(SHARED_\|RECORDING_\)\{0,1\}\(LSM\|KPROBE\|SESSION\) //p" columns
    done
}

# all_came_but CLASS LOST: the events of the class are in the output, except for those that are lost, which are not.
all_came_but() {
    for type in $(types_of "$1"); do
        count=$(events "$type" part.out)
        if echo "$2" | grep -qx "$type"; then
            [ "$count" = 0 ] || { echo "$type although its hook is missing"; return 1; }
        else
            [ "$count" -gt 0 ] || { echo "no $type"; return 1; }
        fi
    done
}

# without CLASS PROGRAM[,PROGRAM...]
without() {
    class=$1
    disabled=$(with_stand_ins "$2" | paste -s -d ,)
    lost=$(for program in $(echo "$2" | tr , ' '); do events_lost_without "$program"; done)
    trace part.out part.err -u "--${class%work}" --disable-hook "$disabled" || { cat part.err; return 1; }
    make_events "$class" || { trace_stop; return 1; }
    trace_stop || return 1
    for program in $(echo "$2" | tr , ' '); do
        if is_wanted "$program"; then
            grep -q "$program: disabled" part.err || { echo "$program is not named: $(cat part.err)"; return 1; }
        elif grep "warning.*$program" part.err; then
            return 1
        fi
    done
    all_came_but "$class" "$lost"
}

# Print the events that are lost without a program at the ends of system calls; those of connections share a table.
events_called_by() {
    awk -v program="$1" '$1 == program && $2 == "MAKES_ELSE" && $4 == "WAY_SYSCALLS" {print $3}' columns >own
    grep "^NETWORK_CONNECTION_" own && types_of network | grep "^NETWORK_CONNECTION_"
    cat own
}

# without_call PROGRAM: with tracepoints only, all events are seen but for its own.
without_call() {
    lost=$(events_called_by "$1")
    trace part.out part.err -u --all --attach tracepoint --disable-hook "$1" || { cat part.err; return 1; }
    make_events all || { trace_stop; return 1; }
    trace_stop || return 1
    all_came_but all "$lost"
}

# of CLASS ROLES: print the programs that have one of these roles for an event of that class
of() {
    sed -n "s/^\([^ ]*\) \($2\) $(prefix_of "$1").*/\1/p" columns | sort -u
}

# Programs that a class does not need at all: no event of it needs them.
dispensable() {
    of "$1" "$required" >required
    of "$1" "$optional" | grep -vxFf required
}

# spares_of CLASS PATTERN: print the spares of programs of the class, by their names.
spares_of() {
    for program in $(of "$1" "$required\|$optional"); do
        awk -v program="$program" '$1 == program && $2 ~ /^(SPARES|COPIES)$/ {
                                       for (i = 1; i <= $3; i++) print program "_spare" i}' columns | grep "$2\$"
    done
}

for class in process file network; do
    choose_cases $class >$class-cases
done
if grep -q "(full)" /sys/kernel/debug/sched/preempt 2>/dev/null; then
    # each takes a minute to load: one number for each class shows both
    check "without the first spares" without file "$( (kprobes_and_sessions; spares_of all spare1) | paste -s -d ,)"
    check "without the second spares" without process "$( (kprobes_and_sessions; spares_of all spare2) | paste -s -d ,)"
    classes=
else
    classes="process file network"
fi
for class in $classes; do
    check "without any spare of $class events" without $class "$(spares_of $class "" | paste -s -d ,)"
    check "without all optional programs of $class events" without $class \
        "$(dispensable $class | paste -s -d ,)"
    for program in $(of $class "$required") $(dispensable $class); do
        check "without $program" without $class "$program"
    done
done

[ "$classes" ] && for program in $(sed -n 's/^\([^ ]*\) MAKES_ELSE [A-Z_]* WAY_SYSCALLS .*/\1/p' columns | sort -u); do
    check "with tracepoints only, without $program" without_call "$program"
done

# The processes in a tree when the source is opened are known without a program that follows it.
tree_without_the_program() {
    trace part.out part.err -u --process-exec --tree $$ --disable-hook tp_btf__follow_trees,kprobe__follow_trees ||
        { cat part.err; return 1; }
    sh -c 'exit 3'
    trace_stop || return 1
    grep -q "processes that start later are not recognized" part.err || { cat part.err; return 1; }
    [ "$(events PROCESS_EXEC part.out)" -gt 0 ]
}
check "without tp_btf__follow_trees" tree_without_the_program
