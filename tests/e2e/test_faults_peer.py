# SPDX-License-Identifier: BSD-2-Clause
"""The server is swapped for something that is none, before or in the middle of a session. The
client says so, uses no memory for it, keeps trying, and is up again as soon as there is a
server."""

import os
import time

import pytest

from lab.process import status_field
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping
from lab.wait import SLOW, slow, until
from lab.wire import FakeServer

MEGABYTE = 1 << 20
OK = f"+OK {SITE} {SERVER} 2001:db8:100:100::/56"


def memory(client):
    """Resident KiB of the process that reads from the server."""
    return int(status_field(client.rooms()["control"], "VmRSS").split()[0])


def flood(peer, size=10 * MEGABYTE):
    """So much without a line end; an error where the client has left before."""
    while size > 0:
        size -= peer.socket.send(b"x" * 65536)


def garbage(peer):
    while True:
        peer.send(os.urandom(4096))


def garbage_lines(peer):
    while True:
        peer.send(b"".join(os.urandom(12).replace(b"\n", b"") + b"\r\n" for _ in range(100)))


def drip(peer):
    """One byte a second, of what would be all right."""
    for byte in f"+OK {peer.CHALLENGE} dtcp server ready\r\n".encode():
        peer.send(bytes([byte]))
        time.sleep(1)


def drip_reply(peer):
    peer.greet()
    peer.line()
    for byte in f"{OK}\r\n".encode():
        peer.send(bytes([byte]))
        time.sleep(1)


def greet_and(what):
    """Greets, accepts the login, and then misbehaves."""
    def talk(peer):
        peer.greet()
        peer.line()
        what(peer)
    return talk


def serve_and(what):
    """Misbehaves once the tunnel is up."""
    def talk(peer):
        peer.greet()
        peer.line()
        peer.send(OK)
        peer.line()
        what(peer)
    return talk


CASES = {"10 MB line": flood, "garbage": garbage, "lines of garbage": garbage_lines}


@pytest.mark.parametrize("when", ["greeting", "reply", "session"])
@pytest.mark.parametrize("case", CASES)
def test_swapped(internet, when, case):
    """Found out within 5 seconds; the next server within 5 seconds of its start."""
    wrap = {"greeting": lambda what: what, "reply": greet_and, "session": serve_and}[when]
    fake = FakeServer(internet.server, wrap(CASES[case]))
    client = internet.dtcpclient("-l", "--keepalive", "1,1", "--hold", "0")
    if when == "session":
        client.wait_up(5)
    client.wait_log(r"next attempt", 5)
    # Read no further than a line can be long, give or take what a buffer holds.
    assert memory(client) < 12 * 1024 * SLOW
    until(fake.peers[0].gone, "the connection is closed", 5)
    fake.close()
    since = client.mark()
    internet.dtcps()
    client.wait_up(5, since)
    ping(internet.site, SIX)
    assert len(client.log()) < 20000


@pytest.mark.slow(12)
@pytest.mark.parametrize("talk", [
    pytest.param(drip, id="greeting"),
    pytest.param(drip_reply, id="reply")])
def test_one_byte_a_second(internet, talk):
    """Given up when the login has taken 10 seconds, and not later because something comes."""
    FakeServer(internet.server, talk)
    client = internet.dtcpclient()
    started = time.monotonic()
    assert client.wait(25) == 6, client.log()
    assert time.monotonic() - started < 10 + 5 * slow()
    assert "no answer within 10 s" in client.log()
