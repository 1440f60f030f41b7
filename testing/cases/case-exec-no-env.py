# SPDX-License-Identifier: BSD-2-Clause
from expect import lacks, true

EVENTS = ["PROCESS_EXEC"]
PROGRAM = "case-exec-env"
SECRETS = [b"the-bird-in-the-mine", b"CANARY", b"BIG_0"]


def expect(facts, events):
    for child in ("small", "big"):
        lacks(events.one("PROCESS_EXEC", tgid=facts[child]), "env", "env_truncated", "env_length")
    for secret in SECRETS:
        true(secret not in events.raw + events.err, f"{secret!r} of the environment is in the output")
