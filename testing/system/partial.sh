# SPDX-License-Identifier: BSD-2-Clause
# Each program of Hooks.def that the best way uses is refused in turn: a warning names the missing one, all other events
# are still reported. Those of the other ways: see partial-ways.sh.
# Programs for kernels that preempt BPF programs are refused on such a kernel, and all together on another one.
# takes: 80
# also: 6.1
# vm: --memory 1024 --file GPL/Events/Hooks.def
# kernels: newest
# vm: --file GPL/Events/Hooks.def --append preempt=full
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1
. /root/system/class-cases
required="MAKES\|MAKES_AS_KPROBE\|SERVES" optional="ADDS\|IMPROVES"

# Print the events that are lost without a program: those for which it is in the only way.
events_lost_without() {
    awk -v program="$1" '$2 == "MAKES_ELSE" {other_ways[$3]}
                         $1 == program && $2 ~ /^(MAKES|MAKES_AS_KPROBE|SERVES)$/ {events[$3]}
                         END {for (event in events) if (!(event in other_ways)) print event}' columns
}

# Return whether another program makes all of its events as well, as on kernels that lack its hook.
is_replaced() {
    grep -q "^$1 \(ELSE \|ELSE_LIMITED [^ ]* \"\"\)" columns ||
        awk -v program="$1" '$2 == "MAKES_ELSE" && $4 == 1 && $5 == "\"\"" {whole[$3]}
                             $1 == program && $2 ~ /^MAKES(_AS_KPROBE)?$/ {made[$3]}
                             END {for (event in made) { count++; lacks += !(event in whole) }
                                  exit !count || lacks}' columns
}

# Return whether a warning is expected without it: not for spares, second ways, and programs that some kernels lack.
is_wanted() {
    ! is_replaced "$1" && ! is_unneeded "$1" && grep -q "^$1 \($required\) \|^$1 \($optional\) [A-Z_]* \"[^\"]" columns
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
