# SPDX-License-Identifier: BSD-2-Clause
# A kernel that has neither BPF nor BTF: the tool says so in one line, with the remedy, and leaves nothing behind.
# cached: 5.10-nobpf
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1
cat /proc/mounts >mounts.before

# What the kernel must lack and have, or the other checks show nothing.
is_without_bpf() {
    grep -qw bpf_prog_load /proc/kallsyms && return 1
    [ ! -e /sys/kernel/btf ] && mount -t tracefs nodev /mnt && [ -e /mnt/kprobe_events ] &&
        [ -e /mnt/events/raw_syscalls ] && umount /mnt
}
check "the kernel has no BPF and no BTF, but kprobes and tracepoints" is_without_bpf

check "it is refused in one line, status 4" refused 4 "needs CONFIG_DEBUG_INFO_BTF" EventsTrace --process-exec

doctor_without_bpf() {
    timeout 300 EventsTrace --doctor >report.out 2>report.err
    [ $? = 3 ] && [ ! -s report.err ] && grep -q "^nothing can be traced" report.out &&
        grep -q "^  process-exec  *unavailable$" report.out && ! grep -q "^  [a-z-]*  *whole$" report.out ||
        { cat report.err report.out; return 1; }
}
check "the doctor: nothing can be traced, status 3" doctor_without_bpf

nothing_is_left() {
    cmp /proc/mounts mounts.before && no_splat
}
check "nothing is mounted afterwards, and the kernel's log is clean" nothing_is_left
