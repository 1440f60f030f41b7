# SPDX-License-Identifier: BSD-2-Clause
# preempt-files with the programs that have spares, which kernels without CONFIG_FPROBE use.
# kernels: newest
# vm: --smp 2 --file GPL/Events/Hooks.def
# shellcheck shell=sh
. /root/system/hook-columns
stand_ins=$(kprobes_and_sessions)
disabled=$(echo "$stand_ins" | paste -s -d ,)
. /root/system/preempt-files.sh
