# SPDX-License-Identifier: BSD-2-Clause
# The same as preempt-files by the programs that have spares, which kernels without CONFIG_FPROBE use.
# kernels: newest
# vm: --smp 2 --file GPL/Events/Hooks.def
# shellcheck shell=sh
stand_ins=$(sed -n 's/^HOOK_\(KPROBE\|SESSION\)([a-z0-9_]*, *\([a-z0-9_]*\))/\2/p' /root/Hooks.def | sort -u)
disabled=$(echo "$stand_ins" | paste -s -d ,)
. /root/system/preempt-files.sh
