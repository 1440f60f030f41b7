# SPDX-License-Identifier: BSD-2-Clause
"""Check what each event is with each way to attach on a kernel: as testing/golden/ways has it. GOLDEN_UPDATE=1 records
it anew."""

import json
import os
import pathlib

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "ways"
WAYS = ["best", "lsm", "trampoline", "kprobe", "tracepoint"]


def line(way, event):
    """Return a line of the record: the way, the event, its state, and what it lacks or why it is unavailable."""
    lacks = sorted({lack["lacks"] for lack in event["lacks"]})
    return f"{way} {event['event']} {event['state']}" + (": " + "; ".join(lacks) if lacks else "")


def lines_of(directory):
    lines = []
    for way in WAYS:
        with open(f"{directory}/{way}.json", encoding="utf-8") as file:
            lines += [line(way, event) for event in json.load(file)["events"]]
    return lines


def check_ways(directory):
    """Yield what was compared."""
    found, path = lines_of(directory), GOLDEN / f"{pathlib.Path(directory).name}.txt"
    if os.environ.get("GOLDEN_UPDATE") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(found) + "\n", encoding="utf-8")
    recorded = path.read_text(encoding="utf-8").splitlines()
    changed = [one for one in found if one not in recorded] + [f"no longer: {one}" for one in recorded
                                                               if one not in found]
    assert not changed, "; ".join(changed[:5])
    yield f"{len(found)} events in {len(WAYS)} ways are as recorded"


CHECKS = {"ways": check_ways}
