# SPDX-License-Identifier: BSD-2-Clause
from expect import true
from file_events import expect_list

EVENTS = ["FILE_CREATE", "FILE_DELETE", "FILE_RENAME", "FILE_LINK"]
KERNELS = ["5.10"]


def expect(facts, events):
    true(facts["rounds"] > 0, "nothing was done beside the threads")
    expect_list(facts, events)
