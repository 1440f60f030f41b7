# SPDX-License-Identifier: BSD-2-Clause
# --doctor says what a machine offers and what events lack, by its exit status too; --require makes a missing one fatal.
# takes: 40
# kernels: newest 5.10
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

# doctor STATUS OPTION...: the report is in report.out
doctor() {
    expected=$1
    shift
    timeout 300 EventsTrace --doctor "$@" >report.out 2>report.err
    got=$?
    [ "$got" = "$expected" ] && [ ! -s report.err ] || { cat report.err report.out; echo "status $got"; return 1; }
}

whole() {
    doctor 0 || return 1
    grep -q "^whole: " report.out && ! grep "^  [a-z-]*  *\(limited\|unavailable\)" report.out &&
        grep -q "^  kernel  *$(uname -r) x86_64$" report.out && grep -q "^  privileges  *CAP_BPF " report.out &&
        grep -q "^  backend  *bpf$" report.out && grep -q "^  trampolines  *offered$" report.out &&
        grep -q "^  kprobes  *offered$" report.out &&
        grep -q "^  process-exec  *whole$" report.out && ! grep "each system call" report.out
}
check "whole: every event, status 0" whole

limited() {
    doctor 1 --process-ptrace --process-exec \
        --disable-hook fexit__ptrace_attach,session__ptrace_attach,fexit__sys_ptrace || return 1
    grep -A 1 "^  process-ptrace  *limited" report.out | grep -q "(for want of fexit__ptrace_attach)" &&
        grep -q "^  tp_btf__sys_exit_ptrace  *called by tp_btf__sys_exit$" report.out &&
        grep -A 1 "^  disabled by the caller:$" report.out | grep -q "    fexit__ptrace_attach" &&
        grep -q "each system call of this machine takes" report.out || { cat report.out; return 1; }
}
check "limited: an event is made in another way, status 1" limited

only_dearer() {
    doctor 0 --process-setsid --disable-hook fexit__ksys_setsid,kprobe__proc_sid_connector,fentry__proc_sid_connector &&
        grep -q "^  process-setsid  *whole$" report.out &&
        grep -q "^  tp_btf__sys_exit_setsid  *called by tp_btf__sys_exit$" report.out &&
        grep -q "each system call of this machine takes some 180 instructions longer, .* 1,200 (on Linux 6.1;" \
            report.out || { cat report.out; return 1; }
}
check "whole: the other way has all, and costs more, status 0" only_dearer

load_module=tp_btf__module_load,kprobe__do_init_module # the only event that has no other way
missing() {
    doctor 2 --process-exec --process-load-module --disable-hook "$load_module" &&
        grep -A 1 "^  process-load-module  *unavailable" report.out |
        grep -q "tp_btf__module_load: disabled by the caller" || { cat report.out; return 1; }
}
check "some events are missing: status 2, with the reason" missing

# Each event has its own reason, and the programs are listed. module_load and sys_exit are the last resorts of the two.
none_left() {
    doctor 3 --process-setsid --process-load-module \
        --disable-hook fexit__ksys_setsid,kprobe__proc_sid_connector,fentry__proc_sid_connector \
        --disable-hook "tp_btf__sys_exit,$load_module" &&
        grep -A 1 "^  process-setsid  *unavailable" report.out | grep -q "fexit__ksys_setsid: disabled by the caller" &&
        grep -A 1 "^  process-load-module  *unavailable" report.out | grep -q "tp_btf__module_load: disabled by the" &&
        grep -A 9 "^  disabled by the caller:$" report.out | grep -q "    tp_btf__sys_exit$" &&
        ! grep "none was tried" report.out && grep -q "^nothing can be traced$" report.out ||
        { cat report.out; return 1; }
}
check "no event is left: each has its reason, the hooks are listed, status 3" none_left

none() {
    chmod 755 /opt/bin/EventsTrace
    su nobody -s /bin/sh -c "/opt/bin/EventsTrace --doctor --process-exec" >report.out 2>report.err
    [ $? = 3 ] && [ ! -s report.err ] &&
        grep -A 1 "^  privileges  *none$" report.out | grep -q "run as root, or with" &&
        grep -q "^  process-exec  *unknown$" report.out && grep -q "^  trampolines  *unknown$" report.out &&
        grep -q "^  none was tried: .*: no privilege; run as root" report.out ||
        { cat report.err report.out; return 1; }
    su nobody -s /bin/sh -c "/opt/bin/EventsTrace --doctor --json --process-exec" >report.out 2>report.err
    [ $? = 3 ] && grep -q '{"event":"process-exec","state":"unknown","reason":"cannot load BPF programs: no privilege' \
        report.out || { cat report.err report.out; return 1; }
}
check "without privilege: what can be known, status 3" none

# The doctor says what further capabilities are for. -c 38 is CAP_PERFMON, 39 CAP_BPF, 24 CAP_SYS_RESOURCE.
few_capabilities() {
    as-given -c 38 -c 39 -c 24 EventsTrace --doctor --process-exec >report.out 2>report.err
    got=$?
    [ $got = 0 ] && grep -A 1 "^  privileges  *CAP_BPF CAP_PERFMON CAP_SYS_RESOURCE$" report.out |
        grep -q "^  *add CAP_NET_ADMIN (.*) and CAP_SYS_ADMIN (" &&
        grep -A 1 "^  self_test  *not possible without CAP_SYS_ADMIN$" report.out | grep -q "^  *add CAP_SYS_ADMIN;" ||
        { cat report.err report.out; echo "status $got"; return 1; }
}
check "CAP_BPF and CAP_PERFMON only: what the other capabilities are for" few_capabilities

memlock() {
    sh -c 'ulimit -l 64; exec as-given -c 38 -c 39 EventsTrace --doctor --process-exec' >report.out 2>report.err
    got=$?
    remedy=$(grep -A 1 "^  memlock  *65536 bytes$" report.out | grep "ulimit -l unlimited, or add CAP_SYS_RESOURCE")
    case $(uname -r) in
    5.10.*) [ $got = 3 ] && [ "$remedy" ] && grep -q "none was tried: .*: RLIMIT_MEMLOCK is 65536 bytes" report.out ;;
    *) [ $got = 0 ] && [ ! "$remedy" ] && grep -q "^  memlock  *65536 bytes$" report.out ;;
    esac || { cat report.err report.out; echo "status $got"; return 1; }
}
check "too little locked memory, before 5.11" memlock

forced() {
    doctor 0 --attach trampoline || return 1
    doctor 1 --attach tracepoint && grep -q "^  trampolines  *not tried$" report.out &&
        grep -q "^  file-delete  *limited" report.out &&
        grep -q "each system call of this machine takes some 300 instructions longer, .* 2,300 (" report.out &&
        grep -q "^  another way to attach was asked for:$" report.out || { cat report.out; return 1; }
    EventsTrace --file-delete --attach tracepoint -- sh -c ': >forced; rm forced' >forced.out 2>forced.err
    grep -q '"FILE_DELETE".*"path":"/tmp/forced".*"path_from_caller":true' forced.out || { cat forced.err; return 1; }
}
check "one way to attach is asked for" forced

# The doctor finds out what the kernel refuses, and says what can be done.
trampolines_refused() {
    doctor_of_refused REFUSE_LOAD "Operation not permitted" && doctor_of_refused REFUSE_ATTACH "Operation not permitted"
}

doctor_of_refused() {
    env LD_PRELOAD=/opt/bin/refuse.so REFUSE_COUNTS=/tmp/counts "$1=1" EventsTrace --doctor --file-delete \
        >report.out 2>report.err
    got=$?
    [ $got -le 1 ] && grep -A 1 "^  trampolines  *refused: $2$" report.out |
        grep -q "let no policy, .*; the kernel needs CONFIG_FUNCTION_TRACER and CONFIG_DYNAMIC_FTRACE_WITH_DIRECT" ||
        { cat report.err report.out; echo "status $got"; return 1; }
}
check "trampolines are refused" trampolines_refused

without_kprobes() {
    doctor 0 --process-exec && grep -A 1 "^  kprobes  *not offered$" report.out |
        grep -q "a kernel with CONFIG_KPROBES and CONFIG_KPROBE_EVENTS shows more" || { cat report.out; return 1; }
}
mkdir -p empty && mount --bind empty /sys/devices/kprobe
check "there are no kprobes" without_kprobes
umount /sys/devices/kprobe

# Kprobes need no tracefs, which is where they are usually defined.
without_tracefs() {
    umount /sys/kernel/tracing /sys/kernel/debug
    doctor 0 --attach kprobe --file-delete && grep -q "^  kprobe__.* attached$" report.out &&
        grep -q "^  tracefs  *not mounted" report.out || { cat report.err report.out; return 1; }
    EventsTrace --file-delete --attach kprobe -- sh -c ': >kprobed; rm kprobed' >kprobed.out 2>kprobed.err
    grep -q '"FILE_DELETE".*"path":"/tmp/kprobed"' kprobed.out &&
        ! grep -q '"path_from_caller":true' kprobed.out || { cat kprobed.err kprobed.out; return 1; }
}
check "kprobes without tracefs and debugfs" without_tracefs
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing

json() {
    doctor 2 --json --process-exec --process-load-module --disable-hook "$load_module" || return 1
    grep -q '^{"host":\[{"name":"kernel","value":"' report.out &&
        grep -q '{"event":"process-exec","state":"whole","lacks":\[\]}' report.out &&
        grep -q '{"event":"process-load-module","state":"unavailable","reason":"tp_btf__module_load: d' report.out &&
        grep -q '{"program":"tp_btf__module_load","use":"refused","why":"disabled by the caller"}' report.out &&
        grep -q ',"status":2}$' report.out && [ "$(wc -l <report.out)" = 1 ] || { cat report.out; return 1; }
}
check "the report as JSON" json

required() {
    timeout 300 EventsTrace --process-exec --require process-load-module,process-exit --disable-hook "$load_module" \
        >required.out 2>required.err -- touch required-ran
    [ $? = 5 ] && [ ! -s required.out ] && [ ! -e required-ran ] &&
        grep -q "cannot trace process-load-module, which is required: tp_btf__module_load: disabled by the caller;" \
            required.err || { cat required.err; return 1; }
}
check "a required event is unavailable: nothing is traced, status 5" required

required_is_there() {
    EventsTrace --require process-exec -- true >required.out 2>required.err || { cat required.err; return 1; }
    [ "$(events PROCESS_EXEC required.out)" = 1 ]
}
check "a required event is traced" required_is_there
check "usage: there is no such event" refused 2 "there is no 'exec'" EventsTrace --require exec

# The kernel has bpf(), so the filter is the cause.
denied="bpf() is denied, probably by the seccomp filter of this process; allow bpf() in the profile of the container"
hidden="a seccomp filter hides bpf(), which the kernel has; allow bpf() in the profile of the container or sandbox"
check "a seccomp filter denies bpf(2)" refused 3 "cannot load BPF programs: $denied" deny-bpf EventsTrace --process-exec
check "a seccomp filter hides bpf(2)" refused 3 "cannot load BPF programs: $hidden" \
    deny-bpf --enosys EventsTrace --process-exec

# cannot_be_tried STATUS STATE TEXT COMMAND...: the doctor's status, the state of an event, and why no program was tried
cannot_be_tried() {
    expected=$1 state=$2 text=$3
    shift 3
    timeout 300 "$@" --doctor --process-exec >report.out 2>report.err
    got=$?
    [ $got = "$expected" ] && [ ! -s report.err ] && grep -q "^  process-exec  *$state$" report.out &&
        grep -qF "  none was tried: $text" report.out && grep -q "^nothing can be traced$" report.out ||
        { cat report.err report.out; echo "status $got"; return 1; }
}
check "the doctor, if a filter denies bpf(2)" \
    cannot_be_tried 3 unknown "cannot load BPF programs: $denied" deny-bpf EventsTrace
check "the doctor, if a filter hides bpf(2)" \
    cannot_be_tried 3 unknown "cannot load BPF programs: $hidden" deny-bpf --enosys EventsTrace

without_btf() {
    why="cannot read '/sys/kernel/btf/vmlinux': No such file or directory; kernel"
    cannot_be_tried 3 unavailable "$why" EventsTrace --backend bpf &&
        grep -A 1 "^  btf  *No such file or directory$" report.out | grep -q "a kernel with CONFIG_DEBUG_INFO_BTF" &&
        grep -A 1 "^  process-exec " report.out | grep -q "  $why" || { cat report.out; return 1; }
}
mkdir -p empty && mount --bind empty /sys/kernel/btf
check "the doctor, without BTF" without_btf
umount /sys/kernel/btf
