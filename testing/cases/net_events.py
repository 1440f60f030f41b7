# SPDX-License-Identifier: BSD-2-Clause
"""Compare the network events of a case's processes with the list that it printed (net-ops.h)."""

from expect import Failure, has, lacks, same, true
from file_events import same_list

NET = {"family", "source_address", "source_port", "destination_address", "destination_port", "network_namespace",
       "bytes_sent", "bytes_received"}
# Keys of the list that are no keys of the event, or are compared separately.
ABOUT = {"what", "tgid", "tid", "owner", "mptcp", "transport"}
RING_THREADS = {"worker", "sqpoll"}
RINGS = {"inline", *RING_THREADS}
AT_CALLS = "_at_calls"


def own_events(facts, events, types):
    """Return the events of the case's processes: those that acted, and those that own the connection."""
    own = {facts["pid"], *facts.get("children", [])}
    return [event for event in events if event["event_type"] in types and
            own & {event["pids"]["tgid"], event.get("owner_pids", {}).get("tgid")}]


def check_event(event, expected, facts, at_calls=False):
    """The event is as expected. At the ends of calls the owner of a connection that io_uring made may be unknown."""
    same(event["event_type"], expected["event_type"], f"{expected['what']}: event_type")
    wanted = {f"net__{key}" if key in NET else key: expected[key] for key in set(expected) - ABOUT}
    try:
        has(event, net__transport=expected.get("transport", "TCP"), pids__tgid=expected["tgid"], **wanted)
        # the threads that io_uring creates for a process have names of their own
        true(event["comm"] == expected.get("comm", facts["comm"]) or
             (expected["what"] in RING_THREADS and event["comm"].startswith("iou-")), f"comm: {event['comm']}")
        if "tid" in expected:
            has(event, pids__tid=expected["tid"])
        if expected.get("transport") != "UDP":
            has(event, mptcp=expected.get("mptcp", False))
        if at_calls and expected["what"] in RINGS and "owner_pids" not in event:
            pass
        elif expected.get("owner"):
            has(event, owner_pids__tgid=expected["owner"])
            true(0 <= event["duration_ns"] < 100_000_000_000, f"duration_ns {event['duration_ns']}")
        elif "owner" in expected:
            lacks(event, "owner_pids", "duration_ns")
        if "untracked" in event:
            has(event, untracked=False)
    except Failure as failure:
        raise Failure(f"{expected['what']}: {failure}") from None


def summary(event):
    return [event["event_type"], event["pids"]["tgid"], event.get("error"), event.get("close_reason"),
            *(event["net"].get(key) for key in sorted(NET))]


def expect_list(facts, events, types):
    """The events are those of the list, once each and in that order."""
    seen, expected = own_events(facts, events, types), [one for one in facts["expected"] if one["event_type"] in types]
    same_list(events, seen, expected, lambda event, want: check_event(event, want, facts, events.called), summary)


def flow_at_calls(one):
    """Return what is expected where flows are made at the ends of calls."""
    return {**one, **{key[:-len(AT_CALLS)]: one[key] for key in one if key.endswith(AT_CALLS)}}


def expect_flows(facts, events, types):
    """expect_list for flows of datagrams, which are made at the ends of calls where there are tracepoints only."""
    made_at_calls = any(event.get("peer_from_caller") for event in events)
    same(made_at_calls, "NETWORK_DATAGRAM_FLOW" in events.called, "at the ends of calls a peer is its caller's")
    expected = [flow_at_calls(one) for one in facts["expected"]] if made_at_calls else facts["expected"]
    events.unseen = f"second local address|{events.unseen}" if made_at_calls else events.unseen
    facts["expected"] = [{key: one[key] for key in one if not key.endswith(AT_CALLS)} for one in expected]
    expect_list(facts, events, types)
