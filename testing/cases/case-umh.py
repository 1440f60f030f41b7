# SPDX-License-Identifier: BSD-2-Clause
from expect import has, same, true

EVENTS = ["PROCESS_FORK", "PROCESS_EXEC", "PROCESS_EXIT"]


def expect(facts, events):
    helper = events.one("PROCESS_EXEC", tgid=facts["helper"])
    has(helper, filename=facts["program"], args=[facts["program"], "helper", str(facts["crashed"])], creds__euid=0)
    has(events.one("PROCESS_EXIT", tgid=facts["helper"]), exit_code=facts["helper_status"], exit_signal=0)
    has(events.one("PROCESS_EXIT", tgid=facts["crashed"]), exit_code=0, exit_signal=11, core_dumped=facts["core"])
    true(facts["core"], "the process did not dump core into the helper")

    born = [event for event in events.all("PROCESS_FORK")
            if facts["begin_ns"] < event["ts_boot_ns"] < facts["end_ns"] and
            event["parent_pids"]["tgid"] != facts["pid"]]
    true(len(born) >= 2, f"{len(born)} forks of the two helpers that cannot be executed")
    for event in born:
        pid = event["child_pids"]["tgid"]
        events.none("PROCESS_EXEC", tgid=pid)
        ended = events.one("PROCESS_EXIT", tgid=pid)
        same(ended["pids"]["start_time_ns"], event["child_pids"]["start_time_ns"], "start of the helper")
        has(ended, is_partial=False)
