# SPDX-License-Identifier: BSD-2-Clause
"""Compare the file events of a process in its directory with the list that it printed (file-ops.h)."""

import re

from expect import Failure, lacks, same, short, true

TYPES = {0o100000: "FILE", 0o040000: "DIR", 0o120000: "SYMLINK", 0o020000: "CHARACTER_DEVICE",
         0o060000: "BLOCK_DEVICE", 0o010000: "NAMED_PIPE", 0o140000: "SOCKET"}
INFO = ("size", "uid", "inode", "dev_major", "dev_minor")
# Keys of the list that are no keys of the event.
ABOUT = {"what", "event_type", "mode", "no_bytes", "ruid", *INFO}
# Keys that need the files themselves.
OF_FILES = {"is_replaced", "replaced_inode", "replaced_nlink", "exchanged_inode", "nlink"}
OF_LINKS = {"symlink_target_path"}      # but for that which is being created

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
            and any(path.startswith(inside) or re.match("/(upper|work|lower)/", path) for path in paths_of(event))
            and not ("FILE_RENAME" in events.called and does_nothing(event))]


def does_nothing(event):
    """Return whether an event is the rename of case-file-rename of one name of a file to another of its names, which
    changes nothing. The end of the call does not show that."""
    return event["event_type"] == "FILE_RENAME" and (event["old_path"][-2:], event["new_path"][-3:]) == ("/e", "/e2")


def is_from_caller(event):
    """Return whether a path of the event is as its caller gave it. Then nothing else is known of the file."""
    return any(f"{key}_from_caller" in event for key in ("path", "old_path", "new_path"))


def is_requested(event):
    """Return whether the event was made when io_uring was asked for it, so that it may have failed."""
    return any(f"{key}_requested" in event for key in ("path", "old_path", "new_path"))


def check_info(event, expected, what):
    """The file is as expected, or unknown but for its type."""
    info = event["file_info"]
    if is_from_caller(event):
        expected = {"mode": expected["mode"]} if "mode" in expected and info["type"] != "UNKNOWN" else {}
    for key in INFO:
        if key in expected and expected[key] != -1:
            same(info[key], expected[key], f"{what}: file_info.{key}")
    if "mode" in expected:
        same(info["type"], TYPES[expected["mode"] & 0o170000], f"{what}: file_info.type")
        if not is_from_caller(event):
            same(info["mode"], int(oct(expected["mode"])[2:]), f"{what}: file_info.mode")


def check_event(event, expected):
    """The event is as expected."""
    what = f"{expected['what']}: {expected['event_type']}"
    same(event["event_type"], expected["event_type"], f"{expected['what']}: event_type")
    unknown = OF_FILES if is_from_caller(event) else set()
    if unknown and event["event_type"] != "FILE_CREATE":
        unknown = unknown | OF_LINKS
    for key in set(expected) - ABOUT - unknown:
        same(event.get(key), expected[key], f"{what}: {key}")
    true("no_bytes" not in expected or "bytes" not in event, f"{what}: has bytes: {event.get('bytes')}")
    if "ruid" in expected:
        same(event["creds"]["ruid"], expected["ruid"], f"{what}: creds.ruid")
    check_info(event, expected, what)
    lacks(event, *DELETED.get(event["event_type"], ()))
    same(event["mount_namespace"], expected.get("mount_namespace", event["mount_namespace"]),
         f"{what}: mount_namespace")


def summary(event):
    keys = ("event_type", "path", "old_path", "new_path", "change_type", "bytes")
    return {key: event[key] for key in keys if key in event}


def without_unseen(events, seen, expected, check_one):
    """Return the expected events without those that are not seen in this way, and were not."""
    left, at = [], 0
    for want in expected:
        if want["what"].startswith("aio"):
            want = {key: want[key] for key in want if key != "bytes"}    # how much was written is not known
        if re.search(events.unseen, f"{want['event_type']}: {want['what']}"):
            try:
                check_one(seen[at], want)
            except (Failure, IndexError):
                continue
        left.append(want)
        at += 1
    return left


def without_failed(seen, expected, check_one):
    """Return the events without requests that match none of the expected events, each of which matches one."""
    left, open_wants = [], list(expected)
    for event in seen:
        if is_requested(event):
            for number, want in enumerate(open_wants):
                try:
                    check_one(event, want)
                except Failure:
                    continue
                del open_wants[number]
                break
            else:
                continue
        left.append(event)
    return left


def same_list(events, seen, expected, check_one, summarize=summary):
    """The events are the expected ones, once each and in that order; check_one(event, want) fails if a pair differs.
    summarize(event) describes a surplus event."""
    if events.called:
        seen = without_failed(seen, expected, check_one)
    if events.unseen:
        expected = without_unseen(events, seen, expected, check_one)
    events.shown |= {event["event_type"] for event in seen}
    true(all(event["event_type"] in events.called for event in seen if is_from_caller(event)), "a path is its caller's")
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
