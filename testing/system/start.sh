# SPDX-License-Identifier: BSD-2-Clause
# The cost of a start: nanoseconds are instructions here (--icount).
# takes: 60
# kernels: 6.1
# vm: --icount
# also: 6.12 newest
# vm: --icount --memory 768
# shellcheck shell=sh
. /root/system/tap.sh

# under KEY LIMIT OPTION...: the figure of a start with these options is below the limit.
under() {
    key=$1
    limit=$2
    shift 2
    nothing_left || return 1
    line=$(/opt/bin/start EventsTrace -i -u "$@" 2>/dev/null)
    value=$(echo "$line" | sed "s/.*\"$key\":\([0-9]*\).*/\1/")
    echo "# $key $*: $value (limit $limit)" >&3
    [ "$value" -gt 0 ] && [ "$value" -lt "$limit" ]
}
exec 3>&1
MB=1024 # kB
# The targets of --all are 1.6 and 2.5 billion instructions, and 2.5 in other ways; COST.md explains what it
# is spent on, and why it is more on some kernels. A newer kernel has more types, which are read once. The time that
# passes includes waits of the kernel's, which end at a tick.
case $(uname -r) in
6.1.*) exec_limit=300000000 all_limit=1850000000 way_limit=2500000000 peak_limit=$((14 * MB)) ;;
6.12.*) exec_limit=350000000 all_limit=2500000000 way_limit=3600000000 peak_limit=$((28 * MB)) ;;
*) exec_limit=400000000 all_limit=5850000000 way_limit=8000000000 peak_limit=$((28 * MB)) ;;
esac
waits=400000000
found_limit=$((way_limit + 100000000)) # to find out that trampolines are refused takes more
check "start of --process-exec, instructions" under cpu_ns $exec_limit --process-exec
check "start of --process-exec, time" under start_ns $((exec_limit + waits)) --process-exec
check "peak memory of --process-exec" under peak_kb $peak_limit --process-exec
check "start of --all, instructions" under cpu_ns $all_limit --all
check "start of --all, time" under start_ns $((all_limit + waits)) --all
check "peak memory of --all" under peak_kb $peak_limit --all
for way in trampoline kprobe tracepoint; do
    check "start of --all with --attach $way, instructions" under cpu_ns $way_limit --all --attach $way
done

# refused_start VARIABLE WARNINGS: a kernel that refuses kinds of programs, or one, for which others are loaded then.
refused_start() {
    nothing_left || return 1
    line=$(env LD_PRELOAD=/opt/bin/refuse.so "$1" /opt/bin/start EventsTrace -i -u --all 2>refused.err)
    value=$(echo "$line" | sed 's/.*"cpu_ns":\([0-9]*\).*/\1/')
    echo "# cpu_ns --all with $1: $value (limit $found_limit)" >&3
    [ "$(grep -c "the kernel refuses" refused.err)" = "$2" ] && [ "$value" -gt 0 ] && [ "$value" -lt "$found_limit" ] ||
        { cat refused.err; return 1; }
}
check "a start where fentry, fexit and lsm are not loaded" refused_start REFUSE_LOAD=1 1
check "a start where they are not attached" refused_start REFUSE_ATTACH=1 1
check "a start with kprobes instead" refused_start REFUSE_LOAD=trampolines 1
check "a start where one program is not loaded" refused_start REFUSE_NAME=fexit__inet_csk_listen_start 1
case $(uname -r) in
6.1.*) ;; # uses neither
*)
    check "a start where one is replaced" refused_start REFUSE_NAME=lsm__path_link 0
    check "a start where one is replaced by several" refused_start REFUSE_NAME=kprobe__security_file_open 0
    ;;
esac

maps_are_small() {
    nothing_left || return 1 # maps of the tracer before would count too
    trace start.out start.err --all || return 1
    value=$(prog-stats --maps | sed 's/.*"maps_bytes":\([0-9]*\).*/\1/')
    trace_stop || return 1
    echo "# maps of --all: $value bytes" >&3
    [ "$value" -gt $((8 * MB * MB)) ] && [ "$value" -le $((14 * MB * MB)) ]
}
check "maps of --all take at most 14 MiB, rings among them" maps_are_small
