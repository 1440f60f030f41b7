# SPDX-License-Identifier: BSD-2-Clause
# With tracepoints only, requests of io_uring whose completion is not seen: they are reported when they are made, or
# count as lost.
# kernels: 6.1 newest
# also: 6.12
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

# came_as TYPE NAME SUFFIX COUNT: so many events of the file, with that key.
came_as() {
    is "$1 of $2" "$(grep -F "\"$1\"" quiet.out | grep -F "\"path\":\"/tmp/$2\"" | grep -c "$3")" "$4"
}

quiet_requests() {
    trace quiet.out quiet.err -u --file --attach tracepoint || { cat quiet.err; return 1; }
    quiet-requests >count || { cat count; return 1; }
    trace_stop || return 1
    came_as FILE_MODIFY quiet '"path":' 1 &&
        came_as FILE_DELETE quiet '"path_requested":true' 1 &&
        came_as FILE_CREATE quiet-open '"path_requested":true' 1 &&
        came_as FILE_CREATE slot-open '"path_requested":true' 1 &&
        came_as FILE_MODIFY full '"path":' $((40 - $(cat count))) || return 1
    tail -n 1 quiet.err
    [ "$(cat count)" -gt 0 ] && grep -q "\"FILE_MODIFY\":{[^}]*\"lost\":{\"unreadable\":$(cat count)}" quiet.err
}
check "requests without a report, into a slot, and when the ring is full" quiet_requests
