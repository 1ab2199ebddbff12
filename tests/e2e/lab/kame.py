# SPDX-License-Identifier: BSD-2-Clause
"""A server and a client of KAME's kind, word for word as docs/protocol.md, section 1, has them: what
they say and hear on the wire, and a gif device for the packets."""

import contextlib
import fcntl
import os
import select
import socket
import struct
import threading

from .outside import Outside
from .programs import PASSWORD
from .topology import SERVER
from .wire import FakeServer, Wire, response

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000

GIF = "gif0"
TYPES = ("tunnelonly", "host", "network")
PREFIX = "2001:db8:a00::/48"
CLIENT6 = "2001:db8:a:a::2"
SERVER6 = "2001:db8:a:a::1"
SERVER_LINK = "fe80::a:1"
CLIENT_LINK = "fe80::a:2"

DENIED = "-ERR authentication failed."
PING = "+OK hi, happy to hear from you"
HELP = "+OK valid commands are: TUNNEL PING QUIT"
INVALID = "-ERR invalid command"
TIMED_OUT = "-ERR connection timed out, disconnecting"


class Gif:
    """One end of a tunnel over protocol 41. Its packets pass through here and not through the
    kernel's own devices, which not every machine has."""

    def __init__(self, node, me, her, link):
        self.me, self.her = me, her
        self.addresses = socket.inet_aton(her) + socket.inet_aton(me)
        self.outside = Outside(node)
        with node.inside():
            self.device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            request = struct.pack("16sH22x", GIF.encode(), IFF_TUN | IFF_NO_PI)
            fcntl.ioctl(self.device, TUNSETIFF, request)
        node.ip("link", "set", GIF, "mtu", 1280, "up")
        node.ip("addr", "add", f"{link}/64", "dev", GIF, "nodad")
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()
        # Before the sockets that it listens at.
        node.lab.closing.insert(0, self.close)

    def _carry(self):
        while not self.ends.is_set():
            ready, _, _ = select.select([self.device, self.outside.receiver], [], [], 0.1)
            with contextlib.suppress(OSError):
                if self.device in ready:
                    self.outside.send(self.me, self.her, os.read(self.device, 65535))
                if self.outside.receiver in ready:
                    packet = self.outside.receiver.recv(65535)
                    if packet[12:20] == self.addresses:
                        os.write(self.device, packet[(packet[0] & 15) * 4:])

    def close(self):
        if not self.ends.is_set():
            self.ends.set()
            self.thread.join()
            os.close(self.device)


class KameServer:
    """Listens on a node. numbered: a network has addresses on the link, too, before its prefix.
    carries: there is a gif device. idle: seconds until a silent client is out."""

    def __init__(self, node, address=SERVER, numbered=False, carries=True, idle=300):
        self.node, self.address = node, address
        self.numbered, self.carries, self.idle = numbered, carries, idle
        self.requests = []  # the words after "tunnel"
        self.heard = []     # whole lines as they came, with their ends
        FakeServer(node, self._talk, address=address)

    def _talk(self, peer):
        peer.socket.settimeout(self.idle)
        peer.heard = self.heard
        peer.send(f"+OK {peer.CHALLENGE} KAME tunnel server")
        gif = None
        try:
            while (line := peer.line()) is not None:
                words = line.split()
                command = words[0].lower() if words else ""
                if command == "tunnel":
                    gif = self._on_tunnel(peer, words[1:]) or gif
                elif command == "quit":
                    # First the device, which the client's next session may want at once.
                    if gif:
                        gif.close()
                    peer.send("+OK good bye")
                    break
                else:
                    peer.send({"ping": PING, "help": HELP}.get(command, INVALID))
        except TimeoutError:
            peer.send(TIMED_OUT)
        finally:
            if gif:
                gif.close()
            peer.close()

    def _on_tunnel(self, peer, words):
        """Returns the device, if there is one."""
        self.requests.append(words)
        # Exactly four words; and the response is compared as text, in upper case.
        if len(words) != 3 or words[:2] != ["alice", response("alice", peer.CHALLENGE, PASSWORD)]:
            peer.send(DENIED)
            return None
        kind = {"tunnelroute": "network"}.get(words[2].lower(), words[2].lower())
        if kind not in TYPES:
            peer.send(f"-ERR unsupported tunnel type {words[2]}")
            return None
        pair = kind == "host" or (kind == "network" and self.numbered)
        client = peer.socket.getpeername()[0]
        reply = ["+OK", client, self.address]
        gif = self.carries and Gif(self.node, self.address, client, SERVER_LINK)
        if pair:
            reply += [CLIENT6, SERVER6]
            if gif:
                self.node.ip("addr", "add", SERVER6, "peer", f"{CLIENT6}/128", "dev", GIF)
        if kind == "network":
            reply.append(PREFIX)
            if gif:
                self.node.ip("-6", "route", "add", PREFIX, "dev", GIF)
        peer.send(" ".join(reply))
        return gif


class KameClient(Wire):
    """Logs in, and makes the tunnel of the reply. end: what follows each line."""

    def __init__(self, node, type, user="alice", password=PASSWORD, end="\r\n"):
        super().__init__(node)
        self.node = node
        self.end = end
        assert self.greeting.startswith("+OK "), self.greeting
        self.reply = self.ask(self.request(user, type, password)).split()
        self.gif = None
        if self.reply[0] == "+OK":
            self._make(*self.reply[1:])

    def _make(self, me, her, *rest):
        """By their shape, as KAME's does it."""
        self.gif = Gif(self.node, me, her, CLIENT_LINK)
        pair = [word for word in rest if "/" not in word]
        self.prefixes = [word for word in rest if "/" in word]
        if pair:
            self.node.ip("addr", "add", pair[0], "peer", f"{pair[1]}/128", "dev", GIF)
        self.node.ip("-6", "route", "add", "default", "dev", GIF)

    def say(self, word):
        """A word, with the end that this client gives it; returns the answer."""
        self.send(word + self.end)
        return self.line()

    def close(self):
        super().close()
        if self.gif:
            self.gif.close()
