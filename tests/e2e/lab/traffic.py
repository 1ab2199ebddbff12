# SPDX-License-Identifier: BSD-2-Clause
"""Pings and transfers between nodes."""

import hashlib
import random
import socket
import subprocess
import threading

from .wait import SLOW, until

MEGABYTE = 1 << 20


def ping_once(node, address, source=None, size=56, count=1, wait=2, more=()):
    words = ["ping", "-6", "-n", "-c", count, "-i", "0.05", "-W", wait, "-s", size, *more]
    if source:
        words += ["-I", source]
    return node.run(*words, address, check=False)


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


def transfer(sender, receiver, address, size=50 * MEGABYTE, source=None, seconds=60, seed=1):
    """Sends size bytes over TCP from node sender to address on node receiver; both ends' checksums
    must be the same. address may have a scope ("fe80::1%dtcp0")."""
    data = random.Random(seed).randbytes(size)
    with receiver.inside():
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        listener.bind(("::", 0))
        listener.listen(1)
    listener.settimeout(seconds * SLOW)
    port = listener.getsockname()[1]
    received = {}

    def receive():
        digest = hashlib.sha256()
        count = 0
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(seconds * SLOW)
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
        connection.settimeout(seconds * SLOW)
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
    thread.join(seconds * SLOW)
    assert not thread.is_alive(), f"TCP from {sender.name} to {address} did not end"
    want = hashlib.sha256(data).digest()
    assert received.get("count") == size and received["digest"] == want, received
    assert echoed == want


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
