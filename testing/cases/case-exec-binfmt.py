# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_EXEC"]


def expect(facts, events):
    here = facts["dir"]
    scripts = {"by_path": f"{here}/plain.bx", "by_link": f"{here}/plain.bx", "by_fd": f"{here}/plain.bx",
               "opened": f"{here}/open.bo", "creds": f"{here}/creds.bc", "setuid": f"{here}/setuid.bx",
               "memfd": "memfd:payload", "link_to_memfd": "memfd:payload"}
    for key, script in scripts.items():
        counts = key == "creds"     # with the flag C alone the bits of the file are of effect
        uid = 1000 if key == "setuid" else 0
        has(events.one("PROCESS_EXEC", tgid=facts[key]), filename=f"{here}/interpreter", script=script,
            script_is_unresolved=False, script_is_setuid=counts, script_is_setgid=counts, is_setuid=False,
            creds__euid=uid)
