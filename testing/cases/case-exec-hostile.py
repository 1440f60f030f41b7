# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks, same, true

EVENTS = ["PROCESS_EXEC", "PROCESS_FORK"]
NAMES = ["n" * 1000] * 4
VICTIM_ARGS = ["".join(chr(ord("a") + i) * 1999) for i in range(15)]


def expect(facts, events):
    traced = events.one("PROCESS_EXEC", tgid=facts["traced"])
    has(traced, args=["traced", "true-argument"], argc=2)
    lacks(traced, "argv_truncated")
    events.one("PROCESS_FORK", tgid=facts["in_long_names"])
    for event in [events.one("PROCESS_EXEC", tgid=facts["in_long_names"]),
                  *events.all("PROCESS_FORK", parent=facts["in_long_names"])]:
        cwd = event["cwd"].split("/")[-4:]
        # BPF takes 255 bytes of a name, and does not say so
        is_cut = not events.may_lack("PROCESS_EXEC: strings of a process that is gone") and \
            cwd == [name[:255] for name in NAMES]
        true(event.get("cwd_truncated") or cwd == NAMES or is_cut, f"cwd: {len(event['cwd'])} bytes, and not flagged")
    for victim in facts["victims"]:
        event = events.one("PROCESS_EXEC", tgid=victim)
        same(event["argc"], len(VICTIM_ARGS), "argc of a victim")
        true(event.get("argv_truncated") or event["args"] == VICTIM_ARGS, "argv of a victim, which is not flagged")
        true(" ".join(VICTIM_ARGS).startswith(event["argv"]), "beginning of argv of a victim")
    for name in ("afterwards", "last"):
        has(events.one("PROCESS_EXEC", tgid=facts[name]), args=["plain"])
