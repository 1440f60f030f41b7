# SPDX-License-Identifier: BSD-2-Clause
from file_events import expect_list

EVENTS = ["FILE_DELETE", "FILE_CREATE"]
ABSENT = ["FILE_LINK", "FILE_MODIFY"]
PROGRAM = "case-file-delete"
ARGS = ["ext4"]


def expect(facts, events):
    expect_list(facts, events)
