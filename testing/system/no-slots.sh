# SPDX-License-Identifier: BSD-2-Clause
# No scratch slot is free: events that the selection leaves out count as filtered, all others as lost.
# kernels: 5.10 6.1
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

PEERS=20

# count NAME: print a count of the last record
count() {
    tail -n 1 slots.err | grep -o "\"NETWORK_DATAGRAM_FLOW\":{[^}]*}" | grep -o "\"$1\":[0-9]*" | cut -d : -f 2
}

lost() {
    tail -n 1 slots.err | grep -o '"no_scratch":[0-9]*' | cut -d : -f 2 | head -n 1
}

# A socket has flows when the slots are gone, and is closed; flows of another one begin meanwhile.
datagrams() {
    trace slots.out slots.err --net-datagram "$@" || return 1
    rm -f idle.in idle.out
    mkfifo idle.in
    net-full idle $PEERS <idle.in >idle.out &
    idle=$!
    exec 3>idle.in
    wait_for test -s idle.out && seize-slots 1 && net-full flows $PEERS
    exec 3>&-
    wait $idle && seize-slots 0 && trace_stop
}

all_lost() {
    datagrams || return 1
    cat slots.err
    is lost "$(lost)" $((2 * PEERS))
}

all_filtered() {
    datagrams --exclude-comm net-full || return 1
    cat slots.err
    is lost "$(lost)" "" && is filtered "$(count filtered)" $((3 * PEERS))
}

check "without a slot datagrams are lost" all_lost
check "without a slot events that the selection leaves out are filtered" all_filtered
