# SPDX-License-Identifier: BSD-2-Clause
from expect import Events, has, same, tgid_of, true
from stream import FEATURES, is_event, parse_json

EVENTS = ["PROCESS_EXEC", "PROCESS_EXIT"]


def expect(facts, events):
    tracer = facts["tracer"]
    lines = bytes.fromhex(facts["output"]).splitlines()
    records = [parse_json(line) for line in lines]
    true(FEATURES in records[0], f"the first line is not the features: {lines[0]!r}")
    inner = Events(filter(is_event, records))
    for key in ("first_marker", "last_marker"):
        inner.one("PROCESS_EXEC", tgid=facts[key])
    own = [event for event in inner if tgid_of(event) == tracer or event.get("parent_pids", {}).get("tgid") == tracer]
    same(own, [], "own actions that are events")

    # The exec and exit of another EventsTrace are reported; its actions as a tracer are not, see system/two.sh.
    has(events.one("PROCESS_EXEC", tgid=tracer), comm="EventsTrace")
    has(events.one("PROCESS_EXIT", tgid=tracer), exit_code=0, exit_signal=0)
    same(facts["tracer_status"], 0, "exit status of EventsTrace after SIGTERM")
