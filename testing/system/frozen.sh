# SPDX-License-Identifier: BSD-2-Clause
# A reader that is stopped for a while: losses are counted and reported, and a flood of one kind does not hide another.
# kernels: 6.1
# also: 5.10 newest
# shellcheck shell=sh
. /root/system/tap.sh

frozen() {
    trace /tmp/results/frozen.ndjson /tmp/results/frozen.err -u --process-memfd-create --process-tty-write \
        --process-exec || return 1
    kill -STOP "$TRACE_PID"
    flood tty 60000 2 && flood exec 100 2
    kill -CONT "$TRACE_PID"
    /bin/true between-floods
    wait_for grep -qF between-floods /tmp/results/frozen.ndjson || return 1
    kill -STOP "$TRACE_PID"
    flood memfd 60000 2
    kill -CONT "$TRACE_PID"
    wait_for came end-of-flood /tmp/results/frozen.ndjson || return 1
    trace_stop
}
mkdir -p /tmp/results
check "a stopped reader continues" frozen
