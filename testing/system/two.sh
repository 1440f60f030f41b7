# SPDX-License-Identifier: BSD-2-Clause
# Two instances that write to files: neither reports the other one's actions, however they begin and end.
# takes: 60
# kernels: 6.1
# also: 5.10 newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

# What an instance does is to write to a file. To load the other programs of FILE_MODIFY takes five times as long.
but_writes=fexit__vfs_writev,fexit__do_splice,fexit__do_splice_direct,fexit__vfs_copy_file_range
but_writes=$but_writes,fexit__vfs_clone_file_range,fexit__vfs_fallocate,fexit__do_truncate,fexit__vfs_truncate
but_writes=$but_writes,fexit__vm_mmap_pgoff,fexit__mprotect_fixup,fexit__chmod_common,fexit__chown_common
but_writes=$but_writes,fexit__vfs_utimes,fexit__vfs_setxattr,fexit__vfs_removexattr,fexit__vfs_set_acl
but_writes=$but_writes,fexit__vfs_remove_acl,fexit__vfs_fileattr_set,fexit__sys_ioctl
but_writes=$but_writes,fexit__compat_sys_ioctl,fexit__aio_write,fentry__kiocb_done,fentry__io_rw_fail
writes="--file-modify --disable-hook $but_writes"

# begin NAME OPTION...: start an instance; sets PID_NAME.
begin() {
    name=$1
    shift
    # shellcheck disable=SC2086 # options
    trace "$name.out" "$name.err" -u $writes --process-exec "$@" || { cat "$name.err"; return 1; }
    eval "PID_$name=\$TRACE_PID"
}

end() {
    eval "TRACE_PID=\$PID_$1"
    trace_stop
}

# of PID NAME: print the number of events of a process.
of() {
    grep -cF "\"tgid\":$1," "$2.out"
}

# Each of the two has found the other.
know_each_other() {
    grep -q "process $PID_b traces as well" a.err && grep -q "process $PID_a traces as well" b.err
}

# Both have written all events up to now.
have_written() {
    for name in a b; do
        wait_for grep -q "\"argv\":\"/bin/true $1\"" $name.out || { echo "$name is blind"; return 1; }
    done
}

# Each reports what other processes do, and, once it has found the other instance, nothing of that one.
quiet() {
    wait_for know_each_other || { cat a.err b.err; return 1; }
    /bin/true zero
    have_written zero || return 1
    before=$(($(of "$PID_a" b) + $(of "$PID_b" a)))
    for word in one two three; do
        /bin/true $word
        echo $word >of-shell
    done
    have_written three || return 1
    grown=$(growth a.out 2)
    after=$(($(of "$PID_a" b) + $(of "$PID_b" a)))
    [ "$grown" = 0 ] && [ "$before" = "$after" ] ||
        { echo "$grown bytes in 2 s; $before events, then $after"; return 1; }
}

adds_up() {
    line=$(tail -n 1 "$1.err" | sed -n 's/.*"FILE_MODIFY":{\([^}]*\)}.*/\1/p')
    seen=$(echo "$line" | sed -n 's/.*"seen":\([0-9]*\).*/\1/p')
    delivered=$(echo "$line" | sed -n 's/.*"delivered":\([0-9]*\).*/\1/p')
    filtered=$(echo "$line" | sed -n 's/.*"filtered":\([0-9]*\).*/\1/p')
    [ "$filtered" -gt 0 ] && [ "$seen" = $((delivered + filtered)) ] || { echo "$1: $line"; return 1; }
}

two() {
    begin a && begin b && quiet || return 1
    end a && end b && adds_up a && adds_up b
}

# One that was killed is still registered; later instances still find each other.
killed() {
    begin a && begin b || return 1
    kill -9 "$PID_b"
    begin b && quiet && end b && end a
}

# A third one finds both, and they find it.
three() {
    begin a && begin c && begin b && quiet || return 1
    grep -q "process $PID_c traces as well" a.err && grep -q "process $PID_b traces as well" c.err &&
        grep -q "process $PID_c traces as well" b.err || { cat a.err b.err c.err; return 1; }
    end c && end b && end a
}

at_once() {
    : >a.out
    : >b.out
    # shellcheck disable=SC2086 # options
    EventsTrace -i -u $writes --process-exec >>a.out 2>a.err &
    PID_a=$!
    # shellcheck disable=SC2086 # options
    EventsTrace -i -u $writes --process-exec >>b.out 2>b.err &
    PID_b=$!
    began a.out $PID_a && began b.out $PID_b || return 1
    quiet && end a && end b
}

# The kernel skips programs of kprobes on a processor where somebody reads an element of a map by a call, and the call
# can be preempted. So no element is read while events are sourced.
#
# A map of programs stays for ever if it is opened while it is torn down (Instances.h). So an instance that begins and
# ends opens no map by its id except those of instances: the other's and its own, at the beginning and at the end.
opens_no_other_map() {
    begin a || return 1
    rm -f counts
    # processes that `begin` starts have these
    export LD_PRELOAD=/opt/bin/refuse.so REFUSE_COUNTS=/tmp/counts
    begin b
    status=$?
    unset LD_PRELOAD REFUSE_COUNTS
    [ $status = 0 ] && grep -q "process $PID_a traces as well" b.err && end b && end a || return 1
    read -r _ _ _ _ _ opened _ elements _ <counts
    [ "$opened" = 4 ] || { echo "$opened maps opened by their number"; return 1; }
    [ "$elements" = 0 ] || { echo "$elements elements read"; return 1; }
}

check "only maps of instances are opened by their id, and no element is read" opens_no_other_map
check "two instances" two
check "one that was killed" killed
check "a third one" three
check "two that begin at once" at_once
check "nothing is left" nothing_left
