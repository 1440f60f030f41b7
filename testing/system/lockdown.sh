# SPDX-License-Identifier: BSD-2-Clause
# A kernel whose lockdown forbids what the probes need.
# kernels: newest
# vm: --append lockdown=confidentiality
# also: 6.1 5.10
# vm: --append lockdown=confidentiality
# shellcheck shell=sh
. /root/system/tap.sh
cd /tmp || exit 1

check "lockdown=confidentiality" refused 3 \
    "kernel lockdown is at 'confidentiality'; boot with lockdown=integrity or none" EventsTrace --process-exec

check "tracefs is refused too" refused 3 \
    "cannot use tracefs: kernel lockdown is at 'confidentiality'; boot with lockdown=integrity or none" \
    EventsTrace --backend tracefs --process-exec

doctor_of_lockdown() {
    EventsTrace --doctor >report.out 2>report.err
    [ $? = 3 ] && [ ! -s report.err ] && grep -A 1 "^  lockdown  *confidentiality$" report.out |
        grep -q "boot with lockdown=integrity or none" || { cat report.err report.out; return 1; }
}
check "the doctor names it" doctor_of_lockdown
