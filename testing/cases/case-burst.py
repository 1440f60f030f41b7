# SPDX-License-Identifier: BSD-2-Clause
from expect import same, tgid_of, true

EVENTS = ["PROCESS_FORK", "PROCESS_EXEC", "PROCESS_EXIT"]


def positions(events, kind, children):
    """Return the position in the stream of each child's event of a type; each must be there once."""
    found = {}
    for position, event in enumerate(events):
        if event["event_type"] == kind and tgid_of(event) in children:
            true(tgid_of(event) not in found, f"{kind} of {tgid_of(event)} is there twice")
            found[tgid_of(event)] = position
    same(len(found), len(children), f"{kind}: processes seen")
    return found


def expect(facts, events):
    children = set(facts["children"])
    same(len(children), 1000, "processes started")
    same({tgid_of(event) for event in events.all("PROCESS_FORK", parent=facts["pid"])}, children, "processes forked")
    forked, executed, ended = (positions(events, kind, children) for kind in EVENTS)
    disorder = [child for child in children if not forked[child] < executed[child] < ended[child]]
    true(not disorder, f"fork, exec and exit out of order for {len(disorder)} processes")
    events.shown.update(EVENTS)
