# SPDX-License-Identifier: BSD-2-Clause
import errno

from expect import has, lacks, same

PTRACE_ATTACH = 16
PTRACE_SEIZE = 0x4206
NOBODY = 65534

EVENTS = ["PROCESS_PTRACE"]


def expect(facts, events):
    seen = events.all("PROCESS_PTRACE", tgid=facts["pid"])
    attached = [event for event in seen if not event["denied"]]
    same([(event["request"], event["child_pid"]) for event in attached],
         [(attach["request"], attach["child_pid"]) for attach in facts["attached"]], "request and child_pid")
    for event in attached:
        has(event, pids__tid=facts["pid"], comm="case-ptrace", creds__euid=0)
        lacks(event, "errno")
    # at the end of a call a process to which it was refused is not known, and may be the caller's child
    at_calls = "PROCESS_PTRACE" in events.called or b"process-ptrace (" in events.err
    (itself,) = [event for event in seen if event["denied"] and (not at_calls or event["child_pid"] == facts["pid"])]
    has(itself, request=PTRACE_ATTACH, child_pid=facts["pid"], errno=errno.EPERM)
    by_nobody = events.all("PROCESS_PTRACE", tgid=facts["denied"])
    same([event["request"] for event in by_nobody], [PTRACE_ATTACH, PTRACE_SEIZE], "requests that are denied")
    for event in by_nobody:
        has(event, denied=True, errno=errno.EPERM, child_pid=facts["stranger"], comm="case-ptrace",
            creds__ruid=NOBODY, creds__euid=NOBODY, creds__egid=NOBODY, creds__cap_effective="0")
    events.none("PROCESS_PTRACE", tgid=facts["traced_by_wish"])
