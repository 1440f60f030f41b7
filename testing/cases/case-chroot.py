# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks, same

EVENTS = ["PROCESS_CHROOT"]
NOBODY = 65534


def expect(facts, events):
    jail = f"{facts['dir']}/jail"
    paths = {
        "by_path": [jail, "/inner"],
        "from_within": [f"{jail}/inner", "/"],
        "outwards": [f"{jail}/inner", jail],
        "by_link": [f"{jail}/inner"],
        "on_mount": [f"{facts['dir']}/mount"],
        "in_thread": [jail],
        "fails": [],
        "nobody": [jail],
    } | ({"by_int80": [jail]} if facts["int80"] else {})

    if "PROCESS_CHROOT" in events.called:     # they are seen from the top of the mount namespace
        paths |= {"by_path": [jail, f"{jail}/inner"], "from_within": [f"{jail}/inner", f"{jail}/inner"]}
    for name, expected in paths.items():
        seen = events.all("PROCESS_CHROOT", tgid=facts[name])
        if name == "on_mount" and events.may_lack("PROCESS_CHROOT: mount of another namespace"):
            expected = expected if "path_unreachable" not in seen[0] else ["/"]
        same([event["path"] for event in seen], expected, f"new roots, {name}")
        for event in seen:
            has(event, pids__tid=facts["thread" if name == "in_thread" else name], comm="case-chroot")
            lacks(event, "path_deleted", "path_truncated", "path_unstable")
    first, second = events.all("PROCESS_CHROOT", tgid=facts["by_path"])
    inwards, outwards = events.all("PROCESS_CHROOT", tgid=facts["outwards"])
    if "PROCESS_CHROOT" in events.called:
        lacks(second, "root_path")
        lacks(outwards, "path_unreachable")
    else:
        has(second, root_path=jail)
        has(outwards, path_unreachable=True)
    lacks(first, "root_path")
    lacks(inwards, "path_unreachable")
    has(inwards, creds__ruid=0, creds__euid=0)
    has(events.one("PROCESS_CHROOT", tgid=facts["nobody"]), creds__ruid=NOBODY, creds__euid=NOBODY)
