# SPDX-License-Identifier: BSD-2-Clause
"""Clients over UDP that know nothing of probes: the server learns from their first packet."""

import time

import pytest

from lab.outside import echo_request
from lab.probe import UdpClient, until_learned, wait_counted
from lab.topology import SITE
from lab.wait import slow, until

OTHER = "192.0.2.3"
PATIENCE = 5  # seconds in which a hello could still come


@pytest.fixture
def waiting(internet):
    """waiting(user, ...): a session over UDP without any hello, from one of two addresses."""
    internet.site.ip("addr", "add", f"{OTHER}/24", "dev", "up0")
    internet.users.add("bob")
    internet.server_process = internet.dtcps("-U")

    def make(user="alice", source=SITE, **more):
        begun = time.monotonic()
        client = UdpClient(internet.site, user, source=source, **more)
        # The server's patience begins between these two.
        client.begun, client.since = begun, time.monotonic()
        return client

    return make


def until_works(client, number=1, seconds=PATIENCE * 2):
    """Sends echo requests until one is answered."""

    def answered():
        client.echo(number)
        return client.echo_answer(number, 0.1)

    until(answered, f"{client.user} is learned from a packet", seconds)


def patience_is_over(client):
    """Waits until the server takes packets for this session, without sending any."""
    while time.monotonic() < client.since + PATIENCE + 0.5:
        assert client.receive(0.1) is None, "nothing is known, nothing can come"


@pytest.mark.slow(7)
@pytest.mark.parametrize("kind", ["network", "host"])
def test_alone(internet, waiting, kind):
    server = internet.server_process
    client = waiting(kind=kind)
    # Too early: a hello may still come.
    client.echo(9)
    assert not client.echo_answer(9, 0.2)
    assert server.counters()["outer-peer"] == 1
    until_works(client)
    assert time.monotonic() - client.begun >= PATIENCE
    assert until_learned(server, "alice") == (SITE, client.socket.getsockname()[1])
    client.works(2)


@pytest.mark.slow(7)
def test_alone_with_a_bare_link(internet, waiting):
    """tunnelonly: inside there are link-local addresses only."""
    client = waiting(kind="tunnelonly")
    patience_is_over(client)
    client.send(echo_request("fe80::1", "ff02::1"))
    assert until_learned(internet.server_process, "alice") == \
        (SITE, client.socket.getsockname()[1])


@pytest.mark.slow(7)
def test_never_another_address(internet, waiting):
    """Only the port is learned: the address is that of the control connection."""
    server = internet.server_process
    client = waiting()
    patience_is_over(client)
    stranger = client.another_socket(OTHER)
    before = server.counters()
    client.echo(1, stranger)
    client.echo(2, stranger)
    wait_counted(server, before, {"outer-peer": 2})
    until_works(client, 3)
    client.nothing_comes(0.01, stranger)


@pytest.mark.slow(7)
def test_foreign_source_teaches_nothing(internet, waiting):
    """A packet that the session may not send is no reason to believe its sender."""
    server = internet.server_process
    client = waiting()
    patience_is_over(client)
    elsewhere = client.another_socket(SITE)
    before = server.counters()
    client.echo(1, elsewhere, source="2001:db8:dead::1")
    wait_counted(server, before, {"src-ingress": 1})
    assert "packets come from" not in server.log()
    until_works(client, 2)


@pytest.mark.slow(7)
def test_two_at_one_address(internet, waiting):
    """Two wait at the same address: the source inside says which of them it is."""
    server = internet.server_process
    alice, bob = waiting(), waiting("bob")
    patience_is_over(bob)
    before = server.counters()
    # In nobody's prefix, and link-local, which could be anybody's.
    alice.echo(1, source="2001:db8:dead::1")
    alice.echo(1, source="fe80::1")
    wait_counted(server, before, {"outer-peer": 2})
    until_works(bob, 2)
    until_works(alice, 3)
    assert until_learned(server, "alice") == (SITE, alice.socket.getsockname()[1])
    assert until_learned(server, "bob") == (SITE, bob.socket.getsockname()[1])
    alice.works(4)
    bob.works(5)
    # And not the other way round.
    before = server.counters()
    alice.echo(6, source=bob.inside)
    alice.works(7)
    wait_counted(server, before, {"src-ingress": 1})


@pytest.mark.slow(7)
def test_one_with_probes_one_without(internet, waiting):
    """A neighbour that says hello is not in the way of one that does not."""
    server = internet.server_process
    alice, bob = waiting(), waiting("bob")
    alice.learn()
    alice.works()
    patience_is_over(bob)
    until_works(bob)
    alice.works(2)
    # Who has said hello is moved by hellos alone.
    before = server.counters()
    elsewhere = alice.another_socket(SITE)
    alice.echo(3, elsewhere)
    bob.works(4)
    wait_counted(server, before, {"outer-peer": 1})
    alice.works(5)


@pytest.mark.slow(7)
def test_hello_later(internet, waiting):
    """Learned from a packet first; a hello after that moves the session all the same."""
    client = waiting()
    until_works(client)
    elsewhere = client.another_socket(OTHER)
    client.learn(elsewhere)
    client.works(2, elsewhere)


def test_named_port_needs_no_hello(internet, waiting):
    """udp=PORT: without a NAT such a client works at once."""
    client = waiting(named=5555, port=5555)
    client.works()
    assert time.monotonic() - client.since < PATIENCE * slow()
    internet.six.run("ping", "-6", "-c", "1", "-W", "1", client.inside, check=False)
    assert client.receive() is not None


def test_named_port_after_another_login(internet, waiting):
    """Its older session, which the server still has, is not in the way of the new one."""
    old = waiting(named=5555, port=5555)
    old.works()
    old.socket.close()
    client = waiting(named=5555, port=5555)
    client.works(2)
    assert old.wire.line() == "-ERR superseded by a new session"
    client.works(3)
    assert time.monotonic() - client.since < PATIENCE * slow()


@pytest.mark.slow(7)
def test_behind_nat(masked):
    """The box changes the port; the first packet teaches it."""
    server = masked.dtcps("-U")
    with UdpClient(masked.site) as client:
        until_works(client)
        at = until_learned(server, "alice")
        assert at[0] == SITE and at[1] == masked.nat.mappings()[0].outside_port
        client.works(2)

