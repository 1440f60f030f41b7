# SPDX-License-Identifier: BSD-2-Clause
import os

from expect import has, same, true

EVENTS = ["PROCESS_EXEC", "PROCESS_EXIT"]


def expect(facts, events):
    child = facts["child"]
    true(facts["thread"] != child, "the program did not execute from a thread")
    has(events.one("PROCESS_EXEC", tgid=child), pids__tid=child, pids__tgid=child, args=["from-thread"])
    ended = events.one("PROCESS_EXIT", tgid=child)
    has(ended, pids__tid=child, exit_code=os.waitstatus_to_exitcode(facts["wait_status"]), exit_signal=0)
    same(events.index(ended) > events.index(events.one("PROCESS_EXEC", tgid=child)), True, "exit after exec")
    events.none("PROCESS_EXIT", tgid=facts["thread"])
