# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks

EVENTS = ["PROCESS_EXEC"]


def expect(facts, events):
    for child, argument in (("by_fd", "by-fd"), ("by_proc", "by-proc")):
        event = events.one("PROCESS_EXEC", tgid=facts[child])
        has(event, filename="memfd:case memfd", is_memfd=True, inode_nlink=0, args=[argument])
        lacks(event, "filename_truncated", "script")
