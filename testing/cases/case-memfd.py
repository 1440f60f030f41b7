# SPDX-License-Identifier: BSD-2-Clause
from expect import decode, has, same

EVENTS = ["PROCESS_MEMFD_CREATE"]
NOBODY = 65534
FLAGS = {"flag_cloexec": 1, "flag_allow_seal": 2, "flag_hugetlb": 4, "flag_noexec_seal": 8, "flag_exec": 16}


def expect(facts, events):
    made = [call for call in facts["calls"] if call["made"]]
    seen = events.all("PROCESS_MEMFD_CREATE", tgid=facts["pid"])
    same([(decode(event["filename"]), event["flags"]) for event in seen],
         [(bytes.fromhex(call["name"]), call["flags"]) for call in made], "names and flags")
    for event, call in zip(seen, made):
        if bytes.fromhex(call["name"]) != b"in a thread":
            same(event["pids"]["tid"], facts["pid"], "pids.tid")
        has(event, comm="case-memfd", creds__ruid=0, creds__euid=0, creds__egid=0,
            **{key: bool(call["flags"] & bit) for key, bit in FLAGS.items()})
    has(events.one("PROCESS_MEMFD_CREATE", tgid=facts["nobody"]), filename="nobody's", creds__ruid=NOBODY,
        creds__euid=NOBODY, creds__egid=NOBODY, creds__cap_effective="0")
