# SPDX-License-Identifier: BSD-2-Clause
"""Holds the events of a process in its directory against the list that it has written down (file-ops.h)."""

from expect import Failure, lacks, same, short, true

TYPES = {0o100000: "FILE", 0o040000: "DIR", 0o120000: "SYMLINK", 0o020000: "CHARACTER_DEVICE",
         0o060000: "BLOCK_DEVICE", 0o010000: "NAMED_PIPE", 0o140000: "SOCKET"}
INFO = ("size", "uid", "inode", "dev_major", "dev_minor")
# Keys of the list that are about the list and not about the event.
ABOUT = {"what", "event_type", "mode", "no_bytes", "ruid", *INFO}

# What names a file that is there, for it has just got that name.
DELETED = {"FILE_CREATE": ["path_deleted"], "FILE_LINK": ["old_path_deleted", "new_path_deleted"],
           "FILE_RENAME": ["old_path_deleted", "new_path_deleted"]}


def paths_of(event):
    return [event[key] for key in ("path", "old_path", "new_path") if key in event]


def own_events(facts, events):
    """File events of the process that are in its directory, in the order of the stream."""
    inside = facts["dir"] + "/"
    return [event for event in events
            if event["event_type"].startswith("FILE_") and event["pids"]["tgid"] == facts["pid"]
            and any(path.startswith(inside) or path.startswith("memfd:case") or path.startswith("/dev/shm/case")
                    for path in paths_of(event))]


def hold(event, due):
    """The event is the one that was due."""
    what = f"{due['what']}: {due['event_type']}"
    same(event["event_type"], due["event_type"], f"{due['what']}: event_type")
    for key in set(due) - ABOUT:
        same(event.get(key), due[key], f"{what}: {key}")
    true("no_bytes" not in due or "bytes" not in event, f"{what}: bytes are told: {event.get('bytes')}")
    if "ruid" in due:
        same(event["creds"]["ruid"], due["ruid"], f"{what}: creds.ruid")
    info = event["file_info"]
    for key in INFO:
        if key in due and due[key] != -1:
            same(info[key], due[key], f"{what}: file_info.{key}")
    if "mode" in due:
        same(info["mode"], int(oct(due["mode"])[2:]), f"{what}: file_info.mode")
        same(info["type"], TYPES[due["mode"] & 0o170000], f"{what}: file_info.type")
    lacks(event, *DELETED.get(event["event_type"], ()))
    same(event["mount_namespace"], due.get("mount_namespace", event["mount_namespace"]), f"{what}: mount_namespace")


def brief(event):
    keys = ("event_type", "path", "old_path", "new_path", "change_type", "bytes")
    return {key: event[key] for key in keys if key in event}


def same_list(events, seen, due, hold_one, brief_one=brief):
    """What came is what was due, once each and in that order; hold_one(event, want) fails where a pair differs.
    brief_one(event) is what is told of one that is too many."""
    events.shown |= {event["event_type"] for event in seen}
    wrong = []
    for number, (event, want) in enumerate(zip(seen, due)):
        try:
            hold_one(event, want)
        except Failure as failure:
            wrong.append(f"{number}: {failure}")
            if len(wrong) == 3:
                break
    if len(seen) != len(due):
        number = min(len(seen), len(due))
        wrong.append(f"{len(due)} events were due, {len(seen)} came; number {number}: "
                     f"due {short(due[number:number + 1])}, came {short([brief_one(e) for e in seen[number:number + 1]])}")
    true(not wrong, " | ".join(wrong))


def expect_list(facts, events):
    """What happened is what was written down, once each and in that order."""
    same_list(events, own_events(facts, events), facts["expected"], hold)
