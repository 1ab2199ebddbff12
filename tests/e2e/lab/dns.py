# SPDX-License-Identifier: BSD-2-Clause
"""A name server for one node, which answers as a test wants it to."""

import socket

from .sockets import Datagrams

ANSWERS, FAILS, SILENT = range(3)
A, AAAA = 1, 28
FAILED, NO_SUCH_NAME = 2, 3


class NameServer(Datagrams):
    """Listens at 127.0.0.1 of the node. Every name has the same addresses, or only this one has
    any. What it was asked while it was silent, it answers when it is told to."""

    def __init__(self, node, addresses, mode=ANSWERS, six=(), name=None):
        self.records = {A: [socket.inet_aton(address) for address in addresses],
                        AAAA: [socket.inet_pton(socket.AF_INET6, address) for address in six]}
        self.mode = mode
        self.name = name
        self.asked = 0
        self.kept = []
        super().__init__(node, ("127.0.0.1", 53))

    def received(self, query, who):
        self.asked += 1
        if self.mode == SILENT:
            self.kept.append((query, who))
        else:
            self.socket.sendto(self._answer(query), who)

    def answer_kept(self):
        kept, self.kept = self.kept, []
        for query, who in kept:
            self.socket.sendto(self._answer(query), who)

    def _answer(self, query):
        end = query.index(b"\0", 12)
        labels, at = [], 12
        while at < end:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = int.from_bytes(query[end + 1:end + 3], "big")
        question = query[12:end + 5]  # the name, its type and its class
        code, found = 0, self.records.get(kind, [])
        if self.mode == FAILS:
            code, found = FAILED, []
        elif self.name not in (None, ".".join(labels)):
            code, found = NO_SUCH_NAME, []
        records = b"".join(b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\x00\x01" + bytes(4) +
                           len(address).to_bytes(2, "big") + address for address in found)
        return (query[:2] + b"\x81" + bytes([0x80 + code]) + b"\x00\x01" +
                len(found).to_bytes(2, "big") + bytes(4) + question + records)
