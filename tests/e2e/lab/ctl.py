# SPDX-License-Identifier: BSD-2-Clause
"""A daemon's control socket: JSON objects, one a line each way."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from .wait import slow, until


def socket_path(node, name="dtcps"):
    """Where it is, from outside of the node."""
    return Path(node.dir) / "run" / "dtcp" / f"{name}.sock"


def connect(path):
    """A path can be longer than a socket's name may be."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(15 * slow())
    folder = os.open(Path(path).parent, os.O_PATH | os.O_DIRECTORY)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{Path(path).name}")
    finally:
        os.close(folder)
    return connection


class Ctl:
    """One connection to a control socket."""

    def __init__(self, path):
        self.socket = connect(path)
        self.file = self.socket.makefile("rb")

    def send(self, text):
        self.socket.sendall(text.encode())

    def line(self):
        """The next object; None at the end of the connection."""
        line = self.file.readline()
        return json.loads(line) if line else None

    def answer(self):
        """The rows of an answer, and its last line."""
        rows = []
        while "ok" not in (line := self.line()):
            rows.append(line)
        return rows, line

    def ask(self, command, **members):
        self.send(json.dumps({"command": command, **members}) + "\n")
        return self.answer()

    def must(self, command, **members):
        rows, last = self.ask(command, **members)
        assert last["ok"] is True and last["v"] == 1, last
        return rows, last

    def status(self):
        return self.must("status")[1]["status"]

    def sessions(self, **members):
        return [row["session"] for row in self.must("sessions", **members)[0]]

    def refused(self, command, code, **members):
        """The error of a request that is not carried out."""
        rows, last = self.ask(command, **members)
        assert (rows, last["ok"], last["v"], last["code"]) == ([], False, 1, code), last
        return last["error"]

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class ClientCtl:
    """A client's answers, each over a connection of its own."""

    def __init__(self, node, interface="dtcp0", path=None):
        self.path = path or socket_path(node, f"dtcpclient-{interface}")

    def must(self, command, **members):
        with Ctl(self.path) as ctl:
            ctl.must(command, **members)

    def refused(self, command, code, **members):
        with Ctl(self.path) as ctl:
            return ctl.refused(command, code, **members)

    def status(self):
        with Ctl(self.path) as ctl:
            return ctl.status()

    def wait(self, what, **expected):
        """Waits until the status has these values, and returns it."""
        seen = []

        def found():
            # Before it is there.
            with contextlib.suppress(OSError):
                seen[:] = [self.status()]
            return seen and all(seen[0].get(key) == value for key, value in expected.items())

        until(found, lambda: f"{what}: {expected}, not {seen}")
        return seen[0]


# What another user says, as a program of its own: who is at the other end is a matter of processes.
_ASK = """
import os, socket, sys
os.setgroups([int(group) for group in sys.argv[3:]])
os.setresgid(*[int(sys.argv[2]) + 1] * 3)
os.setresuid(*[int(sys.argv[2])] * 3)
connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
try:
    connection.connect(sys.argv[1])
except PermissionError:
    sys.exit("permission denied")
connection.sendall(sys.stdin.buffer.read())
connection.shutdown(socket.SHUT_WR)
while data := connection.recv(65536):
    sys.stdout.buffer.write(data)
"""


def ask_as(node, uid, groups, path, text):
    """The lines that this user, with these groups, gets from the socket at path, which is the
    node's; None if it may not connect."""
    words = node.words(sys.executable, "-c", _ASK, path, uid, *groups)
    result = subprocess.run(words, input=text, capture_output=True, text=True,
                            env=node.lab.environment(), timeout=60 * slow())
    if result.returncode == 1 and "permission denied" in result.stderr:
        return None
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]
