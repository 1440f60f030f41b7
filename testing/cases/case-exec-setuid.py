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
    for kind in ("PROCESS_SETUID", "PROCESS_SETGID"):
        # The program's own change, before it executes, and that of the exec.
        own, by_exec = events.all(kind, tgid=facts["gains"])
        true(not own["by_exec"] and by_exec["by_exec"], f"{kind}: {own}, {by_exec}")
        true(events.index(by_exec) < events.index(gains), f"{kind} comes after the exec: {by_exec}")
        has(events.one(kind, tgid=facts["gains_nothing"]), by_exec=False)
