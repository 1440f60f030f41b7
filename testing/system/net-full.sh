# SPDX-License-Identifier: BSD-2-Clause
# More flows and connections than the probes' tables have room for: all are reported, and missing knowledge is flagged.
# takes: 50
# kernels: 5.10
# vm: --memory 1024
# also: 6.1 6.12 newest
# vm: --memory 1024
# also: newest
# vm: --memory 1024 --cpu max,-cx16
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

PEERS=10000
FLOWS=63 # flows of a socket: FLOWS_A_SOCKET of Flows.h
OWN=96 # a multiple of six, the number of ways in which they end
CONNECTIONS=9000 # both ends are here: 18,000 entries, for SOCKETS_MAX of Sockets.h, 16,384
has_storage() { # socket storage; without it SOCKETS_MORE, 8,192, are to be filled as well
    ! uname -r | grep -q '^5\.10\.' && grep -q cx16 /proc/cpuinfo
}
has_storage || CONNECTIONS=12500

# A kernel that preempts programs may report runs that it skipped as losses; other counts show that no event is missing.
lost() {
    grep -F EVENTS_LOST full.out | grep -vcE '"lost":\{("[A-Z_]+":\{"recursion":[0-9]+\},?)+\}'
}

flows() {
    trace full.out full.err --net-datagram || return 1
    net-full flows $PEERS || { trace_stop; return 1; }
    trace_stop || return 1
    is "first datagrams" "$(grep -cF '"flow_state":"NEW"' full.out)" $PEERS &&
        is "aged" "$(grep -cF '"flow_state":"AGED"' full.out)" $((PEERS - FLOWS)) &&
        is "other totals" "$(grep -cF '"flow_state":"CLOSED"' full.out)" $FLOWS &&
        is "lost" "$(lost)" 0
}

# Nothing is left of them.
flows_again() {
    flows && is "flows of one datagram" "$(grep -cF '"datagrams":1' full.out)" "$(grep -cF '"datagrams":' full.out)"
}

# Events of the process under test: own TYPE [TEXT]
own() {
    grep "\"event_type\":\"NETWORK_CONNECTION_$1\",\"pids\":{\"tid\":$pid," own.out | grep -c "$2"
}

# connections [mptcp|smc]: the kind that the process under test makes
connections() {
    trace full.out full.err --net-conn-attempt --net-conn-accept --net-conn-closed --net-conn-failed || return 1
    net-full sockets $CONNECTIONS $OWN "$@" >full.pid || { trace_stop; return 1; }
    trace_stop || return 1
    # all lines that name it, so that the large file is read once
    grep -F "\"tid\":$(cat full.pid)," full.out >own.out
    is "attempts" "$(events NETWORK_CONNECTION_ATTEMPTED full.out)" $((CONNECTIONS + 2 * OWN)) &&
        is "accepts" "$(events NETWORK_CONNECTION_ACCEPTED full.out)" $((CONNECTIONS + OWN)) &&
        is "closes" "$(events NETWORK_CONNECTION_CLOSED full.out)" $((2 * CONNECTIONS + 2 * OWN)) &&
        is "failures" "$(events NETWORK_CONNECTION_FAILED full.out)" $OWN &&
        is "lost" "$(lost)" 0
}

# Connections of the other process are tracked as before.
own_connections() {
    pid=$(cat full.pid)
    is "attempts" "$(own ATTEMPTED '"untracked":false')" $((2 * OWN)) &&
        is "accepts" "$(own ACCEPTED '"untracked":false')" $OWN &&
        is "failures" "$(own FAILED '"error":"ECONNREFUSED".*"untracked":false')" $OWN &&
        is "closes" "$(own CLOSED "\"owner_pids\":{\"tid\":$pid,")" $((2 * OWN))
}

own_resets() {
    pid=$(cat full.pid)
    is "resets" "$(own CLOSED '"close_reason":"RESET"')" $((OWN / 3))
}

check "more flows than a socket has room for are reported with their totals" flows
check "flows leave nothing behind" flows_again
check "more connections than all tables have room for are reported" connections
check "connections of others are reported with their owners" own_connections
check "connections of others with their reasons" own_resets
CONNECTIONS=9000
if [ -e /proc/sys/net/mptcp/enabled ]; then
    echo 1 >/proc/sys/net/mptcp/enabled
    check "more MPTCP connections than the table has room for are reported" connections mptcp
    check "connections of others are reported with their owners, beside MPTCP" own_connections
else
    skip "connections of MPTCP" "the kernel does not have it"
fi
if modprobe smc 2>/dev/null; then
    check "more SMC connections than the table has room for are reported" connections smc
    check "connections of others are reported with their owners, beside SMC" own_connections
else
    skip "connections of SMC" "the kernel does not have it"
fi
