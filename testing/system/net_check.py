# SPDX-License-Identifier: BSD-2-Clause
"""Check the results of the tests of network events: every connection has its ends, its owner and its bytes."""

import collections
import json
import pathlib
import re
import sys

from file_check import check_skips, facts_of, kernel_preempts
from flood_check import check_counts, check_numbers, load, of_type

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cases"))
import expect  # noqa: E402
import net_events  # noqa: E402

ATTEMPTED, ACCEPTED, CLOSED, FAILED, LISTEN, FLOW = KINDS = [
    "NETWORK_CONNECTION_ATTEMPTED", "NETWORK_CONNECTION_ACCEPTED", "NETWORK_CONNECTION_CLOSED",
    "NETWORK_CONNECTION_FAILED", "NETWORK_LISTEN", "NETWORK_DATAGRAM_FLOW"]
DURATION_MAX_NS = 60_000_000_000
NEAR_NS = 1_000_000     # between two readings of the clock for one event


def ends_of(event, side="client"):
    """Return the ends of a connection as the client sees them."""
    net = event["net"]
    ends = ((net["source_address"], net["source_port"]), (net["destination_address"], net["destination_port"]))
    return ends if side == "client" else ends[::-1]


def side_of(event, facts):
    """Return which end it is, by the server's port: "client" or "server", and the worker's number."""
    for side, key in (("client", "destination_port"), ("server", "source_port")):
        worker = event["net"][key] - facts["port"]
        if 0 <= worker < len(facts["clients"]):
            return side, worker
    raise AssertionError(f"a connection of somebody else: {event}")


def check_event(event, facts):
    """Process, namespace and addresses are those of one end of a connection. Return which end."""
    side, worker = side_of(event, facts)
    assert side == {ATTEMPTED: "client", ACCEPTED: "server"}.get(event["event_type"], side), event
    assert event["pids"]["tgid"] == facts[f"{side}s"][worker] and event["comm"] == "net-burst", event
    assert event["net"]["transport"] == "TCP" and event["net"]["family"] == "AF_INET", event
    assert event["net"]["network_namespace"] == facts[f"{side}_namespace"], event
    assert not event["mptcp"] and not event.get("untracked"), event
    for (address, _), number in zip(ends_of(event, side), (2, 1)):
        match = re.fullmatch(rf"{re.escape(facts['prefix'])}\.{number}\.(\d)", address)
        assert match and 1 <= int(match[1]) <= facts["spread"], event
    return side


def expected_close(number, side, facts):
    """Return the expected close of one end of a connection; see net-burst.c."""
    workers, spread, prefix = len(facts["clients"]), facts["spread"], facts["prefix"]
    sent, received = number + 1, facts["count"] - number
    is_first = (number // workers % 2 == 1) == (side == "server")
    return {"client": f"{prefix}.2.{1 + number // spread % spread}", "server": f"{prefix}.1.{1 + number % spread}",
            "port": facts["port"] + number % workers, "owner": facts[f"{side}s"][number % workers],
            "bytes": (sent, received) if side == "client" else (received, sent),
            "reason": "HERE" if is_first else "PEER"}


def check_closed(event, facts):
    """The close of one end is as expected. Return the connection's number and which end it is."""
    side, net = check_event(event, facts), event["net"]
    number = (net["bytes_sent"] if side == "client" else net["bytes_received"]) - 1
    client, server = ends_of(event, side)
    seen = {"client": client[0], "server": server[0], "port": server[1], "owner": event["owner_pids"]["tgid"],
            "bytes": (net["bytes_sent"], net["bytes_received"]), "reason": event["close_reason"]}
    expected = expected_close(number, side, facts)
    assert seen == expected, f"{side} of connection {number}: {seen}, expected {expected}"
    assert 0 < event["duration_ns"] < DURATION_MAX_NS, event
    return number, side


def check_events(events, facts):
    """Each event is right, and no end is closed twice. Return which ends of which connections are closed."""
    for kind in (ATTEMPTED, ACCEPTED):
        for event in of_type(events, kind):
            check_event(event, facts)
    closed = collections.Counter(check_closed(event, facts) for event in of_type(events, CLOSED))
    twice = [end for end, times in closed.items() if times > 1]
    assert not twice, f"closed twice: {twice[:5]}"
    assert not of_type(events, FAILED), of_type(events, FAILED)[0]
    return closed


def check_seen(events, stats, facts, preempts):
    """For each type, everything that was made was seen, and the counts add up. Return the losses."""
    assert FAILED not in stats or set(stats[FAILED]["lost"]) == {"recursion"}, stats[FAILED]
    made = {ATTEMPTED: facts["count"], ACCEPTED: facts["count"], CLOSED: 2 * facts["count"]}
    for kind, count in made.items():
        skips = stats[kind]["lost"].get("recursion", 0) if preempts else 0
        seen = stats[kind]["seen"] - stats[kind]["filtered"]
        assert count <= seen <= count + skips, f"{kind}: made {count}, {stats[kind]}"
        check_counts(stats, events, kind, seen)
    assert check_numbers(events) == sum(sum(counts["lost"].values()) for counts in stats.values())
    return {kind: sum(stats[kind]["lost"].values()) for kind in made}


def same_ends(events, facts):
    """The attempted connections are those that were accepted, and those that either end closed."""
    attempted = collections.Counter(ends_of(event) for event in of_type(events, ATTEMPTED))
    others = {"accepted": [ends_of(event, "server") for event in of_type(events, ACCEPTED)], "client": [], "server": []}
    for event in of_type(events, CLOSED):
        side = side_of(event, facts)[0]
        others[side].append(ends_of(event, side))
    for what, ends in others.items():
        wrong = attempted - collections.Counter(ends)
        assert len(ends) == facts["count"] and not wrong, f"{what}: {len(ends)}; lacks {list(wrong)[:3]}"
    return len(attempted)


def net_burst_of(directory, name):
    events, stats = load(directory, name)
    facts, preempts = facts_of(directory, name), kernel_preempts(directory)
    count = facts["count"]
    check_seen(events, stats, facts, preempts)
    skips = sum(check_skips(counts, preempts) for kind, counts in stats.items() if kind in KINDS)
    rate = count * 1000 // facts["ms"]
    yield f"{name}: {count} connections, {rate} a second, make {4 * count} events, none lost, {skips} skips"
    assert len(check_events(events, facts)) == 2 * count
    yield f"{name}: each end is closed once, with its owner, its bytes and the reason"
    different = same_ends(events, facts)
    yield f"{name}: attempts, accepts and closes have the same ends, {different} distinct"
    for what in ("sent", "received"):
        expected = facts[f"client_{what}"] + facts[f"server_{what}"]
        reported = sum(event["net"][f"bytes_{what}"] for event in of_type(events, CLOSED))
        assert reported == expected == count * (count + 1), f"{what}: {reported} bytes reported, {expected} made"
    yield f"{name}: the sums of bytes are those that were sent and received"


def net_burst(directory):
    for name, apart in (("net-burst-loop", False), ("net-burst-veth", True)):
        facts = facts_of(directory, name)
        assert (facts["client_namespace"] != facts["server_namespace"]) == apart, facts
        yield from net_burst_of(directory, name)


def net_frozen(directory):
    events, stats = load(directory, "net-frozen")
    facts, preempts = facts_of(directory, "net-frozen"), kernel_preempts(directory)
    lost = check_seen(events, stats, facts, preempts)
    # the attempts of root go on where the peers' share of the ring ends
    assert lost[ACCEPTED] and lost[CLOSED], f"nothing was lost: the burst is too small to test anything: {lost}"
    yield f"counts are exact (lost {list(lost.values())} of {facts['count']} connections); gaps in seq are reported"
    reasons = {reason for kind in lost for reason in stats[kind]["lost"]}
    assert reasons - {"recursion"} == {"ring_full"} and (preempts or "recursion" not in reasons), reasons
    yield "the reason is reported"
    yield f"the reported events are right, {len(check_events(events, facts))} closes among them"


def case_facts(directory, name):
    with open(f"{directory}/{name}.facts", encoding="ascii") as file:
        return json.load(file)


def summary(event, net):
    return (*(str(net[f"{end}_{what}"]) for end in ("source", "destination") for what in ("address", "port")),
            *(event.get(key, "") for key in ("event_type", "error", "close_reason", "flow_state", "direction")))


def check_list(facts, events, kinds):
    """The events are those of the case's list, in any order; the case itself checks the order."""
    seen = collections.Counter(summary(event, event["net"]) for event in net_events.own_events(facts, events, kinds))
    expected = collections.Counter(summary(one, one) for one in facts["expected"])
    assert seen == expected, f"lacks {list(expected - seen)[:3]}, has besides {list(seen - expected)[:3]}"


def net_no_ipv6(directory):
    events, stats = load(directory, "net-no-ipv6")
    preempts = kernel_preempts(directory)
    assert sum(check_skips(counts, preempts) for counts in stats.values()) == check_numbers(events)
    for case, kinds in (("case-net-connect", [ATTEMPTED, ACCEPTED, CLOSED, FAILED]), ("case-net-datagram", [FLOW])):
        facts = case_facts(directory, case)
        expected = collections.Counter(one["event_type"] for one in facts["expected"])
        assert set(expected) == set(kinds), expected
        assert {one["family"] for one in facts["expected"]} == {"AF_INET"}
        check_list(facts, events, kinds)
        yield f"{case} makes its {expected.total()} events"
    facts = facts_of(directory, "net-no-ipv6")
    listens = sorted(event["net"]["source_port"] for event in of_type(events, LISTEN) if event["comm"] == "net-burst")
    assert listens == [facts["port"], facts["port"] + 1], listens
    yield "listening is reported"


def net_before(directory):
    events, stats = load(directory, "net-before")
    facts, preempts = case_facts(directory, "net-before"), kernel_preempts(directory)
    assert sum(check_skips(counts, preempts) for counts in stats.values()) == check_numbers(events)
    net_events.expect_list(facts, expect.Events(events), KINDS)
    for kind, number in collections.Counter(one["event_type"] for one in facts["expected"]).items():
        assert number, kind
        yield f"{number} {kind}"


def net_again(directory):
    """Each end is reported with its own connection, whatever was left of earlier ones of its socket."""
    events, stats = load(directory, "net-again")
    facts = facts_of(directory, "net-again")
    server, clients = facts["server"], facts["clients"]
    assert not check_numbers(events) and not any(counts["lost"] for counts in stats.values()), stats
    began = {"client": of_type(events, ATTEMPTED), "server": of_type(events, ACCEPTED)}
    closed = {side: [event for event in of_type(events, CLOSED)
                     if (event["pids"]["tgid"] == server) == (side == "server")] for side in began}
    for side, pids in (("client", clients), ("server", [server] * len(clients))):
        for when, seen in (("begun", began[side]), ("closed", closed[side])):
            assert [event["pids"]["tgid"] for event in seen] == pids, f"{side} {when}: {len(seen)} of {len(pids)}"
            assert not any(event.get("untracked") for event in seen), f"{side} {when}: untracked"
        for first, last in zip(began[side], closed[side]):
            assert last["owner_pids"] == first["pids"], f"owner of {last}, which was begun by {first['pids']}"
            assert ends_of(first) == ends_of(last), f"{first} {last}"
            began_ns = last["ts_boot_ns"] - last["duration_ns"]
            assert abs(began_ns - first["ts_boot_ns"]) < NEAR_NS, f"{last} began {first['ts_boot_ns']}"
    yield f"{2 * len(clients)} ends between reused ports are reported with their own connections"


CHECKS = {"net-again": net_again, "net-before": net_before, "net-burst": net_burst, "net-frozen": net_frozen,
          "net-no-ipv6": net_no_ipv6}
