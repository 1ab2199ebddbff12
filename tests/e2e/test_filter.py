# SPDX-License-Identifier: BSD-2-Clause
"""Packets that must not come through: each is dropped, counted under its reason, and never seen on
the TUN device."""

import collections
import ipaddress
import socket
import struct

import pytest
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest

from lab.capture import Capture, IPv6
from lab.outside import Outside, echo_request, icmp6, ipv6
from lab.programs import HOST_SERVER
from lab.topology import SERVER, SITE, SITE_NET, SIX
from lab.traffic import ping
from lab.wait import until
from lab.wire import Wire

OTHER = "192.0.2.3"  # where bob is
STRANGER = "192.0.2.9"  # nobody's


def six_to_four(ipv4):
    return f"2002:{socket.inet_aton(ipv4).hex()[:4]}:{socket.inet_aton(ipv4).hex()[4:]}::1"


def isatap(prefix, ipv4):
    """An address that routers of other kinds take for "inside IPv4, at that address"."""
    return str(ipaddress.ip_address(int(prefix[0]) | 0x00005EFE << 32 |
                                    int(ipaddress.ip_address(ipv4))))


class Sessions:
    """alice and bob have networks, carol a host address, dave a bare link; all by hand."""

    def __init__(self, lab):
        self.lab = lab
        for user in ("bob", "carol", "dave"):
            lab.users.add(user)
        for address in (OTHER, "192.0.2.4", "192.0.2.5", STRANGER):
            lab.site.ip("addr", "add", f"{address}/24", "dev", "up0")
        self.server = lab.dtcps()
        self.wires = []
        self.alice = self._login("alice", "network", SITE)
        self.bob = self._login("bob", "network", OTHER)
        self.carol = self._login("carol", "host", "192.0.2.4")
        self._login("dave", "tunnelonly", "192.0.2.5")
        self.outside = Outside(lab.site)

    def _login(self, user, kind, source):
        wire = Wire(self.lab.site, source=source)
        words = wire.login(user, kind)
        self.wires.append(wire)
        if kind == "network":
            return ipaddress.ip_network(words[2])
        return words[2] if kind == "host" else None

    def dropped(self):
        """The counters, without what the server's kernel says to all its links by itself."""
        return {name: number for name, number in self.server.counters().items()
                if name != "multicast"}

    def passed(self, number):
        """Waits until an echo with this number has gone to the IPv6 host and come back, and with
        it, all that was sent before has been looked at."""
        self.outside.send(SITE, SERVER, echo_request(self.alice[1], SIX, number))
        self.answer(lambda packet: packet[40] == 129 and
                    packet[46:48] == number.to_bytes(2, "big"))

    def answer(self, wanted):
        """Where the next such packet goes, and the packet. On dave's bare link, the server's kernel
        has words of its own in between."""
        while answer := self.outside.receive():
            _, destination, packet = answer
            if wanted(packet):
                return destination, packet
        raise AssertionError("no such answer")


@pytest.fixture
def sessions(internet):
    return Sessions(internet)


def hostile(sessions):
    """(what, counter, outer source, inner packet): each inner packet carries its own name."""
    alice, bob = sessions.alice, sessions.bob
    good = str(alice[1])

    def echo(source, destination=SIX, **more):
        def build(name):
            return echo_request(source, destination, data=name, **more)
        return build

    def cut(build, keep):
        return lambda name: build(name)[:keep]

    return [
        ("foreign source", "src-ingress", SITE, echo("2001:db8:dead::1")),
        ("source of another user", "src-ingress", SITE, echo(bob[1])),
        ("source of a host user", "src-ingress", SITE, echo(sessions.carol)),
        ("source of the server", "src-ingress", SITE, echo(HOST_SERVER)),
        ("source behind the server", "src-ingress", SITE, echo(SIX, HOST_SERVER)),
        ("source just past the prefix", "src-ingress", SITE,
         echo(ipaddress.ip_address(int(alice[-1]) + 1))),
        ("network source on a bare link", "src-ingress", "192.0.2.5", echo(good)),
        ("host with a neighbour's address", "src-ingress", "192.0.2.4",
         echo(ipaddress.ip_address(int(ipaddress.ip_address(sessions.carol)) + 1))),
        ("outer source nobody has", "outer-peer", STRANGER, echo(good)),
        ("multicast source", "src-multicast", SITE, echo("ff02::1")),
        ("loopback source", "src-loopback", SITE, echo("::1")),
        ("mapped source", "src-mapped", SITE, echo("::ffff:192.0.2.2")),
        ("compatible source", "src-compatible", SITE, echo("::192.0.2.2")),
        ("unspecified source", "src-unspecified", SITE, echo("::")),
        ("says longer than it is", "truncated", SITE,
         lambda name: ipv6(good, SIX, icmp6(good, SIX, 128, 0, name), length=len(name) + 400)),
        ("cut in its payload", "truncated", SITE, cut(echo(good), 50)),
        ("cut in its header", "outer-short", SITE, cut(echo(good), 39)),
        ("almost nothing", "outer-short", SITE, cut(echo(good), 1)),
        ("empty", "outer-short", SITE, cut(echo(good), 0)),
        ("IPv4 inside", "not-ipv6", SITE,
         lambda name: struct.pack("!BBHHHBBH4s4s", 0x45, 0, 48 + len(name), 1, 0, 64, 17, 0,
                                  socket.inet_aton(SITE), socket.inet_aton(SERVER)) +
         b"\0" * 28 + name),
        ("version 5", "not-ipv6", SITE, lambda name: b"\x50" + echo(good)(name)[1:]),
        ("6to4 back to the server", "loop", SITE, echo(good, six_to_four(SERVER))),
        ("ISATAP back to the server", "loop", SITE, echo(good, isatap(bob, SERVER))),
    ]


def test_hostile_packets(sessions):
    table = hostile(sessions)
    expected = collections.Counter()
    with Capture(sessions.lab.server, "dtcps0") as inside, \
            Capture(sessions.lab.server, "six0", "ip6") as beyond:
        before = sessions.server.counters()
        for number, (_, counter, source, build) in enumerate(table):
            sessions.outside.send(source, SERVER, build(f"<hostile {number}>".encode()))
            expected[counter] += 1
        # Packets stay in order: when the good one is there, the others would have been too.
        good = echo_request(sessions.alice[1], SIX, data=b"<good>")
        sessions.outside.send(SITE, SERVER, good)
        inside.wait_for(lambda packet: b"<good>" in bytes(packet), "a good packet comes through")
        beyond.wait_for(lambda packet: b"<good>" in bytes(packet), "a good packet gets there")

        seen = b"".join(bytes(packet) for packet in inside.stop() + beyond.stop())
        through = [what for number, (what, *_) in enumerate(table)
                   if f"<hostile {number}>".encode() in seen]
        assert through == []

    def counted():
        after = sessions.server.counters()
        return {name: after.get(name, 0) - before.get(name, 0) for name in expected}

    try:
        until(lambda: counted() == expected, "all are counted", 3)
    except AssertionError:
        assert counted() == expected
        raise


def test_each_reason_alone(sessions):
    """The same packets one by one: the counter that moves is the right one, and only that."""
    before = sessions.dropped()

    def moved():
        """What has changed, and what is there now. The kernel may pass the next packet on before
        forward has looked at this one."""
        after = sessions.dropped()
        return [(name, value - before.get(name, 0)) for name, value in after.items()
                if value != before.get(name, 0)], after

    for number, (what, counter, source, build) in enumerate(hostile(sessions)):
        sessions.outside.send(source, SERVER, build(b"<alone>"))
        sessions.passed(number)
        changed, after = until(lambda: (found := moved())[0] and found, f"{what} is counted")
        assert changed == [(counter, 1)], what
        before = after


def test_what_is_theirs_comes_through(sessions):
    """The filter lets each session's own sources pass, all of them."""
    alice = sessions.alice
    with Capture(sessions.lab.server, "six0", "icmp6 and ip6[40] == 128") as beyond:
        before = sessions.dropped()
        sources = [(SITE, alice[0]), (SITE, alice[1]), (SITE, alice[-1]), (OTHER, sessions.bob[7]),
                   ("192.0.2.4", sessions.carol)]
        for outer, inner in sources:
            sessions.outside.send(outer, SERVER, echo_request(inner, SIX, data=b"fine"))
        for _, inner in sources:
            beyond.wait_for(lambda packet, inner=inner: packet[IPv6].src == str(inner), str(inner))
        assert sessions.dropped() == before


def test_user_to_user(sessions):
    """Two users reach each other through the server; their packets are filtered just so."""
    inner = echo_request(sessions.alice[5], sessions.bob[6], data=b"neighbour")
    sessions.outside.send(SITE, SERVER, inner)
    destination, packet = sessions.answer(lambda packet: packet.endswith(b"neighbour"))
    assert destination == OTHER
    assert packet[8:40] == inner[8:40]
    assert packet[7] == inner[7] - 1, "the server is a hop"


def test_hop_limit_ends(sessions):
    """A packet on its last hop is not carried on; the server says so."""
    sessions.outside.send(SITE, SERVER, echo_request(sessions.alice[1], SIX, hop_limit=1))
    destination, packet = sessions.answer(lambda packet: packet[40] == 3)
    assert destination == SITE
    assert packet[41] == 0, "exceeded in transit"


def test_traffic_class(sessions):
    """DSCP and ECN outside come from inside on the way out (RFC 6040)."""
    lab = sessions.lab
    with Capture(lab.server, "up0", "ip proto 41", direction="out") as seen:
        for value in (0, 0xB8, 0xB9, 0x02):
            inner = echo_request(sessions.alice[1], SIX, number=value + 1, traffic_class=value)
            sessions.outside.send(SITE, SERVER, inner, tos=value)
            # Linux answers an echo with the traffic class of the request.
            packet = seen.wait_for(lambda p, n=value + 1: ICMPv6EchoReply in p and
                                   p[ICMPv6EchoReply].seq == n, hex(value))
            assert packet["IP"].tos == packet[IPv6].tc


def test_congestion_marks(sessions):
    """A mark made outside reaches those who know ECN, and is a loss for those who do not."""
    before = sessions.server.counters()
    with Capture(sessions.lab.server, "dtcps0", "icmp6") as inside:
        send = sessions.outside.send
        source = sessions.alice[1]
        send(SITE, SERVER, echo_request(source, SIX, number=1, traffic_class=2), tos=3)
        send(SITE, SERVER, echo_request(source, SIX, number=2, traffic_class=0), tos=3)
        send(SITE, SERVER, echo_request(source, SIX, number=3, traffic_class=0), tos=0)
        inside.wait_for(lambda p: ICMPv6EchoRequest in p and p[ICMPv6EchoRequest].seq == 3,
                        "the unmarked packet")
        seen = {p[ICMPv6EchoRequest].seq: p[IPv6].tc for p in inside.stop()
                if ICMPv6EchoRequest in p}
        assert seen == {1: 3, 3: 0}
    assert sessions.server.counters().get("ecn", 0) == before.get("ecn", 0) + 1


def test_client_filters_too(internet):
    """The client takes packets from its server only, and none that are malformed."""
    internet.dtcps()
    client = internet.dtcpclient()
    inside = client.prefix()
    ping(internet.site, SIX)
    outside = Outside(internet.net)
    with Capture(internet.site, "dtcp0") as seen:
        router = inside[-1] - (2 ** 64 - 2)

        def send(source, inner):
            outside.send(source, SITE, inner)

        send(SITE_NET, echo_request(SIX, router, data=b"<hostile>"))
        send(SERVER, echo_request("ff02::1", router, data=b"<hostile>"))
        send(SERVER, echo_request("::1", router, data=b"<hostile>"))
        send(SERVER, echo_request("::ffff:1.2.3.4", router, data=b"<hostile>"))
        send(SERVER, ipv6(SIX, router, b"<hostile>", length=900))
        send(SERVER, b"\x40" + echo_request(SIX, router, data=b"<hostile>")[1:])
        send(SERVER, echo_request(SIX, six_to_four(SITE), data=b"<hostile>"))
        send(SERVER, echo_request(SIX, router, data=b"<good>"))
        seen.wait_for(lambda packet: b"<good>" in bytes(packet), "the good packet")
        assert not any(b"<hostile>" in bytes(packet) for packet in seen.stop())
    assert client.running()
