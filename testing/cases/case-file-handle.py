# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks, true

EVENTS = ["FILE_MODIFY"]
ARGS = ["ext4"]


def expect(facts, events):
    own = [event for event in events.all("FILE_MODIFY", tgid=facts["pid"])
           if event["file_info"]["inode"] == facts["inode"] and event.get("bytes") == 3]
    true(len(own) == 1, f"{len(own)} events of the file")
    has(own[0], path_unreachable=True)
    lacks(own[0], "path_deleted")
