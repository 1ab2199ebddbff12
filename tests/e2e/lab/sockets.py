# SPDX-License-Identifier: BSD-2-Clause
"""Sockets that a thread of the test listens at."""

import socket
import threading


def close(*sockets):
    """Closing alone does not wake a thread that accepts or receives."""
    for each in sockets:
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        each.close()


class Datagrams:
    """Listens on a node until the end of the test; what comes goes to received(data, source)."""

    def __init__(self, node, address):
        with node.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(address)
        node.lab.closing.append(lambda: close(self.socket))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                data, source = self.socket.recvfrom(2048)
            except OSError:
                return
            if not data:
                return
            self.received(data, source)
