# SPDX-License-Identifier: BSD-2-Clause
"""Pings and transfers between nodes."""

import hashlib
import random
import socket
import subprocess
import threading
import time

from . import sockets
from .topology import SIX
from .wait import SANITIZED, slow, until

MEGABYTE = 1 << 20
# Of a long transfer each part is like the others; sanitizers make all of them slower.
LONG = (10 if SANITIZED else 50) * MEGABYTE


def ping_once(node, address, source=None, size=56, count=1, wait=2, more=()):
    words = ["ping", "-6", "-n", "-c", count, "-i", "0.05", "-W", wait, "-s", size, *more]
    if source:
        words += ["-I", source]
    return node.command(*words, address, check=False, env=node.lab.environment())


def ping(node, address, seconds=15, **more):
    """Waits until a ping is answered; returns what ping printed."""
    last = None

    def answered():
        nonlocal last
        last = ping_once(node, address, **more)
        return last.returncode == 0

    until(answered, lambda: f"{node.name} pings {address}\n{last.stdout}{last.stderr}", seconds)
    return last.stdout


def no_ping(node, address, **more):
    """One ping that must not be answered."""
    result = ping_once(node, address, count=1, wait=1, **more)
    assert result.returncode != 0, f"{node.name} pings {address}:\n{result.stdout}"
    return result.stdout


def transfer(sender, receiver, address, size=LONG, source=None, seconds=60, seed=1):
    """Sends size bytes over TCP from node sender to address on node receiver; both ends' checksums
    must be the same. address may have a scope ("fe80::1%dtcp0")."""
    data = random.Random(seed).randbytes(size)
    with receiver.inside():
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        listener.bind(("::", 0))
        listener.listen(1)
    listener.settimeout(seconds * slow())
    port = listener.getsockname()[1]
    received = {}

    def receive():
        digest = hashlib.sha256()
        count = 0
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(seconds * slow())
                while chunk := connection.recv(MEGABYTE):
                    digest.update(chunk)
                    count += len(chunk)
                connection.sendall(digest.digest())
        except OSError as error:
            received["error"] = error
        received["digest"] = digest.digest()
        received["count"] = count

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    with sender.inside():
        connection = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        where = socket.getaddrinfo(address, port, socket.AF_INET6, socket.SOCK_STREAM)[0][4]
    try:
        connection.settimeout(seconds * slow())
        if source:
            connection.bind((source, 0))
        connection.connect(where)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        echoed = connection.recv(64)
    except OSError as error:
        raise AssertionError(f"TCP from {sender.name} to {address}: {error}; "
                             f"received {received}") from error
    finally:
        connection.close()
        listener.close()
    thread.join(seconds * slow())
    assert not thread.is_alive(), f"TCP from {sender.name} to {address} did not end"
    want = hashlib.sha256(data).digest()
    assert received.get("count") == size and received["digest"] == want, received
    assert echoed == want


class Stream:
    """A TCP transfer that goes on until it is told to end, at a moderate pace, so that something
    can be done in its middle. Both ends compute a checksum; the receiver notes the longest time in
    which nothing came."""

    PACE = 2 * MEGABYTE

    def __init__(self, sender, receiver, address, source=None, seconds=120):
        self.what = f"TCP from {sender.name} to {address}"
        self.seconds = seconds * slow()
        with receiver.inside():
            self.listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            self.listener.bind(("::", 0))
            self.listener.listen(1)
        self.listener.settimeout(self.seconds)
        port = self.listener.getsockname()[1]
        with sender.inside():
            self.connection = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            where = socket.getaddrinfo(str(address), port, socket.AF_INET6)[0][4]
        self.connection.settimeout(self.seconds)
        # The kernel spreads what is sent; the buffer small, so that little is on its way.
        self.connection.setsockopt(socket.SOL_SOCKET, 47, self.PACE)  # SO_MAX_PACING_RATE
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        if source:
            self.connection.bind((str(source), 0))
        self.ending = threading.Event()
        self.sent, self.received = hashlib.sha256(), hashlib.sha256()
        self.sent_bytes = self.received_bytes = 0
        self.errors = []
        self.last = time.monotonic()
        self.gap = 0.0
        self.threads = [threading.Thread(target=self._guard, args=(step,), daemon=True)
                        for step in (self._receive, lambda: self._send(where))]
        sender.lab.closing.append(self.close)
        for thread in self.threads:
            thread.start()

    def _guard(self, step):
        try:
            step()
        except OSError as error:
            self.errors.append(error)

    def _send(self, where):
        numbers = random.Random(1)
        self.connection.connect(where)
        while not self.ending.is_set():
            block = numbers.randbytes(1 << 14)
            self.connection.sendall(block)
            self.sent.update(block)
            self.sent_bytes += len(block)
        self.connection.shutdown(socket.SHUT_WR)

    def _receive(self):
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(self.seconds)
            while block := connection.recv(1 << 16):
                now = time.monotonic()
                self.gap = max(self.gap, now - self.last)
                self.last = now
                self.received.update(block)
                self.received_bytes += len(block)

    def flows(self, seconds=15, size=MEGABYTE // 2):
        """Waits until that much more has been received."""
        want = self.received_bytes + size

        def there():
            assert not self.errors, f"{self.what}: {self.errors}"
            return self.received_bytes >= want

        until(there, lambda: f"{self.what} goes on; {self.received_bytes} bytes, want {want}",
              seconds)

    def silence(self):
        """Seconds since the last data was received."""
        return time.monotonic() - self.last

    def measure_gap(self):
        """From here on: how long nothing comes."""
        self.gap = 0.0

    def finish(self, seconds=30):
        """Ends it; the received data must equal what was sent."""
        self.ending.set()
        for thread in self.threads:
            thread.join(seconds * slow())
            assert not thread.is_alive(), f"{self.what} does not end"
        assert not self.errors, f"{self.what}: {self.errors}"
        assert self.received_bytes == self.sent_bytes
        assert self.received.digest() == self.sent.digest(), f"{self.what}: wrong checksum"

    def close(self):
        self.ending.set()
        sockets.close(self.connection, self.listener)


def stream(lab, direction, inside):
    """A stream "to the host" with IPv6, or "to the site" at its address inside."""
    if direction == "to the host":
        return Stream(lab.site, lab.six, SIX, source=inside)
    return Stream(lab.six, lab.site, inside)


# A web server on the IPv6 host, and a client of it: real programs with the system's own stack.
SERVE = """
import http.server, socket, sys
class Server(http.server.HTTPServer):
    address_family = socket.AF_INET6
http.server.test(http.server.SimpleHTTPRequestHandler, Server, port=int(sys.argv[1]), bind=sys.argv[2])
"""
FETCH = "import sys, urllib.request as r; sys.stdout.buffer.write(r.urlopen(sys.argv[1], timeout=20).read())"
PYTHON = "/usr/bin/python3"


def fetch(node, url):
    words = node.words(PYTHON, "-c", FETCH, url)
    result = subprocess.run(words, capture_output=True, env=node.lab.environment(),
                            stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout
