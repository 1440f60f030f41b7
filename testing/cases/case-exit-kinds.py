# SPDX-License-Identifier: BSD-2-Clause
from expect import Failure, has, true

EVENTS = ["PROCESS_EXIT"]


def expect(facts, events):
    wrong = []
    for child in facts["children"]:
        try:
            event = events.one("PROCESS_EXIT", tgid=child["pid"])
            has(event, exit_code=child["code"], exit_signal=child["signal"], core_dumped=child["core"], ns=facts["ns"],
                creds__euid=0, ctty__major=0)
        except Failure as failure:
            wrong.append(f"{child['kind']}: {failure}")
    true(not wrong, f"{len(wrong)} of {len(facts['children'])}: " + " | ".join(wrong[:8]))
    for child in facts["children"]:
        tid = events.one("PROCESS_EXIT", tgid=child["pid"])["pids"]["tid"]
        true(tid == child["pid"], f"{child['kind']}: tid is not that of the first thread")
