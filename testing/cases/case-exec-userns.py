# SPDX-License-Identifier: BSD-2-Clause
from expect import has, true

EVENTS = ["PROCESS_EXEC", "PROCESS_FORK"]


def expect(facts, events):
    event = events.one("PROCESS_EXEC", tgid=facts["child"])
    # the ids outside, and the capabilities of root inside
    has(event, args=["true", "root-inside"], ns=facts["ns"], creds__ruid=1000, creds__euid=1000, creds__rgid=1000)
    true(int(event["creds"]["cap_effective"]) & 1 << 21, "CAP_SYS_ADMIN is missing")
    true(event["ns"]["user"] != facts["host_ns"]["user"], "ns.user is the host's, for these capabilities")
    has(events.one("PROCESS_FORK", parent=facts["child"]), ns=facts["ns"], creds__ruid=1000)
    true(event["ns"]["mnt"] == facts["host_ns"]["mnt"], "ns.mnt is not the host's")
