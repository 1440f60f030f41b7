# SPDX-License-Identifier: BSD-2-Clause
"""Functions for expectations (case-NAME.py).

An expectation is a module with
    EVENTS    the event types that it expects; they are selected, and the suite counts them as tested
    expect(facts, events)   asserts, by the functions below; `facts` is what the program printed, `events` an Events
and, if needed, ABSENT (more types to select, of which it expects none), OPTIONS (further options of EventsTrace),
PROGRAM (name of the program, if not the case's), ARGS (its arguments) and LOSS = True (events may be lost). Several
cases share one EventsTrace: find events by process ids, which are not reused."""

import re

ESCAPE_BASE = 0x10F700


class Failure(AssertionError):
    """An expectation that is not met."""


def decode(text):
    """Return the bytes of a string of the output: U+10F780 to U+10F7FF are the bytes 0x80 to 0xff that were not valid
    UTF-8, every other character is its own UTF-8."""
    data = bytearray()
    for char in text:
        if 0x80 <= ord(char) - ESCAPE_BASE <= 0xFF:
            data.append(ord(char) - ESCAPE_BASE)
        else:
            data += char.encode("utf-8")
    return bytes(data)


def short(value):
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:200]} … {text[-150:]} ({len(text)} characters)"


def same(got, want, what):
    if got != want or isinstance(got, bool) != isinstance(want, bool):
        raise Failure(f"{what}: expected {short(want)}, got {short(got)}")


def true(condition, what):
    if not condition:
        raise Failure(what)


def look_up(event, key):
    """Return a member of an event by its path, as in "pids.ppid"; raise Failure if it is missing."""
    value = event
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise Failure(f"{event.get('event_type')}: no key {key} in {short(event)}")
        value = value[part]
    return value


def has(event, **wanted):
    """The members have these values; "__" stands for the dot in a path. All differences are reported at once."""
    wrong = []
    for key, want in wanted.items():
        try:
            same(look_up(event, key.replace("__", ".")), want, key.replace("__", "."))
        except Failure as failure:
            wrong.append(str(failure))
    if wrong:
        raise Failure(f"{event.get('event_type')} seq {event.get('seq')}: " + "; ".join(wrong))


def lacks(event, *keys):
    for key in keys:
        true(key not in event, f"{event.get('event_type')}: has a key {key}: {short(event.get(key))}")


def tgid_of(event):
    return event.get("child_pids" if "child_pids" in event else "pids", {}).get("tgid")


class Events(list):
    """The events of a run, in the order of the stream. `raw` is the raw output, `err` standard error. `called` has the
    types of those that are made at the ends of system calls, where a process already is what the call made it. `unseen`
    is a pattern of what may then be missing, or by tracefs, of "TYPE: what"."""

    def __init__(self, events, raw=b"", err=b"", called=(), unseen=None):
        super().__init__(events)
        self.raw, self.err, self.called, self.unseen = raw, err, called, unseen
        self.shown = set()

    def all(self, kind, tgid=None, parent=None):
        """Return the events of a type, of a process (for PROCESS_FORK the new one), of a creator."""
        found = [event for event in self
                 if event.get("event_type") == kind
                 and tgid in (None, tgid_of(event))
                 and (parent is None or event.get("parent_pids", {}).get("tgid") == parent)]
        if found:
            self.shown.add(kind)
        return found

    def may_lack(self, what):
        """Return whether the way in which the events are made may lack something, of "TYPE: what"."""
        return bool(self.unseen and re.search(self.unseen, what))

    def one(self, kind, tgid=None, parent=None):
        found = self.all(kind, tgid, parent)
        who = f"process {tgid}" if parent is None else f"creator {parent}"
        true(len(found) == 1, f"{kind} of {who}: expected once, got {len(found)} times: {short(found)}")
        return found[0]

    def none(self, kind, tgid=None, parent=None):
        found = self.all(kind, tgid, parent)
        true(not found, f"{kind}: expected none of process {tgid or parent}, got {short(found)}")


def expect_id_changes(facts, events, kind, ids):
    """Each change of case-setid, of user or group ids, is one event with all ids, and credentials of before; calls
    without a change are none. At the ends of calls neither is known."""
    wrong = []
    at_calls = kind in events.called
    for change in facts["changes"]:
        try:
            if change["changes"]:
                event = events.one(kind, tgid=change["pid"])
                same(event["pids"]["tid"] != change["pid"], change["what"] == "in a thread", "another thread")
                has(event, comm="case-setid", by_exec=False, **{
                    f"new_r{ids}": change["real"], f"new_e{ids}": change["effective"],
                    f"new_s{ids}": change["saved"], f"new_fs{ids}": change["fs"],
                    f"creds__r{ids}": change["real"] if at_calls else 0,
                    f"creds__e{ids}": change["effective"] if at_calls else 0,
                    f"creds__s{ids}": change["saved"] if at_calls else 0})
            elif not at_calls:
                events.none(kind, tgid=change["pid"])
        except Failure as failure:
            wrong.append(f"{change['what']}, {change['abi']}: {failure}")
    true(not wrong, f"{len(wrong)} of {len(facts['changes'])}: " + " | ".join(wrong[:8]))
    surroundings = facts["surroundings"]
    has(events.one(kind, tgid=surroundings["pid"]), ctty=surroundings["ctty"], ns=surroundings["ns"])


def expect_id_changes_by_exec(facts, events, kind, of):
    """Each exec of case-exec-ids that changed an id `of` user or group is one event, before that of the exec and with
    the previous ids; the others are none."""
    changed, letter = [], of[0]
    for step in facts["steps"]:
        before, after = step["before"], step["after"]
        seen = [event for event in events.all(kind, tgid=step["pid"]) if event["by_exec"]]
        same(len(seen), int(before[of] != after[of]), f"{kind} by exec, {step['what']}")
        if not seen:
            continue
        changed.append(step["what"])
        has(seen[0], comm=step["program"], pids__tid=step["pid"], **{
            f"new_r{letter}id": after[of]["real"], f"new_e{letter}id": after[of]["effective"],
            f"new_s{letter}id": after[of]["saved"], f"new_fs{letter}id": after[of]["fs"]}, **{
            f"creds__{which[0]}{who[0]}id": before[who][which]
            for who in ("user", "group") for which in ("real", "effective", "saved")})
    same(changed, [what for what in IDS_CHANGED_BY_EXEC if IDS_CHANGED_BY_EXEC[what] in (of, "both")],
         f"executions that change ids of the {of}")


# Steps of case-exec-ids, and whether they change user ids, group ids or both.
IDS_CHANGED_BY_EXEC = {
    "set-user-ID root": "user", "set-group-ID": "group", "both": "both", "both by a thread": "both",
    "both by root": "both", "plain with other saved ids": "both", "plain with other file system ids": "both",
}
