# SPDX-License-Identifier: BSD-2-Clause
from expect import has, true

EVENTS = ["PROCESS_EXEC", "PROCESS_SETUID", "PROCESS_SETGID"]


def expect(facts, events):
    nobody = facts["nobody"]
    gains = events.one("PROCESS_EXEC", tgid=facts["gains"])
    has(gains, is_setuid=True, is_setgid=True, creds__ruid=nobody, creds__rgid=nobody,
        creds__euid=0, creds__egid=0, creds__suid=0, creds__sgid=0)
    true(int(gains["creds"]["cap_effective"]) != 0, "the setuid root program has no capability")
    has(events.one("PROCESS_EXEC", tgid=facts["gains_nothing"]), is_setuid=True, is_setgid=True,
        creds__ruid=nobody, creds__euid=nobody, creds__egid=nobody, creds__cap_effective="0")
    for child in ("gains", "gains_nothing"):
        # The one change is the program's own, before it executes.
        executed = events.index(events.one("PROCESS_EXEC", tgid=facts[child]))
        for kind in ("PROCESS_SETUID", "PROCESS_SETGID"):
            change = events.one(kind, tgid=facts[child])
            true(events.index(change) < executed, f"{kind} comes from the exec: {change}")
