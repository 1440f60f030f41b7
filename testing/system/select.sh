# SPDX-License-Identifier: BSD-2-Clause
# The selection: of each kind, what matches is all there, nothing else is, and what is left out is counted.
# kernels: 5.10 6.1 6.12 newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

ROUNDS=50
FILE_EVENTS=$((ROUNDS * 4 + 1)) # and the directory
selected="--file-create --file-delete --file-rename --file-modify --process-exec"

# A number of the last STATS record: stat TYPE KEY
stat() {
    tail -n 1 sel.err | sed -n "s/.*\"$1\":{\([^}]*\)}.*/\1/p" | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"
}

# The counts of each type add up, something is filtered, and nothing is lost but what the kernel has skipped.
adds_up() {
    for type in FILE_CREATE FILE_DELETE FILE_RENAME FILE_MODIFY; do
        seen=$(stat $type seen)
        filtered=$(stat $type filtered)
        known=$(($(stat $type delivered) + filtered + $(stat $type recursion || echo 0) + 0))
        [ "$seen" = "$known" ] && [ "$filtered" -gt 0 ] || { echo "$type: $(tail -n 1 sel.err)"; return 1; }
    done
}

# How many file events are about a directory and what is in it.
about() {
    grep '"event_type":"FILE_' sel.out | grep -c "path\":\"/tmp/$1[/\"]"
}

# All of one actor's events are there, none of another's.
holds() {
    [ "$(about "$1")" = $FILE_EVENTS ] || { echo "$(about "$1") of $FILE_EVENTS file events about $1"; return 1; }
    [ "$(about "$2")" = 0 ] || { echo "$(about "$2") file events about $2"; return 1; }
    adds_up
}

# What executions there are of what an actor executes.
executions() {
    grep '"event_type":"PROCESS_EXEC"' sel.out | grep -c "\"args\":\[\"true\",\"/tmp/$1\"\]"
}

begin() {
    rm -rf /tmp/in /tmp/in2 /tmp/out
    # shellcheck disable=SC2086 # options
    trace sel.out sel.err -u $selected "$@" || { cat sel.err; return 1; }
}

# includes OPTION VALUE WHO...: what who has become that does; a second one, who has not, does not.
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

# A shell from before the tracer waits for a line, then acts, as do its children and one whose parents have gone.
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

paths() {
    begin --process-exit --path /tmp/in --path /tmp/nothing --exclude-path /tmp/in/file7 || return 1
    select-actor /tmp/in $ROUNDS && select-actor /tmp/out $ROUNDS && select-actor /tmp/inside 3 ||
        { trace_stop; return 1; }
    trace_stop || return 1
    rm -rf /tmp/inside
    # of file7 its creation and its change are left out; its rename has another path, that is wanted
    [ "$(about in)" = $((FILE_EVENTS - 2)) ] || { echo "$(about in) events"; return 1; }
    # paths are of file events only
    [ "$(grep -c '"event_type":"PROCESS_EXIT".*"comm":"select-actor"' sel.out)" = 3 ] || { echo "no exits"; return 1; }
    [ "$(about out)$(about inside)" = 00 ] && adds_up
}

# All conditions have to be met, one of each kind.
combined() {
    begin --comm one --comm two --uid 1001 --exclude-path /tmp/out || return 1
    select-actor /tmp/in $ROUNDS comm two uid 1001 && select-actor /tmp/out $ROUNDS comm one uid 1001 &&
        select-actor /tmp/other 3 comm one && select-actor /tmp/other2 3 uid 1001 || { trace_stop; return 1; }
    trace_stop || return 1
    rm -rf /tmp/other /tmp/other2
    holds in out && [ "$(about other)$(about other2)" = 00 ]
}

mkdir -p /sys/fs/cgroup/select/below
chmod 1777 /tmp
check "--pid" process_included
check "--tree" tree_included
check "--exclude-tree" tree_excluded
check "--uid" includes --uid 1001 uid 1001
check "--exclude-uid" excludes --exclude-uid 1001 uid 1001
check "--comm" includes --comm fifteen-bytes-x comm fifteen-bytes-x
check "--exclude-comm" excludes --exclude-comm a comm a
check "--cgroup" includes --cgroup /select cgroup /sys/fs/cgroup/select
check "--cgroup, and below" includes --cgroup /sys/fs/cgroup/select/ cgroup /sys/fs/cgroup/select/below
check "--exclude-cgroup" excludes --exclude-cgroup /select cgroup /sys/fs/cgroup/select/below
check "--container-only" includes --container-only --uid=0 namespace
check "--host-only" excludes --host-only --uid=0 namespace
check "--path" paths
check "several at once" combined
rmdir /sys/fs/cgroup/select/below /sys/fs/cgroup/select
