# SPDX-License-Identifier: BSD-2-Clause
"""tool.py - helpers for tests of EventsTrace with events of tool-backend.c: start it, wait for it, read its output.

The first argument is the program. A tool that is expected to end by itself has DEADLINE_S, which fits a loaded machine;
without what is tested it never ends. After a signal it has PROMISED_S.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

TOOL = os.path.abspath(sys.argv[1])
DEADLINE_S = float(os.environ.get("TOOL_DEADLINE_S", "120"))
PROMISED_S = 2
EXIT_OK, EXIT_OUTPUT = 0, 6
SANITIZER = {"ASAN_OPTIONS": "detect_leaks=0:disable_coredump=0"}   # looking for leaks needs to attach to it


# A shell has some ignored in what it runs in the background, as nohup has; EventsTrace would leave them so.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)


def environment(events="0", **more):
    return {**os.environ, **SANITIZER, "TOOL_EVENTS": str(events), **{key: str(value) for key, value in more.items()}}


STARTED = []


def start(*options, events="0", stdout, stderr, backend=None, **more):
    STARTED.append(subprocess.Popen([TOOL, *options], stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                                    env=environment(events, **(backend or {})), **more))
    return STARTED[-1]


def kill_started():
    """Kill what a test has left behind, so that a test that fails does not slow down those after it."""
    for tool in STARTED:
        if tool.poll() is None:
            tool.kill()
            tool.wait()
    STARTED.clear()


def wait_for(what, condition):
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {DEADLINE_S} s"
        time.sleep(0.01)


def ends(tool, status=EXIT_OK):
    try:
        ended = tool.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        tool.kill()
        tool.wait()
        raise AssertionError(f"it has not ended within {DEADLINE_S} s") from None
    assert ended == status, f"it ended with {ended}, expected {status}"


class Late(AssertionError):
    """It has ended, but not as soon as documented."""


def stop(tool, status=EXIT_OK, number=signal.SIGTERM):
    begin = time.monotonic()
    tool.send_signal(number)
    ends(tool, status)
    took = time.monotonic() - begin
    if took > PROMISED_S:
        raise Late(f"it has ended {took:.1f} s after the signal")


class Taken(threading.Thread):
    """Read a descriptor to its end."""

    def __init__(self, fd):
        super().__init__(daemon=True)
        self.fd, self.chunks = fd, []
        self.start()

    def run(self):
        with contextlib.suppress(OSError):      # the other end of a terminal is gone
            while chunk := os.read(self.fd, 65536):
                self.chunks.append(chunk)

    def size(self):
        return sum(map(len, self.chunks))

    def text(self):
        self.join(DEADLINE_S)
        return b"".join(self.chunks).decode()


def stats_of(messages):
    """Return the last counts among messages."""
    lines = [line for line in messages.splitlines() if line.startswith('{"event_type":"STATS"')]
    assert lines, f"no counts in {messages!r}"
    return json.loads(lines[-1])


def adds_up(output, messages, kind="PROCESS_SETSID"):
    """There are only complete lines, and they stand for as many events as the counts show."""
    assert not output or output.endswith("\n"), f"the last line is not whole: {output[-80:]!r}"
    lines = [json.loads(line) for line in output.splitlines()]
    reported = sum(line.get("count", 1) for line in lines if line.get("event_type") == kind)
    counts = stats_of(messages)["events"][kind]
    lost = sum(counts["lost"].values())
    assert reported == counts["delivered"], f"{reported} events in the lines, {counts['delivered']} are counted"
    assert counts["seen"] == counts["delivered"] + lost, counts
    return counts


def writers_of(tool):
    """Return the processes that write files for the tool."""
    with open(f"/proc/{tool.pid}/task/{tool.pid}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def has_ended(pid):
    """Return whether a process has ended, even if nobody has waited for it."""
    try:
        return thread_stat(pid, pid)[0] in "ZX"
    except FileNotFoundError:
        return True


def fill(fd):
    """Leave no room in a pipe or socket."""
    os.set_blocking(fd, False)
    for size in (65536, 4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(fd, b" " * size)
    os.set_blocking(fd, True)


def thread_stat(pid, tid):
    """Return the state of a thread, and the ticks that it has run for."""
    with open(f"/proc/{pid}/task/{tid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return fields[0], int(fields[11]) + int(fields[12])


def is_idle(pid):
    """Return whether its first thread has been sleeping for a while."""
    before = thread_stat(pid, pid)
    time.sleep(0.2)
    return before[0] == "S" and thread_stat(pid, pid) == before


def wait_for_events(tool, ticks=5):
    """Wait until the thread that makes events has run long enough for thousands: more than an output takes unread."""
    def run_for():
        others = [tid for tid in os.listdir(f"/proc/{tool.pid}/task") if int(tid) != tool.pid]
        return sum(thread_stat(tool.pid, tid)[1] for tid in others)

    wait_for("events", lambda: run_for() >= ticks)


# A user who may not open the tool's output, such as the terminal of another user, who runs it by su.
STRANGER = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}


def run_with(*command, **more):
    """Return the output of a command on standard error, and on standard output if that is redirected there."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env=environment(), timeout=DEADLINE_S, check=False, **more)
    return done.returncode, done.stdout


def said(*options, status=2, **more):
    """Return the output, both streams together, of a tool that is expected to end by itself."""
    tool = start(*options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    output = Taken(tool.stdout.fileno())
    ends(tool, status)
    return output.text()


def traced(*options, events, backend=None):
    """Return the lines and counts of that many events."""
    tool = start("-s", *options, events=events, stdout=subprocess.PIPE, stderr=subprocess.PIPE, backend=backend)
    output, messages = Taken(tool.stdout.fileno()), Taken(tool.stderr.fileno())
    wait_for("counts", lambda: f'"records":{events}'.encode() in b"".join(messages.chunks))
    stop(tool)
    return [json.loads(line) for line in output.text().splitlines()], stats_of(messages.text())["events"]
