# SPDX-License-Identifier: BSD-2-Clause
from expect import expect_id_changes

EVENTS = ["PROCESS_SETUID"]
ABSENT = ["PROCESS_SETGID"]
PROGRAM = "case-setid"
ARGS = ["uid"]


def expect(facts, events):
    expect_id_changes(facts, events, "PROCESS_SETUID", "uid")
    for change in facts["changes"]:
        events.none("PROCESS_SETGID", tgid=change["pid"])
