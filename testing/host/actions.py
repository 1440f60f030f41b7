# SPDX-License-Identifier: BSD-2-Clause
"""Do what test-actions looks for: actions.py DIRECTORY. Prints as JSON which process did what."""

import ctypes
import json
import os
import pty
import signal
import socket
import sys

PTRACE_SEIZE = 0x4206
PTRACE_DETACH = 17
IPC_PRIVATE, IPC_RMID, SHM_FLAGS = 0, 0, 0o1600
NOBODY = 65534
libc = ctypes.CDLL(None, use_errno=True)
facts = {}


def child(name, action, *args):
    """Run an action in a child, whose process id is the fact `name`."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            action(*args)
            status = 0
        finally:
            os._exit(status)
    facts[name] = pid
    return pid


def finish(pid):
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        sys.exit("a child has failed")


def write(path):
    with open(path, "w") as file:
        file.write("twelve bytes")


def change_files(top):
    os.chdir(top)
    write("new")
    os.rename("new", f"{top}/renamed")
    os.mkdir("directory")
    os.symlink("/no/where", "directory/link")
    os.link("renamed", "directory/../other")
    os.chmod("renamed", 0o600)
    os.truncate("renamed", 5)
    os.unlink("./other")
    os.unlink("directory/link")
    os.rmdir("directory")
    os.unlink(f"{top}/renamed")


def connect(family, address):
    with socket.socket(family) as own:
        own.connect(address)
        own.sendall(b"hello")
        own.recv(100)       # until the other end closes


def talk(name, family, address):
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        pid = child(f"connects_{name}", connect, family, listener.getsockname())
        own, peer = listener.accept()
        own.recv(5)
        facts[f"port_{name}"], facts[f"peer_port_{name}"] = listener.getsockname()[1], peer[1]
        own.close()
    finish(pid)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as own:
            own.bind(("::1", 0))
        return True
    except OSError:
        return False


def set_ids():
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def get_shared_memory():
    segment = libc.shmget(IPC_PRIVATE, 4096, SHM_FLAGS)
    if segment < 0 or libc.shmctl(segment, IPC_RMID, None):
        sys.exit("shmget failed")


def seize(pid):
    if libc.ptrace(PTRACE_SEIZE, pid, None, None):
        sys.exit(f"ptrace failed: {os.strerror(ctypes.get_errno())}")


def write_to_terminal():
    _, terminal = pty.openpty()
    os.write(terminal, b"to the terminal\n")


def main():
    top = os.path.realpath(sys.argv[1])
    facts["pid"] = os.getpid()
    finish(child("files", change_files, top))
    talk("v4", socket.AF_INET, "127.0.0.1")
    if has_ipv6():
        talk("v6", socket.AF_INET6, "::1")
    finish(child("setsid", os.setsid))
    finish(child("ids", set_ids))
    finish(child("memfd", os.memfd_create, "of the host"))
    finish(child("shmget", get_shared_memory))
    sleeper = child("sleeper", signal.pause)
    finish(child("ptrace", seize, sleeper))
    os.kill(sleeper, signal.SIGKILL)
    os.waitpid(sleeper, 0)
    finish(child("tty", write_to_terminal))
    print(json.dumps(facts))


main()
