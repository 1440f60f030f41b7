# SPDX-License-Identifier: BSD-2-Clause
from expect import same, true

EVENTS = ["FILE_CREATE", "FILE_DELETE"]


def expect(facts, events):
    first, second = (maker["tid"] for maker in facts["makers"])
    true(first != second and (first - second) % facts["modulus"] == 0, f"the ids are {first} and {second}")
    for maker in facts["makers"]:
        expected = [f"{maker['dir']}/{maker['tid']}-{number}" for number in range(facts["count"])]
        for event_type in EVENTS:
            seen = [event for event in events.all(event_type, tgid=facts["pid"])
                    if event["pids"]["tid"] == maker["tid"]]
            same([event["path"] for event in seen], expected, f"{event_type} by way of {maker['dir']}: path")
