# SPDX-License-Identifier: BSD-2-Clause
from expect import same
from file_events import check_event, same_list

EVENTS = ["FILE_CREATE", "FILE_DELETE", "FILE_RENAME"]


def check_object(event, expected):
    check_event(event, {key: value for key, value in expected.items() if key != "unreachable"})
    same(event.get("path_unreachable", False), expected["unreachable"], f"{expected['what']}: path_unreachable")


def without_opened_again(own):
    """Return the events without creations of the queue that was created last: until it is used, the end of mq_open
    does not show whether it was there."""
    return [event for event, before in zip(own, [None, *own])
            if not (before and event["event_type"] == before["event_type"] == "FILE_CREATE"
                    and event["path"] == before["path"])]


def expect(facts, events):
    renames = [event["new_path"] for event in events.all("FILE_RENAME", tgid=facts["pid"])
               if event["new_path"] != event["old_path"]]
    same(renames, [f"{facts['dir']}/others"], "new paths of the renames")
    own = [event for event in events if event["event_type"] in ("FILE_CREATE", "FILE_DELETE")
           and event["pids"]["tgid"] == facts["pid"] and event["path"] != facts["dir"]]
    if "FILE_CREATE" in events.called:
        own = without_opened_again(own)
    same_list(events, own, facts["expected"], check_object)
