# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_EXIT", "PROCESS_EXEC"]


def expect(facts, events):
    # stream.py checks that none is counted as lost
    has(events.one("PROCESS_EXIT", tgid=facts["parent"]), exit_code=0)
    events.one("PROCESS_EXIT", tgid=facts["zombie"])
    has(events.one("PROCESS_EXEC", tgid=facts["bound"]), root_path=f"{facts['dir']}/bound",
        filename="/opt/bin/case-exit-zombie")
