# SPDX-License-Identifier: BSD-2-Clause
from expect import decode, same

EVENTS = ["PROCESS_EXEC", "PROCESS_EXIT"]
OPTIONS = ["--env"]
COMM_LEN = 15


def from_hex(strings):
    return [bytes.fromhex(string) for string in strings]


def expect_exec(event, facts, may_be_cut):
    here, name = facts["dir"].encode(), bytes.fromhex(facts["filename"])
    args = from_hex(facts["args"])
    if not (may_be_cut and event.get("argv_truncated")):
        same([decode(arg) for arg in event["args"]], args, "args")
        same(decode(event["argv"]), b" ".join(args), "argv")
    if not (may_be_cut and event.get("env_truncated")):
        same([decode(string) for string in event["env"]], from_hex(facts["env"]), "env")
    same(decode(event["filename"]), here + b"/" + name, "filename")
    same(decode(event["cwd"]), here + b"/" + bytes.fromhex(facts["cwd"]), "cwd")
    same(decode(event["comm"]), name[:COMM_LEN], "comm after the exec")


def expect(facts, events):
    expect_exec(events.one("PROCESS_EXEC", tgid=facts["child"]), facts,
                events.may_lack("PROCESS_EXEC: strings of a process that is gone"))
    for child in facts["comms"]:
        comm = bytes.fromhex(child["comm"])
        same(decode(events.one("PROCESS_EXIT", tgid=child["pid"])["comm"]), comm, f"comm {comm!r}")
