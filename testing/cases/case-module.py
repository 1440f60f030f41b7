# SPDX-License-Identifier: BSD-2-Clause
from expect import has

EVENTS = ["PROCESS_LOAD_MODULE"]
LETTERS = "PFSRMBUDAWCIOELKXTN"     # letters of the bits in /sys/module/NAME/taint, from the lowest bit on
OUT_OF_TREE = 1 << LETTERS.index("O")


def taints(letters):
    return sum(1 << LETTERS.index(letter) for letter in letters)


def expect(facts, events):
    for child in ("by_file", "orphan", "from_memory", "by_thread", "by_int80"):
        if child in facts:
            event = events.one("PROCESS_LOAD_MODULE", tgid=facts[child])
            has(event, filename=facts["name"], mod_version=facts["version"], mod_srcversion=facts["srcversion"],
                comm="case-module", taints=taints(facts["taint"]), creds__euid=0)
            if child != "orphan":
                has(event, pids__ppid=facts["pid"])
            elif not events.may_lack("PROCESS_LOAD_MODULE: parent of an orphan"):
                has(event, pids__ppid=1)
    has(events.one("PROCESS_LOAD_MODULE", tgid=facts["by_file"]), creds__rgid=1, creds__egid=2, creds__sgid=3)
    tainted = taints(facts["tainted_module"]["taint"])
    assert tainted & OUT_OF_TREE, "the module is not taken for one from elsewhere"
    has(events.one("PROCESS_LOAD_MODULE", tgid=facts["tainted"]), filename=facts["name"], taints=tainted)
    events.none("PROCESS_LOAD_MODULE", tgid=facts["refused"])
