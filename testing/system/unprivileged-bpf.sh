# SPDX-License-Identifier: BSD-2-Clause
# Where unprivileged processes may use bpf(2), they can make the kernel skip programs of kprobes; that is reported.
# kernels: newest
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
mkdir -p /tmp/bin
cd /tmp || exit 1
cp /bin/true bin/true
EXECS=100
setting=/proc/sys/kernel/unprivileged_bpf_disabled
before=$(cat $setting)

attacked() {
    echo 0 >$setting
    trace readers.out readers.err --process-exec || { cat readers.err; return 1; }
    /opt/bin/map-readers 20 4 $EXECS || return 1
    wait_for came end-of-readers readers.out && trace_stop || return 1
    came=$(grep -cF '"argv":"true marked"' readers.out)
    lost=$(grep STATS readers.err | sed -n 's/.*"PROCESS_EXEC":{[^}]*"recursion":\([0-9]*\).*/\1/p')
    echo "# $came of $EXECS came, ${lost:-0} are reported as lost" >&3
    [ $((came + ${lost:-0})) -ge $EXECS ]
}
exec 3>&1
check "execs beside 20 readers of maps come or are reported as lost" attacked
echo "$before" >$setting
