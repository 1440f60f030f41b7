# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_EXEC"]


def expect(facts, events):
    here = facts["dir"]
    paths = {"original": "here/prog", "directory": "there/prog", "nested": "nested/prog", "file": "file"}
    for child, path in paths.items():
        has(events.one("PROCESS_EXEC", tgid=facts[child]), filename=f"{here}/{path}", cwd=f"{here}/there/sub")
