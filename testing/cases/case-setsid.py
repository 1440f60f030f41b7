# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_SETSID"]
NOBODY = 65534
NO_TERMINAL = dict.fromkeys(("major", "minor", "winsize_rows", "winsize_cols"), 0)


def expect(facts, events):
    for child in ("plain", "in_thread", "by_int80", "by_nobody"):
        if child in facts:
            pid = facts[child]
            has(events.one("PROCESS_SETSID", tgid=pid), pids__sid=pid, pids__pgid=pid, pids__ppid=facts["pid"],
                pids__tid=facts.get(f"{child}_tid", pid), comm="case-setsid", ctty=NO_TERMINAL, ns=facts["ns"])
    has(events.one("PROCESS_SETSID", tgid=facts["plain"]), creds__ruid=0, creds__euid=0, creds__egid=0)
    has(events.one("PROCESS_SETSID", tgid=facts["by_nobody"]), creds__ruid=NOBODY, creds__euid=NOBODY,
        creds__egid=NOBODY, creds__cap_effective="0")
    pid = facts["in_pid_namespace"]
    has(events.one("PROCESS_SETSID", tgid=pid), pids__sid=pid, pids__pgid=pid, pids__tid=pid,
        pids__ppid=facts["pid_namespace_parent"])
    events.none("PROCESS_SETSID", tgid=facts["refused"])
    events.none("PROCESS_SETSID", tgid=facts["pid"])
