# SPDX-License-Identifier: BSD-2-Clause
"""A name server for one node, which answers as a test wants it to."""

import socket
import threading

ANSWERS, FAILS, SILENT = range(3)


class NameServer:
    """Listens at 127.0.0.1 of the node. Every name has the same addresses."""

    def __init__(self, node, addresses, mode=ANSWERS):
        self.addresses = addresses
        self.mode = mode
        self.asked = 0
        with node.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()
        node.lab.closing.append(self.close)

    def _serve(self):
        while True:
            try:
                query, who = self.socket.recvfrom(512)
            except OSError:
                return
            if not query:
                return
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

    def close(self):
        # Closing alone does not wake a thread that receives.
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
