# SPDX-License-Identifier: BSD-2-Clause
from expect import has, same, true

EVENTS = ["PROCESS_FORK"]
ABSENT = ["NETWORK_CONNECTION_CLOSED"]


def expect_child(fork, child, facts):
    what = child["kind"]
    same(fork["parent_pids"]["tgid"], child["creator_tgid"], f"{what}: creator")
    same(fork["parent_pids"]["tid"], child["creator_tid"], f"{what}: creating thread")
    has(fork, child_pids__tid=child["pid"], child_pids__ppid=child["ppid"], child_pids__pgid=facts["pgid"],
        child_pids__sid=facts["sid"], parent_pids__pgid=facts["pgid"], parent_pids__sid=facts["sid"],
        creds__ruid=0, creds__euid=0, cwd="/tmp", comm="case-fork-kinds", ctty__major=0)
    if "ns" in child:
        has(fork, ns=child["ns"])
    if what == "clone3 into a cgroup":
        same(fork["pids_ss_cgroup_path"], facts["cgroup"], f"{what}: cgroup")
    true("pids" not in fork, f"{what}: has pids besides parent_pids and child_pids")
    true(fork["child_pids"]["start_time_ns"] > fork["parent_pids"]["start_time_ns"], f"{what}: older than its creator")


def expect(facts, events):
    for child in facts["children"]:
        expect_child(events.one("PROCESS_FORK", tgid=child["pid"]), child, facts)
    # These processes and the sibling, but no thread.
    sibling = next(child for child in facts["children"] if child["kind"] == "CLONE_PARENT")
    known = {child["pid"] for child in facts["children"]} | {sibling["creator_tgid"]}
    for creator in (facts["pid"], sibling["creator_tgid"]):
        made = {fork["child_pids"]["tgid"] for fork in events.all("PROCESS_FORK", parent=creator)}
        true(made <= known, f"not made by fork, or not a process: {made - known}")
