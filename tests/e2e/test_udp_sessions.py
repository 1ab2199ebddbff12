# SPDX-License-Identifier: BSD-2-Clause
"""One session per user, over UDP and between the transports."""

import ipaddress
import os
import signal

import pytest

from lab.outside import Outside, echo_request
from lab.probe import UdpClient, until_learned, wait_counted
from lab.programs import PASSWORD, Client, router_address
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping
from lab.wait import until
from lab.wire import Wire

OTHER = "192.0.2.9"


@pytest.fixture
def two_places(internet):
    internet.site.ip("addr", "add", f"{OTHER}/24", "dev", "up0")
    return internet


@pytest.mark.parametrize("kind", ["tunnelonly", "host", "network"])
def test_taken_over_from_a_new_address(two_places, kind):
    """At once, with the same addresses; the old connection is told and closed."""
    server = two_places.dtcps("-U")
    old = UdpClient(two_places.site, kind=kind, source=SITE)
    old.learn()
    new = UdpClient(two_places.site, kind=kind, source=OTHER)
    assert new.words[2:-2] == old.words[2:-2] and new.session != old.session
    assert old.wire.line() == "-ERR superseded by a new session"
    assert old.wire.closed()
    new.learn()
    assert server.counters()["sessions"] == 1
    if kind != "tunnelonly":
        new.works()
        before = server.counters()
        old.hello()
        old.echo(2)
        new.works(3)
        wait_counted(server, before, {"probe-session": 1, "outer-peer": 1})
        new.works(4)
        old.nothing_comes(0.05)


@pytest.mark.parametrize("second", ["ipv6", "udp"])
def test_two_logins_at_the_same_moment(two_places, second):
    """Both are let in before forward takes either: the later one wins, and packets come to it."""
    server = two_places.dtcps("-U", "-d")
    forward = server.rooms()["forward"]
    outside = Outside(two_places.site)
    old, new = Wire(two_places.site, source=SITE), Wire(two_places.site, source=OTHER)
    os.kill(forward, signal.SIGSTOP)
    for wire, address, more in ((old, SITE, []), (new, OTHER, ["udp"] if second == "udp" else [])):
        wire.send(wire.request("alice", "network", PASSWORD, *more) + "\r\n")
        server.wait_log(f"{address}: check -> add")
    os.kill(forward, signal.SIGCONT)
    answer = new.line()
    assert answer.startswith("+OK "), answer
    # The old one may have been up before the new one was.
    line = old.line()
    if line.startswith("+OK "):
        line = old.line()
    assert line == "-ERR superseded by a new session"
    assert old.closed()
    assert server.counters()["sessions"] == 1
    if second == "udp":
        client = UdpClient(two_places.site, source=OTHER, login=(new, answer))
        client.learn()
        client.works()
    else:
        inside = ipaddress.ip_network(answer.split()[3])[1]
        outside.send(OTHER, SERVER, echo_request(inside, SIX, 5))
        source, destination, packet = outside.receive()
        assert (source, destination, packet[40]) == (SERVER, OTHER, 129)
    assert new.ask("ping").startswith("+OK")


def test_wrong_password_takes_nothing(two_places):
    two_places.dtcps("-U")
    with UdpClient(two_places.site, source=SITE) as good, \
            Wire(two_places.site, source=OTHER) as bad:
        good.learn()
        assert bad.ask(bad.request("alice", "network", "wrong", "udp")).startswith("-ERR ")
        good.works()
        assert good.wire.ask("ping").startswith("+OK")


def test_real_clients(lab):
    """The machine next door logs in as the same user: the first one is told and ends."""
    lab.internet(nat=["masquerade"])
    lab.users.add_alice()
    lab.add_site2()
    server = lab.dtcps("-U")
    first = lab.dtcpclient("-U", "-n")
    prefix = first.wait_up()["prefix"]
    second = Client(lab.site2, "-U", "-n")
    assert second.wait_up()["prefix"] == prefix
    assert first.wait() == 11
    assert "superseded" in first.log()
    until(lambda: "dtcp0" not in lab.site.links(), "the first has taken its tunnel away")
    ping(lab.six, router_address(prefix))
    ping(lab.site2, SIX)
    assert server.counters()["sessions"] == 1


def test_between_the_transports(internet):
    """Protocol 41, then UDP, then protocol 41: the same prefix, each time at once."""
    server = internet.dtcps("-U")
    outside = Outside(internet.site)
    plain = Wire(internet.site)
    [_, _, prefix] = plain.login()
    udp = UdpClient(internet.site)
    assert str(udp.prefixes[0]) == prefix
    assert plain.line() == "-ERR superseded by a new session"
    udp.learn()
    udp.works()
    before = server.counters()
    outside.send(SITE, SERVER, echo_request(udp.inside, SIX, 3))
    udp.works(4)
    wait_counted(server, before, {"outer-peer": 1})

    again = Wire(internet.site)
    assert again.login()[2] == prefix
    assert udp.wire.line() == "-ERR superseded by a new session"
    outside.send(SITE, SERVER, echo_request(udp.inside, SIX, 5))
    assert outside.receive()[2][40] == 129
    again.close()
    plain.close()


def test_many_at_one_address(internet):
    """Twenty users behind one address, each with its own port and network."""
    server = internet.dtcps("-U")
    clients = []
    for number in range(20):
        internet.users.add(f"user{number}")
        clients.append(UdpClient(internet.site, f"user{number}"))
    for client in clients:
        client.hello()
    for client in clients:
        client.answer()
    for number, client in enumerate(clients):
        client.echo(number)
    for number, client in enumerate(clients):
        assert client.echo_answer(number)
    assert len({str(client.prefixes[0]) for client in clients}) == len(clients)
    assert len({until_learned(server, client.user)[1] for client in clients}) == len(clients)


def test_end_of_the_connection_ends_the_tunnel(internet):
    """Over UDP as over protocol 41."""
    server = internet.dtcps("-U")
    client = UdpClient(internet.site)
    client.learn()
    client.wire.close()
    server.wait_log("session down user=alice peer=.* ")
    before = server.counters()
    client.hello()
    client.echo(1)
    wait_counted(server, before, {"probe-session": 1, "outer-peer": 1})
    client.nothing_comes(0.05)


def test_account_changed(internet):
    """A password that is changed ends a session over UDP as well."""
    internet.dtcps("-U")
    with UdpClient(internet.site) as client:
        client.learn()
        internet.users.passwd("alice", "another one")
        assert client.wire.line() == "-ERR account changed: another password"
        assert client.wire.closed()
