# SPDX-License-Identifier: BSD-2-Clause
"""Check the results of the floods: whole records, exact counts, losses reported where they are."""

import json
import re
from collections import Counter

NO_EVENTS = {"STARTED", "EVENTS_OVER_BUDGET"}
LOSS_REASONS_OF_PREEMPTION = {"recursion", "no_scratch"}


def load(directory, name):
    with open(f"{directory}/{name}.ndjson", "rb") as file:
        lines = [json.loads(line.decode("utf-8", "strict")) for line in file.read().splitlines()]
    with open(f"{directory}/{name}.err", "rb") as file:
        stats = [json.loads(line) for line in file.read().splitlines() if line.startswith(b'{"event_type":"STATS"')]
    return [line for line in lines if line.get("event_type", "STARTED") not in NO_EVENTS], stats[-1]["events"]


def of_type(events, kind):
    return [event for event in events if event["event_type"] == kind]


def mixed_records(events):
    """Return the records whose parts contain different numbers."""
    mixed = []
    for event in of_type(events, "PROCESS_MEMFD_CREATE"):
        match = re.fullmatch(r"flood(\d+)-\d+-(x*)", event["filename"])
        if not match or event["comm"] != f"flood{match[1]}" or len(match[2]) != int(match[1]):
            mixed.append(event)
    for event in of_type(events, "PROCESS_TTY_WRITE"):
        number = int(event["comm"].removeprefix("flood"))
        if event["tty_out"] != chr(ord("a") + number % 26) * (10 + number % 26):
            mixed.append(event)
    for event in of_type(events, "PROCESS_EXEC"):
        if event["args"][0].startswith("flood") and event["args"][0] != "flood" and len(set(event["args"])) != 1:
            mixed.append(event)
    return mixed


def check_counts(stats, events, kind, made):
    """The counts add up, and everything that the generator made was seen. A run that the kernel skipped counts as one
    event, whether it would have made one or not."""
    counts = stats[kind]
    lost = sum(counts["lost"].values())
    assert counts["seen"] == counts["delivered"] + counts["filtered"] + lost, counts
    assert counts["delivered"] == len(of_type(events, kind)), counts
    skipped = counts["lost"].get("recursion", 0)
    assert made <= counts["seen"] - counts["filtered"] <= made + skipped, f"{kind}: made {made}, {counts}"
    return lost


def check_numbers(events):
    """Every gap in seq is a reported loss, and every reported loss is a gap. Return the number of losses."""
    expected = 1
    reported = 0
    for event in events:
        if event["event_type"] == "EVENTS_LOST":
            assert event["first_seq"] == expected, event
            assert event["total"] == event["last_seq"] - event["first_seq"] + 1, event
            assert event["total"] == sum(sum(reasons.values()) for reasons in event["lost"].values()), event
            reported += event["total"]
            expected = event["last_seq"] + 1
        else:
            assert event["seq"] == expected, f"seq {event['seq']} where {expected} was expected"
            expected += 1
    return reported


def preempt(directory):
    events, stats = load(directory, "preempt")
    mixed = mixed_records(events)
    assert not mixed, f"{len(mixed)} mixed records, the first: {mixed[0]}"
    yield "no record is mixed"
    lost = {kind: check_counts(stats, events, kind, made)
            for kind, made in (("PROCESS_MEMFD_CREATE", 3200), ("PROCESS_TTY_WRITE", 3200))}
    reasons = {reason for counts in stats.values() for reason in counts["lost"]}
    assert reasons <= LOSS_REASONS_OF_PREEMPTION, reasons
    yield f"counts are exact (lost, all accounted for: {sum(lost.values())} of 6400)"
    serials = [event["filename"] for event in of_type(events, "PROCESS_MEMFD_CREATE")]
    assert len(serials) == len(set(serials))
    yield "no record comes twice"
    assert check_numbers(events) == sum(sum(c["lost"].values()) for c in stats.values())
    yield "gaps in seq are reported losses"
    yield from churn(directory)


def made_by(events, stats, kind, parent, made):
    """There are as many events of a generator's children as it made, except for those reported as lost."""
    found = [event for event in of_type(events, kind)
             if (event["parent_pids"]["tgid"] if kind == "PROCESS_FORK" else event["pids"]["ppid"]) == parent]
    lost = sum(stats[kind]["lost"].values())
    assert len(found) <= made <= len(found) + lost, f"{kind} of {parent}: made {made}, found {len(found)}, lost {lost}"
    return len(found)


def churn(directory):
    events, stats = load(directory, "churn")
    floods = {}
    for name in ("forks", "exec", "threads"):
        with open(f"{directory}/churn-{name}.json", encoding="utf-8") as file:
            floods[name] = json.load(file)
    for kind, counts in stats.items():
        lost = sum(counts["lost"].values())
        assert counts["seen"] == counts["delivered"] + counts["filtered"] + lost, f"{kind}: {counts}"
        assert counts["delivered"] == len(of_type(events, kind)), f"{kind}: {counts}"
        # an exit of which no copy of its first program could keep anything has no state
        reasons = LOSS_REASONS_OF_PREEMPTION | ({"state"} if kind == "PROCESS_EXIT" else set())
        assert set(counts["lost"]) <= reasons, f"{kind}: {counts}"
    found = 0
    for name, kinds in {"forks": ("PROCESS_FORK", "PROCESS_EXIT"), "threads": (),
                        "exec": ("PROCESS_FORK", "PROCESS_EXEC", "PROCESS_EXIT")}.items():
        flood = floods[name]
        for kind in ("PROCESS_FORK", "PROCESS_EXEC", "PROCESS_EXIT"):
            found += made_by(events, stats, kind, flood["pid"], flood["count"] if kind in kinds else 0)
    lost = sum(sum(counts["lost"].values()) for counts in stats.values())
    yield f"processes are counted exactly, and threads are not ({found} seen, {lost} lost)"
    for kind in ("PROCESS_FORK", "PROCESS_EXIT"):
        tgids = [event["child_pids" if kind == "PROCESS_FORK" else "pids"]["tgid"] for event in of_type(events, kind)]
        assert len(tgids) == len(set(tgids)), f"a process has {kind} twice"
    yield "no process begins or ends twice"
    assert check_numbers(events) == lost
    yield "gaps in seq are reported losses of processes"


def frozen(directory):
    events, stats = load(directory, "frozen")
    assert not mixed_records(events)
    lost_tty = check_counts(stats, events, "PROCESS_TTY_WRITE", 60000)
    lost_memfd = check_counts(stats, events, "PROCESS_MEMFD_CREATE", 60000)
    yield f"counts are exact ({lost_tty} and {lost_memfd} of 60000 lost)"
    assert lost_tty > 0 and lost_memfd > 0, "nothing was lost: the flood is too small to test anything"
    assert set(stats["PROCESS_TTY_WRITE"]["lost"]) <= {"ring_full", "recursion"}, stats
    yield "the reason is reported"
    # the second flood, of memfds, fills the ring that execs are in as well: some of the script's own may be lost then
    lost_exec = stats["PROCESS_EXEC"]["lost"]
    assert set(lost_exec) <= {"ring_full"}, stats["PROCESS_EXEC"]
    floods = [event for event in of_type(events, "PROCESS_EXEC") if re.fullmatch(r"flood\d+", event["args"][0])]
    assert len(floods) == 100, len(floods)
    yield "a flood of terminal output hides no exec"
    assert check_numbers(events) == lost_tty + lost_memfd + sum(lost_exec.values())
    yield "gaps in seq are reported losses"


def output(directory):
    events, stats = load(directory, "output")
    lost = check_counts(stats, events, "PROCESS_MEMFD_CREATE", 12100)
    assert lost > 0, "nothing was lost: the flood is too small to test anything"
    assert set(stats["PROCESS_MEMFD_CREATE"]["lost"]) <= {"handler", "ring_full", "recursion"}, stats
    yield f"counts are exact ({lost} of 12100 lost)"
    assert check_numbers(events) == sum(sum(counts["lost"].values()) for counts in stats.values())
    yield "gaps in seq are reported losses"


def json_lines(path):
    with open(path, "rb") as file:
        return [json.loads(line) for line in file.read().splitlines()]


def marked(events, kind):
    """Return how many programs that were executed beside a flood are in the stream."""
    return sum(event["args"][1:] == [f"marked-{kind}"] for event in of_type(events, "PROCESS_EXEC"))


def ends_of(events, parents):
    """Return the children of some processes that began, and those that ended. The last one may have a new parent when
    it ends: a flood is killed with it."""
    began = {event["child_pids"]["tgid"] for event in of_type(events, "PROCESS_FORK")
             if event["parent_pids"]["tgid"] in parents}
    return began, {event["pids"]["tgid"] for event in of_type(events, "PROCESS_EXIT")
                   if event["pids"]["tgid"] in began or event["pids"]["ppid"] in parents}


BUDGET = 2           # of a process, and 16 times as much of a user; as budget.sh says
CPUS = 2
IDS = range(100000, 100000 + 4096)      # of the user namespace, as budget-floods has it


def check_budgets(events, floods):
    """A process, with all its threads, makes its budget, and all processes of a user make theirs, whatever ids they use
    in a user namespace of that user. A second of the clock overlaps two seconds of a budget, and each CPU may make one
    more at the beginning of each."""
    for flood in floods:
        limit = {"memfd": BUDGET, "threads": BUDGET, "processes": 16 * BUDGET, "ids": 16 * BUDGET}.get(flood["kind"])
        if not limit:
            continue
        kinds = {"PROCESS_MEMFD_CREATE"} | ({"PROCESS_SETUID"} if flood["kind"] == "ids" else set())
        seconds = Counter(event["ts_boot_ns"] // 10**9 for event in events if event["event_type"] in kinds and
                          flood["pid"] in (event["pids"]["tgid"], event["pids"]["ppid"]))
        most = max(seconds.values(), default=0)
        assert limit / 2 <= most <= 2 * limit + 2 * CPUS - 1, (flood, seconds)
        yield f"{flood['kind']}: {most} in a second, of budgets of {limit}"


def budget(directory):
    with open(f"{directory}/budget.kinds", encoding="utf-8") as lines:
        kinds = {line.split()[0] for line in lines}
    for name, execs in (("budget-none", 25), ("budget", 56)):
        events, stats = load(directory, name)
        floods = json_lines(f"{directory}/{name}.json")
        for counts in stats.values():
            assert counts["seen"] == counts["delivered"] + counts["filtered"] + sum(counts["lost"].values()), counts
        assert check_numbers(events) == sum(sum(counts["lost"].values()) for counts in stats.values())
        found = {flood["kind"]: marked(events, flood["kind"]) for flood in floods}
        assert found.keys() == kinds and all(count == execs for count in found.values()), found
        if name == "budget-none":
            lost = {kind: counts["lost"]["ring_full"] for kind, counts in stats.items()
                    if "ring_full" in counts["lost"]}
            assert "PROCESS_EXEC" not in lost and lost.keys() > {"PROCESS_FORK", "PROCESS_MEMFD_CREATE"}, stats
            yield f"floods that fill their share of the ring hide none of {sum(found.values())} execs (lost: {lost})"
    yield f"with a budget they hide none of {sum(found.values())}"
    lost = {kind: set(counts["lost"]) for kind, counts in stats.items()}
    # where the programs take many seconds to be executed, what a user may make in each uses up its share of the ring
    assert all(reasons <= {"budget", "recursion", "ring_full"} for reasons in lost.values()), stats
    assert "budget" in lost["PROCESS_MEMFD_CREATE"] and not lost["PROCESS_EXEC"] & {"budget", "ring_full"}, stats
    yield "what is lost is beyond the budget or the share of a user, and no exec"
    yield from check_budgets(events, floods)
    yield from over_budget(json_lines(f"{directory}/budget.ndjson"), floods)
    began, ended = ends_of(events, {flood["pid"] for flood in floods if flood["kind"] in ("fork", "setsid")})
    # forks and exits may also be lost for another reason than the budget
    lost = {kind: sum(count for reason, count in stats[kind]["lost"].items() if reason != "budget")
            for kind in ("PROCESS_FORK", "PROCESS_EXIT")}
    assert began and len(began - ended) <= lost["PROCESS_EXIT"] and len(ended - began) <= lost["PROCESS_FORK"], \
        (len(began), len(ended), sorted(began ^ ended)[:5], lost)
    yield f"each of {len(began)} processes that is seen to begin is seen to end, and no other (lost: {lost})"


def over_budget(lines, floods):
    """The records name the processes that exceed a budget."""
    records = of_type(lines, "EVENTS_OVER_BUDGET")
    # the script's own shell makes more than two processes in some seconds
    assert all((record["comm"], record["uid"]) in (("budget-floods", 65534), ("sh", 0)) or
               record["comm"] == "budget-floods" and record["uid"] in IDS for record in records), records
    for flood in floods:
        named = [record for record in records if record["pids"]["tgid"] == flood["pid"]]
        assert named or flood["kind"] in ("processes", "ids"), flood
        assert flood["kind"] != "memfd" or named[0]["lost"] > flood["made"] * 0.9, (flood, named)
    times = [record["ts_boot_ns"] for record in records]
    assert all(after - before > 0.99e9 for before, after in zip(times, times[1:-1])), times
    yield f"processes that exceed it are named, once a second at most ({len(records)} records)"


CHECKS = {"preempt": preempt, "frozen": frozen, "output": output, "budget": budget}
