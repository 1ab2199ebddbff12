# SPDX-License-Identifier: BSD-2-Clause
"""The receiving end of sd_notify(3), as in a service manager."""

import collections
import contextlib
import socket
import struct

from .sockets import stamp, stamped
from .wait import until

# What was said ({"READY": "1", "STATUS": "..."}), by which process, and when.
Said = collections.namedtuple("Said", "what pid when")


class Manager:
    """with Manager(lab) as manager: programs that are started in there report to it, for as long as
    they run. watchdog: seconds, for their $WATCHDOG_USEC; more: other variables. An abstract socket
    belongs to a network namespace, so it is for one node."""

    count = 0

    def __init__(self, lab, watchdog=None, abstract_on=None, **more):
        self.lab = lab
        Manager.count += 1
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if abstract_on:
            self.socket.close()
            with abstract_on.inside():
                self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            name = f"@{abstract_on.ns}-notify{Manager.count}"
            self.socket.bind("\0" + name[1:])
        else:
            name = str(lab.dir / f"notify{Manager.count}")
            self.socket.bind(name)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        stamp(self.socket)
        self.all = []
        self.variables = {"NOTIFY_SOCKET": name, **more}
        if watchdog:
            self.variables["WATCHDOG_USEC"] = str(int(watchdog * 1000000))
        lab.closing.append(self.socket.close)

    def __enter__(self):
        self.lab.variables.update(self.variables)
        return self

    def __exit__(self, *_):
        for name in self.variables:
            del self.lab.variables[name]

    def said(self):
        """All messages up to now."""
        with contextlib.suppress(BlockingIOError):
            while True:
                text, extra, _, _ = self.socket.recvmsg(4096, 1024)
                [data] = [data for _, kind, data in extra if kind == socket.SCM_CREDENTIALS]
                what = dict(line.split("=", 1) for line in text.decode().split("\n"))
                self.all.append(Said(what, struct.unpack("3i", data)[0], stamped(extra)))
        return self.all

    def mark(self):
        return len(self.said())

    def values(self, name, since=0):
        """The values of a name in all messages."""
        return [said.what[name] for said in self.said()[since:] if name in said.what]

    def wait(self, name, value=None, seconds=15, since=0):
        """Waits for NAME=value, and returns that message; value can be a function."""
        if callable(value):
            fits = value
        else:
            def fits(text):
                return value is None or text == value

        return until(lambda: next((said for said in self.said()[since:]
                                   if name in said.what and fits(said.what[name])), None),
                     lambda: f"{name}={value or '...'} is said; heard: {self.all[since:]}", seconds)
