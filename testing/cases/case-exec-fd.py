# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_EXEC"]


def expect(facts, events):
    for child in ("by_fd", "by_o_path", "by_name_at"):
        has(events.one("PROCESS_EXEC", tgid=facts[child]), filename=f"{facts['dir']}/real", args=["as-given", "1"],
            is_memfd=False, inode_nlink=1)
    has(events.one("PROCESS_EXEC", tgid=facts["by_name_at"]), cwd="/")
