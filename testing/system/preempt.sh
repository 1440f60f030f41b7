# SPDX-License-Identifier: BSD-2-Clause
# No record is mixed under preemption: all parts of an event encode one number, on kernels that preempt everywhere.
# takes: 45
# kernels: newest
# vm: --smp 4 --append preempt=full
# also: 6.12
# vm: --smp 4 --append preempt=full
# also: 6.12 newest
# vm: --smp 1 --append preempt=full
# also: 6.12-rt
# vm: --smp 2 --memory 1024
# shellcheck shell=sh
. /root/system/tap.sh

flood_all() {
    trace /tmp/results/preempt.ndjson /tmp/results/preempt.err -u --process-memfd-create --process-tty-write \
        --process-exec || return 1
    flood memfd 3200 16 &
    memfd=$!
    flood tty 3200 16 &
    tty=$!
    flood exec 160 8 || return 1
    wait $memfd && wait $tty || return 1
    /bin/true end-of-flood
    wait_for grep -qF end-of-flood /tmp/results/preempt.ndjson || return 1
    trace_stop
}

# Processes and threads that come and go.
churn() {
    trace /tmp/results/churn.ndjson /tmp/results/churn.err -u --process-fork --process-exec --process-exit || return 1
    flood forks 1600 16 >/tmp/results/churn-forks.json &
    forks=$!
    flood threads 3200 16 >/tmp/results/churn-threads.json &
    threads=$!
    flood exec 320 8 >/tmp/results/churn-exec.json || return 1
    wait $forks && wait $threads || return 1
    /bin/true end-of-churn
    wait_for grep -qF end-of-churn /tmp/results/churn.ndjson || return 1
    trace_stop
}
mkdir -p /tmp/results
check "floods from 40 threads end" flood_all
check "processes and threads from 40 threads end" churn
