# SPDX-License-Identifier: BSD-2-Clause
# Users flood a ring while its reader is stopped: the events of others are all reported (Core/Ring.h).
# kernels: 5.10 newest
# also: 6.1 6.12
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1
chmod 1777 /tmp

FLOOD=4000
ROUNDS=20

# about DIRECTORY: print the number of events about it and its contents.
about() {
    grep -F '"event_type":"FILE_' share.out | grep -cF -e "path\":\"/tmp/$1/" -e "path\":\"/tmp/$1\""
}

# Each of them has half of what the one before has left: 1 MiB is 512, 256 and 128 KiB.
flood() {
    select-actor /tmp/flood $FLOOD uid 65534 && select-actor /tmp/flood2 $FLOOD uid 65533 &&
        select-actor /tmp/others $ROUNDS uid 1001 && select-actor /tmp/roots $ROUNDS
}

others_are_reported() {
    trace share.out share.err -u --file-create --file-delete --file-rename --process-exec --ring-size 1M ||
        { cat share.err; return 1; }
    kill -STOP "$TRACE_PID"
    flood
    status=$?
    kill -CONT "$TRACE_PID"
    [ $status = 0 ] && wait_for came end-of-flood share.out || { trace_stop; return 1; }
    # the share of a user begins anew when the ring has been read
    select-actor /tmp/again $ROUNDS uid 65534 && wait_for came end-of-all share.out || { trace_stop; return 1; }
    trace_stop || return 1
    all=$((ROUNDS * 3 + 1))
    made=$((FLOOD * 3 + 1))
    echo "# floods: $(about flood) and $(about flood2) of $made; others: $(about others) and $(about roots) of $all" >&3
    [ "$(about others)$(about roots)$(about again)" = "$all$all$all" ] && [ "$(about flood2)" -gt 0 ] &&
        [ "$(about flood)" -lt $made ] && grep -q '"ring_full":' share.err
}

# In the ring of execs: a flood that any user can make, then execs of another user and of root.
execs_are_reported() {
    trace share.out share.err -u --process-memfd-create --process-exec --ring-size 512K || { cat share.err; return 1; }
    kill -STOP "$TRACE_PID"
    su nobody -s /bin/sh -c "/opt/bin/flood memfd $FLOOD" && execute_as 1001 && execute_as 0
    status=$?
    kill -CONT "$TRACE_PID"
    [ $status = 0 ] && wait_for came end-of-flood share.out || { trace_stop; return 1; }
    trace_stop || return 1
    of_nobody=$(events PROCESS_MEMFD_CREATE share.out)
    others=$(grep -cF '"args":["true","/tmp/exec-1001"]' share.out)
    roots=$(grep -cF '"args":["true","/tmp/exec-0"]' share.out)
    echo "# flood: $of_nobody of $FLOOD; execs of others: $others and $roots of $ROUNDS" >&3
    [ "$others$roots" = "$ROUNDS$ROUNDS" ] && [ "$of_nobody" -lt $FLOOD ]
}

# execute_as UID: execute programs as that user
execute_as() {
    i=0
    while [ $i -lt $ROUNDS ]; do
        select-actor "/tmp/exec-$1" 1 uid "$1" || return 1
        rm -rf "/tmp/exec-$1"
        i=$((i + 1))
    done
}

exec 3>&1
check "floods of two users beside a stopped reader hide no events of others" others_are_reported
check "a flood by nobody hides no execs of others" execs_are_reported
