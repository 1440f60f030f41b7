# SPDX-License-Identifier: BSD-2-Clause
from expect import same

EVENTS = ["FILE_MODIFY"]
ABSENT = ["FILE_CREATE"]


def expect(facts, events):
    own = [event for event in events.all("FILE_MODIFY", tgid=facts["pid"]) if event["path"].startswith(facts["dir"])]
    seen = [(event["path"].rpartition("/")[2], event.get("path_deleted", False)) for event in own]
    # the last "#1x" is taken for a file that never had a name, but not by tracefs, which sees deletions
    last = bool(events.called) or not events.unseen
    expected = [("there", False), ("there", False), ("#1x", False), ("#1x", last), ("gone", True)]
    same(seen, expected, "files, and whether they are deleted")
    made = [event["path"] for event in events if event["event_type"] == "FILE_CREATE"
            and event["path"].startswith(facts["dir"] + "/")]
    same(made, [], "what was created there")
