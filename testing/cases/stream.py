# SPDX-License-Identifier: BSD-2-Clause
"""Check what holds for all output of EventsTrace, whatever the case: strict JSON, the documented keys, sequence
numbers, and seen = delivered + filtered + lost. Problems are collected, so that one report has all of them."""

import json
import re

FEATURES = "probes_initialized"
STARTED = {FEATURES: bool, "features": {"bpf_tramp": bool, "ipv6": bool, "backend": str}}
COMMON = {"event_type": str, "comm": str, "timestamp": str, "ts_boot_ns": int, "seq": int}
PIDS = dict.fromkeys(("tid", "tgid", "ppid", "pgid", "sid", "start_time_ns"), int)
CREDS = dict.fromkeys(("ruid", "rgid", "euid", "egid", "suid", "sgid"), int) | {
    "cap_permitted": "decimal", "cap_effective": "decimal"}
TTY = dict.fromkeys(("major", "minor", "winsize_rows", "winsize_cols"), int)
NS = dict.fromkeys(("uts", "ipc", "mnt", "net", "cgroup", "time", "pid"), int)

FILE_INFO = {"type": str} | dict.fromkeys(("inode", "mode", "size", "uid", "gid", "atime", "mtime", "ctime"), int)
FILE = {"pids": PIDS, "creds": CREDS, "mount_namespace": int, "file_info": FILE_INFO, "symlink_target_path": str,
        "pids_ss_cgroup_path": str}

NET = {"transport": str, "family": str, "source_address": str, "source_port": int, "destination_address": str,
       "destination_port": int, "network_namespace": int}
TRAFFIC = NET | {"bytes_sent": int, "bytes_received": int}

# The keys that consumers rely on, whatever the schema says. schema.py compares all keys with the schema.
KEYS = {
    "PROCESS_FORK": {"parent_pids": PIDS, "child_pids": PIDS, "creds": CREDS, "ctty": TTY, "ns": NS,
                     "pids_ss_cgroup_path": str, "cwd": str},
    "PROCESS_EXEC": {"pids": PIDS, "creds": CREDS, "ctty": TTY, "filename": str, "cwd": str,
                     "pids_ss_cgroup_path": str, "argv": str, "args": list, "ns": NS, "is_setuid": bool,
                     "is_setgid": bool, "is_memfd": bool, "inode_nlink": int},
    "PROCESS_EXIT": {"pids": PIDS, "creds": CREDS, "ctty": TTY, "exit_code": int, "exit_signal": int,
                     "core_dumped": bool, "ns": NS, "pids_ss_cgroup_path": str},
    "PROCESS_SETSID": {"pids": PIDS, "creds": CREDS, "ctty": TTY, "ns": NS},
    "PROCESS_SETUID": {"pids": PIDS, "creds": CREDS, "ctty": TTY, "ns": NS, "new_ruid": int, "new_euid": int},
    "PROCESS_SETGID": {"pids": PIDS, "creds": CREDS, "ctty": TTY, "ns": NS, "new_rgid": int, "new_egid": int},
    "PROCESS_TTY_WRITE": {"pids": PIDS, "tty_out_truncated": int, "tty": TTY, "ctty": TTY, "tty_out": str},
    "PROCESS_MEMFD_CREATE": {"pids": PIDS, "creds": CREDS, "flags": int, "flag_cloexec": bool,
                             "flag_allow_seal": bool, "flag_hugetlb": bool, "flag_noexec_seal": bool,
                             "flag_exec": bool, "filename": str},
    "PROCESS_SHMGET": {"pids": PIDS, "creds": CREDS, "key": int, "size": int, "shmflg": int},
    "PROCESS_PTRACE": {"pids": PIDS, "creds": CREDS, "child_pid": int, "request": int},
    "PROCESS_LOAD_MODULE": {"pids": PIDS, "creds": CREDS, "filename": str, "mod_version": str,
                            "mod_srcversion": str, "taints": int},
    "PROCESS_CHROOT": {"pids": PIDS, "creds": CREDS, "ctty": TTY, "ns": NS, "path": str},
    "FILE_CREATE": FILE | {"path": str},
    "FILE_DELETE": FILE | {"path": str},
    "FILE_RENAME": FILE | {"old_path": str, "new_path": str},
    "FILE_MODIFY": FILE | {"path": str, "change_type": str},
    "FILE_MEMFD_OPEN": FILE | {"path": str},
    "FILE_SHMEM_OPEN": FILE | {"path": str},
    "FILE_LINK": FILE | {"old_path": str, "new_path": str},
    "NETWORK_CONNECTION_ATTEMPTED": {"pids": PIDS, "net": NET, "mptcp": bool, "untracked": bool},
    "NETWORK_CONNECTION_ACCEPTED": {"pids": PIDS, "net": NET, "mptcp": bool, "untracked": bool},
    "NETWORK_CONNECTION_CLOSED": {"pids": PIDS, "net": TRAFFIC, "mptcp": bool, "close_reason": str},
    "NETWORK_CONNECTION_FAILED": {"pids": PIDS, "net": NET, "mptcp": bool, "error": str, "errno": int},
    "NETWORK_LISTEN": {"pids": PIDS, "net": NET, "mptcp": bool, "backlog": int},
    "NETWORK_DATAGRAM_FLOW": {"pids": PIDS, "net": NET, "direction": str, "flow_state": str, "datagrams": int,
                              "bytes": int, "untracked": bool, "peer_from_caller": bool},
}
# Keys that consumers expect in this order at the start of a line.
FIRST_KEYS = {"PROCESS_EXEC": ["event_type", "pids", "creds", "ctty", "filename", "cwd", "pids_ss_cgroup_path", "argv"]}
LAST_KEYS = ["comm", "timestamp", "ts_boot_ns", "seq"]      # documented for comm in docs/MIGRATING.md
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


def _no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError(f"a key is there twice: {keys}")
    return dict(pairs)


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse_json(data):
    """Parse one JSON object: RFC 8259 to the letter, no key twice, no unpaired surrogate."""
    value = json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def mismatch(value, kind):
    """Return why a value is not of a kind of the tables above; None if it is."""
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            return "is not an object"
        problems = (f".{key} {problem}" for key, inner in kind.items()
                    if (problem := mismatch(value[key], inner) if key in value else "is missing"))
        return next(problems, None)
    if kind == "decimal":
        return None if isinstance(value, str) and value.isdecimal() else "is not a string of decimal digits"
    # True is an int in Python, but not in the documented types.
    if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
        return f"is {value!r}, not of type {kind.__name__}"
    return None


def is_event(record):
    return FEATURES not in record and record.get("event_type") not in ("EVENTS_LOST", "EVENTS_OVER_BUDGET")


# Types that have another name with --format elastic.
WRITTEN_AS = {"NETWORK_CONNECTION_FAILED": "NETWORK_CONNECTION_CLOSED"}


# How members look that no probe has filled (record__poison): numbers of 32 and 64 bits, octal ones, ports,
# addresses, names (each byte as the library encodes it) and enumerations.
POISON = re.compile(rb'[^0-9](4008636142|17216961135462248174|-286331154|-1229782938247303442|35673567356)[^0-9]'
                    rb'|_port": ?61166[,}]|eeee:eeee:|238\.238\.|(\xf4\x8f\x9f\xae){3}'
                    rb'|: ?"UNKNOWN"(?!,"mode":0,"inode":0,)')


def poison(raw):
    """Return problems with the lines of a poisoned run that have a member which no probe filled."""
    found = ((POISON.search(line), line) for line in raw.split(b"\n"))
    return [f"a member that no probe filled: {hit[0]!r} in {line[:600]!r}" for hit, line in found if hit]


class Stream:
    """The lines of one run, parsed and checked; `problems` lists what is wrong with them."""

    def __init__(self, ndjson, err, tracer_pid, loss_expected=False, kernel_preempts=False, elastic=False, schema=None,
                 warnings=(), skipped=()):
        self.raw, self.err, self.elastic, self.schema = ndjson, err, elastic, schema
        self.problems, self.notes, self.records = [], [], []
        self._parse()
        self.events = [record for record in self.records if is_event(record)]
        self._check_features()
        self._check_warnings(warnings)
        for event in self.events:
            self._check_event(event, tracer_pid)
        if schema and not elastic:      # that format's keys are other ones
            self._check_schema()
        self._check_sequence()
        self._check_stats(loss_expected, kernel_preempts, skipped)

    def problem(self, text):
        self.problems.append(text)

    def _parse(self):
        if self.raw and not self.raw.endswith(b"\n"):
            self.problem("the last line is not complete")
        for number, line in enumerate(self.raw.split(b"\n")[:-1], 1):
            try:
                self.records.append(parse_json(line))
            except ValueError as error:
                self.problem(f"line {number} is not JSON: {error}: {line[:300]!r}")

    def _check_features(self):
        lines = [number for number, record in enumerate(self.records) if FEATURES in record]
        if lines != [0]:
            self.problem(f"the features line must be the first one and the only one, is in {lines}")
        elif (mismatch(self.records[0], STARTED) or self.records[0].get("event_type") != "STARTED" or
              self.records[0]["features"]["backend"] not in ("bpf", "tracefs")):
            self.problem(f"features line: {self.records[0]}")

    def _check_warnings(self, known):
        """There is no warning but known ones: on the kernels of the matrix nothing is unavailable or limited."""
        for line in self.err.decode(errors="replace").split("\n"):
            if line.startswith("EventsTrace: warning"):
                if not any(re.fullmatch(f"EventsTrace: warning: {warning}", line) for warning in known):
                    self.problem(line)

    def _check_event(self, event, tracer_pid):
        kind = event.get("event_type")
        own = {} if self.elastic else KEYS      # that format is for its cases to know
        keys = COMMON | own.get(kind, {} if "parent_pids" in event else {"pids": PIDS})
        if wrong := mismatch(event, keys):
            self.problem(f"{kind} seq {event.get('seq')}: {wrong}")
        elif not TIMESTAMP.fullmatch(event["timestamp"]):
            self.problem(f"{kind} seq {event['seq']}: timestamp {event['timestamp']}")
        first = FIRST_KEYS.get(kind, ["event_type"])
        if list(event)[:len(first)] != first or list(event)[-len(LAST_KEYS):] != LAST_KEYS:
            self.problem(f"{kind} seq {event.get('seq')}: keys in the order {list(event)}")
        actors = (event.get(key) for key in ("pids", "parent_pids", "child_pids"))
        if tracer_pid in [actor.get("tgid") for actor in actors if isinstance(actor, dict)]:
            self.problem(f"an action of EventsTrace itself is an event: {event}")

    def _check_schema(self):
        for record in self.records:
            if wrong := self.schema.problem(record):
                self.problem(f"{record.get('event_type')} seq {record.get('seq')}: by the schema: {wrong}")

    def _check_sequence(self):
        expected = 1
        for record in self.records:
            if record.get("event_type") == "EVENTS_LOST":
                if record.get("first_seq") != expected or record.get("last_seq", 0) < expected - 1:
                    self.problem(f"EVENTS_LOST where {expected} was expected: {record}")
                self._check_total(record)
                expected = max(expected, record.get("last_seq", 0) + 1)
            elif is_event(record):
                if record.get("seq") != expected:
                    self.problem(f"seq {record.get('seq')} where {expected} was expected")
                    expected = record.get("seq", expected)
                expected += 1

    def _check_total(self, record):
        """The three numbers of lost events are equal."""
        try:
            numbers = record["last_seq"] - record["first_seq"] + 1
            lost = sum(sum(reasons.values()) for reasons in record["lost"].values())
        except (KeyError, TypeError, AttributeError) as error:
            self.problem(f"EVENTS_LOST without its counts ({error!r}): {record}")
            return
        if not record.get("total") == numbers == lost or not lost:
            self.problem(f"EVENTS_LOST with total {record.get('total')}, {numbers} numbers, {lost} lost: {record}")

    def _stats(self):
        lines = self.err.rstrip(b"\n").split(b"\n")
        try:
            stats = parse_json(lines[-1])
        except ValueError:
            stats = {}
        if stats.get("event_type") != "STATS" or not isinstance(stats.get("events"), dict):
            self.problem(f"the last line on standard error is not a STATS record: {lines[-1][:300]!r}")
            return None
        return stats["events"]

    def _check_loss(self, kind, counts, kernel_preempts, often_skipped):
        """No event may be lost. A kernel that preempts BPF programs skips some runs. All of them count as lost, but
        nearly all would have made no event: the expectations show whether an event is missing. Programs without spares
        are skipped more often."""
        lost = counts.get("lost", {})
        if kernel_preempts and set(lost) <= {"recursion"} and (
                often_skipped or sum(lost.values()) <= 8 + counts["seen"] // 100):
            self.notes.append(f"{kind}: {sum(lost.values())} skips of programs count as losses")
        else:
            self.problem(f"{kind}: lost {lost}")

    def _check_stats(self, loss_expected, kernel_preempts, skipped):
        stats = self._stats()
        if stats is None:
            return
        if b'"corrupt":' in self.err:
            self.problem("the probes have made an invalid record")
        written, reported = {}, {}
        for event in self.events:
            # an event may stand for several (--coalesce), and counts as that many
            written[event.get("event_type")] = written.get(event.get("event_type"), 0) + event.get("count", 1)
        for kind in sorted(set(written) | set(stats), key=str):
            counts = stats.get(kind, {})
            lost = counts.get("lost", {})
            seen, delivered, filtered = (counts.get(key, 0) for key in ("seen", "delivered", "filtered"))
            if seen != delivered + filtered + sum(lost.values()):
                self.problem(f"accounting of {kind}: {counts}")
            line = WRITTEN_AS.get(kind, kind) if self.elastic else kind
            reported[line] = reported.get(line, 0) + delivered
            if any(lost.values()) and not loss_expected:
                self._check_loss(kind, counts, kernel_preempts, kind in skipped)
        for kind, delivered in reported.items():
            if delivered != written.get(kind, 0):
                self.problem(f"{kind}: {delivered} delivered, {written.get(kind, 0)} written")
