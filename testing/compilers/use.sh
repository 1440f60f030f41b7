# SPDX-License-Identifier: BSD-2-Clause
# use.sh VERSION... - run the tool as each clang has compiled its probes, in a guest: all events are available, and an
# event of each group is reported.
# shellcheck shell=sh
. /root/tap.sh
cd /tmp || exit 1

all_events_come() {
    PATH=/root/$1:$PATH trace "$1.out" "$1.err" -u --all || { cat "$1.err"; return 1; }
    load --ops 1 --label none exec file net >/dev/null || return 1
    for type in PROCESS_EXEC FILE_RENAME NETWORK_CONNECTION_CLOSED; do
        wait_for grep -q "\"event_type\":\"$type\"" "$1.out" || { echo "no $type"; trace_stop; return 1; }
    done
    trace_stop || return 1
    if grep -i warning "$1.err"; then
        return 1
    fi
}

for version; do
    check "compilers: probes of clang-$version on $(uname -r): nothing is unavailable, events come" \
        all_events_come "clang-$version"
done
