# SPDX-License-Identifier: BSD-2-Clause
from expect import expect_id_changes

EVENTS = ["PROCESS_SETGID"]
ABSENT = ["PROCESS_SETUID"]
PROGRAM = "case-setid"
ARGS = ["gid"]


def expect(facts, events):
    expect_id_changes(facts, events, "PROCESS_SETGID", "gid")
    for change in facts["changes"]:
        if change["what"] != "refused":     # which first gives up its user id
            events.none("PROCESS_SETUID", tgid=change["pid"])
