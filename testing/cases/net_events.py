# SPDX-License-Identifier: BSD-2-Clause
"""Holds the network events of a case's processes against the list that it has written down (net-ops.h)."""

from expect import Failure, has, lacks, same, true
from file_events import same_list

NET = {"family", "source_address", "source_port", "destination_address", "destination_port", "network_namespace",
       "bytes_sent", "bytes_received"}
# Keys of the list that are about the list, or looked at by themselves.
ABOUT = {"what", "tgid", "tid", "owner", "mptcp", "transport"}
RING_THREADS = {"worker", "sqpoll"}


def own_events(facts, events, types):
    """Those of the case's processes, by who acted or who owns what was acted on."""
    own = {facts["pid"], *facts.get("children", [])}
    return [event for event in events if event["event_type"] in types and
            own & {event["pids"]["tgid"], event.get("owner_pids", {}).get("tgid")}]


def hold(event, due, facts):
    """The event is the one that was due."""
    same(event["event_type"], due["event_type"], f"{due['what']}: event_type")
    wanted = {f"net__{key}" if key in NET else key: due[key] for key in set(due) - ABOUT}
    try:
        has(event, net__transport=due.get("transport", "TCP"), pids__tgid=due["tgid"], **wanted)
        # the threads that io_uring makes for a process have names of their own
        true(event["comm"] == due.get("comm", facts["comm"]) or
             (due["what"] in RING_THREADS and event["comm"].startswith("iou-")), f"comm: {event['comm']}")
        if "tid" in due:
            has(event, pids__tid=due["tid"])
        if due.get("transport") != "UDP":
            has(event, mptcp=due.get("mptcp", False))
        if due.get("owner"):
            has(event, owner_pids__tgid=due["owner"])
            true(0 <= event["duration_ns"] < 100_000_000_000, f"duration_ns {event['duration_ns']}")
        elif "owner" in due:
            lacks(event, "owner_pids", "duration_ns")
        if "untracked" in event:
            has(event, untracked=False)
    except Failure as failure:
        raise Failure(f"{due['what']}: {failure}") from None


def brief(event):
    return [event["event_type"], event["pids"]["tgid"], event.get("error"), event.get("close_reason"),
            *(event["net"].get(key) for key in sorted(NET))]


def expect_list(facts, events, types):
    """What happened is what was written down, once each and in that order."""
    seen, due = own_events(facts, events, types), [one for one in facts["expected"] if one["event_type"] in types]
    same_list(events, seen, due, lambda event, want: hold(event, want, facts), brief)
