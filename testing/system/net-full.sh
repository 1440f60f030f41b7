# SPDX-License-Identifier: BSD-2-Clause
# More flows and connections than the probes' tables hold: what is left out is counted, and nothing else is missing.
# kernels: 5.10 6.1
# vm: --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

FLOWS=8192 # FLOWS_MAX of Datagram.bpf.c
PEERS=10000
CONNECTIONS=9000 # both ends are here: 18,000 entries, for SOCKETS_MAX of Sockets.h, 16,384

# A number of the last STATS record: stat TYPE KEY
stat() {
    tail -n 1 full.err | sed -n "s/.*\"$1\":{\([^}]*\)}.*/\1/p" | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"
}

is() {
    echo "$1: $2, due $3"
    [ "$2" = "$3" ]
}

flows() {
    trace full.out full.err --net-datagram || return 1
    net-full flows $PEERS || { trace_stop; return 1; }
    trace_stop || return 1
    is "first datagrams" "$(grep -c '"flow_state":"NEW"' full.out)" $FLOWS &&
        is "totals" "$(grep -c '"flow_state":"CLOSED"' full.out)" $FLOWS &&
        is "lost" "$(stat NETWORK_DATAGRAM_FLOW state)" $((PEERS - FLOWS)) &&
        is "told as lost" "$(sed -n 's/.*EVENTS_LOST.*"total":\([0-9]*\).*/\1/p' full.out | paste -s -d + | bc)" \
            $((PEERS - FLOWS))
}

# The table is empty again: as much finds room as did before.
flows_again() {
    flows && ! grep -q '"datagrams":[^1]' full.out
}

connections() {
    trace full.out full.err --net-conn-attempt --net-conn-accept --net-conn-closed || return 1
    net-full sockets $CONNECTIONS || { trace_stop; return 1; }
    trace_stop || return 1
    untracked=$(grep -c '"untracked":true' full.out)
    is "attempts" "$(events NETWORK_CONNECTION_ATTEMPTED full.out)" $CONNECTIONS &&
        is "accepts" "$(events NETWORK_CONNECTION_ACCEPTED full.out)" $CONNECTIONS &&
        is "closes" "$(events NETWORK_CONNECTION_CLOSED full.out)" $((2 * CONNECTIONS)) &&
        is "closes without an owner" "$(grep CONNECTION_CLOSED full.out | grep -vc owner_pids)" "$untracked" || return 1
    echo "untracked: $untracked"
    [ "$untracked" -ge $((2 * CONNECTIONS - 16384)) ]
}

check "flows beyond the table are counted as lost" flows
check "and leave nothing behind" flows_again
check "connections beyond the table say so, and have no owner" connections
check "and leave nothing behind" connections
