# SPDX-License-Identifier: BSD-2-Clause
from expect import Failure, has, same, true
from file_events import check_event, paths_of, without_unseen

EVENTS = ["FILE_CREATE", "FILE_DELETE", "FILE_RENAME", "FILE_MODIFY"]
NODES = "/dev/loop7"


def by_anybody(facts, events):
    """Return the events in the directory and of the nodes that kernel threads make, of any process."""
    return [event for event in events if event["event_type"] in EVENTS and event["pids"]["tgid"] != facts["maker"]
            and any(path.startswith((facts["dir"] + "/", NODES)) for path in paths_of(event))]


def expect_one(event, expected):
    who = dict(expected["by"])
    check_event(event, {key: value for key, value in expected.items() if key != "by"})
    creds = {f"creds__{key}": who.pop(key) for key in ("ruid", "euid")}
    has(event, **{f"pids__{key}": value for key, value in who.items()}, **creds)
    same(event["creds"]["cap_effective"] != "0", creds["creds__euid"] == 0, "has effective capabilities")


def expect(facts, events):
    seen, expected = by_anybody(facts, events), facts["expected"]
    if events.unseen:
        expected = without_unseen(events, seen, expected, expect_one)
    events.shown |= {event["event_type"] for event in seen}
    wrong = []
    for event, want in zip(seen, expected):
        try:
            expect_one(event, want)
        except Failure as failure:
            wrong.append(f"{want['what']}: {failure}")
    rest = [(event["event_type"], paths_of(event), event["comm"]) for event in seen[len(expected):]]
    true(not wrong and len(seen) == len(expected),
         f"{len(expected)} were expected, {len(seen)} came, more: {rest[:3]}; " + " | ".join(wrong[:4]))
