# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_SETSID"]


def expect(facts, events):
    for child in ("plain", "in_thread", "by_int80"):
        if child in facts:
            pid = facts[child]
            has(events.one("PROCESS_SETSID", tgid=pid), pids__sid=pid, pids__pgid=pid, pids__ppid=facts["pid"],
                pids__tid=facts.get(f"{child}_tid", pid), comm="case-setsid")
    pid = facts["in_pid_namespace"]
    has(events.one("PROCESS_SETSID", tgid=pid), pids__sid=pid, pids__pgid=pid, pids__tid=pid,
        pids__ppid=facts["pid_namespace_parent"])
    events.none("PROCESS_SETSID", tgid=facts["refused"])
    events.none("PROCESS_SETSID", tgid=facts["pid"])
