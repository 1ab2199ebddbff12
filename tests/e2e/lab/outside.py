# SPDX-License-Identifier: BSD-2-Clause
"""Hand-made packets in IPv4 protocol 41."""

import socket
import struct

from .wait import slow

PROTOCOL_41 = 41

# How the data of a request that watches a path begin.
WATCHING = b"dtcpecho"


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def ipv4_header(source, destination, length, protocol=PROTOCOL_41, tos=0, ttl=64, flags=0):
    # The kernel fills in the checksum and, where it is zero, the identification.
    return struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + length, 0, flags, ttl, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(destination))


def ipv6(source, destination, payload, next_header=58, length=None, hop_limit=64, traffic_class=0):
    first = 6 << 28 | traffic_class << 20
    return struct.pack("!IHBB16s16s", first, len(payload) if length is None else length,
                       next_header, hop_limit, socket.inet_pton(socket.AF_INET6, str(source)),
                       socket.inet_pton(socket.AF_INET6, str(destination))) + payload


def icmp6(source, destination, kind, code, body):
    message = struct.pack("!BBH", kind, code, 0) + body
    pseudo = (socket.inet_pton(socket.AF_INET6, str(source)) +
              socket.inet_pton(socket.AF_INET6, str(destination)) +
              struct.pack("!II", len(message), 58))
    return message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]


def echo_request(source, destination, number=1, data=b"", identifier=0x6474, **more):
    """A whole IPv6 packet that asks for an echo."""
    body = struct.pack("!HH", identifier, number) + data
    return ipv6(source, destination, icmp6(source, destination, 128, 0, body), **more)


class Outside:
    """Sends and receives protocol 41 for every IPv4 address of a node, without any tunnel."""

    def __init__(self, node):
        with node.inside():
            # This one receives; with it there, the kernel does not call the protocol unknown.
            self.receiver = socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL_41)
            self.sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        node.lab.closing.append(self.close)

    def send(self, source, destination, inner, **more):
        header = ipv4_header(source, destination, len(inner), **more)
        self.sender.sendto(header + inner, (destination, 0))

    def receive(self, seconds=15, watching=False):
        """(outer source, outer destination, inner packet), or None when nothing comes. What the
        programs ask to watch the path is left out, unless that is all that is wanted."""
        self.receiver.settimeout(seconds * slow())
        while True:
            try:
                packet = self.receiver.recv(65535)
            except TimeoutError:
                return None
            inner = packet[(packet[0] & 15) * 4:]
            if (inner[48:56] == WATCHING) == watching:
                return socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20]), inner

    def close(self):
        self.receiver.close()
        self.sender.close()
