# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_EXEC"]


def expect(facts, events):
    has(events.one("PROCESS_EXEC", tgid=facts["gone"]), cwd=f"{facts['dir']}/gone")
    has(events.one("PROCESS_EXEC", tgid=facts["parent_gone"]), cwd=f"{facts['dir']}/parent/child")
