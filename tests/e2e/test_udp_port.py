# SPDX-License-Identifier: BSD-2-Clause
"""A box on the way has a wrong mapping of the client's UDP port, and keeps it as long as the client
says hello: the client finds another port by itself."""

import contextlib
import re
import signal
import socket

import pytest

from lab.probe import UDP_PORT, until_learned
from lab.programs import router_address
from lab.sockets import udp_ports
from lab.topology import HIDDEN_SITE, SITE, SIX
from lab.traffic import ping, ping_once
from lab.wait import SLOW, until
from test_script import environment, recorder
from test_udp_client import ByHand


@contextlib.contextmanager
def connection(client, server, address):
    """Both ends of a TCP connection from one node to an address of another."""
    with server.inside():
        listener = socket.create_server((address, 0), family=socket.AF_INET6)
    with client.inside():
        here = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    with listener, here:
        for each in (listener, here):
            each.settimeout(30 * SLOW)
        here.connect((address, listener.getsockname()[1]))
        there, _ = listener.accept()
        with there:
            there.settimeout(30 * SLOW)
            yield here, there


def goes_on(here, there):
    for sender, receiver in ((here, there), (there, here)):
        sender.sendall(b"still there?")
        assert receiver.recv(100) == b"still there?"


def udp_buffers(node):
    """How much each of a node's UDP sockets can hold: (to read, to send)."""
    listed = node.command("ss", "-H", "-u", "-a", "-n", "-4", "-m").stdout
    return re.findall(r"skmem:\(r\d+,rb(\d+),t\d+,tb(\d+)", listed)


def wrong_mapping(nat):
    """Waits until the box has let a packet out without translating it, and stands by that."""
    until(lambda: any(mapping.outside == HIDDEN_SITE for mapping in nat.mappings()),
          lambda: f"a mapping to nowhere; there is {nat.mappings()}")


@pytest.mark.slow(20)
def test_wrong_mapping(masked):
    """The box loses its rule and what it knows, the next packet goes out as it is, and then the
    rule is there again: too late for this port. 5 s after that packet the client asks, 10 s after
    that it tries another port, and all goes on: the session, the tunnel, a connection in it. The
    script hears of the port."""
    server = masked.dtcps("-U")
    # While the script runs, the session is as up as ever, and says so.
    client = masked.dtcpclient("-U", "-n", "--keepalive", "1,15", "-s",
                               recorder(masked, "[ $state = down ] || sleep 2\n"))
    inside = str(router_address(client.wait_up()["prefix"]))
    until_learned(server, "alice")
    assert environment(masked, "up")["my_port"] == "4028"
    (masked.dir / "environ.up").unlink()
    with connection(masked.six, masked.site, inside) as ends:
        goes_on(*ends)
        since, server_since = client.mark(), server.mark()
        masked.nat.translate(False)
        masked.nat.forget()
        ping_once(masked.site, SIX, wait=0.1)
        wrong_mapping(masked.nat)
        masked.nat.translate(True)
        match = client.wait_log(r"UDP port (\d+) is used from now on", 30, since=since)
        client.wait_up(since=since)
        until_learned(server, "alice", server_since)
        ping(masked.six, inside)
        goes_on(*ends)
    assert match.group(1) != "4028"
    assert environment(masked, "up")["my_port"] == match.group(1)
    assert udp_ports(masked.site) == [int(match.group(1))]
    assert "lost" not in client.log() and "tunnel down" not in client.log()
    assert len(re.findall("session up user=alice peer=.* ", server.log())) == 1
    assert client.stop() == 0


@pytest.mark.slow(15)
def test_rules_that_come_late(masked):
    """The machine starts before its box has its rules. What was sent by then stays wrong; the
    login's hellos are answered at another port 10 s later."""
    masked.nat.translate(False)
    masked.dtcps("-U")
    client = masked.dtcpclient("-U", "-n")
    wrong_mapping(masked.nat)
    masked.nat.translate(True)
    inside = str(router_address(client.wait_up(30)["prefix"]))
    ping(masked.six, inside)
    # At the first attempt, though the old mapping is still there.
    assert "no answer over UDP" not in client.log()
    wrong_mapping(masked.nat)


@pytest.mark.slow(15)
@pytest.mark.parametrize("answered", ["the other port only", "the first port again"])
def test_either_port(internet, answered):
    """After 10 s hellos come from two ports. Whichever is answered first is the one from then on:
    the next hello comes from it at once, the script is told, and the next login names it."""
    server = ByHand(internet)
    client = internet.dtcpclient("-d", "-U", "-s", recorder(internet))

    def from_other():
        return server.hellos and server.hellos[-1][1][1] != UDP_PORT

    until(from_other, "hellos from another port", 20)
    # It can hold as much as the first.
    buffers = udp_buffers(internet.site)
    assert len(buffers) > 1 and len(set(buffers)) == 1
    to_other = answered == "the other port only"
    server.answering = lambda hello: server.good(hello) if from_other() == to_other else []
    client.wait_up()
    port = int(environment(internet, "up")["my_port"])
    assert (port != UDP_PORT) == to_other
    until(lambda: udp_ports(internet.site) == [port], "the other one is closed")
    until(lambda: server.hellos[-1][1] == (SITE, port), "the last hello is from there")
    assert (f"UDP port {port} is used from now on" in client.log()) == (port != UDP_PORT)
    counters = [int.from_bytes(data[16:24], "big") for *_, data in server.hellos]
    assert counters == sorted(set(counters))
    since, count = client.mark(), len(server.hellos)
    client.send_signal(signal.SIGHUP)
    client.wait_log(f"tunnel alice <response> network udp={port}$", since=since)
    server.wait_hellos(count + 1)
    assert server.hellos[-1][1] == (SITE, port)
