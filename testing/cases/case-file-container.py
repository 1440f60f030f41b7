# SPDX-License-Identifier: BSD-2-Clause
from expect import same, true
from file_life import expect_life, life_of

EVENTS = ["FILE_CREATE", "FILE_DELETE", "FILE_RENAME", "FILE_LINK", "FILE_MODIFY"]


def expect(facts, events):
    expect_life(facts, events)
    true(facts["ns"]["mnt"] != facts["host_ns"]["mnt"], "the container has the host's mount namespace")
    for event in life_of(facts, events, facts["pid"]):
        same(event["mount_namespace"], facts["ns"]["mnt"], f"{event['event_type']}: mount_namespace")
