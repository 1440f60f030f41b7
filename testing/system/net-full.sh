# SPDX-License-Identifier: BSD-2-Clause
# More flows and connections than the probes' tables hold: all are reported, and what is not known of them is flagged.
# kernels: 5.10 6.1
# vm: --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

PEERS=10000
FLOWS=63 # that a socket keeps: FLOWS_A_SOCKET of Flows.h
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
    is "first datagrams" "$(grep -c '"flow_state":"NEW"' full.out)" $PEERS &&
        is "totals" "$(grep -c '"flow_state":"\(CLOSED\|AGED\)"' full.out)" $PEERS &&
        is "aged" "$(grep -c '"flow_state":"AGED"' full.out)" $((PEERS - FLOWS)) &&
        is "lost" "$(grep -c EVENTS_LOST full.out)" 0
}

# Nothing is left of them.
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

check "flows beyond what a socket keeps are reported with their totals" flows
check "and leave nothing behind" flows_again
check "connections beyond the table say so, and have no owner" connections
check "and leave nothing behind" connections
