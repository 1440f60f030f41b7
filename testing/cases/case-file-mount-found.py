# SPDX-License-Identifier: BSD-2-Clause
from expect import lacks, same
from file_events import check_event, is_from_caller, own_events, same_list

EVENTS = ["FILE_MODIFY"]
ABSENT = ["FILE_CREATE", "FILE_DELETE", "FILE_RENAME", "FILE_LINK"]
ROUND = "trusted.round"


def check_found(event, expected):
    """The path is right, and so is the flag that another mount leads there as well."""
    check_event(event, {key: value for key, value in expected.items() if key != "ambiguous"})
    ambiguous = expected.get("ambiguous", False) and not is_from_caller(event)
    same(event.get("path_ambiguous", False), ambiguous, f"{expected['what']}: path_ambiguous")
    lacks(event, "path_unreachable", "path_deleted")


def expect(facts, events):
    own = own_events(facts, events)
    same_list(events, [event for event in own if event.get("xattr_name") != ROUND], facts["expected"], check_found)
    rounds = [event for event in own if event.get("xattr_name") == ROUND]
    for name, is_main in (("t/sub/file", True), ("b/file", False)):
        paths = [event["path"] for event in rounds if (event["pids"]["tid"] == facts["pid"]) == is_main]
        same(paths, [f"{facts['dir']}/{name}"] * facts["rounds"], f"the thread at {name}")
    for event in rounds:
        lacks(event, "path_ambiguous")
