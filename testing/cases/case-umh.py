# SPDX-License-Identifier: BSD-2-Clause
from expect import has, true

EVENTS = ["PROCESS_EXEC", "PROCESS_EXIT"]


def expect(facts, events):
    helper = events.one("PROCESS_EXEC", tgid=facts["helper"])
    has(helper, filename=facts["program"], args=[facts["program"], "helper", str(facts["crashed"])], creds__euid=0)
    has(events.one("PROCESS_EXIT", tgid=facts["helper"]), exit_code=facts["helper_status"], exit_signal=0)
    has(events.one("PROCESS_EXIT", tgid=facts["crashed"]), exit_code=0, exit_signal=11, core_dumped=facts["core"])
    true(facts["core"], "the process did not dump core into the helper")
