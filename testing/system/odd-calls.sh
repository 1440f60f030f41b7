# SPDX-License-Identifier: BSD-2-Clause
# Calls that are made in an odd way: seen as any other, or counted as lost.
# kernels: 6.1 newest
# also: 5.10 6.12
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

# came TYPE TEXT: there is such an event.
came_with() {
    grep -F "\"$1\"" odd.out | grep -qF "$2" || { echo "no $1 with $2"; return 1; }
}

# odd WAY
odd() {
    rm -rf from no-offset upper
    trace odd.out odd.err -u --process-memfd-create --file-modify --file-delete --net-listen --net-datagram \
        --attach "$1" || { cat odd.err; return 1; }
    odd-calls >odd.calls || { cat odd.calls; return 1; }
    trace_stop || return 1
    cat odd.out
    came_with FILE_MODIFY '"path":"/tmp/no-offset"' || return 1
    [ -s odd.calls ] || return 0 # arm64: the kernel itself has the number of a call as 32 bits
    came_with FILE_MODIFY '"path":"/tmp/upper"' && came_with FILE_DELETE '"path":"/tmp/upper"' &&
        came_with PROCESS_MEMFD_CREATE '"filename":"upper"' || return 1
    grep -qx 64 odd.calls && return
    came_with NETWORK_LISTEN '"comm":"odd-calls"' || return 1
    tail -n 1 odd.err
    [ "$1" != tracepoint ] || grep -q '"NETWORK_DATAGRAM_FLOW":{[^}]*"lost":{"unreadable":1[,}]' odd.err
}

for way in best kprobe tracepoint; do
    check "odd calls with --attach $way" odd $way
done
