# SPDX-License-Identifier: BSD-2-Clause
# EventsTrace -- COMMAND: traces its tree from its first instruction, and nothing else; its status; its slow-down.
# takes: 50
# kernels: 6.1
# also: newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

COMMANDS=400
COMMAND='i=0; while [ $i -lt 400 ]; do /bin/true $i; echo >/tmp/cmd/$i; i=$((i + 1)); done; exit 7'

now_ms() {
    awk '{print int($1 * 1000)}' /proc/uptime
}

fresh() {
    rm -rf /tmp/cmd
    mkdir /tmp/cmd
}

# The number of events of a type equals the number of commands that match a pattern.
has() {
    count=$(grep -F "\"event_type\":\"$1\"" sel.out | grep -c "$2")
    [ "$count" = $COMMANDS ] || { echo "$count of $1"; return 1; }
}

# Both times beside a process that does this too and does not belong to the command.
command_whole() {
    sh -c 'while :; do /bin/true noise; echo >/tmp/noise; done' &
    noise=$!
    fresh
    begin=$(now_ms)
    sh -c "$COMMAND"
    alone=$(($(now_ms) - begin))
    fresh
    EventsTrace --process --file-create --file-modify -- \
        sh -c "cat /proc/uptime; ($COMMAND); status=\$?; cat /proc/uptime; exit \$status" >sel.out 2>sel.err
    status=$?
    kill $noise
    wait $noise
    [ $status = 7 ] || { echo "status $status: $(tail -n 1 sel.err)"; return 1; }
    ! grep -m 1 -F noise sel.out || return 1
    has PROCESS_EXEC '"args":\["/bin/true","[0-9]*"\]' && has PROCESS_EXIT '"exit_code":0.*"comm":"true"' &&
        has FILE_CREATE '"path":"/tmp/cmd/[0-9]*"' && has FILE_MODIFY '"path":"/tmp/cmd/[0-9]*"' || return 1
    traced=$(awk '/^[0-9.]+ [0-9.]+$/ {last = $1; first = first ? first : $1}
                  END {print int((last - first) * 1000)}' sel.err)
    echo "# slow-down of $COMMANDS commands and files: $alone ms alone, $traced ms traced," \
        "$(((traced - alone) * 100 / alone)) % more" >&3
    # the first event is its exec
    head -n 1 sel.out | grep -q '"event_type":"PROCESS_EXEC".*"args":\["sh","-c"'
}

command_ends() {
    EventsTrace --process-exec -- /no/such/command >sel.out 2>sel.err
    [ $? = 127 ] && grep -q "cannot run '/no/such/command'" sel.err || return 1
    EventsTrace --process-exec -- sh -c 'kill -9 $$' >sel.out 2>sel.err
    [ $? = 137 ] || return 1
    EventsTrace --process-exec -- sh -c 'trap "exit 3" TERM; echo trap-is-set; while :; do :; done' >sel.out 2>sel.err &
    pid=$!
    wait_for grep -q trap-is-set sel.err || return 1
    kill $pid
    wait $pid
    [ $? = 3 ] || return 1
    # its writes are no events
    EventsTrace --process-exec -- echo text-of-command >sel.out 2>sel.err
    [ $? = 0 ] && grep -q '^text-of-command' sel.err && ! grep '^text' sel.out
}

exec 3>&1
check "$COMMANDS commands and files of a command, and no others" command_whole
check "a command ends the tracing" command_ends
