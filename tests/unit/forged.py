#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each message that one process takes from another is also sent by somebody who means no good: by
tests/traitor, if the other one could have been taken over, and by a fuzz target, if there is one for
the process. And each treason is tried in a test.

The argument is the folder of the sources.
"""

import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1])
TRAITOR = "tests/traitor/messages.c"
CONTROL = "tests/fuzz/control.c tests/fuzz/asker.c"
ROOM = "tests/fuzz/room.c"
# Whatever root's process says is believed: who has that has everything.
BELIEVED = ()
# Brings maps of the kernel, which the target has none of; tests/unit/fastpath has.
LEFT_OUT = {"FORWARD_MSG_FAST"}

# For each table of messages, by folder and name, who has to send what is in it.
SENDERS = {
    ("client/control", "forward_rows"): (TRAITOR,),
    ("client/control", "resolver_rows"): (TRAITOR,),
    ("client/control", "root_rows"): BELIEVED,
    ("client/root", "check_control_rows"): (TRAITOR,),
    ("client/root", "root_control_rows"): (TRAITOR,),
    ("client/root", "root_rows"): BELIEVED,
    ("forward", "forward_control_rows"): (TRAITOR, ROOM),
    ("forward", "forward_monitor_rows"): (ROOM,),
    ("server/accounts", "accounts_control_rows"): (TRAITOR,),
    ("server/accounts", "accounts_root_rows"): BELIEVED,
    ("server/control", "accounts_rows"): (TRAITOR, CONTROL),
    ("server/control", "forward_rows"): (TRAITOR, CONTROL),
    ("server/control", "monitor_rows"): (CONTROL,),
    ("server/ndp", "ndp_root_rows"): BELIEVED,
    ("server/root", "root_accounts_rows"): (TRAITOR,),
    ("server/root", "root_control_rows"): (TRAITOR,),
}

TABLE = re.compile(r"struct ipc_row (\w+)\[\] = \{(.*?)\n\};", re.S)
ROW = re.compile(r"\bIPC_(?:EVENT|BODY|FD|BODY_FD)\((\w+)")


def words(paths):
    """All words of C files that are not in their comments."""
    text = " ".join((ROOT / path).read_text() for path in paths.split())
    return set(re.findall(r"\w+", re.sub(r"/\*.*?\*/", " ", text, flags=re.S)))


def tables():
    """{(folder, name of the table): [types]}"""
    found = {}
    for path in sorted((ROOT / "src").rglob("*.c")):
        for name, body in TABLE.findall(path.read_text()):
            folder = path.parent.relative_to(ROOT / "src").as_posix()
            found[(folder, name)] = ROW.findall(body)
    return found


def main():
    problems = []
    found = tables()
    sent = {paths: words(paths) | LEFT_OUT for paths in (TRAITOR, CONTROL, ROOM)}
    for table in sorted(found.keys() | SENDERS.keys()):
        where = f"src/{table[0]}, {table[1]}"
        if table not in SENDERS:
            problems.append(f"{where}: say in tests/unit/forged.py who forges these messages")
        elif not found.get(table):
            problems.append(f"{where}: tests/unit/forged.py knows it, and it has no messages")
        else:
            problems += [f"{where}: {kind} is not sent by {sender}"
                         for sender in SENDERS[table] for kind in found[table]
                         if kind not in sent[sender]]
    tried = (ROOT / "tests" / "e2e" / "test_sandbox.py").read_text()
    header = (ROOT / "tests" / "traitor" / "traitor.h").read_text()
    treasons = re.findall(r"\bTREASON_(\w+)", header)
    problems += [f"tests/traitor: no test tries {treason.lower()}" for treason in treasons
                 if f'"{treason.lower()}"' not in tried]
    if not treasons:
        problems.append("tests/traitor: no treason was found")
    print("\n".join(problems) or f"{sum(map(len, found.values()))} messages, {len(treasons)} treasons")
    return 1 if problems else 0


sys.exit(main())
