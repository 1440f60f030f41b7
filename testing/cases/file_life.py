# SPDX-License-Identifier: BSD-2-Clause
"""Compare the file events of a process, between two files that it creates, with the list that it printed
(file-life.h)."""

import re

from expect import Failure, decode, lacks, same, short, true
from file_events import check_event, is_from_caller, same_list

PATHS = ("path", "old_path", "new_path", "symlink_target_path", "xattr_name")
TEXTS = PATHS[3:]           # strings that are as they were given
# Operations through a link, which is in the path that the caller gave, or left out with a `..` behind it.
THROUGH_LINK = re.compile(r"[^,]*\blink\b.*,|link to nothing")
LENGTH_KEPT = 4096 - 2 * 255     # a path that is cut has at least that many bytes, or
COMPONENTS_KEPT = 190            # that many components


def check_path(event, key, expected, unreachable):
    """The path is complete, or is flagged as cut and is the end of the complete one."""
    got, whole = decode(event.get(key, "")), bytes.fromhex(expected["whole"])
    if unreachable:
        true(event.get(f"{key}_unreachable") is True, f"{key}: not flagged as unreachable: {short(got)}")
        true(got.endswith(whole), f"{key}: expected the end {short(whole)}, got {short(got)}")
        return
    lacks(event, f"{key}_unreachable", f"{key}_unstable")
    if not expected["cut"] or (f"{key}_from_caller" in event and got == whole):     # there is room for more names
        same(got, whole, key)
        lacks(event, f"{key}_truncated")
        return
    true(event.get(f"{key}_truncated") is True, f"{key}: {len(got)} bytes of {len(whole)}, and not flagged")
    true(whole.endswith(b"/" + got), f"{key} is not the end of the path, from a name on: {short(got)}")
    true(len(got) >= LENGTH_KEPT or got.count(b"/") >= COMPONENTS_KEPT, f"{key}: only {len(got)} bytes are kept")


def check_life(event, expected, root_path):
    """The event is as expected; `root_path` is its root path if the list has none."""
    rest = {key: value for key, value in expected.items() if key not in (*PATHS, "unreachable", "root_path")}
    check_event(event, rest)
    follows_link = is_from_caller(event) and THROUGH_LINK.match(expected["what"])
    for key in PATHS:
        if key in expected and not (follows_link and key not in TEXTS):
            try:
                check_path(event, key, expected[key], expected["unreachable"] and key not in TEXTS)
            except Failure as failure:
                raise Failure(f"{expected['what']}: {expected['event_type']}: {failure}") from None
    same(event.get("root_path"), expected.get("root_path", root_path), f"{expected['what']}: root_path")


def life_of(facts, events, tgid):
    """Return the file events of a process after it created `begin` and before it created `end`."""
    own = [event for event in events if event["event_type"].startswith("FILE_") and event["pids"]["tgid"] == tgid]
    ends = [number for number, event in enumerate(own) if event["event_type"] == "FILE_CREATE"
            and event["path"].rsplit("/", 1)[-1] in ("begin", "end")]
    true(len(ends) == 2, f"expected begin and end, got {len(ends)} of them")
    return own[ends[0] + 1:ends[1]]


def expect_life(facts, events, root_path=None):
    """The events are those of the list, once each and in that order, and no others."""
    same_list(events, life_of(facts, events, facts["pid"]), facts["expected"],
              lambda event, want: check_life(event, want, root_path))
