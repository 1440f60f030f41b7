# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_EXEC"]


def expect(facts, events):
    has(events.one("PROCESS_EXEC", tgid=facts["child"]), argv="x  ", args=["x", "", ""], argc=3)
