# SPDX-License-Identifier: BSD-2-Clause
"""SIGTERM: every client is told, and none can hold the end up."""

import contextlib
import os
import signal
import socket
import time

from lab.programs import PASSWORD
from lab.wait import slow
from lab.wire import Wire

# As many lines as they like: or else it takes long until nothing can be written to the deaf.
FAST = {"limit.lines": 10000}
GOOD_BYE = "-ERR server is shutting down"


def deaf(node):
    """A client that asks and asks and reads nothing, until nothing more can be written."""
    with node.inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.connect(("198.51.100.2", 20200))
    sock.settimeout(1)
    with contextlib.suppress(OSError):
        while True:
            sock.send(b"help\r\n" * 200)
    return sock


def test_many_clients_and_some_that_do_not_read(internet, measured):
    for number in range(20):
        internet.users.add(f"user{number}", PASSWORD)
    server = internet.dtcps(set=FAST)
    for n in range(20):
        internet.site.ip("addr", "add", f"192.0.2.{100 + n}/24", "dev", "up0")
    deafs = [deaf(internet.site) for _ in range(3)]
    idle = [Wire(internet.site, source=f"192.0.2.{100 + n % 20}") for n in range(200)]
    up = [Wire(internet.site, source=f"192.0.2.{100 + n}") for n in range(20)]
    for number, wire in enumerate(up):
        wire.login(f"user{number}", "network", PASSWORD)
    begun = time.monotonic()
    server.send_signal(signal.SIGTERM)
    for wire in up + idle:
        assert wire.line() == GOOD_BYE
        wire.close()
    assert server.wait() == 0
    took = time.monotonic() - begun
    measured("SIGTERM with 220 clients that read and 3 that do not", f"{took:.2f} s")
    # 2 s for those that do not read; the rest is for slow machines.
    assert took < 4 * slow()
    assert not [line for line in internet.server.links() if line.startswith("dtcps")]
    for sock in deafs:
        sock.close()


def test_without_clients_it_ends_at_once(internet):
    server = internet.dtcps()
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 2 * slow()


def test_a_second_signal_waits_for_nobody(internet):
    server = internet.dtcps(set=FAST)
    sock = deaf(internet.site)
    server.send_signal(signal.SIGTERM)
    server.wait_log("stopping$")
    os.kill(server.rooms()["monitor"], signal.SIGTERM)
    assert server.wait() == 0
    sock.close()
