# SPDX-License-Identifier: BSD-2-Clause
"""Check what each event is with each way to attach on a kernel: as testing/golden/ways has it. GOLDEN_UPDATE=1 records
it anew."""

import json
import os
import pathlib
import re

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "ways"
WAYS = ["best", "lsm", "trampoline", "kprobe", "tracepoint"]


def line(way, event):
    """Return a line of the record: the way, the event, its state, and what it lacks or why it is unavailable."""
    lacks = sorted({lack["lacks"] for lack in event["lacks"]})
    return f"{way} {event['event']} {event['state']}" + (": " + "; ".join(lacks) if lacks else "")


def ways_in(directory):
    """Return the ways to attach: there are none without BPF."""
    return WAYS if pathlib.Path(directory, f"{WAYS[0]}.json").exists() else []


def tracefs_in(directory):
    """Return the way without BPF, which is not tried on all machines."""
    return ["tracefs"] if pathlib.Path(directory, "tracefs.json").exists() else []


def lines_of(directory):
    lines = []
    for way in (*ways_in(directory), *tracefs_in(directory)):
        with open(f"{directory}/{way}.json", encoding="utf-8") as file:
            lines += [line(way, event) for event in json.load(file)["events"]]
    return lines


# How the names of the programs begin that must not be in use with each way, and those of which one must be, if the
# kernel has such programs at all: it attaches one in the best way, or in another one.
LEFT_OUT = {"lsm": ("kprobe__", "session__", "tp_btf__sys_"),
            "trampoline": ("lsm__", "kprobe__", "session__", "tp_btf__sys_"),
            "kprobe": ("lsm__",),
            "tracepoint": ("lsm__", "fentry__", "fexit__", "kprobe__", "session__")}
TAKEN = {"lsm": "lsm__", "trampoline": "fexit__", "kprobe": "kprobe__", "tracepoint": "tp_btf__sys_exit"}


def as_kprobes():
    """Return the programs that are loaded for kprobes where trampolines are refused."""
    rows = (GOLDEN.parents[2] / "GPL/Events/Hooks.def").read_text(encoding="utf-8").split("\nPROGRAM(")[1:]
    return {re.split("[,)]", row)[0] for row in rows if re.search(r"\bAS_KPROBE\b", row)}


def attached(directory, way):
    """Return the programs that were attached."""
    with open(f"{directory}/{way}.json", encoding="utf-8") as file:
        return [hook for hook in json.load(file)["hooks"] if hook["use"] == "attached"]


def check_forced(directory):
    """Yield what was found of each way that was forced."""
    used = {way: attached(directory, way) for way in WAYS}
    for way, beginnings in LEFT_OUT.items():
        wrong = [hook["program"] for hook in used[way] if hook["program"].startswith(beginnings)]
        if way == "kprobe":
            wrong += [hook["program"] for hook in used[way]
                      if hook["program"].startswith(("fentry__", "fexit__")) and hook["program"] not in as_kprobes()]
        assert not wrong, f"--attach {way} has attached {wrong[:5]}"
        exists = any(hook["program"].startswith(TAKEN[way]) for hooks in used.values() for hook in hooks)
        taken = [hook["program"] for hook in used[way] if hook["program"].startswith(TAKEN[way])]
        assert taken or not exists, f"--attach {way} has attached no {TAKEN[way]}*"
        yield f"--attach {way} has attached {len(taken)} programs {TAKEN[way]}* and no others"


def check_ways(directory):
    """Yield what was compared."""
    if ways_in(directory):
        yield from check_forced(directory)
    found, path = lines_of(directory), GOLDEN / f"{pathlib.Path(directory).name}.txt"
    if os.environ.get("GOLDEN_UPDATE") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(found) + "\n", encoding="utf-8")
    recorded = path.read_text(encoding="utf-8").splitlines()
    changed = [one for one in found if one not in recorded] + [f"no longer: {one}" for one in recorded
                                                               if one not in found]
    assert not changed, "; ".join(changed[:5])
    yield f"{len(found)} events in {len(ways_in(directory) + tracefs_in(directory))} ways are as recorded"


CHECKS = {"ways": check_ways}
