# SPDX-License-Identifier: BSD-2-Clause
# The command line: each error is one line with cause and remedy, and has its own status; signals; failing output.
# takes: 70
# kernels: 5.10
# also: 6.1 newest
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

check "usage: unknown option" refused 2 "nonsense.*--help" EventsTrace --nonsense
check "usage: unknown letter" refused 2 "'-x'.*--help" EventsTrace -x
check "usage: ambiguous option" refused 2 "ambiguous" EventsTrace --process-se

EventsTrace --help >help.out
check "usage: the message names the option, not the argument before it" refused 2 "'--bogus'" EventsTrace foo --bogus
check "usage: the message names the letter, not the letter before it" refused 2 "'-x'" EventsTrace --disable-hook=a -ax
check "usage: unexpected value" refused 2 "'--process-exec=3'" EventsTrace --process-exec=3
check "usage: a newline makes no second line" refused 2 '--a\\x0ab\\x1b' EventsTrace "$(printf -- '--a\nb\033')"
check "usage: nor does one in a value" refused 2 'a\\x0ab' EventsTrace --process-exec --disable-hook "$(printf 'a\nb')"
check "usage: no command" refused 2 "'--' requires a command" EventsTrace --process-exec --
check "usage: a user that does not exist" \
    refused 2 "'--uid' requires the name or.*no 'no-such-user'" EventsTrace --uid no-such-user
check "usage: a relative path" refused 2 "'etc': a path begins with /" EventsTrace --process-exec --path etc
waits_for_cgroup() {
    trace cgroup.out cgroup.err --process-setsid --cgroup /none || return 1
    trace_stop && grep -q "there is no cgroup '/none' yet" cgroup.err
}
check "a cgroup that does not exist yet: a warning" waits_for_cgroup
check "usage: a name that is too long" refused 2 "1 to 15 bytes" EventsTrace --process-exec --comm sixteen-bytes-xx
check "usage: stray argument" refused 2 "stray" EventsTrace --process-exec stray
check "usage: missing value" refused 2 "requires a value" EventsTrace --disable-hook
check "usage: unknown hook" \
    refused 2 "no_such.*none of that name; HOOKS.md" EventsTrace --process-exec --disable-hook no_such

chmod 755 /opt/bin/EventsTrace
resource=""
case $(uname -r) in 5.10.*) resource=", and CAP_SYS_RESOURCE before Linux 5.11" ;; esac
check "no privilege" refused 3 "no privilege; run as root, or with CAP_BPF and CAP_PERFMON$resource\$" \
    su nobody -s /bin/sh -c "/opt/bin/EventsTrace --process-exec"

# With the capabilities that README names, and no others: -c 38 is CAP_PERFMON, 39 CAP_BPF, 24 CAP_SYS_RESOURCE.
few_capabilities() {
    TRACE_WITH="as-given -c 38 -c 39 ${resource:+-c 24}"
    trace caps.out caps.err -u --all || { cat caps.err; trace_stop; return 1; }
    setsid true
    echo >caps-file
    wait_for grep -q PROCESS_SETSID caps.out && wait_for grep -q '"FILE_CREATE".*/caps-file"' caps.out ||
        { trace_stop; echo "not seen: $(cut -c 1-40 caps.out | tail -n 3)"; return 1; }
    trace_stop && ! grep "unavailable\|limited" caps.err
}
check "CAP_BPF and CAP_PERFMON${resource} are enough" few_capabilities
check "CAP_BPF alone is not enough" \
    refused 3 "no privilege; run as root, or with CAP_BPF and CAP_PERFMON" as-given -c 39 EventsTrace --process-exec
[ -z "$resource" ] || check "without CAP_SYS_RESOURCE: it is asked for" \
    refused 3 "RLIMIT_MEMLOCK is [0-9]* bytes.*; raise it (ulimit -l unlimited), or add CAP_SYS_RESOURCE$" \
    as-given -c 38 -c 39 EventsTrace --all

mkdir -p empty && mount --bind empty /sys/kernel/btf
check "no BTF" refused 4 "CONFIG_DEBUG_INFO_BTF" EventsTrace --backend bpf --process-exec
umount /sys/kernel/btf
check "unknown number of CPUs" refused 1 \
    "cannot determine the number of CPUs: No such file or directory; is /sys mounted?" \
    unshare -m sh -c 'mount --bind empty /sys/devices/system/cpu; exec EventsTrace --process-exec'

# An exec that changes ids is reported even if executions are not selected.
six_by_exec() {
    [ "$(grep -c '"by_exec":true' ids.out)" = 6 ]
}
setuid_alone() {
    trace ids.out ids.err -u --process-setuid || return 1
    case-exec-ids >ids.facts 2>&1 || { cat ids.facts; trace_stop; return 1; }
    wait_for six_by_exec
    trace_stop || return 1
    echo "by exec: $(grep -c '"by_exec":true' ids.out); others: $(grep '"seq"' ids.out | grep -vc PROCESS_SETUID)"
    six_by_exec && ! grep '"seq"' ids.out | grep -qv PROCESS_SETUID
}
check "--process-setuid alone reports set-user-ID programs" setuid_alone

no_hook() {
    in_time EventsTrace --process-setsid \
        --disable-hook fexit__ksys_setsid,kprobe__proc_sid_connector,fentry__proc_sid_connector,tp_btf__sys_exit \
        >refused.out 2>refused.err </dev/null
    got=$?
    cat refused.err
    [ "$got" = 5 ] && [ ! -s refused.out ] && grep -q "fexit__ksys_setsid: .*; unavailable: process-setsid$" refused.err
}
check "no hook for any event" no_hook

# Both names count, however they are given.
two_hooks() {
    in_time EventsTrace --process-setsid --process-shmget \
        --disable-hook fexit__ksys_setsid,kprobe__proc_sid_connector,fentry__proc_sid_connector,tp_btf__sys_exit \
        --disable-hook fexit__ipcget,session__ipcget >refused.out 2>refused.err </dev/null
    got=$?
    cat refused.err
    [ "$got" = 5 ] && grep -q "; unavailable: process-setsid$" refused.err &&
        grep -q "; unavailable: process-shmget$" refused.err
}
check "a second --disable-hook adds to the first" two_hooks

# A shortage of descriptors is not blamed on the kernel.
few_files() {
    for limit in 8 15 30; do
        refused 1 "open files.*ulimit" sh -c "ulimit -n $limit; exec EventsTrace --process-exec" || return 1
    done
}
check "too few file descriptors" few_files

# Both rings have the requested size, or 4 MiB; a size for which there is no memory is refused, with a remedy.
ring_sizes() {
    for expected in 4096:4K 65536:65536 4194304:; do
        size=${expected#*:}
        trace ring.out ring.err -u --process-setsid ${size:+--ring-size "$size"} || return 1
        got=$(cat "/proc/$TRACE_PID/fdinfo/"* |
            awk '/^map_type:/ { ring = $2 == 27 } /^max_entries:/ && ring { print $2 }')
        trace_stop || return 1
        [ "$got" = "$(printf '%s\n%s' "${expected%:*}" "${expected%:*}")" ] || { echo "rings of $got"; return 1; }
    done
    refused 1 "smaller rings" EventsTrace --process-setsid --ring-size 1024M
}
check "--ring-size" ring_sizes

check "usage: coalesce requires a number" refused 2 "coalesce.*from 1 to 60000, not '0'" EventsTrace --coalesce 0
check "usage: exclude-pid requires a number" refused 2 "exclude-pid.*not '12x'" EventsTrace --exclude-pid 12x

# The actions of an excluded process are no events, and counted; those of others are events.
excluded() {
    mkfifo go
    sh -c 'read -r line <go; echo text >excluded-file' &
    pid=$!
    trace ex.out ex.err -u --file-create --exclude-pid $pid || return 1
    echo >go
    wait $pid
    echo text >other-file
    wait_for grep -q /other-file ex.out || return 1
    trace_stop || return 1
    ! grep /excluded-file ex.out || return 1
    grep '"FILE_CREATE":{"seen":[0-9]*,"delivered":[0-9]*,"filtered":1,"lost":{}}' ex.err
}
check "an excluded process makes no event" excluded

check "version" sh -c "EventsTrace --version | grep -q '^EventsTrace [0-9]'"
check "schema" sh -c "EventsTrace --schema | grep -q PROCESS_EXEC"

for option in --help --version --schema; do
    check "$option to a full disk" refused 6 "cannot write to standard output: No space left" \
        sh -c "EventsTrace $option >/dev/full"
done

abbreviation() {
    trace short.out short.err -u --process-mem || return 1
    flood memfd 1 >/dev/null
    wait_for grep -q PROCESS_MEMFD_CREATE short.out || return 1
    trace_stop
}
check "an option may be shortened" abbreviation

# Statistics come during the run, as complete records; libbpf's log is on standard error.
stats_and_log() {
    trace sv.out sv.err -u -s -v --process-exec || return 1
    /bin/true
    wait_for sh -c '[ "$(grep -c "^{\"event_type\":\"STATS\".*}$" sv.err)" -ge 2 ]' || { echo "no STATS"; return 1; }
    kill -0 "$TRACE_PID" && trace_stop || return 1
    grep -q "^libbpf: " sv.err || { echo "no log of libbpf's"; return 1; }
    ! grep -v '^{' sv.out
}
check "-s writes statistics, -v libbpf's log" stats_and_log

# Process ids are those of the initial namespace, so they are refused elsewhere, and not mistaken for others.
in_pid_namespace() {
    unshare -pf --mount-proc EventsTrace --process-exec "$@" >ns.out 2>ns.err
    [ $? = 4 ] && [ ! -s ns.out ] && grep -q "^EventsTrace: cannot select by process in a pid namespace" ns.err
}
check "a command in a pid namespace is refused" in_pid_namespace -- true
check "--pid in a pid namespace is refused" in_pid_namespace --pid 1
check "--exclude-tree in a pid namespace is refused" in_pid_namespace --exclude-tree 1

# So are paths of cgroups, if they begin below the root.
mkdir /sys/fs/cgroup/part
in_cgroup_namespace() {
    in-cgroup /sys/fs/cgroup/part EventsTrace --process-exec --cgroup / >ns.out 2>ns.err
    [ $? = 4 ] && [ ! -s ns.out ] && grep -q "^EventsTrace: cannot select by cgroup in a cgroup namespace" ns.err
}
check "--cgroup in a cgroup namespace is refused" in_cgroup_namespace
for path in /tmp . .. /.. /part/../.. /part/cgroup.procs "/sys/fs/cgroup/pa*" /proc/self; do
    check "--cgroup $path is refused" refused 2 "cannot select by '" EventsTrace --process-exec --cgroup "$path"
done
rmdir /sys/fs/cgroup/part

# warns PATTERN OPTION...: it runs, and prints one warning.
warns() {
    pattern=$1
    shift
    trace warn.out warn.err "$@" || return 1
    trace_stop && [ "$(grep -c "warning: $pattern" warn.err)" = 1 ] || { cat warn.err; return 1; }
}
check "a tree without a process: a warning" warns "there is no process 4194303" --process-setsid --tree 4194303
check "neither containers nor host: a warning" \
    warns "containers and the host are both left out" --process-setsid --host-only --container-only
check "included and excluded: a warning" warns "'1' is included, and excluded" --process-setsid --pid 1 --exclude-pid 1
check "a path without a file event: a warning" \
    warns "a condition about paths leaves out nothing" --process-setsid --path /etc

without_proc() {
    unshare -m sh -c 'umount -l /proc; exec "$@"' sh EventsTrace --process-exec -- true >np.out 2>np.err
    grep -q "warning: cannot read /proc: of a tree" np.err || { cat np.err; return 1; }
}
check "a tree without /proc: a warning" without_proc

no_event() {
    trace none.out none.err || return 1
    sleep 0.3 # that it does not end by itself, and writes nothing more, only time can show
    trace_stop && [ "$(wc -l <none.out)" = 1 ] && grep -q "warning: no event is selected" none.err
}
check "no event selected: starts, prints the features, waits" no_event

ends_on() {
    trace sig.out sig.err -u --process-exec || return 1
    /bin/true
    wait_for grep -q '"argv":"/bin/true"' sig.out || { echo "event not seen"; return 1; }
    trace_stop "$1" || return 1
    [ "$(tail -c 1 sig.out | od -An -c | tr -d ' ')" = '\n' ] && tail -n 1 sig.err | grep -q '"event_type":"STATS"'
}
TRACE_WITH=as-given # a shell makes its background processes ignore SIGINT
for signal in TERM HUP INT; do
    check "ends on SIG$signal: last line complete, final counts" ends_on $signal
done
TRACE_WITH=

# Without -u a line is still written within a second.
leaves_in_time() {
    trace slow.out slow.err --process-exec || return 1
    for attempt in 1 2 3; do # the guest may be late
        /bin/true $attempt
        within 10 grep -q "\"argv\":\"/bin/true $attempt\"" slow.out && break
    done
    seen=$?
    trace_stop || return 1
    return $seen
}
check "a line is written within a second of its event" leaves_in_time

closed_pipe() {
    mkfifo -m 600 fifo 2>/dev/null
    head -n 1 <fifo >pipe.out &
    EventsTrace -i -u --process-exec >fifo 2>pipe.err &
    pid=$!
    began pipe.out $pid || return 1
    /bin/true
    has_ended $pid || { kill "$pid"; echo "still running"; return 1; }
    wait "$pid" || { echo "status $?"; return 1; }
    ! grep -qi "pipe\|cannot" pipe.err
}
check "a closed pipe ends it quietly" closed_pipe

# A full disk: it keeps running, counts, resumes when there is room, and leaves no half line.
full_disk() {
    mkdir -p small && mount -t tmpfs -o size=64k small small || return 1
    trace small/out full.err -u --process-exec || return 1
    i=0
    while [ $i -lt 400 ]; do /bin/true; i=$((i + 1)); done
    dd if=small/out of=before bs=64k count=1 2>/dev/null
    kill -0 "$TRACE_PID" || { echo "died"; return 1; }
    mount -o remount,size=8m small
    wait_for came after small/out || { echo "did not go on"; trace_stop; return 1; }
    trace_stop || { echo "status $?"; return 1; }
    grep -q '"argv":"/bin/true after"' small/out || { echo "an event of another program"; return 1; }
    broken=$(grep -vc '^{.*}$' small/out)
    umount small
    [ "$broken" = 0 ] || { echo "$broken broken lines"; return 1; }
}
check "a full disk is survived" full_disk

# Its own actions are no events: on an idle machine the output does not grow.
idle() {
    trace idle.out idle.err -a -u || return 1
    grown=$(growth idle.out 4)
    trace_stop || return 1
    [ "$grown" = 0 ] || { echo "$grown bytes"; tail -n 2 idle.out; return 1; }
    [ "$(events PROCESS_EXEC idle.out)" -gt 0 ] || { echo "nothing was seen"; return 1; }
    ! grep "\"tgid\":$TRACE_PID," idle.out
}
check "its own actions are no events" idle
