# SPDX-License-Identifier: BSD-2-Clause
# A kernel whose BTF lacks names: it was built without cgroups, terminals or accounting, or its compiler has inlined or
# renamed functions. What is gone is named, or made in another way; everything else is reported.
# takes: 180
# kernels: 5.10 newest
# vm: --file GPL/Events/Hooks.def
# also: 6.1 6.12
# vm: --file GPL/Events/Hooks.def
# shellcheck shell=sh
. /root/system/tap.sh
. /root/system/hook-columns
cd /tmp || exit 1

# without NAME...: from now on, the kernel seems to lack what has these names. Status 2 if it lacks one anyway.
without() {
    umount /sys/kernel/btf/vmlinux 2>/dev/null
    btf-without /tmp/btf "$@" 2>btf.err
    status=$?
    mount --bind /tmp/btf /sys/kernel/btf/vmlinux && return $status
}

act() {
    true && setsid true
    mkdir d && : >d/f && ln d/f d/g && mv d/g d/h && chmod 600 d/f && ln -s f d/s && echo text >>d/f && rm -r d
}

acted="PROCESS_FORK PROCESS_EXEC PROCESS_EXIT PROCESS_SETSID FILE_CREATE FILE_LINK FILE_RENAME FILE_MODIFY FILE_DELETE"

# all_came TYPE...: each is in the output.
all_came() {
    for type; do
        [ "$(events "$type" names.out)" -gt 0 ] || { echo "no $type: $(head -n 2 names.err)"; return 1; }
    done
}

# unbuilt OPTION...: cgroups and terminals are gone, and only keys about them are empty.
unbuilt() {
    without cgroups tty_struct tty_file_private n_tty_write ioac || return 1
    trace names.out names.err -u --process --file "$@" || { cat names.err; return 1; }
    act
    trace_stop || return 1
    # shellcheck disable=SC2086 # a list
    all_came $acted || return 1
    grep -F '"pids_ss_cgroup_path":' names.out | grep -vF '"pids_ss_cgroup_path":""' && return 1
    grep -F '"ctty":' names.out | grep -vF '"ctty":{"major":0,"minor":0,"winsize_rows":0,"winsize_cols":0}' && return 1
    grep "warning: " names.err | grep "[:,] \(process-[fes]\|file\)" | grep -v "$unbuilt_lacks" && return 1
    grep -q '"FILE_RENAME".*"new_path":"/tmp/d/h"' names.out
}
unbuilt_lacks='^$'
check "without cgroups, terminals and accounting" unbuilt
unbuilt_lacks='limited: '
check "without these, with tracepoints only" unbuilt --attach tracepoint

# Functions of which one is static, one inlined without CONFIG_COMPAT, and so on.
inlined="ptrace_attach tcp_v4_connect chmod_common vfs_writev aio_write kiocb_done"

some_inlined() {
    # shellcheck disable=SC2086 # a list
    without $inlined ksys_setsid udp_send_skb || { cat btf.err; return 1; }
    trace names.out names.err -u --all || { cat names.err; return 1; }
    act
    case-ptrace >/dev/null || return 1
    trace_stop || return 1
    for function in $inlined; do
        grep -q "warning: .*the kernel has no $function; \(unavailable\|limited\): " names.err ||
            { echo "$function is not named"; return 1; }
    done
    grep "ksys_setsid\|udp_send_skb" names.err && return 1 # are replaced
    # shellcheck disable=SC2086 # a list
    all_came $acted PROCESS_PTRACE
}
check "without some functions: each is named, the others work" some_inlined

# Print how many changes of content are seen of those that case-file-write makes, by writev, aio and io_uring too.
writes() {
    trace names.out names.err -u --file-modify "$@" || { cat names.err; return 1; }
    case-file-write tmpfs >/dev/null || return 1
    trace_stop || return 1
    grep -F '"FILE_MODIFY"' names.out | grep -cF '"change_type":"CONTENT"'
}

# burdens_no_call OPTION...: no program is attached to all system calls.
burdens_no_call() {
    EventsTrace --doctor "$@" >burden.out 2>&1
    [ $? -le 1 ] && ! grep "tp_btf__sys_e.*attached" burden.out
}

# Where these functions are inlined, other programs see what they do, and not at the ends of all system calls.
writes_inlined() {
    umount /sys/kernel/btf/vmlinux
    all=$(writes) || return 1
    # shellcheck disable=SC2086 # a list
    without $writing || { cat btf.err; return 1; }
    burdens_no_call --file-modify || return 1
    seen=$(writes) || return 1
    is "changes that are seen" "$seen" "$all"
}
case $(uname -r) in
5.10.*) writing="vfs_writev aio_write" ;; # completions of io_uring show no request
*) writing="vfs_writev aio_write kiocb_done" ;;
esac
check "without $writing: writes are seen" writes_inlined

# Two writes more than with it: one that fails, and one of no bytes. The others and those to terminals stay as they are.
write_inlined() {
    umount /sys/kernel/btf/vmlinux
    all=$(writes) || return 1
    with_bytes=$(grep -cF '"bytes":' names.out)
    without vfs_write || { cat btf.err; return 1; }
    burdens_no_call --file-modify --process-tty-write || return 1
    seen=$(writes --process-tty-write) || return 1
    grep -q "the kernel has no vfs_write; limited: file-modify (write is reported without bytes, even if it fails)\$" \
        names.err || { cat names.err; return 1; }
    is "changes that are seen" "$seen" $((all + 2)) || return 1
    grep -F '"bytes":' names.out | grep -qF '"FILE_MODIFY"' || return 1 # of writev and so on
    [ "$(grep -cF '"bytes":' names.out)" -lt "$with_bytes" ] || return 1
    trace names.out names.err -u --file-modify --process-tty-write || return 1
    case-tty >/dev/null </dev/null || return 1
    trace_stop || return 1
    all_came PROCESS_TTY_WRITE
}
check "without vfs_write: writes are seen" write_inlined

# flows OPTION...: print what is seen of the flows that case-net-datagram makes, but for addresses and ports.
flows() {
    trace names.out names.err -u --net-datagram "$@" || { cat names.err; return 1; }
    case-net-datagram >/dev/null || return 1
    trace_stop || return 1
    grep -F '"NETWORK_DATAGRAM_FLOW"' names.out |
        sed 's/.*\("family":"[^"]*"\).*\("direction":.*"bytes":[0-9]*\).*/\1 \2/' | sort
}

# flows_without NAMES LIMIT OPTION...: the flows are the same, and lack nothing but that.
flows_without() {
    names=$1 limit=$2
    shift 2
    umount /sys/kernel/btf/vmlinux
    flows "$@" >all.flows || { cat all.flows; return 1; }
    # shellcheck disable=SC2086 # a list
    without $names || { cat btf.err; return 1; }
    burdens_no_call --net-datagram "$@" || return 1
    flows "$@" >seen.flows || { cat seen.flows; return 1; }
    [ "$(wc -l <all.flows)" -gt 50 ] && diff all.flows seen.flows || return 1
    is "limits" "$(sed -n 's/.*limited: net-datagram (\(.*\))$/\1/p' names.err)" "$limit" &&
        ! grep "unavailable" names.err
}
sending="udp_send_skb udp_v6_send_skb" # which are inlined in Debian's 5.10 for arm64
check "without udp_send_skb: flows are whole" flows_without udp_send_skb ""
check "without $sending: flows are whole" flows_without "$sending" ""
check "without $sending, by kprobes: flows are whole" flows_without "$sending" \
    "flows of more than 4,096 sockets are untracked" --attach kprobe

# Print how many segments and memfds are seen of those that two cases make.
memory() {
    trace names.out names.err -u --process-shmget --process-memfd-create || { cat names.err; return 1; }
    case-shmget >/dev/null && case-memfd >/dev/null || return 1
    trace_stop || return 1
    echo "$(events PROCESS_SHMGET names.out) $(events PROCESS_MEMFD_CREATE names.out)"
}

# Where these functions are inlined, the ends of system calls show the same.
memory_inlined() {
    umount /sys/kernel/btf/vmlinux
    all=$(memory) || return 1
    without ipcget shmem_file_setup || { cat btf.err; return 1; }
    seen=$(memory) || return 1
    is "segments and memfds" "$seen" "$all" || return 1
    grep -q "limited: tracing (every system call takes longer)" names.err &&
        all_came PROCESS_SHMGET PROCESS_MEMFD_CREATE
}
check "without ipcget and shmem_file_setup: segments and memfds are seen" memory_inlined

# The names of all functions that programs of Hooks.def attach to.
functions() {
    hook_columns | tr ' ' '\n' | sed -n 's/^lsm__/bpf_lsm_/p; s/^\(fentry\|fexit\|kprobe\|session\)__//p' |
        sed 's/^sys_ptrace/__x64_&/; s/^compat_sys_ptrace/__ia32_&/; s/^\(security_file_permission\)_.*/\1/' | sort -u
}

all_inlined() {
    # shellcheck disable=SC2046 # a list
    without $(functions)
    EventsTrace --doctor >report.out 2>report.err
    got=$?
    cat report.out report.err >/tmp/results/all-inlined.out
    grep "^  \(fentry\|fexit\|lsm\|kprobe\|session\)__.* attached" report.out | grep -v probe_trampoline && return 1
    is "events that are unavailable" "$(grep -c "^  [a-z-]*  *unavailable$" report.out)" 0 || return 1
    [ "$got" = 1 ] && grep -A 1 "^  net-datagram  *limited" report.out | grep -q "(for want of " || return 1
    trace names.out names.err -u --all || { cat names.err; return 1; }
    act
    case-ptrace >/dev/null && case-shmget >/dev/null && case-memfd >/dev/null && case-net-connect >/dev/null || return 1
    trace_stop || return 1
    # shellcheck disable=SC2086 # a list
    all_came $acted PROCESS_PTRACE PROCESS_SHMGET PROCESS_MEMFD_CREATE || return 1
    all_came NETWORK_CONNECTION_ATTEMPTED NETWORK_CONNECTION_CLOSED NETWORK_LISTEN
}
check "without any function: all that tracepoints show" all_inlined
umount /sys/kernel/btf/vmlinux
