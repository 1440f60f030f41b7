# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_LOAD_MODULE"]


def expect(facts, events):
    for child in ("by_file", "orphan", "from_memory", "by_thread", "by_int80"):
        if child in facts:
            has(events.one("PROCESS_LOAD_MODULE", tgid=facts[child]), filename=facts["name"],
                mod_version=facts["version"], mod_srcversion=facts["srcversion"], comm="case-module",
                pids__ppid=1 if child == "orphan" else facts["pid"])
    events.none("PROCESS_LOAD_MODULE", tgid=facts["refused"])
