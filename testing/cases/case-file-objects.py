# SPDX-License-Identifier: BSD-2-Clause
from expect import same
from file_events import check_event, same_list

EVENTS = ["FILE_CREATE", "FILE_DELETE", "FILE_RENAME"]


def check_object(event, expected):
    check_event(event, {key: value for key, value in expected.items() if key != "unreachable"})
    same(event.get("path_unreachable", False), expected["unreachable"], f"{expected['what']}: path_unreachable")


def expect(facts, events):
    same(events.one("FILE_RENAME", facts["pid"])["new_path"], f"{facts['dir']}/others", "new path of the rename")
    own = [event for event in events if event["event_type"] in ("FILE_CREATE", "FILE_DELETE")
           and event["pids"]["tgid"] == facts["pid"] and event["path"] != facts["dir"]]
    same_list(events, own, facts["expected"], check_object)
