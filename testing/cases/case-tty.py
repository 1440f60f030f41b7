# SPDX-License-Identifier: BSD-2-Clause
from expect import decode, has, same, true

EVENTS = ["PROCESS_TTY_WRITE"]


def expect_kept(got, written, truncated):
    """Each event has the beginning of a write: the parts appear in the text in their order."""
    position = 0
    for part in got:
        found = written.find(part, position)
        true(found >= 0, f"a part of {len(part)} bytes is not in what was written, after {position} bytes of it")
        position = found + len(part)
    same(sum(map(len, got)) + truncated, len(written), "bytes in tty_out and cut")


def expect_terminal(event, writer, controlling):
    size = {"winsize_rows": writer["rows"], "winsize_cols": writer["cols"]}
    terminal = {"major": writer["major"], "minor": writer["minor"]} | size
    nothing = dict.fromkeys(terminal, 0)
    has(event, tty=terminal, ctty=terminal if controlling else nothing, pids__sid=writer["pid"], comm="case-tty")


def expect(facts, events):
    for name in ("plain", "dev_tty", "without_ctty", "segments", "bytes", "much_raw", "much_cooked", "full"):
        writer = facts[name]
        seen = events.all("PROCESS_TTY_WRITE", tgid=writer["pid"])
        true(seen, f"{name}: no event")
        for event in seen:
            expect_terminal(event, writer, controlling=name != "without_ctty")
        parts, written = [decode(event["tty_out"]) for event in seen], bytes.fromhex(writer["written"])
        truncated = sum(event["tty_out_truncated"] for event in seen)
        try:
            if not truncated:
                same(b"".join(parts), written, "tty_out")
            expect_kept(parts, written, truncated)
        except AssertionError as failure:
            raise type(failure)(f"{name}: {failure}") from None
        if name not in ("much_raw", "much_cooked", "full"):
            same(truncated, 0, f"{name}: bytes cut")
    events.none("PROCESS_TTY_WRITE", tgid=facts["pid"])
