# SPDX-License-Identifier: BSD-2-Clause
"""A name server for one node, which answers as a test wants it to."""

import socket

from .sockets import Datagrams

ANSWERS, FAILS, SILENT = range(3)


class NameServer(Datagrams):
    """Listens at 127.0.0.1 of the node. Every name has the same addresses."""

    def __init__(self, node, addresses, mode=ANSWERS):
        self.addresses = addresses
        self.mode = mode
        self.asked = 0
        super().__init__(node, ("127.0.0.1", 53))

    def received(self, query, who):
        self.asked += 1
        if self.mode != SILENT:
            self.socket.sendto(self._answer(query), who)

    def _answer(self, query):
        end = query.index(b"\0", 12) + 5  # the name, its type and its class
        question = query[12:end]
        if self.mode == FAILS:
            return query[:2] + b"\x81\x82\x00\x01" + bytes(6) + question
        records = b"".join(b"\xc0\x0c\x00\x01\x00\x01" + bytes(4) + b"\x00\x04" +
                           socket.inet_aton(address) for address in self.addresses)
        return (query[:2] + b"\x81\x80\x00\x01" + len(self.addresses).to_bytes(2, "big") +
                bytes(4) + question + records)
