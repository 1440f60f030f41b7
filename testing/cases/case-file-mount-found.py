# SPDX-License-Identifier: BSD-2-Clause
from expect import lacks, same
from file_events import hold, own_events, same_list

EVENTS = ["FILE_MODIFY"]
ABSENT = ["FILE_CREATE", "FILE_DELETE", "FILE_RENAME", "FILE_LINK"]
ROUND = "trusted.round"


def hold_found(event, due):
    """The path, and whether it says that another mount leads there as well."""
    hold(event, {key: value for key, value in due.items() if key != "ambiguous"})
    same(event.get("path_ambiguous", False), due.get("ambiguous", False), f"{due['what']}: path_ambiguous")
    lacks(event, "path_unreachable", "path_deleted")


def expect(facts, events):
    own = own_events(facts, events)
    same_list(events, [event for event in own if event.get("xattr_name") != ROUND], facts["expected"], hold_found)
    rounds = [event for event in own if event.get("xattr_name") == ROUND]
    for name, is_main in (("t/sub/file", True), ("b/file", False)):
        paths = [event["path"] for event in rounds if (event["pids"]["tid"] == facts["pid"]) == is_main]
        same(paths, [f"{facts['dir']}/{name}"] * facts["rounds"], f"the thread at {name}")
    for event in rounds:
        lacks(event, "path_ambiguous")
