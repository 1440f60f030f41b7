# SPDX-License-Identifier: BSD-2-Clause
from net_events import expect_flows

EVENTS = ["NETWORK_DATAGRAM_FLOW"]


def expect(facts, events):
    expect_flows(facts, events, EVENTS)
