# SPDX-License-Identifier: BSD-2-Clause
from expect import has, true

EVENTS = ["PROCESS_EXIT"]
KERNELS = ["newest"]


def expect(facts, events):
    exits = {}
    for event in events.all("PROCESS_EXIT"):
        exits.setdefault(event["pids"]["tgid"], []).append(event)
    for pid in facts["many"] + facts["others"]:
        true(len(exits.get(pid, [])) == 1, f"{len(exits.get(pid, []))} exits of {pid}, which is one of many")
    for pid in facts["many"]:
        has(exits[pid][0], exit_signal=9)
    for pid in facts["others"]:
        has(exits[pid][0], exit_code=7, exit_signal=0, ctty__major=0, ns__pid=facts["ns"]["pid"],
            ns__user=facts["ns"]["user"], pids__tid=pid, creds__euid=0)
    seen = [event for pid in facts["many"] + facts["others"] for event in exits[pid]]
    whole = [event for event in seen if not event["is_partial"]]
    true(len(whole) > 500, f"{len(whole)} of {len(seen)} are whole")
    true(len(seen) - len(whole) <= facts["partial_max"], f"{len(seen) - len(whole)} exits are partial")
    for event in whole:
        has(event, ns=facts["ns"])
