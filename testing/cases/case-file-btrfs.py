# SPDX-License-Identifier: BSD-2-Clause
from file_events import expect_list

EVENTS = ["FILE_CREATE", "FILE_DELETE", "FILE_MODIFY"]


def expect(facts, events):
    expect_list(facts, events)
