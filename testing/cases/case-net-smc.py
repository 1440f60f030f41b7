# SPDX-License-Identifier: BSD-2-Clause
from net_events import expect_list

EVENTS = ["NETWORK_CONNECTION_ATTEMPTED", "NETWORK_CONNECTION_ACCEPTED", "NETWORK_CONNECTION_CLOSED"]


def expect(facts, events):
    expect_list(facts, events, EVENTS)
