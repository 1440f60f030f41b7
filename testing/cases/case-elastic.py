# SPDX-License-Identifier: BSD-2-Clause
from expect import has, lacks, same

EVENTS = ["PROCESS_EXEC", "FILE_CREATE", "FILE_MODIFY", "NETWORK_CONNECTION_CLOSED"]
OPTIONS = ["--format", "elastic"]
KERNELS = ["6.1"]


def expect(facts, events):
    executed = events.one("PROCESS_EXEC", tgid=facts["child"])
    has(executed, filename="./case-elastic", cwd="/opt/bin", argv=["./case-elastic", "a b", ""])
    if not (events.may_lack("PROCESS_EXEC: strings of a process that is gone") and executed.get("env_truncated")):
        has(executed, env=["CASE_CHILD=0", "E=x y"])
    lacks(executed, "args")
    created = [event["path"] for event in events.all("FILE_CREATE", tgid=facts["pid"])]
    same(created, [facts["dir"] + name for name in ("/file", "/node", "/named")], "files created")
    changes = [event["change_type"] for event in events.all("FILE_MODIFY", tgid=facts["pid"])
               if event["path"] == facts["dir"] + "/file"]
    same(changes, ["PERMISSIONS"], "changes of the file")
    closed = events.one("NETWORK_CONNECTION_CLOSED", tgid=facts["pid"])
    has(closed, net__family="AF_INET", net__destination_address="127.0.0.1", net__destination_port=facts["port"],
        net__bytes_sent=0, net__bytes_received=0)
