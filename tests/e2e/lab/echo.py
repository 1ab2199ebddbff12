# SPDX-License-Identifier: BSD-2-Clause
"""Many pings at a time from one process. A socket stays in the namespace that it was made in."""

import fcntl
import os
import select
import socket
import struct
import time

_ECHO_REQUEST, _ECHO_REPLY = 128, 129
_ICMP6_FILTER = 1
_SIOCGIFINDEX = 0x8933
_SENT = struct.Struct("!BBHHH")


class Echo:
    """Sends ICMPv6 echo requests from a node and knows which of them were answered."""

    def __init__(self, node):
        with node.inside():
            self.socket = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        self.socket.setblocking(False)
        # A bit for each type, set where it does not interest us: all but the replies.
        words = [0xffffffff] * 8
        words[_ECHO_REPLY >> 5] &= ~(1 << (_ECHO_REPLY & 31))
        self.socket.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *words))
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        # Who else pings on that machine has another one.
        self.identifier = os.getpid() & 0xffff
        self.sequence = 0

    def index(self, interface):
        """The index of an interface, 0 if there is none."""
        name = struct.pack("16s16x", interface.encode())
        try:
            return struct.unpack("16sI12x", fcntl.ioctl(self.socket, _SIOCGIFINDEX, name))[1]
        except OSError:
            return 0

    def send(self, address, interface=None):
        """Returns the number that the answer will have, or None where it could not be sent."""
        scope = self.index(interface) if interface else 0
        if interface and not scope:
            return None
        self.sequence = (self.sequence + 1) & 0xffff
        packet = _SENT.pack(_ECHO_REQUEST, 0, 0, self.identifier, self.sequence)
        try:
            self.socket.sendto(packet, (str(address), 0, 0, scope))
        except OSError:
            return None
        return self.sequence

    def receive(self):
        """[(number, source)] of the answers that are there."""
        found = []
        while True:
            try:
                data, source = self.socket.recvfrom(2048)
            except OSError:
                return found
            _, _, _, identifier, number = _SENT.unpack_from(data)
            if identifier == self.identifier:
                found.append((number, source[0].partition("%")[0]))

    def answered(self, targets, seconds=1):
        """Pings all of targets, {key: address}, once; returns the keys that answered."""
        sent = {self.send(address): key for key, address in targets.items()}
        sent.pop(None, None)
        found = set()
        end = time.monotonic() + seconds
        while len(found) < len(sent) and (left := end - time.monotonic()) > 0:
            select.select([self.socket], [], [], left)
            found |= {sent[number] for number, _ in self.receive() if number in sent}
        return found

    def neighbours(self, interfaces, seconds=1):
        """The link-local addresses of all hosts that answer on these interfaces."""
        for interface in interfaces:
            self.send("ff02::1", interface)
        found = set()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and len(found) < len(interfaces):
            select.select([self.socket], [], [], left)
            found |= {source for _, source in self.receive()}
        return found

    def close(self):
        self.socket.close()
