# SPDX-License-Identifier: BSD-2-Clause
# If the pids controller has a v1 hierarchy, the path is that of the cgroup there.
# kernels: 5.10
# also: 6.1
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

# Print the number of events with the path.
in_the_cgroup() {
    grep -c '"pids_ss_cgroup_path":"/outer/inner"' v1.out
}

three_are_there() {
    [ "$(in_the_cgroup)" -ge 3 ]
}

v1_path() {
    mkdir -p /tmp/pids && mount -t cgroup -o pids pids /tmp/pids || return 1
    mkdir -p /tmp/pids/outer/inner
    trace v1.out v1.err -u --process-fork --process-exec --process-exit || return 1
    sh -c 'echo $$ >/tmp/pids/outer/inner/cgroup.procs; /bin/true in-v1; exit 0'
    wait_for three_are_there
    trace_stop || return 1
    grep -o '"pids_ss_cgroup_path":"[^"]*"' v1.out | sort | uniq -c
    grep '"argv":"/bin/true in-v1"' v1.out | grep -q '"pids_ss_cgroup_path":"/outer/inner"' || return 1
    three_are_there
}
check "cgroup v1: path in the pids hierarchy" v1_path
