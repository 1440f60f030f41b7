# SPDX-License-Identifier: BSD-2-Clause
from expect import same
from file_events import hold, same_list

EVENTS = ["FILE_CREATE", "FILE_DELETE"]


def hold_object(event, due):
    hold(event, {key: value for key, value in due.items() if key != "unreachable"})
    same(event.get("path_unreachable", False), due["unreachable"], f"{due['what']}: path_unreachable")


def expect(facts, events):
    own = [event for event in events if event["event_type"] in EVENTS and event["pids"]["tgid"] == facts["pid"]
           and event["path"] != facts["dir"]]
    same_list(events, own, facts["expected"], hold_object)
