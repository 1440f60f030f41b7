# SPDX-License-Identifier: BSD-2-Clause
"""Holds the file events of a process, between two files that it creates, against the list that it has written down
(file-life.h)."""

from expect import Failure, decode, lacks, same, short, true
from file_events import hold, same_list

PATHS = ("path", "old_path", "new_path", "symlink_target_path", "xattr_name")
TEXTS = PATHS[3:]           # which are as they were given
LENGTH_KEPT = 4096 - 2 * 255     # a path that is cut has at least that many bytes, or
COMPONENTS_KEPT = 190            # that many components


def hold_path(event, key, due, unreachable):
    """The path is the whole one, or is flagged as cut and the end of it."""
    got, whole = decode(event.get(key, "")), bytes.fromhex(due["whole"])
    if unreachable:
        true(event.get(f"{key}_unreachable") is True, f"{key}: not told that it cannot be reached: {short(got)}")
        true(got.endswith(whole), f"{key}: expected the end {short(whole)}, got {short(got)}")
        return
    lacks(event, f"{key}_unreachable", f"{key}_unstable")
    if not due["cut"]:
        same(got, whole, key)
        lacks(event, f"{key}_truncated")
        return
    true(event.get(f"{key}_truncated") is True, f"{key}: {len(got)} bytes of {len(whole)}, and not flagged")
    true(whole.endswith(b"/" + got), f"{key} is not the end of the path, from a name on: {short(got)}")
    true(len(got) >= LENGTH_KEPT or got.count(b"/") >= COMPONENTS_KEPT, f"{key}: only {len(got)} bytes are kept")


def hold_life(event, due, root_path):
    """`root_path` is what it must be in an event that is not to have the list's."""
    rest = {key: value for key, value in due.items() if key not in (*PATHS, "unreachable", "root_path")}
    hold(event, rest)
    for key in PATHS:
        if key in due:
            try:
                hold_path(event, key, due[key], due["unreachable"] and key not in TEXTS)
            except Failure as failure:
                raise Failure(f"{due['what']}: {due['event_type']}: {failure}") from None
    same(event.get("root_path"), due.get("root_path", root_path), f"{due['what']}: root_path")


def life_of(facts, events, tgid):
    """The file events of a process after it created `begin` and before it created `end`."""
    own = [event for event in events if event["event_type"].startswith("FILE_") and event["pids"]["tgid"] == tgid]
    ends = [number for number, event in enumerate(own) if event["event_type"] == "FILE_CREATE"
            and event["path"].rsplit("/", 1)[-1] in ("begin", "end")]
    true(len(ends) == 2, f"{len(ends)} of begin and end came")
    return own[ends[0] + 1:ends[1]]


def expect_life(facts, events, root_path=None):
    """What happened is what was written down, once each and in that order, and nothing else."""
    same_list(events, life_of(facts, events, facts["pid"]), facts["expected"],
              lambda event, want: hold_life(event, want, root_path))
