# SPDX-License-Identifier: BSD-2-Clause
from expect import has, same, tgid_of, true

EVENTS = ["PROCESS_EXEC", "PROCESS_FORK", "PROCESS_EXIT"]


def expect(facts, events):
    first = events.one("PROCESS_EXEC", tgid=facts["first"])
    has(first, pids__tid=facts["first"], pids__ppid=facts["runtime"], filename="/bin/prog", cwd="/home", ns=facts["ns"],
        args=["prog", "first"])
    true("root_path" in first, "nothing distinguishes the container's paths from the host's")
    for namespace in ("mnt", "pid", "uts", "ipc", "net", "cgroup", "user"):
        host = facts["host_ns"][namespace]  # 0: the kernel has none of that kind
        true(not host or first["ns"][namespace] != host, f"ns.{namespace} is the host's")

    # The process inside knows itself as 2; the event has its id outside.
    fork = events.one("PROCESS_FORK", parent=facts["first"])
    has(fork, cwd="/home", ns=facts["ns"], child_pids__ppid=facts["first"])
    true("root_path" in fork, "a fork in the container looks like the host's")
    inner = events.one("PROCESS_EXEC", tgid=tgid_of(fork))
    has(inner, args=["prog", "inner"], pids__ppid=facts["first"], filename="/bin/prog")
    true(tgid_of(inner) > facts["first"], f"process {tgid_of(inner)} is not an id of the initial pid namespace")

    made = events.one("PROCESS_FORK", tgid=facts["first"])
    has(made, parent_pids__tgid=facts["runtime"], ns=facts["ns"])
    same(len(events.all("PROCESS_EXIT", tgid=facts["first"])), 1, "exits of the container's first process")
    has(events.one("PROCESS_EXIT", tgid=tgid_of(inner)), ns=facts["ns"], exit_code=0)
