# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks

EVENTS = ["PROCESS_EXEC"]


def expect(facts, events):
    program = events.one("PROCESS_EXEC", tgid=facts["program"])
    has(program, filename=f"{facts['dir']}/real", args=["succeeds"])
    lacks(program, "script")
    has(events.one("PROCESS_EXEC", tgid=facts["script"]), filename=f"{facts['dir']}/real",
        script=f"{facts['dir']}/good-script", args=[f"{facts['dir']}/real", "good-script"])
