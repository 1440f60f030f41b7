# SPDX-License-Identifier: BSD-2-Clause
# No program is refused: another way to attach would replace it silently, at the cost of a second start.
# kernels: 5.10 6.1 newest
# also: 6.12
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

none_is_refused() {
    TRACE_WITH="env LD_PRELOAD=/opt/bin/refuse.so REFUSE_COUNTS=/tmp/counts"
    trace loads.out loads.err -u --all || return 1
    trace_stop || return 1
    read -r _ programs _ _ _ _ _ _ _ refused _ <counts
    echo "$refused of $programs are refused"
    [ "$programs" -gt 50 ] && [ "$refused" = 0 ]
}
check "no program is refused" none_is_refused

# libbpf loads a program that does nothing beside each program (Object/Load.c). If these were unloaded only at the end,
# the kernel's per-CPU memory would be left with holes, and each fork and exit would take longer.
empty_programs_are_unloaded() {
    read -r _ programs _ _ _ _ _ _ _ _ _ empty <counts
    echo "$empty of $programs programs do nothing and were loaded at the same time"
    [ "$programs" -gt 50 ] && [ "$empty" -ge 1 ] && [ "$empty" -le 2 ]
}
check "programs that do nothing are unloaded one by one" empty_programs_are_unloaded

# Whether the kernel preempts probes is detected without debugfs too: no more is loaded than with it.
loaded_by() {
    trace loaded.out loaded.err --process-fork --process-exec >&2 || return 1
    bpf-objects
    trace_stop >&2 && nothing_left >&2
}
debugfs_is_not_needed() {
    nothing_left || return 1
    with=$(loaded_by)
    umount /sys/kernel/debug || return 1
    without=$(loaded_by)
    mount -t debugfs debugfs /sys/kernel/debug
    [ -n "$with" ] && [ "$with" = "$without" ] || { echo "with: $with, without: $without"; return 1; }
}
check "without debugfs no more is loaded" debugfs_is_not_needed

# warns OPTION...: whether a start warns of unprivileged processes that may use bpf(2).
warns() {
    trace warns.out warns.err "$@" && trace_stop || return 2
    grep "any process can make the kernel skip probes" warns.err
}

# Only programs of kprobes are skipped for that, and only a kernel that preempts probes has these.
anybody_may_use_bpf() {
    setting=/proc/sys/kernel/unprivileged_bpf_disabled
    before=$(cat $setting)
    [ "$before" = 0 ] || ! warns --process-exec || return 1
    echo 0 >$setting || return 1
    warns --process-exec
    warned=$?
    echo "$before" >$setting
    case $(uname -r) in
    5.10.* | 6.1.* | 6.12.*) [ $warned = 1 ] ;;
    *) [ $warned = 0 ] ;;
    esac
}
check "a warning if unprivileged processes can make the kernel skip probes" anybody_may_use_bpf
