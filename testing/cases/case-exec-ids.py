# SPDX-License-Identifier: BSD-2-Clause
from expect import expect_id_changes_by_exec, has, same, true

EVENTS = ["PROCESS_SETUID", "PROCESS_SETGID", "PROCESS_EXEC", "PROCESS_EXIT"]   # in this order
NOBODY = 65534


def expect(facts, events):
    for kind, of in (("PROCESS_SETUID", "user"), ("PROCESS_SETGID", "group")):
        expect_id_changes_by_exec(facts, events, kind, of)
        true(not any(event["by_exec"] for event in events.all(kind, tgid=facts["fails"])), f"{kind} by what failed")
    for step in facts["steps"]:
        has(events.one("PROCESS_EXEC", tgid=step["pid"]), creds__euid=step["after"]["user"]["effective"],
            creds__egid=step["after"]["group"]["effective"])
        order = [event["event_type"] for event in events
                 if event["event_type"] in EVENTS and event["pids"]["tgid"] == step["pid"] and event.get("by_exec", 1)]
        same(order, sorted(order, key=EVENTS.index), f"order, {step['what']}")
    # The exit event has the ids that the process was given, but it has executed nothing.
    has(events.one("PROCESS_EXIT", tgid=facts["dies"]), creds__ruid=NOBODY, creds__euid=0)
    events.none("PROCESS_EXEC", tgid=facts["dies"])
    true(not any(event["by_exec"] for event in events.all("PROCESS_SETUID", tgid=facts["dies"])), "it died in its exec")
