# SPDX-License-Identifier: BSD-2-Clause
from file_events import expect_list

EVENTS = ["FILE_MEMFD_OPEN", "FILE_SHMEM_OPEN", "FILE_CREATE"]


def expect(facts, events):
    expect_list(facts, events)
