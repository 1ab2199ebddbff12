# SPDX-License-Identifier: BSD-2-Clause
"""The client against a server by hand: its hellos, and the answers that it must not believe."""

import re
import socket
import struct
import time

import pytest

from lab.capture import Capture
from lab.manager import Manager
from lab.outside import echo_request
from lab.probe import ANSWER, HELLO, SIZE, UDP_PORT, probe, probe_key
from lab.programs import PASSWORD
from lab.sockets import Datagrams
from lab.topology import SERVER, SERVER_NET, SITE, SITE_NET, SIX
from lab.wait import slow, until
from lab.wire import FakeServer, Peer

SESSION = "00c0ffee00000001"
PREFIX = "2001:db8:100:100::/56"
INSIDE = "2001:db8:100:1ff::1"
KEY = probe_key(PASSWORD, "alice", Peer.CHALLENGE, SESSION)


class ByHand(Datagrams):
    """Logs everybody in, and hears hellos; answers as told."""

    def __init__(self, lab, reply=f"+OK {SITE} {SERVER} {PREFIX} udp={UDP_PORT} session={SESSION}"):
        self.fake = FakeServer(lab.server, lambda peer: peer.serve(reply))
        self.hellos = []  # (when, from where, datagram)
        self.data = []
        self.counter = 0
        self.answering = None
        super().__init__(lab.server, (SERVER, UDP_PORT))

    def received(self, data, source):
        if len(data) != SIZE or data[0] != HELLO:
            self.data.append((data, source))
            return
        self.hellos.append((self.when, source, data))
        if self.answering:
            for answer in self.answering(data):
                self.socket.sendto(answer, source)

    def answer(self, hello, **more):
        """A good answer, or what it is made into."""
        self.counter += 1
        [clock] = struct.unpack("!I", hello[4:8])
        return probe(more.get("kind", ANSWER), more.get("key", KEY), more.get("session", SESSION),
                     more.get("counter", self.counter), more.get("clock", clock))

    def good(self, hello):
        return [self.answer(hello)]

    def wait_hellos(self, count, seconds=15):
        until(lambda: len(self.hellos) >= count,
              lambda: f"{count} hellos; {len(self.hellos)} have come", seconds)


def test_hellos(internet):
    """At once, after 0.5, 1 and 2 s; each is right to the last bit, each has a higher counter."""
    server = ByHand(internet)
    internet.dtcpclient("-U")
    server.wait_hellos(5)
    last = 0
    for _, source, data in server.hellos:
        assert source == (SITE, UDP_PORT)
        clock, session, counter = struct.unpack("!I8sQ", data[4:24])
        assert data == probe(HELLO, KEY, SESSION, counter, clock)
        assert data[1:4] == b"\0\0\0" and session.hex() == SESSION
        assert counter > last
        last = counter
    times = [when for when, *_ in server.hellos]
    for gap, want in zip([b - a for a, b in zip(times, times[1:])], (0.5, 1, 2, 2)):
        assert want - 0.1 < gap < want + 0.3 * slow(), times
    # The clock on the wire runs with ours.
    clocks = [struct.unpack("!I", data[4:8])[0] for *_, data in server.hellos]
    passed = ((clocks[4] - clocks[0]) & 0xFFFFFFFF) / 1000
    assert abs(passed - (times[4] - times[0])) < 0.2 * slow()


@pytest.mark.slow(35)
def test_every_twenty_seconds(internet):
    """Once answered, every 20 s; one that is not answered is soon repeated."""
    # What the kernel sends by itself, and nobody answers, would bring hellos forward.
    internet.site.sysctl("net.ipv6.conf.default.router_solicitations", 0)
    server = ByHand(internet)
    server.answering = server.good
    client = internet.dtcpclient("-U", "--route", "none")
    client.wait_up()

    def last_gap():
        return server.hellos[-1][0] - server.hellos[-2][0] if len(server.hellos) > 1 else 0

    until(lambda: last_gap() > 15, "a gap between hellos", 60)
    assert 19.5 < last_gap() < 20 + 1 * slow()
    server.answering = None
    count = len(server.hellos)
    server.wait_hellos(count + 3, 30)
    times = [when for when, *_ in server.hellos[-3:]]
    assert 0.4 < times[1] - times[0] < 0.5 + 0.3 * slow()
    assert 0.9 < times[2] - times[1] < 1 + 0.3 * slow()
    assert client.running()


def test_hello_when_nothing_comes_back(internet):
    """Packets go out for 5 s and none comes in: perhaps a NAT has forgotten us."""
    # What the kernel sends by itself is a packet as well.
    internet.site.sysctl("net.ipv6.conf.default.router_solicitations", 0)
    server = ByHand(internet)
    server.answering = server.good
    client = internet.dtcpclient("-U")
    client.wait_up()
    started = time.monotonic()
    count = len(server.hellos)
    internet.site.run("ping", "-6", "-c", "1", "-W", "1", SIX, check=False)
    server.wait_hellos(count + 1)
    assert 4.5 < server.hellos[count][0] - started < 6 + 1 * slow()


def test_hello_when_a_route_changes(internet):
    """Whatever it is: the way out may be another one now."""
    internet.site.sysctl("net.ipv6.conf.default.router_solicitations", 0)
    server = ByHand(internet)
    server.answering = server.good
    client = internet.dtcpclient("-U", "--route", "none")
    client.wait_up()
    until(lambda: time.monotonic() - server.hellos[-1][0] > 3, "making the tunnel is over")
    count = len(server.hellos)
    internet.site.ip("route", "add", "198.51.101.0/24", "via", SITE_NET)
    # The next one would come 20 s after the last.
    server.wait_hellos(count + 1, 5)
    assert len(server.fake.peers) == 1


def test_round_trip_time(internet):
    """Shown at SIGUSR1, and by a service manager."""
    server = ByHand(internet)

    def late(hello):
        time.sleep(0.05)  # on the way
        return server.good(hello)

    server.answering = late
    with Manager(internet) as manager:
        client = internet.dtcpclient("-U")
    text = manager.wait("STATUS", lambda text: "round-trip time" in text).what["STATUS"]
    [time_ms] = re.findall(r", interface dtcp0, over UDP, round-trip time ([0-9.]+) ms$", text)
    assert 50 <= float(time_ms) < 1000 * slow()
    assert 50000 <= client.counters()["rtt-us"] < 1000000 * slow()


def spoilt(answer):
    """Its last octet is another one, whatever it was."""
    return answer[:-1] + bytes([answer[-1] ^ 1])


BAD = {
    "wrong code": lambda server, hello: spoilt(server.answer(hello)),
    "key of another password": lambda server, hello: server.answer(hello, key=probe_key(
        "guess", "alice", Peer.CHALLENGE, SESSION)),
    "another session": lambda server, hello: server.answer(hello, session="00c0ffee00000002"),
    "the hello sent back": lambda server, hello: hello,
    "39 octets": lambda server, hello: server.answer(hello)[:-1],
    "41 octets": lambda server, hello: server.answer(hello) + b"\0",
    "counter 0": lambda server, hello: server.answer(hello, counter=0),
    "unknown kind": lambda server, hello: server.answer(hello, kind=0xD2),
    "empty": lambda server, hello: b"",
}


@pytest.mark.parametrize("bad", [*BAD, "another port", "another address"])
def test_bad_answers(internet, bad):
    """None of them makes the data path live; the first good answer does."""
    server = ByHand(internet)
    with internet.server.inside():
        elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    internet.server.ip("addr", "add", "198.51.100.9/24", "dev", "up0")
    elsewhere.bind((SERVER, 4029) if bad == "another port" else ("198.51.100.9", UDP_PORT))

    def send_bad(hello):
        if bad in BAD:
            return [BAD[bad](server, hello)]
        elsewhere.sendto(server.answer(hello), (SITE, UDP_PORT))
        return []

    server.answering = send_bad
    client = internet.dtcpclient("-U")
    server.wait_hellos(4)
    assert "tunnel up" not in client.log()
    server.answering = server.good
    client.wait_up()
    elsewhere.close()


def test_old_answers(internet):
    """Answers count upwards, too: a replayed one keeps nothing alive, but does no harm."""
    server = ByHand(internet)
    kept = []

    def twice(hello):
        kept.append(server.answer(hello))
        return [kept[0], kept[-1], kept[0]]

    server.answering = twice
    client = internet.dtcpclient("-U")
    client.wait_up()
    assert client.running()


def test_data_from_elsewhere(internet):
    """Data counts from the server's address and port only; and none that is malformed."""
    server = ByHand(internet)
    server.answering = server.good
    client = internet.dtcpclient("-U")
    client.wait_up()
    at = (SITE, UDP_PORT)
    sockets = []
    for node, address, port in ((internet.server, SERVER, 4029), (internet.net, SERVER_NET, 4028)):
        with node.inside():
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((address, port))
        sockets.append(made)
    hostile = echo_request(SIX, INSIDE, data=b"<hostile>")
    with Capture(internet.site, "dtcp0") as seen:
        for made in sockets:
            made.sendto(hostile, at)
            made.close()
        for data in (b"\x45" + hostile[1:], b"\x00" + hostile, echo_request("::1", INSIDE,
                     data=b"<hostile>"), hostile[:-4], echo_request(SIX, "2002:c000:202::1",
                                                                    data=b"<hostile>")):
            server.socket.sendto(data, at)
        server.socket.sendto(echo_request(SIX, INSIDE, data=b"<good>"), at)
        seen.wait_for(lambda packet: b"<good>" in bytes(packet), "the good packet")
        assert not any(b"<hostile>" in bytes(packet) for packet in seen.stop())
    until(lambda: [data for data, _ in server.data if b"<good>" in data], "an answer to it")
    assert client.running()


@pytest.mark.parametrize("words", [
    f"udp={UDP_PORT}", f"session={SESSION}", f"udp=0 session={SESSION}",
    f"udp={UDP_PORT} session=0000000000000000", f"udp={UDP_PORT} session=c0ffee",
    f"udp=x session={SESSION}", f"udp={UDP_PORT} session=00c0ffee0000000g", "udp",
])
def test_reply_without_sense(internet, words):
    """A port without a session, and the like, is not understood, and said to be so."""
    ByHand(internet, f"+OK {SITE} {SERVER} {PREFIX} {words}")
    client = internet.dtcpclient("-U")
    assert client.wait() == 7
    assert "not understood" in client.log()
