# SPDX-License-Identifier: BSD-2-Clause
from expect import has, same

EVENTS = ["PROCESS_PTRACE"]


def expect(facts, events):
    seen = events.all("PROCESS_PTRACE", tgid=facts["pid"])
    same([(event["request"], event["child_pid"]) for event in seen],
         [(attached["request"], attached["child_pid"]) for attached in facts["attached"]], "request and child_pid")
    for event in seen:
        has(event, pids__tid=facts["pid"], comm="case-ptrace")
    events.none("PROCESS_PTRACE", tgid=facts["traced_by_wish"])
