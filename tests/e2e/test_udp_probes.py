# SPDX-License-Identifier: BSD-2-Clause
"""Hellos at the server: what they do, and everything that must not count as one."""

import socket

import pytest

from lab.outside import echo_request
from lab.probe import (ANSWER, SIZE, UdpClient, probe, probe_key, until_learned,
                       wait_counted)
from lab.programs import PASSWORD
from lab.topology import SITE, SIX
from lab.traffic import ping_once
from lab.wait import until

STRANGER = "192.0.2.9"
OTHER = "192.0.2.3"


class Scene:
    """alice and bob over UDP, by hand, both known to the server; a stranger without a session."""

    def __init__(self, lab):
        self.lab = lab
        lab.users.add("bob")
        for address in (OTHER, STRANGER):
            lab.site.ip("addr", "add", f"{address}/24", "dev", "up0")
        self.server = lab.dtcps("-U")
        self.alice = UdpClient(lab.site, source=SITE)
        self.bob = UdpClient(lab.site, "bob", source=OTHER)
        for _ in range(4):
            self.seen = self.alice.hello()
            self.alice.answer()
        self.bob.learn()
        self.stranger = self.alice.another_socket(STRANGER)
        self.alice.works(1)
        self.bob.works(1)

    def untouched(self, number):
        """alice is where she was, in both directions, and nobody else got anything."""
        self.alice.works(number)
        self.bob.works(number)
        # Unasked, to where the server believes her to be.
        data = f"<{number}>".encode().hex()
        ping_once(self.lab.six, self.alice.inside, wait=0.01, more=("-p", data))
        until(lambda: bytes.fromhex(data) in (self.alice.receive() or b""),
              "an inbound packet arrives at the old place")
        self.alice.nothing_comes(0.01, self.stranger)


@pytest.fixture
def scene(internet):
    return Scene(internet)


def flip(data, position):
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1:]


# what: (the counter, how the datagram is made). All of them are sent from alice's own place and
# from a stranger's.
FORGED = {
    "replayed hello": ("probe-old", lambda s: s.seen),
    "counter of the last hello": ("probe-old", lambda s: s.alice.make_hello(s.alice.counter)),
    "older counter": ("probe-old", lambda s: s.alice.make_hello(s.alice.counter - 1)),
    "counter 0": ("probe-old", lambda s: s.alice.make_hello(0)),
    "wrong code, first octet": ("probe-code", lambda s: flip(s.alice.make_hello(1000), 24)),
    "wrong code, last octet": ("probe-code", lambda s: flip(s.alice.make_hello(1000), 39)),
    "changed clock": ("probe-code", lambda s: flip(s.alice.make_hello(1000), 7)),
    "changed counter": ("probe-code", lambda s: flip(s.alice.make_hello(1000), 22)),
    "code of zeros": ("probe-code", lambda s: s.alice.make_hello(1000, code=bytes(16))),
    "key of another session": ("probe-code", lambda s: s.alice.make_hello(1000, key=s.bob.key)),
    "key of a wrong password": ("probe-code", lambda s: s.alice.make_hello(1000, key=probe_key(
        "guess", "alice", s.alice.wire.challenge, s.alice.session))),
    "key without the challenge": ("probe-code", lambda s: s.alice.make_hello(1000, key=probe_key(
        PASSWORD, "alice", "", s.alice.session))),
    "an answer, well signed": ("probe-code", lambda s: probe(ANSWER, s.alice.key, s.alice.session,
                                                             1000)),
    "unknown session": ("probe-session", lambda s: s.alice.make_hello(
        1000, session="0123456789abcdef")),
    "session 0": ("probe-session", lambda s: s.alice.make_hello(1000, session="0" * 16)),
    "39 octets": ("udp-malformed", lambda s: s.alice.make_hello(1000)[:-1]),
    "41 octets": ("udp-malformed", lambda s: s.alice.make_hello(1000) + b"\0"),
    "two in one": ("udp-malformed", lambda s: s.alice.make_hello(1000) * 2),
    "cut in its head": ("udp-malformed", lambda s: s.alice.make_hello(1000)[:23]),
    "one octet": ("udp-malformed", lambda s: b"\xd0"),
    "empty": ("udp-malformed", lambda s: b""),
    "unknown kind": ("udp-malformed", lambda s: probe(0xD2, s.alice.key, s.alice.session, 1000)),
    "IPv4 inside": ("udp-malformed", lambda s: b"\x45" + bytes(39)),
}


@pytest.mark.parametrize("sender", ["own place", "stranger"])
def test_forged(scene, sender):
    """Each is dropped, counted under its name and nothing else, never answered; the session stays
    where it is."""
    via = scene.stranger if sender == "stranger" else None
    wrong = []
    for number, (what, (counter, build)) in enumerate(FORGED.items(), 2):
        before = scene.server.counters()
        scene.alice.send(build(scene), via)
        try:
            # In order behind it, and answered: then the forged one has been looked at.
            scene.untouched(number)
            wait_counted(scene.server, before, {counter: 1}, 2)
        except AssertionError as error:
            wrong.append((what, str(error)))
    assert wrong == []
    assert scene.server.log().count("packets come from here user=alice peer=192.0.2.2 ") == 1


def test_data_from_elsewhere(scene):
    """Data counts from the session's own address and port only, whatever is inside."""
    neighbour = scene.alice.another_socket(SITE)
    for via in (scene.stranger, neighbour, scene.bob.socket):
        before = scene.server.counters()
        scene.alice.echo(7, via)
        scene.untouched(8)
        # At bob's place it is a packet of bob's with a source that he does not have.
        counter = "src-ingress" if via is scene.bob.socket else "outer-peer"
        wait_counted(scene.server, before, {counter: 1})
        scene.alice.nothing_comes(0.01, neighbour)


def test_data_rules(scene):
    """The rules for what is inside hold here as well (all of them: test_filter)."""
    good = scene.alice.inside
    for inner, counter in [
            (echo_request("2001:db8:dead::1", SIX), "src-ingress"),
            (echo_request(scene.bob.inside, SIX), "src-ingress"),
            (echo_request("ff02::1", SIX), "src-multicast"),
            (echo_request(good, SIX)[:39], "outer-short"),
            (echo_request(good, SIX, data=bytes(64))[:60], "truncated"),
            (echo_request(good, "2002:c633:6402::1"), "loop")]:
        before = scene.server.counters()
        scene.alice.send(inner)
        scene.untouched(3)
        wait_counted(scene.server, before, {counter: 1})


def test_answer(scene):
    """It says the hello's clock and the session's number, is signed, and counts upwards."""
    last = 0
    for clock in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        scene.alice.hello(clock=clock)
        answer = scene.alice.answer()
        assert (answer.clock, answer.session) == (clock, scene.alice.session)
        assert answer.counter > last
        last = answer.counter


def test_proof_that_nobody_asked_for(scene):
    """At the address of the login a number means nothing."""
    scene.alice.hello(proof=0xFFFFFF)
    assert scene.alice.answer().proof == 0


def test_counter_may_jump(scene):
    """Any higher counter is good, up to the last; after that there is none."""
    scene.alice.learn(counter=1 << 40)
    scene.alice.learn(counter=(1 << 63) + 5)
    scene.alice.learn(counter=(1 << 64) - 1)
    before = scene.server.counters()
    scene.alice.hello(counter=1)
    scene.untouched(3)
    wait_counted(scene.server, before, {"probe-old": 1})


def test_good_hello_moves(scene):
    """A new hello moves the session to wherever it comes from: another port, another address."""
    old = scene.alice.socket
    for number, via in enumerate((scene.alice.another_socket(SITE), scene.stranger, old), 5):
        since = scene.server.mark()
        scene.alice.learn(via)
        assert until_learned(scene.server, "alice", since) == via.getsockname()
        scene.alice.works(number, via)
    # What is captured cannot take it back.
    replayed = scene.alice.make_hello()
    scene.alice.send(replayed)
    scene.alice.answer()
    since = scene.server.mark()
    scene.alice.send(replayed, scene.stranger)
    scene.untouched(9)
    assert "packets come from" not in scene.server.log()[since:]


def test_two_in_one_place(scene):
    """A user whose hellos come from another one's address and port, by a NAT or with a forged
    source, takes nothing away: what is inside tells whose a packet is."""
    shared = scene.alice.socket
    scene.bob.learn(shared)
    scene.bob.works(3, shared)
    scene.alice.works(4)
    # From there a packet of neither is dropped, as is one of bob's from where he was.
    before = scene.server.counters()
    scene.alice.echo(5, source="2001:db8:dead::1")
    scene.bob.echo(5)
    scene.alice.works(6)
    wait_counted(scene.server, before, {"src-ingress": 1, "outer-peer": 1})
    # And when one of them leaves the place, the other one stays.
    moved = scene.alice.another_socket(SITE)
    scene.alice.learn(moved)
    scene.alice.works(7, moved)
    scene.bob.works(8, shared)


def test_hello_after_the_end(scene):
    """After quit the number is nobody's."""
    assert scene.alice.wire.ask("quit").startswith("+OK")
    until(lambda: scene.server.counters()["sessions"] == 1, "alice has left")
    before = scene.server.counters()
    scene.alice.hello()
    scene.bob.works(3)
    wait_counted(scene.server, before, {"probe-session": 1})


def test_two_servers_addresses(internet):
    """The answer comes from the address that the hello went to."""
    internet.server.ip("addr", "add", "198.51.100.20/24", "dev", "up0")
    internet.dtcps("-U")
    with UdpClient(internet.site) as client:
        client.socket.sendto(client.make_hello(), ("198.51.100.20", client.port))
        client.socket.settimeout(15)
        data, source = client.socket.recvfrom(2048)
        assert source == ("198.51.100.20", client.port) and len(data) == SIZE


def test_flood(scene):
    """Tens of thousands of forged hellos from many ports: counted, none answered, and alice's next
    packet is carried."""
    before = scene.server.counters()
    bad = flip(scene.alice.make_hello(1000), 30)
    count = 0
    for _ in range(20):
        with scene.lab.site.inside():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.bind((STRANGER, 0))
        sender.connect((scene.alice.her, scene.alice.port))
        for _ in range(500):
            sender.send(bad)
            count += 1
        sender.close()
    scene.untouched(5)

    def counted():
        return scene.server.counters().get("probe-code", 0) - before.get("probe-code", 0)

    # A socket's buffer may overflow; it holds more than a tenth of these.
    until(lambda: counted() > count / 10, lambda: f"{counted()} of {count} counted")
    assert counted() <= count
    scene.alice.nothing_comes(0.05, scene.stranger)


@pytest.mark.slow(10)
def test_places_in_the_log(internet):
    """One that changes its place all the time does not fill the log."""
    server = internet.dtcps("-U", set={"limit.log": 1})
    with UdpClient(internet.site, source=SITE) as alice:
        alice.learn()
        for _ in range(3):
            alice.learn(alice.another_socket(SITE))
        server.wait_log(r'lines left out about="places of clients" count=[1-9]', 30)
