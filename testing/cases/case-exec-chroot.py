# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks, tgid_of, true

EVENTS = ["PROCESS_EXEC", "PROCESS_FORK"]


def expect(facts, events):
    root = f"{facts['dir']}/root"
    for child, cwd in (("inside", "/work"), ("at_root", "/")):
        fork = events.one("PROCESS_FORK", parent=facts[child])
        has(fork, root_path=root, cwd=cwd)
        has(events.one("PROCESS_EXEC", tgid=tgid_of(fork)), filename="/bin/prog", cwd=cwd, root_path=root,
            args=["prog", "in chroot"])

    # A directory that cannot be reached from the root: seen from the top, and not mistaken for one below the root.
    fork = events.one("PROCESS_FORK", parent=facts["outside"])
    outside = events.one("PROCESS_EXEC", tgid=tgid_of(fork))
    has(outside, filename="/bin/prog", root_path=root)
    true(outside["cwd"].endswith(facts["dir"]), f"cwd outside of the root: {outside['cwd']}")

    lacks(events.one("PROCESS_FORK", tgid=facts["inside"]), "root_path")
