# SPDX-License-Identifier: BSD-2-Clause
# Each program of Hooks.def that the best way does not use is refused in turn, while the way that it is for is taken:
# with tracepoints only, with kprobes, and where first ways or hooks are missing. All events are still seen, except for
# those that only this program makes there. On kernels other than 6.1, programs are refused all together.
# takes: 60
# also: 6.1
# vm: --memory 1024 --file GPL/Events/Hooks.def
# kernels: 5.10
# vm: --file GPL/Events/Hooks.def
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1
. /root/system/class-cases

# without PROGRAM EVENTS LOST OPTION...: the program, which is for these events, is disabled besides what options say.
without() {
    program=$1 lost=$3
    classes=$(echo "$2" | sed 's/_.*//' | tr A-Z a-z | sort -u)
    shift 3
    selects=$(echo "$classes" | sed 's/^/--/; s/work$//')
    # shellcheck disable=SC2086 # a list
    trace part.out part.err -u $selects "$@" || { cat part.err; return 1; }
    for class in $classes; do
        make_events "$class" || { trace_stop; return 1; }
    done
    trace_stop || return 1
    if [ "$names" ]; then
        { [ ! "$lost" ] || grep -q "warning: .*; unavailable: " part.err; } &&
            { ! is_named "$program" || grep -q "$program: disabled" part.err; } ||
            { echo "$program, or what it makes, is not named: $(cat part.err)"; return 1; }
    fi
    for class in $classes; do
        all_came_but "$class" "$lost" || return 1
    done
}

# with PATTERN: print what is disabled to take a second way: the programs in such rows, and those that can replace them.
with() {
    with_stand_ins "$(sed -n "s/^\([^ ]*\) $1.*/\1/p" columns | sort -u | paste -s -d ,)" | paste -s -d ,
}

# of PROGRAM ROLES WAY: print the events for which it has such a role in that way.
of() {
    sed -n "s/^$1 \($2\) \([A-Z_]*\) $3\>.*/\2/p" columns | sort -u
}

# Print the events that a program makes at the ends of system calls. Those of connections share a table.
called_by() {
    of "$1" MAKES_ELSE WAY_SYSCALLS >called
    ! grep -q "^NETWORK_CONNECTION_" called || types_of network | grep "^NETWORK_CONNECTION_"
    cat called
}

# Return whether a warning about what is limited is expected without an optional program of the tracepoint way.
is_named() {
    ! is_unneeded "$1" && grep -q "^$1 \(ADDS\|PARTLY\|IMPROVES\)_ELSE [A-Z_]* WAY_SYSCALLS \"[^\"]" columns
}

# hooks COLUMN PROGRAM: print the programs that this one replaces.
hooks() {
    sed -n "s/^\([^ ]*\) \($1\) $2\>.*/\1/p" columns
}

# Print the events of the programs that are read.
events_of() {
    while read -r program; do
        sed -n "s/^$program [A-Z_]* \([A-Z]*_[A-Z_]*\).*/\1/p" columns
    done | grep -xF "$(types_of all)" | sort -u
}

# Without optional programs of the tracepoint way, and without all that is hooked in functions.
together() {
    optional=$(sed -n "s/^\([^ ]*\) \(ADDS\|PARTLY\|IMPROVES\)_ELSE [A-Z_]* WAY_SYSCALLS.*/\1/p" columns | sort -u |
        grep -vxF "$(sed -n "s/^\([^ ]*\) MAKES_ELSE .*/\1/p" columns)" | paste -s -d ,)
    check "with tracepoints only, without optional programs" without "$optional" "$(types_of all)" "" \
        --attach tracepoint --disable-hook "$optional"
    second=$(sed -n "s/^\([^ ]*\) $roles [A-Z_]* 1 .*/\1/p" columns | sort -u)
    events=$(for program in $second; do of "$program" "$roles" 1; done | sort -u | paste -s -d '|' | sed 's/|/\\|/g')
    in_place=$(sed -n "s/^[^ ]* \(ELSE\|ELSE_LIMITED\) \([^ ]*\).*/\2/p" columns | sort -u)
    check "without first and second ways, hooks and what stands in" without "" "$(types_of all)" PROCESS_EXIT \
        --disable-hook "$( (with "\(MAKES\|MAKES_AS_KPROBE\) \($events\)\>"; with "\(ELSE\|ELSE_LIMITED\) "
                           echo "$second"; echo "$in_place") | paste -s -d ,)"
}

path_hooks=$(with "ELSE fentry__mnt_want_write")

# once_each OPTION...: what a few operations make is seen exactly once, also without path hooks.
once_each() {
    EventsTrace --file-create --file-link --file-delete --file-rename "$@" --disable-hook "$path_hooks" \
        >once.out 2>once.err -- sh -c 'mkdir d; mkdir d; : >f; ln f g; ln f g
            mknod p p; ln -s f s; mv g h; rm f h p s; rmdir d' || { cat once.err; return 1; }
    for count in FILE_CREATE=4 FILE_DELETE=5 FILE_LINK=1 FILE_RENAME=1; do
        is "${count%=*}" "$(events "${count%=*}" once.out)" "${count#*=}" || return 1
    done
}

# objects OPTION...: print how many message queues and pins are reported of those that a case makes.
objects() {
    trace part.out part.err -u --file-create --process-memfd-create "$@" || { cat part.err; return 1; }
    case-file-objects >/dev/null || { trace_stop; return 1; }
    trace_stop || return 1
    grep '"FILE_CREATE"' part.out | grep -c '"path":"[^"]*/\(pins\|mqueue\|case-[^/"]*\)'
}

# A program at the ends of calls reports a queue again that is only opened.
same_objects() {
    is objects "$(objects --attach kprobe --disable-hook "$path_hooks")" "$(objects --attach tracepoint)"
}
check "without path hooks" once_each
check "with kprobes, without path hooks, objects" same_objects
check "with kprobes, without path hooks" once_each --attach kprobe

roles="[A-Z]*_ELSE" names=
case $(uname -r) in
6.1.*) ;;
*) together; exit ;;
esac
rows=0 # that were tried

names=yes
for program in $(sed -n "s/^\([^ ]*\) $roles [A-Z_]* WAY_SYSCALLS .*/\1/p" columns | sort -u); do
    rows=$((rows + 1))
    check "with tracepoints only, without $program" without "$program" "$(of "$program" "$roles" WAY_SYSCALLS)" \
        "$(called_by "$program")" --attach tracepoint --disable-hook "$program"
done

# From here on, what a program made is made at the ends of system calls; only exits are not.
names=
for program in $(sed -n "s/^\([^ ]*\) $roles [A-Z_]* 1 .*/\1/p" columns | sort -u); do
    events=$(of "$program" "$roles" 1)
    first=$(with "\(MAKES\|MAKES_AS_KPROBE\) \($(echo "$events" | paste -s -d '|' | sed 's/|/\\|/g')\)\>")
    rows=$((rows + 1))
    check "without first ways and $program" without "$program" "$events" "$(echo "$events" | grep PROCESS_EXIT)" \
        --disable-hook "$first,$program"
done

column="ELSE\|ELSE_LIMITED"
for program in $(sed -n "s/^[^ ]* \($column\) \([^ ]*\).*/\2/p" columns | sort -u); do
    rows=$((rows + 1))
    check "without hooks and $program, which stands in" without "$program" \
        "$(hooks "$column" "$program" | events_of)" "" --disable-hook "$(with "\($column\) $program\>"),$program"
done

column="\(SHARED_\|RECORDING_\|ELSE_\)\{0,1\}KPROBE"
for program in $(sed -n "s/^[^ ]* \($column\) \([^ ]*\).*/\3/p" columns | sort -u); do
    events=$(hooks "$column" "$program" | events_of)
    [ "$events" ] || continue # it is for a selection
    rows=$((rows + 1))
    check "with kprobes, without $program" without "$program" "$events" "" --attach kprobe --disable-hook "$program"
done
for program in $(awk -F '[(,]' '/^PROGRAM/ {program = $2} /[ ,]AS_KPROBE[),]/ {print program}' /root/Hooks.def); do
    [ "$(echo "$program" | events_of)" ] || continue # it stands in: see above
    rows=$((rows + 1))
    check "with kprobes, without $program" without "$program" "$(echo "$program" | events_of)" "" \
        --attach kprobe --disable-hook "$program"
done
check "rows of Hooks.def were found" [ $rows -gt 80 ]
