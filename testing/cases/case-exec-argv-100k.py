# SPDX-License-Identifier: BSD-2-Clause
from expect import has, true

EVENTS = ["PROCESS_EXEC"]
PROGRAM = "case-exec-argv"
ARGS = ["32769", "102400", "1000003"]   # bytes
KEPT = 32768    # bytes that fit into a record


def expect(facts, events):
    for size in map(int, ARGS):
        event = events.one("PROCESS_EXEC", tgid=facts["children"][str(size)])
        whole = "".join(f"{number:07}\0" for number in range(size // 8))[:-1] + "x" * (size % 8) + "\0"
        has(event, argv_truncated=True, argv_length=size, argc=size // 8)
        got = "\0".join(event["args"])
        true(whole.startswith(got), f"args of {size} bytes: what is there differs from the beginning of the whole")
        true(len(got) >= KEPT - 1, f"args of {size} bytes: {len(got)} are there, not {KEPT}")
        true(whole.replace("\0", " ").startswith(event["argv"]), f"argv of {size} bytes differs from its beginning")
