# SPDX-License-Identifier: BSD-2-Clause
from expect import same, true
from file_events import expect_list

EVENTS = ["FILE_CREATE", "FILE_DELETE", "FILE_SHMEM_OPEN", "PROCESS_FORK"]


def forks_of(events, pid):
    return [event for event in events.all("PROCESS_FORK") if event["parent_pids"]["tgid"] == pid]


def expect(facts, events):
    true(facts["operations"] > 3, "nothing was done beside the other process")
    expect_list(facts, events)
    own = forks_of(events, facts["pid"])
    true(len(own) >= facts["operations"], f"{len(own)} forks of {facts['operations']} and more")
    same({event["pids_ss_cgroup_path"] for event in own}, {own[0]["pids_ss_cgroup_path"]}, "cgroups of the own forks")
    theirs = [event["path"] for event in events.all("FILE_CREATE", tgid=facts["filler"])
              if "/dir-" in event["path"]]
    expected = [f"{facts['dir']}/theirs-{mount}/dir-{use}"
           for use in range(facts["uses"]) for mount in range(facts["mounts"])]
    same(theirs, expected, "paths by their mounts")
    cgroups = [event["pids_ss_cgroup_path"] for event in forks_of(events, facts["filler"])]
    same(cgroups, [f"{facts['cgroup']}/{number}" for number in range(facts["children"])], "cgroups of their forks")
