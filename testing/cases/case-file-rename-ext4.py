# SPDX-License-Identifier: BSD-2-Clause
from file_events import expect_list

EVENTS = ["FILE_RENAME", "FILE_CREATE", "FILE_LINK"]
ABSENT = ["FILE_DELETE", "FILE_MODIFY"]
PROGRAM = "case-file-rename"
ARGS = ["ext4"]


def expect(facts, events):
    expect_list(facts, events)
