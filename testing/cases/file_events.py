# SPDX-License-Identifier: BSD-2-Clause
"""Compare the file events of a process in its directory with the list that it printed (file-ops.h)."""

import re

from expect import Failure, lacks, same, short, true

TYPES = {0o100000: "FILE", 0o040000: "DIR", 0o120000: "SYMLINK", 0o020000: "CHARACTER_DEVICE",
         0o060000: "BLOCK_DEVICE", 0o010000: "NAMED_PIPE", 0o140000: "SOCKET"}
INFO = ("size", "uid", "inode", "dev_major", "dev_minor")
# Keys of the list that are no keys of the event.
ABOUT = {"what", "event_type", "mode", "no_bytes", "ruid", *INFO}

# Flags that an event must not have, because its file has just got that name.
DELETED = {"FILE_CREATE": ["path_deleted"], "FILE_LINK": ["old_path_deleted", "new_path_deleted"],
           "FILE_RENAME": ["old_path_deleted", "new_path_deleted"]}


def paths_of(event):
    return [event[key] for key in ("path", "old_path", "new_path") if key in event]


def own_events(facts, events):
    """Return the file events of the process in its directory, in the order of the stream. Events of the layers of an
    overlay, which the process did not touch itself, would be among them: what is beside that directory, and what has no
    path from the root."""
    inside = (facts["dir"] + "/", facts["dir"] + ".layers/", "memfd:case", "/dev/shm/case")
    return [event for event in events
            if event["event_type"].startswith("FILE_") and event["pids"]["tgid"] == facts["pid"]
            and any(path.startswith(inside) or re.match("/(upper|work|lower)/", path) for path in paths_of(event))]


def check_event(event, expected):
    """The event is as expected."""
    what = f"{expected['what']}: {expected['event_type']}"
    same(event["event_type"], expected["event_type"], f"{expected['what']}: event_type")
    for key in set(expected) - ABOUT:
        same(event.get(key), expected[key], f"{what}: {key}")
    true("no_bytes" not in expected or "bytes" not in event, f"{what}: has bytes: {event.get('bytes')}")
    if "ruid" in expected:
        same(event["creds"]["ruid"], expected["ruid"], f"{what}: creds.ruid")
    info = event["file_info"]
    for key in INFO:
        if key in expected and expected[key] != -1:
            same(info[key], expected[key], f"{what}: file_info.{key}")
    if "mode" in expected:
        same(info["mode"], int(oct(expected["mode"])[2:]), f"{what}: file_info.mode")
        same(info["type"], TYPES[expected["mode"] & 0o170000], f"{what}: file_info.type")
    lacks(event, *DELETED.get(event["event_type"], ()))
    same(event["mount_namespace"], expected.get("mount_namespace", event["mount_namespace"]),
         f"{what}: mount_namespace")


def summary(event):
    keys = ("event_type", "path", "old_path", "new_path", "change_type", "bytes")
    return {key: event[key] for key in keys if key in event}


def same_list(events, seen, expected, check_one, summarize=summary):
    """The events are the expected ones, once each and in that order; check_one(event, want) fails if a pair differs.
    summarize(event) describes a surplus event."""
    events.shown |= {event["event_type"] for event in seen}
    wrong = []
    for number, (event, want) in enumerate(zip(seen, expected)):
        try:
            check_one(event, want)
        except Failure as failure:
            wrong.append(f"{number}: {failure}")
            if len(wrong) == 3:
                break
    if len(seen) != len(expected):
        number = min(len(seen), len(expected))
        surplus = [summarize(event) for event in seen[number:number + 1]]
        wrong.append(f"expected {len(expected)} events, got {len(seen)}; number {number}: "
                     f"expected {short(expected[number:number + 1])}, got {short(surplus)}")
    true(not wrong, " | ".join(wrong))


def expect_list(facts, events):
    """The events are those of the list, once each and in that order."""
    same_list(events, own_events(facts, events), facts["expected"], check_event)
