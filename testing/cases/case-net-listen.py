# SPDX-License-Identifier: BSD-2-Clause
from net_events import expect_list

EVENTS = ["NETWORK_LISTEN"]


def expect(facts, events):
    expect_list(facts, events, EVENTS)
