# SPDX-License-Identifier: BSD-2-Clause
from expect import same, true

EVENTS = ["FILE_MODIFY", "FILE_DELETE", "PROCESS_EXIT"]
OPTIONS = ["--coalesce", "100"]
KERNELS = ["6.1"]


def expect(facts, events):
    for pid, name in ((facts["pid"], "own"), (facts["child"], "child")):
        path = f"{facts['dir']}/{name}"
        changes = [event for event in events.all("FILE_MODIFY", tgid=pid) if event["path"] == path]
        true("count" not in changes[0], f"the first change of {name} is reported at once")
        same(sum(event.get("count", 1) for event in changes), facts["writes"], f"changes of {name}")
        same(sum(event["bytes"] for event in changes), facts["bytes"], f"bytes of {name}")
        true(len(changes) < facts["writes"] / 4, f"{name}: {facts['writes']} changes reported as {len(changes)}")
        end = events.one("PROCESS_EXIT", tgid=pid)
        true(all(event["seq"] < end["seq"] for event in changes), f"{name}: all before the end of the process")
    gone = [event for event in events.all("FILE_DELETE", tgid=facts["pid"]) if event["path"] == f"{facts['dir']}/own"]
    same(len(gone), 1, "deletions of own")
    own = [event for event in events if event.get("path") == f"{facts['dir']}/own" and "change_type" in event]
    true(all(event["seq"] < gone[0]["seq"] for event in own), "all changes before the deletion")
