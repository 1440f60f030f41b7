# SPDX-License-Identifier: BSD-2-Clause
from datetime import datetime, timezone

from expect import has, lacks, same, true

EVENTS = ["PROCESS_EXEC"]
CLOCK_SLACK_NS = 50_000_000     # between the wall clock and the clock since boot


def nanoseconds(timestamp):
    seconds = datetime.strptime(timestamp[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
    return int(seconds) * 1_000_000_000 + int(timestamp[20:29])


def expect_times(event, child):
    start = event["pids"]["start_time_ns"]
    true(child["before_mono"] <= start <= child["after_mono"], f"start_time_ns {start} is not between those of {child}")
    boot = event["ts_boot_ns"]
    true(child["before_boot"] <= boot <= child["after_boot"], f"ts_boot_ns {boot} is not between those of {child}")
    real = nanoseconds(event["timestamp"])
    true(child["before_real"] - CLOCK_SLACK_NS <= real <= child["after_real"] + CLOCK_SLACK_NS,
         f"timestamp {event['timestamp']} is not between those of {child}")


def expect_common(event, facts, child):
    here = facts["dir"]
    has(event, pids__tid=child["pid"], pids__tgid=child["pid"], pids__ppid=facts["pid"], pids__pgid=child["pid"],
        pids__sid=facts["sid"], ctty__major=0, ctty__minor=0, ctty__winsize_rows=0, ctty__winsize_cols=0,
        filename=f"{here}/real", comm="link", cwd=f"{here}/cwd",
        pids_ss_cgroup_path="/exec-basic.slice/one.scope", argv="link one two three", args=["link", "one two", "three"],
        argc=3, ns=facts["ns"], is_setuid=False, is_setgid=False, is_memfd=False, inode_nlink=2)
    lacks(event, "env", "root_path", "script", "argv_truncated", "filename_truncated", "cwd_truncated")
    expect_times(event, child)


def expect(facts, events):
    root = events.one("PROCESS_EXEC", tgid=facts["root"]["pid"])
    expect_common(root, facts, facts["root"])
    same(root["creds"], {"ruid": 0, "rgid": 0, "euid": 0, "egid": 0, "suid": 0, "sgid": 0,
                         "cap_permitted": str(facts["cap_permitted"]),
                         "cap_effective": str(facts["cap_effective"])}, "creds of root")
    # The kernel sets the saved ids to the effective ones when a program is executed.
    user = events.one("PROCESS_EXEC", tgid=facts["user"]["pid"])
    expect_common(user, facts, facts["user"])
    same(user["creds"], {"ruid": 2001, "rgid": 1001, "euid": 2002, "egid": 1002, "suid": 2002, "sgid": 1002,
                         "cap_permitted": "0", "cap_effective": "0"}, "creds of the user")
