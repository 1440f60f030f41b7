# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks, true

EVENTS = ["PROCESS_EXEC", "FILE_CREATE"]


def expect(facts, events):
    roots = {"unmounted": "/usr", "foreign": f"{facts['dir']}/m/usr", "open_tree": "/"}
    for kind, root in roots.items():
        event = events.one("PROCESS_EXEC", tgid=facts[kind]["pid"])
        has(event, filename=facts[kind]["filename"], root_path=root, root_path_unreachable=True)
        created = events.one("FILE_CREATE", tgid=facts[kind]["pid"])
        has(created, path=facts["new_file"], root_path=root, root_path_unreachable=True)
        lacks(created, "path_unreachable")
    copy = events.one("PROCESS_EXEC", tgid=facts["copy"]["pid"])
    has(copy, filename=facts["copy"]["filename"])
    true("root_path" not in copy, f"a copy of the host's mounts has root_path {copy.get('root_path')}")
