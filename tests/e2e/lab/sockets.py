# SPDX-License-Identifier: BSD-2-Clause
"""Sockets that a thread of the test listens at."""

import socket
import struct
import threading
import time

SO_TIMESTAMPNS = 35
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST_DUMP = 0x301
TCP_LISTEN = 10


def stamp(sock):
    """From now on the kernel notes when each message came, however late it is read."""
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def stamped(extra):
    """When a message came, by time.monotonic(); extra is what recvmsg() returned with it."""
    [stamp] = [data for _, kind, data in extra if kind == SO_TIMESTAMPNS]
    seconds, nanoseconds = struct.unpack("=qq", stamp)
    return seconds + nanoseconds / 1e9 - time.time() + time.monotonic()


def listening_ports():
    """The TCP ports that somebody listens at in this thread's namespace. /proc/net/tcp has them as
    well, but for each look the kernel goes through a table for all connections of the machine."""
    request = struct.pack("=IHHII BBBBI 48x", 72, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0,
                          socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 1 << TCP_LISTEN)
    ports = set()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.send(request)
        while True:
            data = kernel.recv(1 << 16)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind != SOCK_DIAG_BY_FAMILY:
                    return ports
                # nlmsghdr and the first four octets of inet_diag_msg are before it.
                ports.add(struct.unpack_from("!H", data, 20)[0])
                data = data[(length + 3) & ~3:]


def close(*sockets):
    """Closing alone does not wake a thread that accepts or receives."""
    for each in sockets:
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        each.close()


def udp_ports(node):
    """The UDP ports in use on a node."""
    listed = node.command("ss", "-H", "-u", "-a", "-n", "-4").stdout
    return [int(line.split()[3].rpartition(":")[2]) for line in listed.splitlines()]


class Datagrams:
    """Listens on a node until the end of the test; what comes goes to received(data, source), and
    self.when is when it came."""

    def __init__(self, node, address):
        with node.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(address)
        stamp(self.socket)
        self.when = None
        node.lab.closing.append(lambda: close(self.socket))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                data, extra, _, source = self.socket.recvmsg(2048, 64)
            except OSError:
                return
            if not source:
                return
            self.when = stamped(extra)
            self.received(data, source)
