# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_EXEC"]


def expect(facts, events):
    has(events.one("PROCESS_EXEC", tgid=facts["gone"]), filename=f"{facts['dir']}/gone", inode_nlink=0, is_memfd=False)
    has(events.one("PROCESS_EXEC", tgid=facts["not_a_memfd"]), filename=f"{facts['dir']}/memfd:not-really",
        inode_nlink=0, is_memfd=False)
