# SPDX-License-Identifier: BSD-2-Clause
"""Our client at KAME's server, KAME's client at our server, and servers that are odder still."""

import ipaddress

import pytest

from lab.kame import (CLIENT6, CLIENT_LINK, DENIED, GIF, HELP, INVALID, PING, PREFIX, SERVER6,
                      SERVER_LINK, KameClient, KameServer)
from lab.nat import drop
from lab.programs import HOST_PREFIX, HOST_SERVER, PASSWORD, POOL, router_address, write_auth
from lab.topology import SERVER, SERVER_NET, SITE, SIX
from lab.traffic import ping
from lab.wait import until
from lab.wire import FakeServer, Peer, response

KINDS = ["tunnelonly", "host", "network", "numbered"]
AUTO = ("--transport", "auto")
NO_UDP = "the server does not know tunnels over UDP"


def type_of(kind):
    return "network" if kind == "numbered" else kind


@pytest.mark.parametrize("kind", KINDS)
def test_kame_server(internet, kind):
    """Each type: the words, the tunnel, the pings and the quit."""
    kame = KameServer(internet.server, numbered=kind == "numbered")
    before = internet.site.state()["interfaces"]
    client = internet.dtcpclient("--keepalive", "1,10", type=type_of(kind))
    up = client.wait_up()
    assert (up["type"], up["local"], up["remote"]) == (type_of(kind), SITE, SERVER)
    ping(internet.site, f"{SERVER_LINK}%dtcp0")
    if kind in ("host", "numbered"):
        assert internet.site.addresses("dtcp0") == [CLIENT6]
        ping(internet.site, SERVER6)
        ping(internet.server, CLIENT6)
    if kind in ("network", "numbered"):
        assert up["prefix"] == PREFIX
        inside = CLIENT6 if kind == "numbered" else router_address(PREFIX)
        ping(internet.six, inside)
        ping(internet.site, SIX, source=inside)
    until(lambda: kame.heard.count(b"ping\r\n") >= 2, "two pings")
    assert client.stop() == 0
    until(lambda: kame.heard[-1] == b"quit\r\n", "a quit")
    digest = response("alice", Peer.CHALLENGE, PASSWORD)
    assert kame.heard[0] == f"tunnel alice {digest} {type_of(kind)}\r\n".encode()
    assert set(kame.heard[1:]) == {b"ping\r\n", b"quit\r\n"}
    assert internet.site.state()["interfaces"] == before


def test_kame_server_refuses(internet):
    kame = KameServer(internet.server, carries=False, idle=1)
    client = internet.dtcpclient(password="wrong")
    assert client.wait() == 8
    assert "authentication failed." in client.log()
    # Whoever asks for UDP, and nothing else, is told what it can be.
    client = internet.dtcpclient("-U")
    assert client.wait() == 8
    assert "does not know tunnels over UDP" in client.log()
    # Silence: its own words, which end the session at once.
    client = internet.dtcpclient("--keepalive", "60")
    assert client.wait() == 11
    assert "the server says: connection timed out, disconnecting" in client.log()
    assert [len(words) for words in kame.requests] == [3, 4, 3]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["\r\n", ""], ids=["lines", "bare words"])
def test_kame_client(internet, kind, end):
    server = internet.dtcps(*(["-a"] if kind == "numbered" else []))
    before = internet.server.links()
    with KameClient(internet.site, type_of(kind), end=end) as kame:
        assert kame.reply[:3] == ["+OK", SITE, SERVER]
        rest = kame.reply[3:]
        assert len(rest) == {"tunnelonly": 0, "host": 2, "network": 1, "numbered": 3}[kind]
        if kind in ("network", "numbered"):
            # There are clients that take the fourth word for the prefix.
            prefix = ipaddress.ip_network(rest.pop(0))
            assert prefix.subnet_of(POOL)
            inside = str(prefix[1])
            internet.site.ip("addr", "add", f"{inside}/128", "dev", GIF, "nodad")
            ping(internet.six, inside)
            ping(internet.site, SIX, source=inside)
        if rest:
            assert ipaddress.ip_address(rest[0]) in HOST_PREFIX and rest[1] == str(HOST_SERVER)
            ping(internet.site, HOST_SERVER, source=rest[0])
            ping(internet.six, rest[0])
        if kind == "tunnelonly":
            [device] = internet.server.links() - before
            ping(internet.server, f"{CLIENT_LINK}%{device}")
        assert kame.say("ping") == PING
        assert kame.say("quit").startswith("+OK ")
        assert kame.closed()
    server.wait_log(r"session down user=alice peer=192\.0\.2\.2 .*quit")


def test_kame_client_is_refused(internet):
    internet.dtcps()
    with KameClient(internet.site, "network", password="wrong") as kame:
        assert " ".join(kame.reply) == DENIED
        assert kame.say("help") == HELP
        assert kame.say("hello") == INVALID
        assert kame.say(kame.request(type="ether")) == "-ERR unsupported tunnel type ether"
        # The connection is open, and its challenge still good.
        assert kame.say(kame.request(type="network")).startswith(f"+OK {SITE} {SERVER} ")


@pytest.mark.parametrize("kind", ["tunnelonly", "network"])
def test_auto(internet, kind):
    """Without a NAT, nothing has to be changed; and the fifth word is never said."""
    kame = KameServer(internet.server)
    internet.dtcpclient(*AUTO, type=kind).wait_up()
    assert [len(words) for words in kame.requests] == [3]


@pytest.mark.parametrize("kind", ["tunnelonly", "host", "network"])
def test_auto_behind_a_nat(lab, kind):
    """The password was right a moment ago, so that is not what is said to be wrong."""
    lab.internet(nat=True)
    kame = KameServer(lab.server, carries=False)
    client = lab.dtcpclient(*AUTO, type=kind)
    assert client.wait() == 9
    assert "NAT found" in client.log() and NO_UDP in client.log()
    assert "password" not in client.log()
    assert [len(words) for words in kame.requests] == [3, 4]


def test_auto_behind_a_nat_goes_on(lab):
    """The client tries the alternative: here, another server."""
    lab.internet(nat=True)
    lab.users.add_alice()
    kame = KameServer(lab.net, address=SERVER_NET, carries=False)
    lab.dtcps("-U")
    write_auth(lab.site, "".join(f"{server}:alice:{PASSWORD}\n" for server in (SERVER_NET, SERVER)))
    client = lab.dtcpclient(*AUTO, SERVER_NET, password=None)
    client.wait_up()
    assert f"{NO_UDP} (server: authentication failed.); trying {SERVER}" in client.log()
    assert [len(words) for words in kame.requests] == [3, 4]
    ping(lab.site, SIX)


@pytest.mark.slow(6)
def test_auto_without_an_answer(internet):
    """A far end that answers no echo request, without a NAT: protocol 41 is all that is left."""
    kame = KameServer(internet.server)
    drop(internet.net, f"ip saddr {SERVER} ip protocol 41")
    client = internet.dtcpclient(*AUTO)
    assert client.wait_up(20)["prefix"] == PREFIX
    assert f"{NO_UDP} (server: authentication failed.); trying" in client.log()
    assert [len(words) for words in kame.requests] == [3, 4, 3]


OK = f"+OK {SITE} {SERVER}"
GREETING = f"+OK {Peer.CHALLENGE} dtcp server ready"
BELL = "\x1b]0;owned\x07\x1b[2J\x9b31m"


def odd_server(internet, reply, greeting=GREETING, answers=()):
    """Says this; then its answers, one to a line each, and what KAME's says after them."""
    left = list(answers)

    def talk(peer):
        peer.send(greeting)
        peer.line()
        peer.send(reply)
        while peer.line() is not None:
            peer.send(left.pop(0) if left else PING)

    FakeServer(internet.server, talk)


def is_clean(client):
    """Nothing of what was said reaches a terminal as anything but text."""
    return client.path.read_bytes().replace(b"\n", b"").decode("ascii").isprintable()


@pytest.mark.parametrize("greeting", [
    f"{GREETING} grüß dich, ようこそ", f"{GREETING} {BELL}", f"+OK {Peer.CHALLENGE} \t",
    "+OK " + "c" * 200 + " hello", "+OK " + "c" * 508], ids=["utf-8", "escapes", "blanks", "200", "508"])
def test_greeting(internet, greeting):
    challenge = greeting.split()[1]
    digest = response("alice", challenge, PASSWORD)
    heard = []

    def talk(peer):
        peer.send(greeting)
        heard.append(peer.line())
        peer.send(f"{OK} {PREFIX} ようこそ {BELL}")
        peer.line()

    FakeServer(internet.server, talk)
    client = internet.dtcpclient("-d")
    assert client.wait_up()["prefix"] == PREFIX
    assert heard == [f"tunnel alice {digest} network"]
    assert is_clean(client)


@pytest.mark.parametrize("words, prefix, warning", [
    (" 2001:db8:a00::1/48", "2001:db8:a00::/48", "bits set beyond its length"),
    (" 2001:db8:a00:ff::/56,2001:db8:a00:1::/56", "2001:db8:a00::/56",
     "bits set beyond its length"),
    ("", None, "lacks an IPv6 prefix"),
    (" welcome", None, "lacks an IPv6 prefix"),
    (f" {CLIENT6} {SERVER6}", None, "lacks an IPv6 prefix")])
def test_reply(internet, words, prefix, warning):
    """The usable part is used, and a warning logged."""
    odd_server(internet, OK + words)
    script = internet.file("script", f"#!/bin/sh\nenv >> {internet.dir}/said\n", 0o755)
    client = internet.dtcpclient("-s", script)
    up = client.wait_up()
    assert warning in client.log()
    assert up.get("prefix") == prefix
    kind = "network" if prefix else "tunnelonly"
    assert up["type"] == kind
    assert f"tuntype={kind}\n" in (internet.dir / "said").read_text()
    assert client.stop() == 0


def test_errors_to_pings(internet):
    """Two in a row, again and again: the session lives. Three: it ends, and that is why."""
    no = f"-ERR no ping here {BELL}"
    odd_server(internet, f"{OK} {PREFIX}", answers=[no, no, PING, no, no, PING, no, no, no])
    client = internet.dtcpclient("--keepalive", "1,10")
    client.wait_up()
    assert client.wait(30) == 11
    assert client.log().count("the server says: no ping here") == 7
    assert is_clean(client)


@pytest.mark.parametrize("where", ["greeting", "refusal", "farewell", "garbage"])
def test_escapes(internet, where):
    """Wherever a server puts them, with and without -d."""
    lines = {"greeting": [f"-ERR {BELL} ü"], "refusal": [GREETING, f"-ERR authentication {BELL}"],
             "farewell": [GREETING, f"{OK} {PREFIX}", f"-ERR account changed {BELL}"],
             "garbage": [f"{BELL} ü"]}[where]

    def talk(peer):
        peer.send(lines[0])
        for line in lines[1:]:
            peer.line()
            peer.send(line)

    FakeServer(internet.server, talk)
    for words in ((), ("-d",)):
        client = internet.dtcpclient("--keepalive", "1", *words)
        assert client.wait() != 0
        assert is_clean(client)
        assert where == "garbage" or r"\x1b]0;owned\x07" in client.log()
