# SPDX-License-Identifier: BSD-2-Clause
from expect import has, same

EVENTS = ["PROCESS_SHMGET"]
NOBODY = 65534


def expect(facts, events):
    keys = ("key", "size", "shmflg")
    seen = events.all("PROCESS_SHMGET", tgid=facts["pid"])
    same([tuple(event[key] for key in keys) for event in seen],
         [tuple(call[key] for key in keys) for call in facts["calls"] if call["succeeds"]], "key, size and shmflg")
    for event in seen:
        has(event, pids__tid=facts["pid"], comm="case-shmget", creds__ruid=0, creds__euid=0, creds__egid=0)
    has(events.one("PROCESS_SHMGET", tgid=facts["nobody"]), key=0, creds__ruid=NOBODY, creds__euid=NOBODY,
        creds__egid=NOBODY, creds__cap_effective="0")
