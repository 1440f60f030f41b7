# SPDX-License-Identifier: BSD-2-Clause
# The cost of a start: nanoseconds are instructions here (--icount).
# kernels: 6.1
# vm: --icount
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
check "start of --process-exec under 0.3 billion instructions" under start_ns 300000000 --process-exec
check "peak memory of --process-exec under 12 MB" under peak_kb $((12 * MB)) --process-exec
# The target is 1.6; COST.md explains what it is spent on.
check "start of --all under 1.8 billion instructions" under start_ns 1800000000 --all
check "peak memory of --all under 12 MB" under peak_kb $((12 * MB)) --all

# A kernel that refuses kinds of programs, or one: an instruction is a nanosecond, and the limit is one second.
refused_start() {
    nothing_left || return 1
    line=$(env LD_PRELOAD=/opt/bin/refuse.so "$1" /opt/bin/start EventsTrace -i -u --all 2>refused.err)
    value=$(echo "$line" | sed 's/.*"start_ns":\([0-9]*\).*/\1/')
    [ "$1" != NOTHING= ] || { echo "$value" >good; return; }
    more=$((value - $(cat good)))
    echo "# start_ns --all with $1: $more more than a good start" >&3
    grep -q "the kernel refuses" refused.err && [ "$more" -lt 1000000000 ] || { cat refused.err; return 1; }
}
check "a start where nothing is refused" refused_start NOTHING=
check "a start where fentry, fexit and lsm are not loaded takes less than a second more" refused_start REFUSE_LOAD=1
check "a start where they are not attached" refused_start REFUSE_ATTACH=1
check "a start where one program is not loaded" refused_start REFUSE_NAME=fexit__inet_csk_listen_start

maps_are_small() {
    trace start.out start.err --all || return 1
    value=$(prog-stats --maps | sed 's/.*"maps_bytes":\([0-9]*\).*/\1/')
    trace_stop || return 1
    echo "# maps of --all: $value bytes" >&3
    [ "$value" -gt $((8 * MB * MB)) ] && [ "$value" -le $((14 * MB * MB)) ]
}
check "maps of --all take at most 14 MiB, rings among them" maps_are_small
