# SPDX-License-Identifier: BSD-2-Clause
# Only group ids are selected. A condition on names applies to the name that the executed program gives.
from expect import same

EVENTS = ["PROCESS_SETGID"]
PROGRAM = "case-exec-ids"
OPTIONS = ["--exclude-comm=setgid"]


def expect(facts, events):
    steps = {step["pid"]: step["what"] for step in facts["steps"]}
    same([steps[event["pids"]["tgid"]] for event in events.all("PROCESS_SETGID")
          if event["by_exec"] and event["pids"]["tgid"] in steps],
         ["both", "both by a thread", "both by root", "plain with other saved ids",
          "plain with other file system ids"], "whose group ids an exec has changed")
    events.none("PROCESS_SETUID")
