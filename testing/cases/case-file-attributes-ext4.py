# SPDX-License-Identifier: BSD-2-Clause
from file_events import expect_list

EVENTS = ["FILE_MODIFY", "FILE_CREATE"]
ABSENT = ["FILE_DELETE", "FILE_RENAME", "FILE_LINK"]
PROGRAM = "case-file-attributes"
ARGS = ["ext4"]


def expect(facts, events):
    expect_list(facts, events)
