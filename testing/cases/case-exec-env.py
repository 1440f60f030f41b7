# SPDX-License-Identifier: BSD-2-Clause
from expect import has, same, true

EVENTS = ["PROCESS_EXEC"]
OPTIONS = ["--env"]
KEPT = 65536    # bytes of an environment that fit into a record


def big_environment():
    strings = ["CASE_CHILD=0"]
    for number in range(100):
        name = f"BIG_{number:03}="
        strings.append(name + "e" * (999 - len(name)))
    return "".join(string + "\0" for string in strings)


def expect(facts, events):
    small = events.one("PROCESS_EXEC", tgid=facts["small"])
    same(small["env"], facts["small_env"], "env")
    true("env_truncated" not in small, "a whole environment is flagged as cut")

    big, whole = events.one("PROCESS_EXEC", tgid=facts["big"]), big_environment()
    has(big, env_truncated=True, env_length=len(whole))
    got = "\0".join(big["env"])
    true(whole.startswith(got), "what is there of a cut environment differs from its beginning")
    true(len(got) >= KEPT - 1, f"{len(got)} bytes of a cut environment, not {KEPT}")
