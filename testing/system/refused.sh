# SPDX-License-Identifier: BSD-2-Clause
# The kernel refuses kinds of programs, or one program: the rest works, one line for each cause names what is missing,
# and finding that out takes hardly more than a good start, in loaded programs and created maps.
# takes: 60
# kernels: 6.1
# also: 5.10 newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

# start_with VARIABLE=VALUE OPTION...: starts and ends it; sets PROGRAMS and MAPS.
start_with() {
    variable=$1
    shift
    : >refused.out
    rm -f counts
    env LD_PRELOAD=/opt/bin/refuse.so REFUSE_COUNTS=/tmp/counts "$variable" EventsTrace -i -u "$@" \
        >>refused.out 2>refused.err &
    TRACE_PID=$!
    began refused.out $TRACE_PID || { cat refused.err; return 1; }
    sh -c 'exit 3'
    wait_for grep -q '"PROCESS_EXIT".*"exit_code":3' refused.out || { trace_stop; return 1; }
    trace_stop || return 1
    read -r _ PROGRAMS _ MAPS _ <counts
    echo "# $variable: $PROGRAMS programs and $MAPS maps" >&3
}

good() {
    start_with NOTHING= --all && cp counts good || return 1
    ! grep "unavailable\|limited" refused.err
}

# At most twice the programs of a good start and four times its maps, and a few.
cheap() {
    read -r _ programs _ maps _ <good
    [ "$PROGRAMS" -le $((programs * 2 + 10)) ] && [ "$MAPS" -le $((maps * 4 + 10)) ] ||
        { echo "$PROGRAMS programs, $MAPS maps; a good start has $programs and $maps"; return 1; }
}

# kinds VARIABLE: one line names all events that need programs of these kinds.
kinds() {
    start_with "$1=1" --all || return 1
    grep -q '"bpf_tramp": false' refused.out || { echo "there are trampolines"; return 1; }
    [ "$(grep -c "the kernel refuses.*Operation not permitted" refused.err)" = 1 ] || { cat refused.err; return 1; }
    grep "; limited: tracing (every system call takes longer), .*file-delete (.*net-conn-closed (" refused.err |
        grep "process-setuid ([^()]*calls that change no id" |
        grep -q "process-exit (a process exits before its files" || { cat refused.err; return 1; }
    cheap
}

# Also if the program that is refused first is for an event that is left, and if kinds are found out in two steps: on
# 7.2 changes of ids have an LSM program if sessions are refused.
kinds_of_few_events() {
    start_with REFUSE_LOAD=1 --process-exec --process-exit --process-setuid || return 1
    [ "$(grep -c "warning: " refused.err)" = 1 ] &&
        grep "; limited: tracing (.*process-exec (.*process-exit (.*process-setuid (" refused.err ||
        { cat refused.err; return 1; }
}

one() {
    start_with REFUSE_NAME=fexit__inet_csk_listen_start --all || return 1
    grep "warning: fexit__inet_csk_listen_start: the kernel refuses to load it: Op" refused.err |
        grep -q "; limited: tracing (every system call takes longer)" &&
        [ "$(grep -c "unavailable\|limited" refused.err)" = 1 ] || { cat refused.err; return 1; }
    cheap
}

# An optional program of two events, which one line names.
optional() {
    start_with REFUSE_NAME=fentry__bprm_change_interp --process-exec --process-exit --process-setuid || return 1
    [ "$(grep -c "warning: " refused.err)" = 1 ] &&
        grep -q "; limited: process-exec ([^()]*), process-setuid ([^()]*)$" refused.err ||
        { cat refused.err; return 1; }
}

# Programs that the caller leaves out, by another way to attach, have one cause. 5.10 refuses some besides.
left_out() {
    start_with NOTHING= --all --attach tracepoint || return 1
    [ "$(grep "warning: " refused.err | grep -vc ", before 5.1[78])$")" = 1 ] &&
        grep "warning: another way to attach was asked for; limited: tracing (.*process-setuid (" refused.err |
        grep -q "file-delete (.*process-chroot ([^()]*)$" || { cat refused.err; return 1; }
}

# The kernel does not report how often it has skipped a program: that is reported once, and the rest works.
skips() {
    start_with REFUSE_INFO=1 --process-exit --process-setsid --stats || return 1
    warning="the kernel does not report how often it skips the probes: Operation not permitted"
    [ "$(grep -c "$warning; 'recursion' may be too low" refused.err)" = 1 ] || { cat refused.err; return 1; }
}

exec 3>&1
check "nothing is refused" good
check "fentry, fexit and lsm are not loaded" kinds REFUSE_LOAD
check "fentry, fexit and lsm are not attached" kinds REFUSE_ATTACH
check "fentry, fexit and lsm are not loaded, and few events are selected" kinds_of_few_events
check "one program is not loaded" one
check "one optional program is not loaded" optional
check "another way to attach" left_out
check "the number of skipped runs is not available" skips
