# SPDX-License-Identifier: BSD-2-Clause
# Each program is refused in turn: the missing one is named, all other events still come.
# kernels: 6.1
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

# program, then the event that it takes away ("" when another way or nothing essential replaces it)
partial() {
    program=$1
    loses=$2
    trace part.out part.err -u -a --disable-hook "$program" || { cat part.err; return 1; }
    sh -c 'exit 3'
    setsid true
    /opt/bin/flood memfd 1 >/dev/null
    wait_for 50 grep -q '"comm":"flood"' part.out
    sleep 0.3
    trace_stop || return 1
    grep -q "$program" part.err || { echo "not named: $(cat part.err)"; return 1; }
    for event in fork exec exit setsid memfd-create; do
        type=PROCESS_$(echo $event | tr 'a-z-' 'A-Z_')
        if [ "process-$event" = "$loses" ]; then
            [ "$(events "$type" part.out)" = 0 ] || { echo "$type although its hook is missing"; return 1; }
        else
            [ "$(events "$type" part.out)" -gt 0 ] || { echo "no $type"; return 1; }
        fi
    done
}
check "without fork's hook" partial tp_btf__sched_process_fork process-fork
check "without exec's hook" partial tp_btf__sched_process_exec process-exec
check "without the script's hook" partial fentry__security_bprm_check ""
check "without exit's first hook" partial tp_btf__sched_process_exit ""
check "without exit's second hook" partial fentry__do_notify_parent ""
check "without setsid's hook" partial fexit__ksys_setsid process-setsid
check "without memfd's hook" partial fexit__shmem_file_setup process-memfd-create
check "without memfd's hook for huge pages" partial fexit__hugetlb_file_setup ""
