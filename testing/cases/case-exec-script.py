# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks

EVENTS = ["PROCESS_EXEC"]
COMM_LEN = 15


def expect_script(event, facts, script, args, comm):
    has(event, filename=f"{facts['dir']}/real-interpreter", script=script, args=args, argv=" ".join(args),
        comm=comm[:COMM_LEN], is_memfd=False)


def expect(facts, events):
    interpreter, script, nested, link = (facts[key] for key in ("interpreter", "script", "nested", "link"))
    # The kernel replaces the first argument: by the interpreter as the script names it, its option, the script's path.
    expect_script(events.one("PROCESS_EXEC", tgid=facts["by_path"]), facts, script,
                  [interpreter, "-x", script, "one"], "script")
    expect_script(events.one("PROCESS_EXEC", tgid=facts["by_link"]), facts, script,
                  [interpreter, "-x", link, "one"], "link")
    expect_script(events.one("PROCESS_EXEC", tgid=facts["by_nested"]), facts, nested,
                  [interpreter, "-x", script, nested, "one"], "nested-script-with-a-long-name")

    by_fd = events.one("PROCESS_EXEC", tgid=facts["by_fd"])
    has(by_fd, filename=f"{facts['dir']}/real-interpreter", script=script,
        args=[interpreter, "-x", "/dev/fd/100", "one"])

    plain = events.one("PROCESS_EXEC", tgid=facts["no_script"])
    lacks(plain, "script")
    has(plain, filename=f"{facts['dir']}/real-interpreter", args=["zero", "one"])
