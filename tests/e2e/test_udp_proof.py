# SPDX-License-Identifier: BSD-2-Clause
"""Proof of address (docs/protocol.md, section 2.2): nobody can have their download sent to somebody
else, and whoever really moves notices next to nothing."""

import random
import socket

import pytest

from lab.capture import Capture
from lab.outside import Outside, echo_request, ipv4_header
from lab.probe import UdpClient
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping_once
from lab.wait import until

AWAY = "192.0.2.9"
VICTIM = "192.0.2.77"  # nobody has it: the server's packets for it are seen on their way
VICTIM_PORT = 7777
NEVER = "2001:db8:1ff::1"  # in the pool, far from anybody's
HEADERS = 28


class Forger:
    """Sends UDP to the server from the victim's address, and knows how much."""

    def __init__(self, client):
        self.client = client
        self.raw = Outside(client.node)
        self.sent = []  # octets of each payload

    def send(self, data):
        udp = VICTIM_PORT.to_bytes(2, "big") + self.client.port.to_bytes(2, "big") + \
            (8 + len(data)).to_bytes(2, "big") + bytes(2) + data
        header = ipv4_header(VICTIM, SERVER, len(udp), protocol=socket.IPPROTO_UDP)
        self.raw.sender.sendto(header + udp, (SERVER, 0))
        self.sent.append(len(data))


@pytest.fixture
def scene(internet):
    internet.site.ip("addr", "add", f"{AWAY}/24", "dev", "up0")
    return internet


def download(lab, client, count=300):
    """What alice's download sends, far more than any limit: small and large packets."""
    with lab.six.inside():
        out = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with out:
        for number in range(count):
            out.sendto(bytes(1000 if number % 3 else 1), (str(client.inside), 9))


def unproven(lab, server):
    """How many packets were left out, all that have been sent by now looked at."""
    before = server.counters().get("no-route", 0)

    def looked_at():
        # They come in order through the server's interface, and this one behind them.
        ping_once(lab.six, NEVER, wait=0.01)
        return server.counters().get("no-route", 0) > before

    until(looked_at, "the server has looked at all packets")
    return server.counters().get("unproven", 0)


def test_victim(scene):
    """Hellos, guesses and data with a forged source: the victim gets at most three times what was
    sent in its name, and alice is as well as before when she says where she is."""
    server = scene.dtcps("-U")
    alice = UdpClient(scene.site, source=SITE)
    alice.learn()
    alice.works(1)
    forger = Forger(alice)
    guess = random.Random(4028)
    with Capture(scene.server, "up0", f"udp and dst host {VICTIM}") as seen:
        forger.send(alice.make_hello())
        server.wait_log(rf"packets come from here user=alice .*address={VICTIM} ")
        for number in range(40):
            forger.send(alice.make_hello(proof=guess.randint(1, 0xFFFFFF)))
            forger.send(echo_request(alice.inside, SIX, number, bytes(number * 20)))
            download(scene, alice, 10)
        download(scene, alice)
        assert unproven(scene, server) > 200
        alice.learn()
        alice.works(2)
        got = [len(packet["UDP"].payload) for packet in seen.stop()]
    assert got, "the victim gets answers at least"
    assert sum(got) <= 3 * sum(forger.sent)
    assert sum(got) + HEADERS * len(got) <= 3 * (sum(forger.sent) + HEADERS * len(forger.sent))


def test_whoever_moves(scene):
    """One round trip after the first hello there is no limit, and none at the login's address."""
    server = scene.dtcps("-U")
    alice = UdpClient(scene.site, source=SITE)
    assert alice.learn().proof == 0
    away = alice.another_socket(AWAY)
    alice.hello(away)
    number = alice.answer(via=away).proof
    assert number != 0
    alice.hello(away)
    assert alice.answer(via=away).proof == 0
    for via in (away, alice.another_socket(AWAY), alice.socket):
        alice.hello(via)
        assert alice.answer(via=via).proof == 0
        download(scene, alice, 100)
        alice.works(3, via)
    assert unproven(scene, server) == 0


def test_client_without_proofs(scene):
    """It has what it had at its login's address; elsewhere three times what it sends, until it logs
    in again."""
    server = scene.dtcps("-U")
    alice = UdpClient(scene.site, source=SITE, proves=False)
    alice.learn()
    away = alice.another_socket(AWAY)
    for number in range(1, 5):
        assert alice.learn(away).proof != 0
        alice.works(number, away)
    download(scene, alice)
    counted = unproven(scene, server)
    assert counted > 200
    alice.works(5, away)
    alice.learn()
    download(scene, alice, 100)
    alice.works(6)
    again = UdpClient(scene.site, source=AWAY, proves=False)
    assert again.learn().proof == 0
    download(scene, again, 100)
    again.works(7)
    assert unproven(scene, server) == counted
