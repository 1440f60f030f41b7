# SPDX-License-Identifier: BSD-2-Clause
from expect import has, same

EVENTS = ["PROCESS_EXEC", "PROCESS_SETUID", "PROCESS_SETGID"]


def expect(facts, events):
    here = facts["dir"]
    scripts = {"by_path": f"{here}/plain.bx", "by_link": f"{here}/plain.bx", "by_fd": f"{here}/plain.bx",
               "opened": f"{here}/open.bo", "creds": f"{here}/creds.bc", "setuid": f"{here}/setuid.bx",
               "registered": f"{here}/registered.bf", "registered_creds": f"{here}/registered-creds.bg",
               "memfd": "memfd:payload", "link_to_memfd": "memfd:payload"}
    for key, script in scripts.items():
        counts = key in ("creds", "registered_creds")     # the bits of the file apply only with the flag C
        uid = 1000 if key in ("setuid", "registered") else 0
        has(events.one("PROCESS_EXEC", tgid=facts[key]), filename=f"{here}/interpreter", script=script,
            script_is_unresolved=False, script_is_setuid=counts, script_is_setgid=counts, is_setuid=False,
            creds__euid=uid)
        changes = [event for event in events if event["event_type"] in EVENTS and event.get("by_exec")
                   and event["pids"]["tgid"] == facts[key]]
        same([event["event_type"] for event in changes],
             ["PROCESS_SETUID"] * counts + ["PROCESS_SETGID"] * (key == "registered_creds"), f"changes of ids, {key}")
        for event in changes:
            has(event, creds__ruid=1000, creds__euid=1000, creds__suid=1000, creds__egid=0, creds__cap_effective="0")
    has(events.all("PROCESS_SETUID", tgid=facts["creds"])[-1], new_ruid=1000, new_euid=0, new_suid=0, new_fsuid=0)
    has(events.one("PROCESS_SETGID", tgid=facts["registered_creds"]), new_rgid=0, new_egid=1001, new_sgid=1001)
