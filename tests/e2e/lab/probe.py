# SPDX-License-Identifier: BSD-2-Clause
"""Probes (docs/protocol.md, section 2.2), computed here from the text alone, and a client over UDP
that is made of them: it can also do what a client must not."""

import hashlib
import hmac
import ipaddress
import socket
import struct
import time

from .outside import echo_request
from .programs import PASSWORD
from .topology import SERVER, SIX
from .wait import slow, until
from .wire import Wire

HELLO = 0xD0
ANSWER = 0xD1
SIZE = 40
UDP_PORT = 4028


def probe_key(password, user, challenge, session):
    """session as its 16 hex digits."""
    text = b"\0".join([b"dtcp probe 1", user.encode(), challenge.encode(), session.encode()])
    return hmac.new(password.encode(), text, hashlib.sha256).digest()


def probe(kind, key, session, counter, clock=None, code=None, proof=0):
    if clock is None:
        clock = int(time.monotonic() * 1000)
    head = struct.pack("!II8sQ", kind << 24 | proof, clock & 0xFFFFFFFF, bytes.fromhex(session),
                       counter)
    return head + (code or hmac.new(key, head, hashlib.sha256).digest()[:16])


def link_local(user):
    """A user's link-local address over UDP (section 3.1), the hash computed from its definition."""
    number = 0xCBF29CE484222325
    for octet in user.encode():
        number = (number ^ octet) * 0x100000001B3 % (1 << 64)
    return str(ipaddress.IPv6Address((0xFE80 << 112) + number))


def is_probe(data):
    return len(data) == SIZE and data[0] in (HELLO, ANSWER)


class Answer:
    """An answer of the server, its code verified."""

    def __init__(self, data, key):
        assert len(data) == SIZE and data[0] == ANSWER, data.hex()
        self.proof = int.from_bytes(data[1:4], "big")
        self.clock, self.session, self.counter = struct.unpack("!I8sQ", data[4:24])
        self.session = self.session.hex()
        code = hmac.new(key, data[:24], hashlib.sha256).digest()[:16]
        assert hmac.compare_digest(code, data[24:]), "the answer's code is wrong"


class UdpClient:
    """A session over UDP by hand. Sends nothing by itself, not even hellos."""

    def __init__(self, node, user="alice", kind="network", source=None, port=0, named=None,
                 password=PASSWORD, proves=True, login=None):
        """named: the port in udp=PORT; without it, "udp" alone. proves: knows proofs of address.
        login: the wire and the answer of a login that was made by hand."""
        self.node = node
        self.user = user
        if login:
            self.wire, answer = login
        else:
            self.wire = Wire(node, source=source)
            answer = self.wire.ask(self.wire.request(user, kind, password,
                                                     f"udp={named}" if named else "udp"))
        assert answer is not None and answer.startswith("+OK "), answer
        self.words = answer.split()[1:]
        self.me, self.her = self.words[:2]
        said = dict(word.split("=", 1) for word in self.words if "=" in word)
        assert len(said["session"]) == 16 and said["session"] == said["session"].lower(), answer
        self.port = int(said["udp"])
        self.session = said["session"]
        self.key = probe_key(password, user, self.wire.challenge, self.session)
        self.prefixes = [ipaddress.ip_network(word) for word in self.words if "/" in word]
        plain = [word for word in self.words if ":" in word and "/" not in word and "=" not in word]
        self.inside = self.prefixes[0][1] if self.prefixes else plain[0] if plain else None
        self.counter = 0
        self.proves = proves
        self.proof = 0  # from the last answer
        self.socket = self.another_socket(source, port)
        node.lab.closing.append(self.close)

    def another_socket(self, source=None, port=0, node=None):
        with (node or self.node).inside():
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((source or "", port))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.node.lab.closing.append(made.close)
        return made

    def send(self, data, via=None):
        (via or self.socket).sendto(data, (self.her, self.port))

    def make_hello(self, counter=None, **more):
        if counter is None:
            self.counter += 1
            counter = self.counter
        more.setdefault("proof", self.proof if self.proves else 0)
        return probe(HELLO, more.pop("key", self.key), more.pop("session", self.session), counter,
                     **more)

    def hello(self, via=None, **more):
        """Sends a valid hello, perhaps modified, and returns it."""
        data = self.make_hello(**more)
        self.send(data, via)
        return data

    def receive(self, seconds=15, via=None):
        """Receives a datagram, or None at the timeout."""
        via = via or self.socket
        via.settimeout(seconds * slow())
        try:
            data, source = via.recvfrom(65535)
        except TimeoutError:
            return None
        assert source == (SERVER, self.port), f"a datagram came from {source}"
        return data

    def answer(self, seconds=15, via=None):
        """Receives the next answer; other packets before it are dropped."""
        deadline = time.monotonic() + seconds * slow()
        while time.monotonic() < deadline:
            data = self.receive(seconds, via)
            if data is not None and is_probe(data):
                answer = Answer(data, self.key)
                self.proof = answer.proof
                return answer
        raise AssertionError("no answer to a hello")

    def learn(self, via=None, **more):
        """Says hello, and gives the proof of address if that is asked for; returns the answer."""
        self.hello(via, **more)
        answer = self.answer(via=via)
        if answer.proof and self.proves:
            self.hello(via)
            answer = self.answer(via=via)
            assert answer.proof == 0
        return answer

    def echo(self, number=1, via=None, source=None, data=b""):
        """Sends an echo request to the host with IPv6."""
        self.send(echo_request(source or self.inside, SIX, number, data), via)

    def echo_answer(self, number=1, seconds=15, via=None):
        """True if the answer to that echo request comes."""
        deadline = time.monotonic() + seconds * slow()
        while (left := deadline - time.monotonic()) > 0:
            data = self.receive(left / slow(), via)
            if data is not None and len(data) >= 48 and data[0] >> 4 == 6 and data[40] == 129 \
                    and data[46:48] == number.to_bytes(2, "big"):
                return True
        return False

    def works(self, number=1, via=None):
        """Asserts that the session carries packets, both ways, at this socket."""
        self.echo(number, via)
        assert self.echo_answer(number, via=via), f"no answer to echo {number}"

    def nothing_comes(self, seconds=0.3, via=None):
        """Nothing must come for a while, whose length is arbitrary."""
        data = self.receive(seconds, via)
        assert data is None, f"came: {data.hex()}"

    def close(self):
        self.wire.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def until_learned(server, user, since=0, seconds=15):
    """Waits until the server says where a session's packets come from: (address, port)."""
    match = server.wait_log(rf"packets come from here user={user} peer=\S+ address=(\S+) "
                            r"port=([1-9]\d*)", seconds, since=since)
    return match.group(1), int(match.group(2))


def wait_counted(server, before, wanted, seconds=15):
    """Waits until the drop counters have grown by exactly wanted, {name: number}."""

    def grown():
        after = server.counters()
        return {name: value - before.get(name, 0) for name, value in after.items()
                if value != before.get(name, 0) and name not in ("multicast", "sessions")}

    until(lambda: grown() == wanted, lambda: f"the counters grow by {wanted}; they do by {grown()}",
          seconds)
