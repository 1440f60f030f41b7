# SPDX-License-Identifier: BSD-2-Clause
"""The ways to report events that each kernel of the matrix can be made to take, for run-cases --all.

Which programs make an event depends on what the kernel offers (Hooks.def). A means takes one of these offers away, as
other kernels and configurations lack it, or makes the kernel preempt. A way is a list of means. It is planned for each
kernel on which one of them has an effect, unless an earlier way does there just that."""

import collections
import re
import shlex

import stream

Means = collections.namedtuple("Means", "needs unless kernel_argument variable disables option", defaults=[None] * 5)
Way = collections.namedtuple("Way", "name means what")
Plan = collections.namedtuple("Plan", "kernel way means")

DEFAULT = "default"
NO_FENTRY = "no-fentry"
NO_TRAMPOLINES = "no-trampolines"
SECOND = "second"
TRACEFS = "tracefs"

# lsm, kprobe and session: stand-ins of Hooks.def, kprobe and session only while the kernel preempts; storage: of tasks
# and sockets; preempts: BPF programs, if nothing is said at boot; dynamic: the mode of preemption can be chosen;
# tracefs: the backend for kernels without BPF is tried there
OFFERS = {
    "5.10": {"fentry", "tracefs"},
    "6.1": {"fentry", "storage", "dynamic", "tracefs"},
    "6.1-odd": {"fentry", "storage"},
    "6.12": {"fentry", "storage", "dynamic", "lsm", "kprobe"},
    "6.12-rt": {"fentry", "storage", "dynamic", "lsm", "kprobe", "preempts"},
    "newest": {"fentry", "storage", "dynamic", "lsm", "kprobe", "session", "preempts", "tracefs"},
    "5.10-nobpf": {"tracefs"},
    "arm64-5.10": set(),
    "arm64-6.1": {"storage"},
    "arm64-newest": {"fentry", "storage", "lsm", "kprobe", "session", "preempts"},
}

NO_SECURITY = {"6.1-odd"}  # kernels without security modules, and so without the path hooks

# Events that are never made at the ends of system calls, and those that are although there are kprobes.
NEVER_CALLED = {"PROCESS_FORK", "PROCESS_EXEC", "PROCESS_EXIT", "PROCESS_LOAD_MODULE"}
CALLED_BESIDE_KPROBES = {"PROCESS_TTY_WRITE", "PROCESS_SHMGET", "PROCESS_PTRACE", "PROCESS_CHROOT", "FILE_MODIFY",
                         "NETWORK_CONNECTION_ATTEMPTED", "NETWORK_CONNECTION_ACCEPTED", "NETWORK_CONNECTION_CLOSED",
                         "NETWORK_CONNECTION_FAILED", "NETWORK_LISTEN"}
CALLED_WITHOUT_SECURITY = {"PROCESS_SETSID", "PROCESS_MEMFD_CREATE", "FILE_CREATE", "FILE_LINK", "FILE_MEMFD_OPEN",
                           "FILE_SHMEM_OPEN"}

TRACEFS_EVENTS = {"PROCESS_FORK", "PROCESS_EXEC", "PROCESS_EXIT", "PROCESS_SETSID", "PROCESS_SETUID", "PROCESS_SETGID",
                  "PROCESS_PTRACE", "PROCESS_MEMFD_CREATE", "PROCESS_SHMGET", "PROCESS_LOAD_MODULE", "PROCESS_CHROOT",
                  "PROCESS_TTY_WRITE",
                  "NETWORK_CONNECTION_ATTEMPTED", "NETWORK_CONNECTION_ACCEPTED", "NETWORK_CONNECTION_CLOSED",
                  "NETWORK_CONNECTION_FAILED", "NETWORK_LISTEN", "NETWORK_DATAGRAM_FLOW",
                  "FILE_CREATE", "FILE_DELETE", "FILE_RENAME", "FILE_LINK", "FILE_MODIFY", "FILE_MEMFD_OPEN",
                  "FILE_SHMEM_OPEN"}

FOREIGN = "arm64-"    # guests of another processor than this machine's begin so

# `variable` is of refuse.so (system/refuse); `disables` is what second_hooks and stand_ins find in Hooks.def.
MEANS = {
    "no LSM programs": Means("lsm", kernel_argument="lsm=landlock,lockdown,yama,apparmor"),
    "preemption": Means("dynamic", unless="preempts", kernel_argument="preempt=full"),
    "full preemption": Means("dynamic", kernel_argument="preempt=full"),
    "no kprobes": Means("kprobe", disables="KPROBE"),
    "no sessions": Means("session", disables="SESSION"),
    "no storage": Means("storage", variable="REFUSE_STORAGE=1"),
    "no fentry": Means("fentry", variable="REFUSE_LOAD=1"),
    "no trampolines": Means("fentry", variable="REFUSE_LOAD=trampolines"),
    "second hooks": Means("fentry", disables=SECOND),
    "no BPF": Means("tracefs", option=("--backend", "tracefs")),
}

WAYS = [
    Way(DEFAULT, (), "what the kernel chooses"),
    Way("no-lsm", ("no LSM programs",), "bpf is no active LSM: path hooks by fentry, or by kprobes if it preempts"),
    Way("preempt", ("full preemption",), "preempt=full: kprobes, sessions and spares, where available"),
    Way("kprobes", ("preemption", "no LSM programs"), "path hooks by kprobes, the others as in preempt"),
    Way("no-sessions", ("preemption", "no sessions"), "kprobes, and spares instead of sessions"),
    Way("spares", ("preemption", "no LSM programs", "no kprobes", "no sessions"), "spares, and no stand-in"),
    Way("no-storage", ("no storage",), "tables instead of task and socket storage"),
    Way(SECOND, ("second hooks",), "the second way of each event that has one"),
    Way(NO_TRAMPOLINES, ("no trampolines",), "kprobes, and tracepoints for the rest"),
    Way(NO_FENTRY, ("no fentry",), "tracepoints only"),
    Way(TRACEFS, ("no BPF",), "kprobes in an instance of tracefs, without BPF"),
]



def limited(reason, *lacks):
    """Return the pattern of a warning that for some reason these things, and no others, are missing."""
    one = "|".join(lacks)
    return rf"\w+: {reason}; limited: (({one})(, |$))+"


NO_MPROTECT = limited("[^;]*", r"file-modify \(not seen: mappings made writable, before 5.17\)")
NO_COMPLETIONS = r"\w+: the kernel's io_uring_complete has no known argument of type POINTER; limited: .*"
NO_FUNCTION = r"\w+: the kernel has no \w+; (unavailable|limited): .*"
SECOND_LACKS = [r"net-conn-accept \(not seen: SMC, and calls of accept that already wait at the start\)",
                r"net-conn-closed \(the process that accepted a connection is only reported beside net-conn-accept\)",
                r"process-exit \(a process exits before its files are closed\)",
                r"process-ptrace \(a refusal has the id that the caller gave\)"]
# Warnings of a way; any other one fails its cases.
WARNINGS = {
    NO_TRAMPOLINES: [r"the kernel refuses (to attach )?programs of the kind fentry.*; limited: .*", NO_MPROTECT,
                     NO_COMPLETIONS, NO_FUNCTION],
    NO_FENTRY: [r"the kernel refuses (to attach )?programs of the kind fentry.*; (unavailable: .*; )?limited: .*",
                NO_MPROTECT, NO_COMPLETIONS, NO_FUNCTION],
    SECOND: [limited("disabled by the caller", *SECOND_LACKS)],
}

# Warnings of a kernel, in the ways that have trampolines.
WARNINGS_OF_KERNELS = {
    "6.1-odd": [limited("the kernel has no ptrace_attach", r"tracing \(every system call takes longer\)",
                        r"process-ptrace \(a refusal has the id that the caller gave\)"),
                limited("[^;]*", *SECOND_LACKS)],
}

# Cases that a way cannot see, by the documented limit that prevents it.
AS_GIVEN = "without fentry and kprobes the path of a script is as the caller gave it (docs/COMPATIBILITY.md)"
NO_SMC = "without trampolines the reason for which SMC was closed may be wrong (docs/COMPATIBILITY.md)"
SINGLE_EXIT = ("in this way a single program makes PROCESS_EXIT, which is skipped while it is preempted on that CPU: "
               "reported as lost (docs/ARCHITECTURE.md, Skipped programs)")
UNSEEN_AT_CALLS = "AF_UNSPEC after a reset|MPTCP, AF_UNSPEC"
UNSEEN_WITHOUT_KPROBES = "open that is refused|open with O_DIRECT"
UNSEEN_BEFORE_5_17 = "mapping made writable"
BY_RING = "io_uring|inline|worker|sqpoll"
UNSEEN_BY_TRACEFS = ("PROCESS_CHROOT: mount of another namespace|PROCESS_LOAD_MODULE: parent of an orphan|"
                     "PROCESS_EXEC: strings of a process that is gone|"
                     r"^NETWORK_CONNECTION_CLOSED: (MPTCP|TCP to MPTCP)|"
                     r"^NETWORK_CONNECTION_(ATTEMPTED|FAILED): (cgroup program|Landlock)|"  # what a policy refuses
                     "mapping|mount that was moved|flags|FSSETXATTR|file_setattr|made (im)?mutable|int80 ioctl|"
                     f"^FILE_MODIFY: .*({BY_RING})")
LIMITS = {
    TRACEFS: {"net-smc": "with tracefs connections of SMC are not seen (docs/COMPATIBILITY.md)",
              "umh": "programs that the kernel starts are threads of its own before 5.18 (docs/COMPATIBILITY.md)",
              **dict.fromkeys(("exec-argv-32k", "exec-argv-100k", "exec-env"),
                              "with tracefs it is read from /proc, if the process is still there "
                              "(docs/COMPATIBILITY.md)"),
              **dict.fromkeys(("exec-deep", "exec-bindmount", "exec-chroot"),
                              "tracefs has four names of a path, and more if the process is still there "
                              "(docs/COMPATIBILITY.md)"),
              "exec-binfmt": "tracefs has no script_is_setuid and script_is_setgid (docs/COMPATIBILITY.md)",
              "exec-root": "with tracefs a root_path is that of the time of chroot (docs/COMPATIBILITY.md)",
              "fork-kinds": "tracefs has the parent's cgroup for a child that clone3 puts into another one "
                            "(docs/COMPATIBILITY.md)",
              **dict.fromkeys(("file-mounts", "file-mount-found"),
                              "tracefs sees mounts that come and go within 0.1 s too late (docs/COMPATIBILITY.md)"),
              "file-objects": "tracefs does not see message queues and pinned BPF objects (docs/COMPATIBILITY.md)",
              "file-btrfs": "tracefs does not see subvolumes of btrfs (docs/COMPATIBILITY.md)",
              "file-container": "tracefs has no root_path of another mount namespace (docs/COMPATIBILITY.md)",
              "exec-container": "tracefs has no root_path of another mount namespace (docs/COMPATIBILITY.md)"},
    NO_FENTRY: {"exec-binfmt": AS_GIVEN, "exec-fail": AS_GIVEN, "exec-script": AS_GIVEN,
                "net-smc": NO_SMC,
                "file-coalesce": "with tracepoints only a deletion does not name the file (docs/COMPATIBILITY.md)"},
    NO_TRAMPOLINES: {"net-smc": NO_SMC},
    "untyped exits": {
        "exit-many": "a kprobe cannot reach the storage of another process: those that end in their tracer while the "
                     "table of 1,024 is full have partial exits (docs/COMPATIBILITY.md)"},
    "inlined functions": {
        "umh": "the kernel has no call_usermodehelper_exec_async to hook (docs/COMPATIBILITY.md)"},
    "no-fentry before 5.18": {
        "umh": "the fork of a user mode helper is not reported (docs/COMPATIBILITY.md)"},
    "no cgroup programs": dict.fromkeys(
        ("net-datagram", "net-datagram-calls", "net-share"),
        "without programs of cgroups ends of flows are not seen (docs/COMPATIBILITY.md)"),
    "preempted exits": {"burst": SINGLE_EXIT, "exit-many": SINGLE_EXIT},
    "no task storage": {
        "exit-many": "processes that end while the table of 1,024 is full have partial exits, as before 5.13 "
                     "(docs/ARCHITECTURE.md, Exit has two hooks)"},
    "preempted notes": {
        "file-ids": "one thread is preempted in the program that notes the mount, which the other one needs: reported "
                    "as lost (docs/ARCHITECTURE.md, Skipped programs)"},
    "second before 5.18": dict.fromkeys(
        ("file-create", "file-create-ext4", "file-create-overlay"),
        "without path hooks an open for a directory that leaves a file behind is not seen (docs/COMPATIBILITY.md)"),
    SECOND: {"net-smc": "the second way of NETWORK_CONNECTION_ACCEPTED does not see SMC (docs/HOOKS.md)",
             "file-btrfs": "without path hooks a subvolume that rmdir deletes has the device number of its file system "
                           "(docs/COMPATIBILITY.md)"},
}

# The events that show which way is taken, the name of a program or map for each of them, as the kernel cuts it.
EVIDENCE_OPTIONS = ["--process-exec", "--process-shmget", "--file-delete", "--net-conn-accept", "--net-conn-closed"]
EVIDENCE = {
    "path": [("lsm__path_unlin", "lsm"), ("kprobe__securit", "kprobe"), ("fentry__securit", "fentry"),
             ("fentry__mnt_wan", "mount")],
    "exec": [("kprobe__finaliz", "kprobe"), ("tp_btf__sched_p", "tracepoint")],
    "shmget": [("session__ipcget", "session"), ("fexit__ipcget", "fexit")],
    "spares": [("spare_marks", "yes")],
    "tasks": [("task_states", "storage"), ("task_table", "table")],
    "accept": [("fexit__inet_csk", "second")],
}


def _applied(way, offers):
    return tuple(name for name in way.means
                 if MEANS[name].needs in offers and (not MEANS[name].unless or MEANS[name].unless not in offers))


def _effect(means):
    return {MEANS[name][2:] for name in means}


def plans(kernels):
    """Return the plans for some kernels: each kernel with each way that differs there from those before it."""
    planned = []
    for kernel in kernels:
        if OFFERS.get(kernel) == {"tracefs"}:
            planned += default_plans([kernel])
            continue
        if "fentry" not in OFFERS.get(kernel, ("fentry",)):
            planned += [*default_plans([kernel]), Plan(kernel, way_called(NO_FENTRY), ("no fentry",))]
            continue
        effects = []
        for way in WAYS:
            means = _applied(way, OFFERS.get(kernel, ()))
            if _effect(means) not in effects:
                effects.append(_effect(means))
                planned.append(Plan(kernel, way, means))
    return planned


def way_called(name):
    return next(way for way in WAYS if way.name == name)


def default_plans(kernels):
    """Return the plans for what the kernels choose, which is NO_TRAMPOLINES if they refuse these, or TRACEFS."""
    return [Plan(kernel, way_called(TRACEFS), ("no BPF",)) if OFFERS.get(kernel) == {"tracefs"} else
            Plan(kernel, way_called(DEFAULT if "fentry" in OFFERS.get(kernel, ("fentry",)) else NO_TRAMPOLINES), ())
            for kernel in kernels]


def plans_beside_default():
    """Return the plans of a run without --all that are not the default ones: the ways with most code of their own."""
    return [plan for plan in plans(["6.1"]) if at_calls(plan)]


def label(plan):
    return plan.kernel if plan.way.name == DEFAULT else f"{plan.kernel}, {plan.way.name}"


# --------------------------------------------------------------- Hooks.def

def hook_rows(text):
    """Return the rows of Hooks.def: (program, the text of its columns)."""
    rows = re.split(r"^PROGRAM\(", text, flags=re.MULTILINE)[1:]
    return [(re.match(r"\w+", row)[0], row) for row in rows]


def _stand_ins_of(row, kinds="LSM|KPROBE|SESSION"):
    return re.findall(rf"\b(?:SHARED_|ELSE_|RECORDING_)?(?:{kinds})\((\w+)\)", row)


def stand_ins(rows, kind):
    """Return the programs of a kind, KPROBE or SESSION, that can replace others."""
    return sorted({program for _, row in rows for program in _stand_ins_of(row, kind)})


def second_hooks(rows):
    """Return the programs of the first ways of all events that have a second one, the hooks that have a stand-in for
    kernels that lack them (ELSE), and what can replace them. The ends of system calls are no second one: see
    NO_FENTRY."""
    events = {event for _, row in rows for event in re.findall(r"\bMAKES_ELSE\((\w+), \d", row)}
    requires = re.compile(r"\b(?:MAKES(?:_AS_KPROBE)?|SERVES)\((\w+)")
    first = [(program, row) for program, row in rows
             if events & set(requires.findall(row)) or re.search(r"\bELSE\(", row)]
    needed = {name for _, row in rows if "MAKES_ELSE(" in row for name in _stand_ins_of(row)}
    return sorted({name for program, row in first for name in [program, *_stand_ins_of(row)]} - needed)


def disabled(plan, rows):
    """Return the programs that a plan disables."""
    kinds = [MEANS[name].disables for name in plan.means if MEANS[name].disables]
    return [name for kind in kinds for name in (second_hooks(rows) if kind == SECOND else stand_ins(rows, kind))]


# --------------------------------------------------------------- the guest

def machine(plan):
    """Return the options of testing/vm/run."""
    arguments = [MEANS[name].kernel_argument for name in plan.means if MEANS[name].kernel_argument]
    return [word for argument in arguments for word in ("--append", argument)]


def tracer_words(plan, rows):
    """Return variables and options for each EventsTrace of a plan."""
    variables = [MEANS[name].variable for name in plan.means if MEANS[name].variable]
    hooks = disabled(plan, rows)
    return [*(["LD_PRELOAD=/opt/bin/refuse.so", *variables] if variables else []),
            *(["--disable-hook", ",".join(hooks)] if hooks else []),
            *(word for name in plan.means for word in MEANS[name].option or ())]


def prepare(plan):
    """Return the lines of the guest's script before anything is traced."""
    # a small kernel uses few process ids, and so uses them again; cases are distinguished by them
    return ["echo 32768 >/proc/sys/kernel/pid_max"] if plan.way.name == TRACEFS else []


def show(plan, rows, objects):
    """Return the line of the guest's script that writes the names of programs and maps to a file."""
    words = tracer_words(plan, rows)
    variables = [word for word in words if "=" in word]
    return shlex.join(["env", *variables, "EventsTrace", *words[len(variables):], *EVIDENCE_OPTIONS, "--", "sh", "-c",
                       f"bpf-objects all >{objects}"]) + " >/dev/null 2>&1"


def expected_evidence(plan):
    """Return how the events of EVIDENCE_OPTIONS have to be made."""
    offers, means = OFFERS[plan.kernel], plan.means
    if plan.way.name == TRACEFS:
        return dict.fromkeys(EVIDENCE)
    fentry = "fentry" in offers and not {"no fentry", "no trampolines"} & set(means)
    converts = plan.way.name == NO_TRAMPOLINES
    preempts = "preempts" in offers or bool({"preemption", "full preemption"} & set(means))
    kprobe = (fentry or converts) and preempts and "kprobe" in offers and "no kprobes" not in means
    session = kprobe and not converts and "session" in offers and "no sessions" not in means
    lsm = "lsm" in offers and "no LSM programs" not in means
    storage = "storage" in offers and "no storage" not in means
    path = ("lsm" if lsm else "kprobe" if kprobe else "fentry") if fentry else "kprobe" if converts else None
    if path and (plan.kernel in NO_SECURITY or "second hooks" in means):
        path = "mount"
    return {"path": path,
            "exec": "kprobe" if kprobe else "tracepoint",
            "shmget": ("session" if session else "fexit") if fentry else None,
            "spares": "yes" if preempts else None,
            "tasks": "storage" if storage else "table",
            "accept": "second" if fentry and (plan.kernel in NO_SECURITY or "second hooks" in means) else None}


def evidence(names):
    """Return how these events are made, from the names of programs and maps."""
    return {key: next((what for name, what in kinds if name in names), None) for key, kinds in EVIDENCE.items()}


def not_taken(plan, names):
    """Return in what a guest did not take the way of its plan."""
    found, expected = evidence(names), expected_evidence(plan)
    return [f"the way was not taken: {key} by {found[key]}, expected {expected[key]}"
            for key in EVIDENCE if found[key] != expected[key]]


# --------------------------------------------------------------- the cases

def limits(plan):
    """Return the limits that apply to a plan: none to the way that a kernel chooses."""
    if plan.way.name == DEFAULT:
        return []
    made, has_no_storage = expected_evidence(plan), plan.kernel.endswith("5.10")  # cases expect that there
    applying = {TRACEFS: plan.way.name == TRACEFS, NO_FENTRY: plan.way.name == NO_FENTRY,
                SECOND: plan.way.name == SECOND,
                "inlined functions": by_kprobe(plan) and plan.kernel == "arm64-5.10",
                NO_TRAMPOLINES: by_kprobe(plan), "untyped exits": by_kprobe(plan) and made["tasks"] == "storage",
                "second before 5.18": plan.way.name == SECOND and has_no_storage,
                "no-fentry before 5.18": plan.way.name == NO_FENTRY and has_no_storage,
                "no cgroup programs": plan.way.name == NO_FENTRY and plan.kernel == "6.1-odd",
                "preempted exits": plan.way.name in (NO_FENTRY, SECOND) and made["spares"],
                "no task storage": made["tasks"] == "table" and not has_no_storage,
                "preempted notes": made["path"] in ("fentry", "mount") and made["spares"]}
    return [name for name in LIMITS if applying[name]]


def sourced(plan, events):
    """Return those of some events that the way of a plan sources."""
    return set(events) & TRACEFS_EVENTS if plan.way.name == TRACEFS else set(events)


def unseen(plan, name):
    """Return why the way of a plan cannot see a case, by its name; None if it can."""
    return next((LIMITS[limit][name] for limit in limits(plan) if name in LIMITS[limit]), None)


def at_calls(plan):
    """Return whether events are made at the ends of system calls: all that can be, or those without a kprobe."""
    return plan.way.name in (NO_FENTRY, NO_TRAMPOLINES)


def by_kprobe(plan):
    return plan.way.name == NO_TRAMPOLINES


def completed_events(plan):
    """Return the events that requests of io_uring make when they are completed, which is not seen before 5.18."""
    return sorted(called_events(plan) & {"FILE_MODIFY", "FILE_MEMFD_OPEN", "FILE_SHMEM_OPEN",
                                         "NETWORK_CONNECTION_ACCEPTED", "NETWORK_DATAGRAM_FLOW"})


def called_events(plan):
    """Return the types of events that a plan makes at the ends of system calls."""
    if not at_calls(plan):
        return set()
    if not by_kprobe(plan):
        return set(stream.KEYS) - NEVER_CALLED
    called = set(CALLED_BESIDE_KPROBES)
    if plan.kernel in NO_SECURITY:
        called |= CALLED_WITHOUT_SECURITY
    return called


def unseen_at_calls(plan):
    """Return a pattern of what is expected in a case, and may be missing where events are made at the ends of calls or
    by tracefs: it matches the type of the event and what it is about. None: nothing may be missing."""
    if plan.way.name == TRACEFS:
        return UNSEEN_BY_TRACEFS
    if not called_events(plan):
        return None
    unseen = [UNSEEN_AT_CALLS]
    if "FILE_CREATE" in called_events(plan):
        unseen.append(UNSEEN_WITHOUT_KPROBES)
    if plan.kernel.endswith("5.10"):
        unseen += [UNSEEN_BEFORE_5_17, f"^({'|'.join(completed_events(plan))}): .*({BY_RING})"]
    return "|".join(unseen)


def warnings(plan):
    return WARNINGS.get(plan.way.name, []) + WARNINGS_OF_KERNELS.get(plan.kernel, [])


def skipped(plan):
    """Return the events of which a plan may lose more, because the kernel skips programs that have no spares: the one
    that makes exits, and the one that notes mounts, of which FILE_CREATE is the first event; ends of system calls."""
    if not expected_evidence(plan)["spares"]:
        return set()
    return {NO_FENTRY: set(stream.KEYS), NO_TRAMPOLINES: called_events(plan),
            SECOND: {"PROCESS_EXIT", "FILE_CREATE"}}.get(plan.way.name, set())
