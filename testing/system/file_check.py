# SPDX-License-Identifier: BSD-2-Clause
"""Check the results of the floods of file events: paths that existed at some time, every operation in order."""

import json
import re

from flood_check import check_counts, check_numbers, load, of_type

UNSTABLE_MAX = 100          # of 10,000 paths that were read while they were renamed; the maximum seen was 8
STAGES = ["FILE_CREATE", "FILE_MODIFY", "FILE_RENAME", "FILE_DELETE"]
FILES = 25000
MARKED = 100


def kernel_preempts(directory):
    """Return whether the guest's kernel preempts BPF programs, and so skips some runs: nearly all of them would have
    made no event, but each counts as a lost one."""
    with open(f"{directory}/preempt-mode", encoding="ascii") as file:
        return re.search(r"\((full|lazy)\)", file.read()) is not None


def check_skips(counts, preempts):
    """Nothing is lost, except for runs that a kernel that preempts may have skipped. Return the number of skips."""
    lost = counts["lost"]
    assert not lost or (preempts and set(lost) == {"recursion"}), counts
    skips = sum(lost.values())
    assert skips <= 8 + counts["seen"] // 100, counts
    return skips


def facts_of(directory, name):
    with open(f"{directory}/{name}.json", encoding="ascii") as file:
        return json.load(file)


def check_race_event(event, places, facts):
    """The path is one that the file had at some time. Return whether it is flagged as unstable."""
    match = re.fullmatch(r"([ -~]*)/f(\d{5})", event["path"])
    assert match, f"garbage: {event}"
    number = int(match[2])
    unstable = event.get("path_unstable", False)
    assert unstable or match[1] in places, f"the directory was never there: {event['path']}"
    assert not event.get("path_truncated"), event
    assert event["file_info"]["inode"] == facts["inodes"][number], f"inode of {number}: {event['file_info']}"
    if event["event_type"] != "FILE_CREATE":
        assert event["file_info"]["size"] == number % 997 + 1, f"size of {number}: {event['file_info']}"
    if event["event_type"] == "FILE_MODIFY":
        assert event["bytes"] == number % 997 + 1, event
    return unstable


def rename_race(directory):
    events, stats = load(directory, "rename-race")
    facts = facts_of(directory, "rename-race")
    count, places, preempts = len(facts["inodes"]), set(facts["dirs"]), kernel_preempts(directory)
    for kind in ("FILE_CREATE", "FILE_MODIFY", "FILE_DELETE"):
        skips = check_skips(stats[kind], preempts)
        found = [event for event in of_type(events, kind) if "/f" in event["path"] and event["comm"] == "rename-race"]
        unstable = sum(check_race_event(event, places, facts) for event in found)
        numbers = {event["path"][-5:] for event in found}
        assert len(found) == len(numbers) == count, f"{kind}: {len(found)} of {count}, {len(numbers)} different"
        seen = {place: sum(event["path"].startswith(place) for event in found) for place in sorted(places)}
        assert unstable <= UNSTABLE_MAX, f"{unstable} of {count} are unstable"
        yield (f"{kind}: {count} in {facts['renames']} renames, {unstable} unstable, "
              f"by place {list(seen.values())}, {skips} skips")


def check_identity(events, stats, preempts):
    """For each type, what the generator and the script's shell did was seen, and counts add up. Return the losses."""
    made = {"FILE_CREATE": FILES + 2, "FILE_MODIFY": FILES + 1, "FILE_RENAME": FILES, "FILE_DELETE": FILES}
    for kind, count in made.items():
        skips = stats[kind]["lost"].get("recursion", 0) if preempts else 0
        seen = stats[kind]["seen"] - stats[kind]["filtered"]
        assert count <= seen <= count + skips, f"{kind}: made {count}, {stats[kind]}"
        check_counts(stats, events, kind, seen)
    return {kind: sum(stats[kind]["lost"].values()) for kind in made}


def lives(events):
    """Return for each file the types of its events in the order of the stream."""
    found = {}
    for event in events:
        match = re.search(r"/[cr](\d{6})$", event.get("path", event.get("old_path", "")))
        if match and event["comm"] == "file-burst":
            found.setdefault(int(match[1]), []).append(event["event_type"])
    return found


def file_burst_read(directory):
    events, stats = load(directory, "file-burst-read")
    preempts = kernel_preempts(directory)
    check_identity(events, stats, preempts)
    skips = sum(check_skips(stats[kind], preempts) for kind in STAGES)
    assert check_numbers(events) == sum(sum(counts["lost"].values()) for counts in stats.values())
    yield f"{4 * FILES} operations, as many events, none lost, {skips} skips"
    found = lives(events)
    wrong = {number: stages for number, stages in found.items() if stages != STAGES}
    assert len(found) == FILES and not wrong, f"{len(found)} files; {list(wrong.items())[:3]}"
    yield "each file is created, modified, renamed and deleted, in that order"


def file_burst_stop(directory):
    events, stats = load(directory, "file-burst-stop")
    lost = check_identity(events, stats, kernel_preempts(directory))
    assert all(lost.values()), f"nothing was lost: the burst is too small to test anything: {lost}"
    yield f"counts are exact ({', '.join(f'{lost[kind]} {kind}' for kind in STAGES)} lost of {FILES} each)"
    losses = check_numbers(events)
    assert losses == sum(sum(counts["lost"].values()) for counts in stats.values()), losses
    yield "gaps in seq are reported losses"
    rest = [number for number, stages in lives(events).items() if stages != [kind for kind in STAGES if kind in stages]]
    assert not rest, rest[:3]
    yield "the reported events of a file are in order"
    execs = [event for event in of_type(events, "PROCESS_EXEC") if re.fullmatch(r"true marked-\d+", event["argv"])]
    pids = {event["pids"]["tgid"] for event in execs}
    forks = [event for event in of_type(events, "PROCESS_FORK") if event["child_pids"]["tgid"] in pids]
    exits = [event for event in of_type(events, "PROCESS_EXIT") if event["pids"]["tgid"] in pids]
    assert len(execs) == len(pids) == len(forks) == len(exits) == MARKED, (len(execs), len(forks), len(exits))
    yield f"{MARKED} processes that ran meanwhile are all reported"


def file_burst(directory):
    yield from file_burst_read(directory)
    yield from file_burst_stop(directory)


def check_own_dirs(directory, reasons, share_in_all, share_of_a_kind):
    """Where the kernel preempts probes, each change is seen once, each loss is counted, for one of the reasons, and at
    most one in so many is lost, in all and of a kind. How many are depends on how often the host holds up the guest."""
    events, stats = load(directory, "own-dirs")
    assert check_numbers(events) == sum(sum(counts["lost"].values()) for counts in stats.values())
    kinds = facts_of(directory, "own-dirs")
    lost_in_all = sum(sum(stats[kind]["lost"].values()) for kind in kinds)
    assert lost_in_all * share_in_all <= sum(kinds.values()), f"of {sum(kinds.values())} are lost: {stats}"
    for kind, made in kinds.items():
        own = [event for event in of_type(events, kind)
               if event.get("path", event.get("new_path")).startswith("/tmp/own/") and event["comm"] == "own-dirs"]
        names = {(event.get("path", event.get("new_path")), event.get("change_type")) for event in own}
        lost = sum(stats[kind]["lost"].values())
        assert len(names) == len(own), f"{kind}: {len(own) - len(names)} come twice"
        assert set(stats[kind]["lost"]) <= reasons and lost * share_of_a_kind <= made, f"{kind}: {stats[kind]}"
        assert made - lost <= len(own) <= made, f"{kind}: {made} made, {len(own)} came, {stats[kind]}"
        seen = stats[kind]["seen"] - stats[kind]["filtered"]
        assert seen == len(of_type(events, kind)) + lost, f"{kind}: {stats[kind]}"
        yield f"{kind}: {made} made, {len(own)} came, {lost} counted as lost"


def preempt_files(directory):
    yield from check_own_dirs(directory, {"recursion"}, 1000, 1000)


def preempt_spares(directory):
    # a preempted run of a trampoline holds a scratch slot until it continues
    yield from check_own_dirs(directory, {"recursion", "no_scratch"}, 100, 50)


MARKED_KEY = 0x6d610000


def is_marked(event, pids):
    """Return whether an event is about the victim's files, memfds, terminal, shared memory, children or attempts."""
    kind = event["event_type"]
    if kind == "PROCESS_PTRACE":
        return event["child_pid"] == event["pids"]["tgid"] and event["creds"]["euid"] == 0
    if kind == "PROCESS_SHMGET":
        return MARKED_KEY <= event["key"] < MARKED_KEY + 0x10000
    marks = (event.get("path", event.get("new_path", "")).startswith("/tmp/victim/"),
             event.get("filename", event.get("tty_out", "")).startswith("marked-"))
    return any(marks) or event.get("child_pids", event.get("pids", {})).get("tgid") in pids


def of_victim(events):
    """Return the victim's events by type."""
    found = {}
    marked = {event["pids"]["tgid"] for event in of_type(events, "PROCESS_EXEC")
              if event["argv"].startswith("true marked-")}
    for event in events:
        if is_marked(event, marked):
            found.setdefault(event["event_type"], []).append(event)
    return found


def preempt_hogs(directory):
    """Unprivileged tasks that are kept preempted in probes hide no events of other processes. The kernel skips
    a program that interrupts another one: that is reported, and concerns one event of a kind, or one in a thousand."""
    events, stats = load(directory, "idle-hogs")
    found = of_victim(events)
    for kind, made in facts_of(directory, "idle-hogs").items():
        own = found.get(kind, [])
        skipped = stats[kind]["lost"].get("recursion", 0)
        missing = made - len(own)
        assert 0 <= missing <= min(skipped, max(1, stats[kind]["seen"] / 1000)), \
            f"{kind}: {made} made, {len(own)} came, {stats[kind]}"
        partial = sum(event.get("is_partial", False) for event in own)
        assert not partial, f"{kind}: {partial} of {made} are partial"
        yield f"{kind}: {made} made, {len(own)} came"


CHECKS = {"preempt-files": preempt_files, "preempt-spares": preempt_spares, "preempt-hogs": preempt_hogs,
          "rename-race": rename_race, "file-burst": file_burst}
