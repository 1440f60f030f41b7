# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks, same, true

EVENTS = ["PROCESS_EXEC"]
PATH_MAX = 4096
NAME_MAX = 255


def expect_cut(event, key, whole):
    """The leaf is there, the first components are missing, and there are only whole components."""
    got = event[key]
    true(event.get(f"{key}_truncated") is True, f"{key}: {len(got)} bytes of {len(whole)}, and not flagged")
    true(not got.startswith("/"), f"{key} is cut but begins with a slash: {got[:60]}")
    true(whole.endswith(f"/{got}"), f"{key} is not the end of the path: {got[:60]}…{got[-60:]}")


def expect_whole(event, path):
    has(event, cwd=path, filename=f"{path}/prog")
    lacks(event, "cwd_truncated", "filename_truncated")


def expect(facts, events):
    expect_whole(events.one("PROCESS_EXEC", tgid=facts["whole"]["child"]), facts["whole"]["cwd"])

    # More components than are guaranteed: cut or not, but never cut without a flag.
    many, cwd = events.one("PROCESS_EXEC", tgid=facts["many"]["child"]), facts["many"]["cwd"]
    if many["cwd"] == cwd:
        expect_whole(many, cwd)
    else:
        expect_cut(many, "cwd", cwd)

    for key in ("long", "longest_names"):
        event, cwd = events.one("PROCESS_EXEC", tgid=facts[key]["child"]), facts[key]["cwd"]
        true(len(cwd) > PATH_MAX, "the directory is not deep enough")
        expect_cut(event, "cwd", cwd)
        expect_cut(event, "filename", f"{cwd}/prog")
        true(len(event["cwd"]) >= PATH_MAX - 2 * NAME_MAX, f"{key}: only {len(event['cwd'])} bytes are kept of cwd")
        same(event["comm"], "prog", "comm")
