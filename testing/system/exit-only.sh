# SPDX-License-Identifier: BSD-2-Clause
# A tracepoint alone reports exits, and more processes of nobody end than it notes (`exited`): each exit is reported
# once. Not on 7.2, which preempts BPF programs: it skips this one then, and nothing takes its place.
# takes: 45
# kernels: 6.1
# also: 5.10 6.12
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

FORKS=5000 # for the 4,096 that are noted
MARKED=100

# of TYPE TEXT: print the processes of the events of a type that contain a text
of() {
    grep -F "\"event_type\":\"$1\"" exits.out | grep -F "$2" |
        awk '{print substr($0, index($0, "\"pids\":{\"tid\":") + 14) + 0}'
}

exits_are_reported() {
    trace exits.out exits.err -u --process-exec --process-exit --disable-hook fentry__do_notify_parent ||
        { cat exits.err; return 1; }
    budget-floods fork $FORKS $MARKED >flood || { trace_stop; return 1; }
    /bin/true end-of-flood
    wait_for grep -qF end-of-flood exits.out
    trace_stop || return 1
    of PROCESS_EXEC '"argv":"true marked-fork"' >marked
    of PROCESS_EXIT '' >ended
    twice=$(sort ended | uniq -d | wc -l)
    echo "of $(wc -l <marked) marked $(grep -cxFf marked ended) ended; $(wc -l <ended) exits in all, $twice twice"
    [ "$(wc -l <marked)" = $MARKED ] && [ "$(grep -cxFf marked ended)" = $MARKED ] &&
        [ "$(of PROCESS_EXIT '"comm":"budget-floods"' | wc -l)" -ge $FORKS ] && [ "$twice" = 0 ]
}
check "exits beside more than can be noted" exits_are_reported
