# SPDX-License-Identifier: BSD-2-Clause
"""The protocol by hand: a client that sends any bytes, and servers that misbehave."""

import hashlib
import socket
import threading

from . import sockets
from .programs import PASSWORD, PORT
from .wait import slow


def response(user, challenge, password):
    return hashlib.md5(f"{user}{challenge}{password}".encode()).hexdigest().upper()


class Wire:
    """One control connection."""

    def __init__(self, node, server="198.51.100.2", port=PORT, source=None, greet=True):
        with node.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(15 * slow())
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((server, port))
        self.buffer = b""
        self.challenge = self.greeting = None
        if greet:
            self.greeting = self.line()
            self.challenge = self.greeting.split()[1]

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def line(self, seconds=15):
        """The next line without its end; None where the server has closed."""
        self.socket.settimeout(seconds * slow())
        while b"\n" not in self.buffer:
            try:
                data = self.socket.recv(4096)
            except ConnectionResetError:
                data = b""
            except TimeoutError:
                raise AssertionError(f"no line from the server within {seconds * slow():.0f} s, "
                                     f"only {self.buffer!r}") from None
            if not data:
                assert not self.buffer, f"the server closed within a line: {self.buffer!r}"
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        assert line.endswith(b"\r"), f"line without CRLF: {line!r}"
        return line[:-1].decode()

    def ask(self, text, seconds=15):
        self.send(f"{text}\r\n")
        return self.line(seconds)

    def request(self, user="alice", type="network", password=PASSWORD, *more):
        words = ["tunnel", user, response(user, self.challenge, password), type, *more]
        return " ".join(words)

    def login(self, user="alice", type="network", password=PASSWORD, *more):
        """Logs in, and returns the words after "+OK"."""
        answer = self.ask(self.request(user, type, password, *more))
        assert answer is not None and answer.startswith("+OK "), answer
        return answer.split()[1:]

    def closed(self, seconds=15):
        """True where the server closes now, without another word."""
        return self.line(seconds) is None

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class FakeServer:
    """Listens where dtcps would and gives each connection to talk(Peer)."""

    def __init__(self, node, talk, address="198.51.100.2", port=PORT):
        with node.inside():
            self.listener = socket.create_server((address, port))
        self.talk = talk
        self.peers = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        node.lab.closing.append(self.close)

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            peer = Peer(connection)
            self.peers.append(peer)
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer):
        try:
            self.talk(peer)
        except OSError:
            pass

    def close(self):
        sockets.close(self.listener)
        for peer in self.peers:
            peer.close()


class Peer:
    """The server's side of one connection."""

    CHALLENGE = "0B1517C87D516A5FA65BED722D51A04F"

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(60 * slow())
        self.file = connection.makefile("rb")
        self.heard = []

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else f"{text}\r\n".encode())

    def line(self):
        data = self.file.readline()
        if not data:
            return None
        self.heard.append(data)
        return data.decode(errors="replace").rstrip("\r\n")

    def greet(self):
        self.send(f"+OK {self.CHALLENGE} dtcp server ready")

    def serve(self, reply):
        """Greets, answers the login with reply, and then every line with +OK."""
        self.greet()
        self.line()
        self.send(reply)
        while self.line() is not None:
            self.send("+OK hi, happy to hear from you")

    def gone(self):
        """True where the client has left."""
        try:
            return self.socket.getpeername() is None
        except OSError:
            return True

    def close(self):
        sockets.close(self.socket)
