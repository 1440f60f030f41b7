# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks, same

EVENTS = ["PROCESS_EXEC"]
PROGRAM = "case-exec-argv"
ARGS = ["8", "4096", "20001", "32767", "32768"]     # bytes; the last one fills a record


def arguments(size):
    """Return the arguments as case-exec-argv makes them."""
    args = [f"{number:07}" for number in range(size // 8)]
    args[-1] += "x" * (size % 8)
    return args


def expect(facts, events):
    for size in ARGS:
        event = events.one("PROCESS_EXEC", tgid=facts["children"][size])
        want = arguments(int(size))
        lacks(event, "argv_truncated")
        same(event["args"], want, f"args of {size} bytes")
        has(event, argv=" ".join(want), argc=len(want))
