# SPDX-License-Identifier: BSD-2-Clause
from file_life import expect_life

EVENTS = ["FILE_CREATE", "FILE_DELETE", "FILE_RENAME", "FILE_LINK", "FILE_MODIFY"]


def expect(facts, events):
    expect_life(facts, events)
