# SPDX-License-Identifier: BSD-2-Clause
from expect import same

EVENTS = ["FILE_MODIFY"]


def expect(facts, events):
    own = [event for event in events.all("FILE_MODIFY", tgid=facts["pid"]) if event["path"].startswith(facts["dir"])]
    seen = [(event["path"].rpartition("/")[2], event.get("path_deleted", False)) for event in own]
    same(seen, [("there", False), ("there", False), ("gone", True)], "files, and whether they are deleted")
