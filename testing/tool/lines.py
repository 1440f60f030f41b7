# SPDX-License-Identifier: BSD-2-Clause
"""lines.py - tests of EventsTrace's loop: each line is complete, in time and written once; counts, messages and
statuses."""

import errno
import json
import os
import pty
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time

from tool import (EXIT_OUTPUT, STRANGER, TOOL, Taken, adds_up, ends, environment, fill, is_idle, said, start, stats_of,
                  stop, traced, wait_for, wait_for_events, writers_of)

SETSID = "PROCESS_SETSID"
EXIT_FAILED, EXIT_USAGE, EXIT_NO_PRIVILEGE, EXIT_UNSUPPORTED, EXIT_NO_HOOK = 1, 2, 3, 4, 5


def piped(*options, **more):
    """The tool, with readers of its standard output and standard error."""
    tool = start(*options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    return tool, Taken(tool.stdout.fileno()), Taken(tool.stderr.fileno())


def so_far(taken):
    return b"".join(taken.chunks)


# ---------------------------------------------------------------------------------------------------- each line in time

def lines_in_time():
    """A line is written while the tool runs, even if only a timer wakes it, and without -u."""
    for backend in ({}, {"TOOL_QUIET": 1}):
        tool, output, messages = piped("--process-setsid", events=3, backend=backend)
        wait_for("lines", lambda: so_far(output).count(b"\n") == 3)
        stop(tool)
        assert adds_up(output.text(), messages.text())["delivered"] == 3


def messages_in_time():
    """A message that found no room is written when there is room, even if no event happens."""
    ours, theirs = os.pipe()
    fill(theirs)
    tool = start("--process-setsid", "-i", stdout=subprocess.PIPE, stderr=theirs, backend={"TOOL_LOG": 1})
    os.close(theirs)
    output = Taken(tool.stdout.fileno())
    wait_for("line", output.size)
    messages = Taken(ours)
    wait_for("message", lambda: b"message 0" in so_far(messages))
    stop(tool)


def statistics():
    """With -s the counts are written repeatedly, a second apart; without, once, at the end."""
    begin = time.monotonic()
    tool, _, messages = piped("--process-setsid", "-s")
    wait_for("counts", lambda: so_far(messages).count(b'"STATS"') >= 3)
    stop(tool)
    took = time.monotonic() - begin
    assert took > 1 and messages.text().count('"STATS"') <= took + 2, f"{messages.text()!r} in {took} s"
    tool, _, messages = piped("--process-setsid", events=3)
    wait_for("sleep", lambda: is_idle(tool.pid))
    stop(tool)
    assert messages.text().count('"STATS"') == 1, messages.text()


def last_lines():
    """What only the end produces is written as well: losses, merged changes."""
    tool, output, messages = piped("--process-setsid", events=3, backend={"TOOL_LOST_AT_END": 4})
    wait_for("lines", lambda: so_far(output).count(b"\n") == 3)
    stop(tool)
    lines = [json.loads(line) for line in output.text().splitlines()]
    assert [line["event_type"] for line in lines] == [SETSID] * 3 + ["EVENTS_LOST"], lines
    gap = (lines[3]["first_seq"], lines[3]["last_seq"], lines[3]["lost"])
    assert gap == (4, 7, {SETSID: {"ring_full": 4}}), lines[3]
    assert adds_up(output.text(), messages.text())["lost"] == {"ring_full": 4}


def losses():
    """A loss is a line with the numbers that the events would have had, in time; so is a process over its budget."""
    tool, output, messages = piped("--process-setsid", "--budget", "5", events=3,
                                   backend={"TOOL_LOST": 5, "TOOL_OVER_BUDGET": 6})
    wait_for("lines", lambda: so_far(output).count(b"\n") == 5)
    stop(tool)
    lines = {line["event_type"]: line for line in map(json.loads, output.text().splitlines())}
    lost, over = lines["EVENTS_LOST"], lines["EVENTS_OVER_BUDGET"]
    assert lost["total"] == 5 == lost["last_seq"] - lost["first_seq"] + 1 and over["lost"] == 6, lines
    assert adds_up(output.text(), messages.text())["lost"] == {"ring_full": 5}


def coalesced_at_the_end():
    """Changes that are still being merged are written at the end."""
    tool, output, messages = piped("--file-modify", "--coalesce", "60000", events=300)
    wait_for("lines", lambda: so_far(output).count(b"\n") == 30)
    wait_for("sleep", lambda: is_idle(tool.pid))
    stop(tool)
    counts = [json.loads(line).get("count", 1) for line in output.text().splitlines()]
    assert counts == [1] * 30 + [9] * 30, counts
    assert adds_up(output.text(), messages.text(), "FILE_MODIFY")["delivered"] == 300


def long_lines():
    """A very long line: a path each byte of which becomes six."""
    lines, counts = traced("--file-create", events=8, backend={"TOOL_PATH": 4000})
    assert [line["path"] for line in lines] == ["/" + 4000 * "\1"] * 8, str(lines)[:1000]
    assert counts["FILE_CREATE"] == {"seen": 8, "delivered": 8, "filtered": 0, "lost": {}}, counts


# ------------------------------------------------------------------------------------------------ readers and outputs

def slow_reader():
    """More lines than fit into any buffer, with a late reader: every event arrives, in order, and nothing is lost."""
    events = 20000
    for make in (os.pipe, lambda: [s.detach() for s in socket.socketpair()]):
        ours, theirs = make()
        tool = start("--process-setsid", events=events, stdout=theirs, stderr=subprocess.PIPE)
        os.close(theirs)
        messages = Taken(tool.stderr.fileno())
        wait_for_events(tool, ticks=1)
        wait_for("sleep", lambda pid=tool.pid: is_idle(pid))
        output = Taken(ours)
        wait_for("lines", lambda taken=output: sum(chunk.count(b"\n") for chunk in taken.chunks) == events)
        stop(tool)
        assert [json.loads(line)["seq"] for line in output.text().splitlines()] == list(range(1, events + 1))
        expected = {"seen": events, "delivered": events, "filtered": 0, "lost": {}}
        assert adds_up(output.text(), messages.text()) == expected


def short_lines_are_whole():
    """A pipe whose lines are not read holds complete lines: those of another writer do not come between."""
    ours, theirs = os.pipe()
    tool = start("--process-setsid", events="flood", stdout=theirs, stderr=subprocess.DEVNULL)
    wait_for_events(tool)
    wait_for("sleep", lambda: is_idle(tool.pid))
    os.set_blocking(ours, False)
    text = os.read(ours, 1 << 20)
    assert text.startswith(b"{") and text.endswith(b"}\n"), text[-100:]
    os.close(ours)
    os.close(theirs)
    ends(tool)


def reader_gone_in_a_flood():
    """If the reader ends while the tool waits for it, the tool ends quietly."""
    for make in (os.pipe, lambda: [s.detach() for s in socket.socketpair()], pty.openpty):
        ours, theirs = make()
        tool = start("--process-setsid", events="flood", stdout=theirs, stderr=subprocess.PIPE)
        os.close(theirs)
        messages = Taken(tool.stderr.fileno())
        wait_for_events(tool)
        wait_for("sleep", lambda pid=tool.pid: is_idle(pid))
        os.close(ours)
        ends(tool)
        assert "cannot write" not in messages.text() and "not written" not in messages.text(), messages.text()


def full_device():
    """A full device causes one warning, and is tried again until the end, whose status shows it."""
    with open("/dev/full", "wb") as full:
        tool = start("--process-setsid", events=50, stdout=full, stderr=subprocess.PIPE, backend={"TOOL_PAUSE_MS": 10})
    messages = Taken(tool.stderr.fileno())
    wait_for("warning", lambda: b"standard output is full: " + os.strerror(errno.ENOSPC).encode() in so_far(messages))
    wait_for("sleep", lambda: is_idle(tool.pid))
    stop(tool, EXIT_OUTPUT)
    text = messages.text()
    counts = stats_of(text)["events"][SETSID]
    assert counts["delivered"] == 0 and counts["lost"] == {"handler": counts["seen"]}, counts
    assert text.count("is full: ") == 1, text
    assert f"{counts['seen']} lines were not written: standard output is full" in text, text


def full_for_a_while():
    """Writing to a full file resumes when there is room, without a loss; a second time causes a second warning."""
    def limit(size):
        for pid in writers_of(tool):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def warnings():
        return so_far(messages).count(b"standard output is full")

    with tempfile.NamedTemporaryFile() as file:
        tool = start("--process-setsid", events="flood", stdout=file, stderr=subprocess.PIPE,
                     backend={"TOOL_PAUSE_MS": 10},
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY)))
        messages = Taken(tool.stderr.fileno())
        wait_for("warning", lambda: warnings() == 1)
        limit(resource.RLIM_INFINITY)
        wait_for("lines", lambda: os.stat(file.name).st_size > 6000)
        limit(6000)
        wait_for("warning", lambda: warnings() == 2)
        limit(resource.RLIM_INFINITY)
        wait_for("lines", lambda: os.stat(file.name).st_size > 12000)
        stop(tool)
        with open(file.name, encoding="utf-8") as written:
            output = written.read()
    assert [json.loads(line)["seq"] for line in output.splitlines()] == list(range(1, output.count("\n") + 1))
    assert not adds_up(output, messages.text())["lost"]


# ------------------------------------------------------------------------------------------------------------- messages

def escaped():
    """A message is one line, whatever it contains, without characters that a terminal interprets."""
    text = said("--format", "a\nb\x1b[31m\x7f\t'é\x01", status=EXIT_USAGE)
    assert text == ("EventsTrace: option '--format' requires json or elastic, not "
                    "'a\\x0ab\\x1b[31m\\x7f\\x09'é\\x01'\n"), text


def exit_statuses():
    """Each reason why nothing can be traced has its own status, and no counts."""
    for number, expected in ((errno.EINVAL, EXIT_USAGE), (errno.EPERM, EXIT_NO_PRIVILEGE),
                             (errno.EACCES, EXIT_NO_PRIVILEGE), (errno.EOPNOTSUPP, EXIT_UNSUPPORTED),
                             (errno.ENXIO, EXIT_NO_HOOK), (errno.EIO, EXIT_FAILED)):
        text = said("--process-setsid", status=expected, backend={"TOOL_ERROR": number})
        assert "STATS" not in text, text


def what_is_asked_for():
    """The options reach the backend as they were given."""
    def options(*given):
        text = said(*given, "--", "true", status=0, backend={"TOOL_OPTIONS": 1, "TOOL_CONDITIONS": 1})
        words = next(line for line in text.splitlines() if "warning: events " in line).split()[2:]
        return dict(zip(words[::2], words[1::2])), re.findall(r"condition of kind (\d+): (\w+) (\d+)", text)

    plain, conditions = options("--process-setsid")
    assert {key: plain[key] for key in list(plain)[1:]} == {
        "env": "0", "low_latency": "0", "libbpf_log": "0", "ring_bytes": "0", "coalesce_ms": "0", "budget": "0",
        "disable_hooks": "none", "backend": "0"}, plain
    assert [(kind, word) for kind, word, _ in conditions] == [("1", "only")], conditions     # the command's tree
    given, conditions = options("--process-setsid", "-u", "-v", "--env", "--ring-size=64K", "--coalesce=250",
                                "--budget=7", "--disable-hook=a", "--disable-hook", "b,c", "--exclude-tree=1",
                                "--host-only", "--port=80", "--exclude-port=81", "--pid=3", "--exclude-pid=4",
                                "--backend=tracefs")
    assert {key: given[key] for key in list(given)[1:]} == {
        "env": "1", "low_latency": "1", "libbpf_log": "1", "ring_bytes": "65536", "coalesce_ms": "250", "budget": "7",
        "disable_hooks": "a,b,c", "backend": "2"}, given
    assert conditions[:-1] == [("1", "not", "1"), ("5", "not", "0"), ("8", "only", "80"), ("8", "not", "81"),
                               ("0", "only", "3"), ("0", "not", "4")], conditions
    assert conditions[-1][:2] == ("1", "only"), conditions


def conditions_that_exclude():
    """Users by number, root too; a warning names what is included and excluded at once, but not a partial overlap."""
    text = said("--process-setsid", "--exclude-uid", "0", "--uid=4294967294", "--", "true", status=0,
                backend={"TOOL_CONDITIONS": 1})
    assert "condition of kind 2: not 0\n" in text and "condition of kind 2: only 4294967294\n" in text, text
    for options, expected in ((["--path=/etc/x", "--exclude-path=/etc"], 1),
                              (["--path=/etc", "--exclude-path=/etc/x"], 0),
                              (["--path=/etc", "--exclude-path=/etcetera"], 0),
                              (["--path=/etc/", "--exclude-path=/etc"], 1),
                              (["--uid=5", "--exclude-uid=5"], 1), (["--uid=5", "--exclude-uid=6"], 0),
                              (["--comm=sh", "--exclude-comm=s"], 0)):
        text = said("--file-create", *options, "--", "true", status=0)
        assert text.count("excluded as well") == expected, f"{options}: {text!r}"


# -------------------------------------------------------------------------------------------------- process and command

def hardened():
    """Events contain other users' data: there is no core dump, and only root may attach to the tool."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    tool, output, _ = piped("--process-setsid", "-i", **STRANGER,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))
    wait_for("line", output.size)
    with open(f"/proc/{tool.pid}/limits", encoding="utf-8") as limits:
        soft = re.search(r"^Max core file size +(\S+)", limits.read(), re.M).group(1)
    owner = os.stat(f"/proc/{tool.pid}/mem").st_uid
    stop(tool)
    assert soft == "0" and owner == 0, (soft, owner)


def status_of_command():
    """The status is the command's own, 128 plus its signal, or that of a shell for a command that cannot be run."""
    for command, expected in ((["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -TERM $$"], 143),
                              (["sh", "-c", "kill -KILL $$"], 137), (["/no/such"], 127), (["/etc/passwd"], 126),
                              (["/"], 126)):
        text = said("--process-setsid", "--", *command, status=expected)
        assert ("cannot run" in text) == (expected in (126, 127)), text


def output_of_command():
    """The command's output goes to standard error: standard output has only events."""
    tool, output, messages = piped("--process-setsid", "-u", "--", "sh", "-c", "echo out; echo err >&2; exec sleep 100",
                                   events=3)
    wait_for("events and output", lambda: so_far(output).count(b"\n") == 3 and b"err\n" in so_far(messages))
    tool.terminate()
    ends(tool, 128 + signal.SIGTERM)
    assert "out\nerr\n" in messages.text()
    assert adds_up(output.text(), messages.text())["delivered"] == output.text().count("\n")


COMMAND_WITH_TRAP = 'trap "echo got" %s; echo pid $$; while :; do sleep 0.05; done'


def kill_command(text):
    os.kill(int(re.search(rb"pid (\d+)", so_far(text)).group(1)), signal.SIGKILL)


def second_signal():
    """The second signal ends the tool even if the command continues after the first one."""
    tool, _, messages = piped("--process-setsid", "--", "sh", "-c", COMMAND_WITH_TRAP % "TERM")
    wait_for("command", lambda: b"pid " in so_far(messages))
    try:
        tool.send_signal(signal.SIGTERM)
        wait_for("signal", lambda: b"got" in so_far(messages))
        assert tool.poll() is None, "the first signal has ended it"
        tool.send_signal(signal.SIGTERM)
        ends(tool)
        time.sleep(0.3)     # a signal that was passed on would be reported by now
        assert so_far(messages).count(b"got") == 1
    finally:
        kill_command(messages)


def interrupt_from_the_terminal():
    """A signal of the terminal reaches the command too, so the tool does not pass it on; a command outside of the
    terminal's process group, as here, would receive it."""
    master, slave = pty.openpty()
    tool = subprocess.Popen(["setsid", "-c", TOOL, "--process-setsid", "--",
                             "setsid", "sh", "-c", COMMAND_WITH_TRAP % "INT"],
                            stdin=slave, stdout=subprocess.DEVNULL, stderr=slave, env=environment())
    os.close(slave)
    text = Taken(master)
    wait_for("command", lambda: b"pid " in so_far(text))
    try:
        wait_for("end", lambda: os.write(master, b"\x03") and time.sleep(0.1) or tool.poll() is not None)
        assert tool.returncode == 0 and so_far(text).count(b"\x03") + so_far(text).count(b"^C") > 1, so_far(text)
        assert b"got" not in so_far(text), "it was passed on"
    finally:
        kill_command(text)


TESTS = [lines_in_time, messages_in_time, statistics, last_lines, losses, coalesced_at_the_end, long_lines, slow_reader,
         short_lines_are_whole, reader_gone_in_a_flood, full_device, full_for_a_while, escaped, exit_statuses,
         what_is_asked_for, conditions_that_exclude, hardened, status_of_command, output_of_command, second_signal,
         interrupt_from_the_terminal]
