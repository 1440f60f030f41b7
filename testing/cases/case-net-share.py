# SPDX-License-Identifier: BSD-2-Clause
from expect import same, true
from net_events import expect_list

EVENTS = ["NETWORK_DATAGRAM_FLOW"]
KERNELS = ["6.12"]


def expect_flows(flows, events):
    """Each of a process' many flows is reported once, and its datagrams are, unless it is untracked."""
    own = [event for event in events.all("NETWORK_DATAGRAM_FLOW") if flows["pid"] == event["pids"]["tgid"]]
    new = [event for event in own if event["flow_state"] == "NEW"]
    totals = [event for event in own if event["flow_state"] != "NEW"]
    ends = {tuple(event["net"].items()) for event in new}
    untracked = sum(event["untracked"] for event in new)
    same((len(new), len(ends)), (flows["count"], flows["count"]), f"flows of {flows['pid']}: all, different ones")
    same(sum(event["datagrams"] for event in totals), flows["count"] - untracked, f"datagrams of {flows['pid']}")
    true(not flows["totals"] or not untracked, f"{untracked} flows of {flows['pid']} have no totals")


def expect(facts, events):
    expect_list(facts, events, EVENTS)
    for flows in facts["flows"]:
        expect_flows(flows, events)
