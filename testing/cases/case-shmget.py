# SPDX-License-Identifier: BSD-2-Clause
from expect import has, same

EVENTS = ["PROCESS_SHMGET"]


def expect(facts, events):
    keys = ("key", "size", "shmflg")
    seen = events.all("PROCESS_SHMGET", tgid=facts["pid"])
    same([tuple(event[key] for key in keys) for event in seen],
         [tuple(call[key] for key in keys) for call in facts["calls"] if call["succeeds"]], "key, size and shmflg")
    for event in seen:
        has(event, pids__tid=facts["pid"], comm="case-shmget")
