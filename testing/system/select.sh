# SPDX-License-Identifier: BSD-2-Clause
# Filters: for each kind, all matching events are there and no others, and the others are counted.
# takes: 110
# kernels: 5.10
# also: 6.1 6.12 newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

ROUNDS=50
# A condition does not distinguish the types of file events. To load the others takes six times as long as to load
# FILE_DELETE, so only the conditions about paths are tested with them.
fewer="--file-delete --process-exec"
more="$fewer --file-rename --file-create --file-modify"
use_types() {
    selected=$1
    file_types=$(echo "$1" | tr ' ' '\n' | sed -n 's/--file-//p' | tr '[:lower:]' '[:upper:]')
    per_round=$(echo "$file_types" | wc -l)
    FILE_EVENTS=$((ROUNDS * per_round + per_round / 4)) # and the creation of the directory
}
use_types "$fewer"

# stat TYPE KEY: print a number of the last STATS record
stat() {
    tail -n 1 sel.err | sed -n "s/.*\"$1\":{\([^}]*\)}.*/\1/p" | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"
}

# The counts of each type add up, something is filtered, and nothing is lost except runs that the kernel has skipped.
adds_up() {
    for type in $file_types; do
        seen=$(stat "FILE_$type" seen)
        filtered=$(stat "FILE_$type" filtered)
        known=$(($(stat "FILE_$type" delivered) + filtered + $(stat "FILE_$type" recursion || echo 0) + 0))
        [ "$seen" = "$known" ] && [ "$filtered" -gt 0 ] || { echo "$type: $(tail -n 1 sel.err)"; return 1; }
    done
}

# Print the number of file events about a directory and its contents.
about() {
    grep -F '"event_type":"FILE_' sel.out | grep -cF -e "path\":\"/tmp/$1/" -e "path\":\"/tmp/$1\""
}

# All events of one actor are there, none of another one.
holds() {
    [ "$(about "$1")" = $FILE_EVENTS ] || { echo "$(about "$1") of $FILE_EVENTS file events about $1"; return 1; }
    [ "$(about "$2")" = 0 ] || { echo "$(about "$2") file events about $2"; return 1; }
    adds_up
}

# Print the execs of the program that an actor executes.
executions() {
    grep '"event_type":"PROCESS_EXEC"' sel.out | grep -c "\"args\":\[\"true\",\"/tmp/$1\"\]"
}

begin_with() {
    rm -rf /tmp/in /tmp/in2 /tmp/out
    trace sel.out sel.err -u "$@" || { cat sel.err; return 1; }
    ! grep "limited\|unavailable" sel.err || { trace_stop; return 1; }
}

begin() {
    # shellcheck disable=SC2086 # options
    begin_with $selected "$@"
}

# includes OPTION VALUE ACTOR...: the actions of the actor are events, those of a second one with another identity are
# not.
includes() {
    option=$1
    value=$2
    shift 2
    begin "$option" "$value" || return 1
    select-actor /tmp/in $ROUNDS "$@" && select-actor /tmp/out $ROUNDS || { trace_stop; return 1; }
    trace_stop && holds in out && [ "$(executions out)" = 0 ]
}

excludes() {
    option=$1
    value=$2
    shift 2
    begin "$option" "$value" || return 1
    select-actor /tmp/out $ROUNDS "$@" && select-actor /tmp/in $ROUNDS || { trace_stop; return 1; }
    trace_stop && holds in out && [ "$(executions in)" = 1 ]
}

# A shell from before the tracer waits for a line, then acts, as do its children and one whose parents are gone.
start_shell() {
    rm -f go
    mkfifo go
    sh -c 'read -r line <go; select-actor /tmp/in $1 && select-actor /tmp/in2 $1 orphan' sh $ROUNDS &
    SHELL_PID=$!
}

let_shell() {
    echo >go
    wait $SHELL_PID
}

tree_included() {
    start_shell
    begin --tree $SHELL_PID || return 1
    let_shell && select-actor /tmp/out $ROUNDS || { trace_stop; return 1; }
    trace_stop && holds in out && [ "$(about in2)" = $FILE_EVENTS ] && [ "$(executions in)$(executions in2)" = 11 ]
}

tree_excluded() {
    start_shell
    begin --exclude-tree $SHELL_PID || return 1
    let_shell && select-actor /tmp/out $ROUNDS || { trace_stop; return 1; }
    trace_stop && holds out in && [ "$(about in2)" = 0 ] && [ "$(executions in)$(executions in2)" = 00 ]
}

# The process alone, without its children: what the shell itself writes.
process_included() {
    rm -f go
    mkfifo go
    sh -c 'read -r line <go; echo text >/tmp/of-shell; select-actor /tmp/out 3' &
    SHELL_PID=$!
    begin --pid $SHELL_PID || return 1
    echo >go
    wait $SHELL_PID
    trace_stop || return 1
    [ "$(grep -c /tmp/of-shell sel.out)" = 2 ] && [ "$(about out)" = 0 ]
}

# start_process COMMAND...: in the background; sets PROCESS.
start_process() {
    "$@" &
    PROCESS=$!
}

# exits PID: print the number of exits of a process.
exits() {
    grep '"event_type":"PROCESS_EXIT"' sel.out | grep -c "\"tgid\":$1,"
}

# The process that waits for the threads of another one does not decide whether its exit is selected.
debugged() {
    rm -f go
    mkfifo go
    start_process select-process victim go
    victim=$PROCESS
    begin_with --process-exit --pid "$victim" || return 1
    select-process debugger "$victim" go
    wait "$victim"
    [ $? = 5 ] || { trace_stop; echo "the victim has not ended by itself"; return 1; }
    trace_stop && [ "$(exits "$victim")" = 1 ] && [ "$(events PROCESS_EXIT sel.out)" = 1 ]
}

debugger() {
    rm -f go start
    mkfifo go start
    start_process select-process victim go
    victim=$PROCESS
    start_process sh -c 'read -r line <start; exec select-process debugger "$1" go' sh "$victim"
    begin_with --process-exit --pid "$PROCESS" || return 1
    echo >start
    wait "$victim"
    wait "$PROCESS" || { trace_stop; return 1; }
    trace_stop && [ "$(exits "$victim")$(exits "$PROCESS")" = 01 ] && [ "$(events PROCESS_EXIT sel.out)" = 1 ]
}

# used_again OPTION DIRECTORY: actions of a process and, after it, of another one with its id.
used_again() {
    rm -f go
    mkfifo go
    start_process sh -c 'read -r line <go; exec select-actor /tmp/in2 3'
    begin --process-exit "$1" "$PROCESS" || return 1
    echo >go
    wait "$PROCESS" && select-process as-pid "$PROCESS" select-actor "/tmp/$2" $ROUNDS || { trace_stop; return 1; }
    trace_stop
}

pid_used_again() {
    used_again --pid out || return 1
    [ "$(about in2)" = $((3 * per_round)) ] && [ "$(about out)" = 0 ] && [ "$(exits "$PROCESS")" = 1 ] || return 1
}

excluded_pid_used_again() {
    used_again --exclude-pid in || return 1
    [ "$(about in2)" = 0 ] && [ "$(about in)" = $FILE_EVENTS ] && [ "$(exits "$PROCESS")" = 1 ]
}

tree_used_again() {
    used_again --tree out || return 1
    [ "$(about in2)" = $((3 * per_round)) ] && [ "$(about out)" = 0 ] && [ "$(executions in2)$(executions out)" = 10 ]
}

# An id that no process has yet is not that of the process that gets it later.
pid_of_nobody() {
    begin_with --process-exit --process-exec --pid 31999 || return 1
    select-process as-pid 31999 select-actor /tmp/out 3 || { trace_stop; return 1; }
    trace_stop && ! grep -q '"event_type":"PROCESS' sel.out && grep -q "no process 31999" sel.err
}

# in_service NAME: in the cgroup, which is created for it and removed afterwards, as when a service is restarted.
in_service() {
    mkdir /sys/fs/cgroup/service && select-actor "/tmp/$1" $ROUNDS cgroup /sys/fs/cgroup/service
    status=$?
    wait_for rmdir /sys/fs/cgroup/service && return $status
}

cgroup_again() {
    begin --cgroup /service || return 1
    in_service in && in_service in2 && select-actor /tmp/out $ROUNDS || { trace_stop; return 1; }
    trace_stop && holds in out && [ "$(about in2)" = $FILE_EVENTS ] && [ "$(executions in)$(executions in2)" = 11 ]
}

cgroup_excluded_again() {
    mkdir /sys/fs/cgroup/service
    begin --exclude-cgroup /service || return 1
    rmdir /sys/fs/cgroup/service
    in_service out && in_service in2 && select-actor /tmp/in $ROUNDS || { trace_stop; return 1; }
    trace_stop && holds in out && [ "$(about in2)" = 0 ]
}

# By a link in the path, and by a link to the directory.
link_to_path() {
    mkdir /tmp/holder
    ln -s holder /tmp/link
    ln -s / /tmp/top
    begin --path "/tmp/top/tmp/./link" || return 1
    select-actor /tmp/holder/in $ROUNDS && select-actor /tmp/out $ROUNDS && rm /tmp/link || { trace_stop; return 1; }
    trace_stop && rm -r /tmp/top /tmp/holder && holds holder/in out && [ "$(about link)" = 1 ]
}

cgroup_from_within() {
    rm -rf /tmp/in /tmp/out
    cd /sys/fs/cgroup/select/below || return 1
    # shellcheck disable=SC2086 # options
    trace /tmp/sel.out /tmp/sel.err -u $selected --cgroup .. || return 1
    cd /tmp || return 1
    select-actor /tmp/in $ROUNDS cgroup /sys/fs/cgroup/select/below && select-actor /tmp/out $ROUNDS ||
        { trace_stop; return 1; }
    trace_stop && holds in out && [ "$(executions out)" = 0 ]
}

# An overlay acts with the credentials of the process that mounted it; with a condition on paths, the actor is read
# last.
on_overlay() {
    mkdir -p /tmp/layers && mount -t tmpfs layers /tmp/layers || return 1
    mkdir -p /tmp/layers/lower /tmp/layers/upper /tmp/layers/work /tmp/on-overlay
    chmod 777 /tmp/layers/upper
    mount -t overlay -o lowerdir=/tmp/layers/lower,upperdir=/tmp/layers/upper,workdir=/tmp/layers/work overlay \
        /tmp/on-overlay || return 1
    begin_with --file-create --file-link --path /tmp/on-overlay || return 1
    su nobody -s /bin/sh -c "cd /tmp/on-overlay && mkdir dir && ln -s target symlink && mkfifo pipe && ln pipe link" ||
        return 1
    trace_stop || return 1
    umount /tmp/on-overlay /tmp/layers
    who=$(id -u nobody)
    created=$(grep -c "\"FILE_\(CREATE\|LINK\)\".*\"ruid\":$who,.*/tmp/on-overlay/" sel.out)
    [ "$created" = 4 ] || { echo "$created of 4 by $who: $(cut -c1-200 sel.out)"; return 1; }
}

paths() {
    begin --process-exit --path /tmp/in --path /tmp/nothing --exclude-path /tmp/in/file7 || return 1
    select-actor /tmp/in $ROUNDS && select-actor /tmp/out $ROUNDS && select-actor /tmp/inside 3 ||
        { trace_stop; return 1; }
    trace_stop || return 1
    rm -rf /tmp/inside
    # the creation and the change of file7 are left out; its rename has another path, which matches
    [ "$(about in)" = $((FILE_EVENTS - 2)) ] || { echo "$(about in) events"; return 1; }
    # only file events have paths
    [ "$(grep -c '"event_type":"PROCESS_EXIT".*"comm":"select-actor"' sel.out)" = 3 ] || { echo "no exits"; return 1; }
    [ "$(about out)$(about inside)" = 00 ] && adds_up
}

# Print the number of network events with this address and port at the other end.
to() {
    grep '"event_type":"NETWORK_' sel.out | grep -c "\"destination_address\":\"$1\",\"destination_port\":$2,"
}

# Attempts that are refused: one event for the attempt, one for the failure.
addresses() {
    begin_with --net "$@" || return 1
    for end in "127.0.0.2 9" "127.0.0.3 9" "127.0.0.2 10"; do
        # shellcheck disable=SC2086 # an address and a port
        nc $end </dev/null 2>/dev/null
    done
    trace_stop || return 1
    for type in NETWORK_CONNECTION_ATTEMPTED NETWORK_CONNECTION_FAILED; do
        [ "$(stat $type seen)" = $(($(stat $type delivered) + $(stat $type filtered))) ] ||
            { echo "$type: $(tail -n 1 sel.err)"; return 1; }
    done
}

address_included() {
    addresses --address 127.0.0.2 --port 9 && [ "$(to 127.0.0.2 9)$(to 127.0.0.3 9)$(to 127.0.0.2 10)" = 200 ]
}

address_excluded() {
    addresses --exclude-address 127.0.0.2/32 && [ "$(to 127.0.0.2 9)$(to 127.0.0.3 9)$(to 127.0.0.2 10)" = 020 ]
}

# Processes that change files below a directory.
files_below() {
    begin_with --file --path /tmp/in || return 1
    select-actor /tmp/in $ROUNDS && select-actor /tmp/out $ROUNDS || { trace_stop; return 1; }
    trace_stop && holds in out
}

# All kinds of conditions have to match.
combined() {
    begin --comm one --comm two --uid 1001 --exclude-path /tmp/out || return 1
    select-actor /tmp/in $ROUNDS comm two uid 1001 && select-actor /tmp/out $ROUNDS comm one uid 1001 &&
        select-actor /tmp/other 3 comm one && select-actor /tmp/other2 3 uid 1001 || { trace_stop; return 1; }
    trace_stop || return 1
    rm -rf /tmp/other /tmp/other2
    holds in out && [ "$(about other)$(about other2)" = 00 ]
}

# counts_of OUTCOME OPTION...: run the programs, and print how many events of each FILE type had that outcome.
counts_of() {
    outcome=$1
    shift
    trace sel.out sel.err -u --file-create --file-delete --file-link --file-rename "$@" || return 1
    for program in $programs; do
        "$program" >/dev/null || { trace_stop; return 1; }
    done
    trace_stop || return 1
    for type in CREATE DELETE LINK RENAME; do
        echo "$type $(stat FILE_$type "$outcome")"
    done
}

# each_comm OPTION: print the option with the name of each program.
each_comm() {
    for program in $programs; do
        echo "$1 $program" | sed 's/\(--.* ...............\).*/\1/'
    done
}

# Whatever a program does, each of its events is counted once if it is excluded.
as_many_filtered() {
    programs="case-file-create case-file-delete case-file-rename case-file-objects case-exec-basic"
    # shellcheck disable=SC2046 # options
    counts_of delivered $(each_comm --comm) >delivered && counts_of filtered $(each_comm --exclude-comm) >filtered ||
        return 1
    cat delivered filtered
    [ "$(grep -c "[1-9]" delivered)" = 4 ] && diff delivered filtered
}

mkdir -p /sys/fs/cgroup/select/below
chmod 1777 /tmp
use_types "$more"
check "--pid" process_included
use_types "$fewer"
check "--pid, whichever process waits for it" debugged
check "--pid of the process that waits" debugger
check "--pid reused" pid_used_again
check "--exclude-pid reused" excluded_pid_used_again
check "--tree, its id reused" tree_used_again
check "--pid without a process" pid_of_nobody
check "--tree" tree_included
check "--exclude-tree" tree_excluded
check "--uid" includes --uid 1001 uid 1001
check "--exclude-uid" excludes --exclude-uid 1001 uid 1001
check "--comm" includes --comm fifteen-bytes-x comm fifteen-bytes-x
check "--exclude-comm" excludes --exclude-comm a comm a
check "--cgroup" includes --cgroup /select cgroup /sys/fs/cgroup/select
check "--cgroup, and below" includes --cgroup /sys/fs/cgroup/select/ cgroup /sys/fs/cgroup/select/below
check "--cgroup .." cgroup_from_within
check "--exclude-cgroup" excludes --exclude-cgroup /select cgroup /sys/fs/cgroup/select/below
check "--cgroup created again" cgroup_again
check "--exclude-cgroup created again" cgroup_excluded_again
check "--container-only" includes --container-only --uid=0 namespace
check "--host-only" excludes --host-only --uid=0 namespace
use_types "$more"
check "--path" paths
check "--path by links" link_to_path
check "--path on an overlay: the creator" on_overlay
check "--file --path" files_below
check "--address and --port" address_included
check "--exclude-address" address_excluded
check "several at once" combined
check "events that are excluded are each counted once" as_many_filtered
rmdir /sys/fs/cgroup/select/below /sys/fs/cgroup/select
