# SPDX-License-Identifier: BSD-2-Clause
"""The words on the wire: old clients and old servers must not notice that there is anything new."""

import re

import pytest

from lab.outside import Outside, echo_request
from lab.probe import UDP_PORT, UdpClient
from lab.programs import PASSWORD
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping
from lab.wire import FakeServer, Wire, response

PREFIX = "2001:db8:100:100::/56"


@pytest.mark.parametrize("kind", ["tunnelonly", "host", "network", "tunnelroute"])
def test_four_words(internet, kind):
    """A client that knows four words gets the reply it always got, and a tunnel."""
    internet.dtcps("-U")
    with Wire(internet.site) as wire:
        words = wire.login("alice", kind)
        assert words[:2] == [SITE, SERVER]
        assert not [word for word in words if "=" in word]
        assert len(words) == {"tunnelonly": 2, "host": 4}.get(kind, 3)
        if kind == "host":
            outside = Outside(internet.site)
            outside.send(SITE, SERVER, echo_request(words[2], SIX, 7))
            _, destination, packet = outside.receive()
            assert destination == SITE and packet[40] == 129


def test_client_without_u(internet):
    """Our own client without -U sends four words, to whatever server, and uses protocol 41."""
    internet.dtcps("-U")
    client = internet.dtcpclient("-d")
    client.wait_up()
    ping(internet.site, SIX)
    assert re.search(r"client: tunnel alice \S+ network$", client.log(), re.MULTILINE)
    assert "udp=" not in client.log()


class OldServer:
    """Four words, or authentication failed."""

    def __init__(self, node):
        self.requests = []
        FakeServer(node, self.talk)

    def talk(self, peer):
        peer.greet()
        while (line := peer.line()) is not None:
            words = line.split()
            if words[:1] != ["tunnel"]:
                peer.send("+OK hi, happy to hear from you")
                continue
            self.requests.append(words)
            good = words[1:] == ["alice", response("alice", peer.CHALLENGE, PASSWORD), "network"]
            peer.send(f"+OK {SITE} {SERVER} {PREFIX}" if good else "-ERR authentication failed.")


def test_old_server(internet):
    """The client without -U against a server that refuses a fifth word."""
    old = OldServer(internet.server)
    client = internet.dtcpclient()
    assert client.wait_up()["prefix"] == PREFIX
    assert [len(request) for request in old.requests] == [4]
    assert client.stop() == 0


def test_old_server_with_u(internet):
    """With -U it is refused there, and ends: it does not fall back to what was not asked for."""
    OldServer(internet.server)
    client = internet.dtcpclient("-U")
    assert client.wait() == 8
    assert "tunnel up" not in client.log()


def test_old_server_auto(internet):
    """auto asks with four words first."""
    old = OldServer(internet.server)
    client = internet.dtcpclient("-d", "--transport", "auto")
    client.wait_log(f"{PREFIX}")
    assert len(old.requests[0]) == 4


def test_server_that_ignores_the_word(internet):
    """A reply without a port and a session is no reply to a request for UDP."""
    FakeServer(internet.server, lambda peer: peer.serve(f"+OK {SITE} {SERVER} {PREFIX}"))
    client = internet.dtcpclient("-U")
    assert client.wait() == 7
    assert "UDP" in client.log()


def bad(word):
    return f"-ERR bad word after the tunnel type: {word} (for UDP: udp or udp=port)"


def ask(internet, *more, kind="network"):
    with Wire(internet.site) as wire:
        answer = wire.ask(wire.request("alice", kind, PASSWORD, *more))
        wire.ask("quit")
        return answer


@pytest.mark.parametrize("word", ["udp", "udp=1", "udp=65535", "udp=4028"])
@pytest.mark.parametrize("kind", ["tunnelonly", "host", "network"])
def test_reply(internet, word, kind):
    internet.dtcps("-U")
    address = r"[0-9a-f:]+"
    inside = {"tunnelonly": "", "host": f" {address} {address}", "network": f" {address}/56"}[kind]
    assert re.fullmatch(rf"\+OK {re.escape(SITE)} {re.escape(SERVER)}{inside}"
                        rf" udp={UDP_PORT} session=[0-9a-f]{{16}}", ask(internet, word, kind=kind))


@pytest.mark.parametrize("word", ["udp=", "udp=0", "udp=65536", "udp=-1", "udp=4028x", "udp=0x10",
                                  "udp=99999999999999999999"])
def test_impossible_port(internet, word):
    internet.dtcps("-U")
    assert ask(internet, word) == bad(word)


@pytest.mark.parametrize("udp", [(), ("-U",)], ids=["without udp", "with udp"])
def test_words_that_want_udp(internet, udp):
    """Nobody gets protocol 41 who has asked for UDP in words of their own."""
    internet.dtcps(*udp)
    for words, culprit in ((["udp:4028"], "udp:4028"), (["4028"], "4028"), (["udp", "4028"], "4028"),
                           (["UDP/4028"], "UDP/4028"), (["udp4028"], "udp4028"),
                           (["udp-port=4028"], "udp-port=4028"), (["udp", "=", "4028"], "=")):
        assert ask(internet, *words) == bad(culprit)


def test_words_repeated_or_unknown(internet):
    """A word that is not known is ignored; one that is said twice makes the request wrong."""
    internet.dtcps("-U")
    for words in (("udp", "udp"), ("udp=4028", "udp"), ("udp=4028", "udp=4028")):
        assert ask(internet, *words) == bad(words[1])
    assert "udp=4028" in ask(internet, "colour=blue", "udp")
    assert "udp=4028" in ask(internet, "udp", "shape")
    assert "udp=" not in ask(internet, "colour=blue")


def test_refused_after_the_login_only(internet):
    """Who has no password does not find out what the server can."""
    internet.dtcps()
    with Wire(internet.site) as wire:
        assert wire.ask(wire.request("alice", "network", "wrong", "udp")) == \
            "-ERR authentication failed."
        assert wire.ask(wire.request("alice", "network", PASSWORD, "udp")) == \
            "-ERR unsupported transport udp"
        # The connection is still good for what the server has.
        assert wire.login()[0] == SITE


def test_session_numbers_differ(internet):
    internet.dtcps("-U")
    seen = set()
    for _ in range(20):
        with UdpClient(internet.site) as client:
            assert int(client.session, 16) != 0
            seen.add(client.session)
            client.wire.ask("quit")
    assert len(seen) == 20


@pytest.mark.parametrize("words, what", [
    (("-U", "-b", "65536"), "-b"), (("-U", "-b", "x"), "-b"), (("-U", "-B", "0"), "-B"),
    (("-B", "5000"), "-B"), (("-U", "-m", "1473"), "1472"),
    (("--transport", "auto", "-m", "1480"), "1472"), (("--transport", "tcp"), "auto"),
    (("--transport", ""), "auto"),
])
def test_client_options(internet, words, what):
    client = internet.dtcpclient(*words)
    assert client.wait() == 2
    [line] = client.log().splitlines()
    assert what in line


@pytest.mark.parametrize("words, what", [
    (("-U", "-b", "0"), "-b"), (("-o", "udp.port=65536"), "udp.port"),
    (("-o", "udp.enable=maybe"), "udp.enable"), (("-b", ""), "-b"),
])
def test_server_options(internet, words, what):
    server = internet.dtcps(*words, wait=False)
    assert server.wait() == 2
    [line] = server.log().splitlines()
    assert what in line
