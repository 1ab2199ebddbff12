# SPDX-License-Identifier: BSD-2-Clause
"""--transport auto: protocol 41 where it works, else UDP, without being asked."""

import re
import signal
import time

import pytest

from lab.capture import Capture
from lab.nat import drop
from lab.programs import router_address
from lab.topology import SITE, SIX
from lab.traffic import ping
from lab.wait import slow

CHANGING = "changing to UDP"
AUTO = ("--transport", "auto")


def requests(client):
    """The types and extensions of the requests that the client has sent, as -d shows them."""
    return re.findall(r"tunnel alice \S+ (\w.*)$", client.log(), re.MULTILINE)


@pytest.mark.parametrize("kind", ["tunnelonly", "host", "network", "numbered"])
def test_stays_with_protocol_41(internet, kind):
    internet.dtcps("-U", *(["-a"] if kind == "numbered" else []))
    with Capture(internet.server, "up0", "udp port 4028") as udp:
        started = time.monotonic()
        client = internet.dtcpclient("-d", *AUTO, type="network" if kind == "numbered" else kind)
        client.wait_up()
        assert time.monotonic() - started < 3 * slow(), "the far end has answered at once"
        if kind != "tunnelonly":
            ping(internet.site, SIX)
        assert udp.stop() == []
    assert CHANGING not in client.log() and len(requests(client)) == 1
    assert "udp" not in requests(client)[0]


@pytest.mark.parametrize("kind", ["tunnelonly", "host", "network"])
@pytest.mark.parametrize("style", ["masquerade", "masquerade fully-random"])
def test_nat_found(lab, style, kind):
    """One line says so, and the tunnel comes up over UDP; the port is any."""
    lab.internet(nat=[style, "masquerade"])
    lab.users.add_alice()
    lab.dtcps("-U")
    client = lab.dtcpclient(*AUTO, type=kind)
    up = client.wait_up(5)
    lines = [line for line in client.log().splitlines() if "fast path" not in line]
    assert len([line for line in lines if CHANGING in line]) == 1, client.log()
    assert len(lines) == 2, client.log()
    assert "NAT" in lines[0] and SITE in lines[0]
    if kind == "network":
        ping(lab.six, router_address(up["prefix"]))
    if kind != "tunnelonly":
        ping(lab.site, SIX)
    assert client.stop() == 0


@pytest.mark.parametrize("kind", ["tunnelonly", "host", "network"])
@pytest.mark.parametrize("lost", ["ip protocol 41", f"ip saddr {SITE} ip protocol 41",
                                  f"ip daddr {SITE} ip protocol 41"],
                         ids=["both ways", "to the server", "to the site"])
def test_protocol_41_blocked(internet, kind, lost):
    """A firewall without NAT: no echo comes back, so UDP it is, within seconds."""
    drop(internet.net, lost)
    internet.dtcps("-U")
    started = time.monotonic()
    client = internet.dtcpclient(*AUTO, type=kind)
    up = client.wait_up(15)
    assert 4 < time.monotonic() - started < 10 * slow()
    [line] = [line for line in client.log().splitlines() if CHANGING in line]
    assert "protocol 41" in line
    if kind == "network":
        ping(internet.six, router_address(up["prefix"]))
    if kind != "tunnelonly":
        ping(internet.site, SIX)
    assert "dtcp0" in internet.site.links()


def test_remembered(internet):
    """What worked is asked for at once in the next session, and nothing is said about it."""
    drop(internet.net, "ip protocol 41")
    server = internet.dtcps("-U")
    client = internet.dtcpclient("-d", "-l", *AUTO)
    first = client.wait_up(15)
    since = client.mark()
    started = time.monotonic()
    client.send_signal(signal.SIGHUP)
    assert client.wait_up(15, since)["prefix"] == first["prefix"]
    assert time.monotonic() - started < 4 * slow()
    since = client.mark()
    assert server.stop() == 0
    client.wait_log("next attempt", since=since)
    internet.dtcps("-U")
    client.wait_log("tunnel (up|goes on)", 15, since=since)
    ping(internet.site, SIX)
    assert client.log().count(CHANGING) == 1
    assert requests(client) == ["network", "network udp", "network udp", "network udp"]


def test_protocol_41_is_remembered_too(internet):
    internet.dtcps("-U")
    client = internet.dtcpclient("-d", *AUTO)
    client.wait_up()
    since = client.mark()
    client.send_signal(signal.SIGHUP)
    client.wait_up(since=since)
    assert requests(client) == ["network", "network"] and CHANGING not in client.log()


@pytest.mark.slow(30)
def test_everything_blocked(internet):
    """Protocol 41 first, then UDP, then said; with -l it begins anew with protocol 41."""
    drop(internet.net, "ip protocol 41")
    drop(internet.net, "ip protocol udp")
    internet.dtcps("-U")
    client = internet.dtcpclient("-d", "-l", *AUTO)
    client.wait_log("firewall", 60)
    assert requests(client) == ["network", "network udp"]
    client.wait_log("firewall(.|\n)*network$", 30)
    assert requests(client)[:3] == ["network", "network udp", "network"]
    assert "tunnel up" not in client.log()


def test_server_without_udp(lab):
    """Behind a NAT with a server that knows no UDP: said plainly."""
    lab.internet(nat=True)
    lab.users.add_alice()
    lab.dtcps()
    client = lab.dtcpclient(*AUTO)
    assert client.wait() == 9
    assert CHANGING in client.log() and "does not offer tunnels over UDP" in client.log()


def test_default_is_protocol_41(lab):
    """Without the option everything is as it always was."""
    lab.internet(nat=True)
    lab.users.add_alice()
    lab.dtcps("-U")
    client = lab.dtcpclient()
    assert client.wait() == 10
    assert CHANGING not in client.log()


@pytest.mark.parametrize("words", [("-U",), ("--transport", "udp")])
def test_two_words_for_udp(internet, words):
    internet.dtcps("-U")
    client = internet.dtcpclient("-d", *words)
    client.wait_up()
    assert requests(client) == ["network udp=4028"]


def test_auto_and_roaming(masked):
    """Where auto has chosen UDP, the tunnel roams like any."""
    masked.add_mobile()
    server = masked.dtcps("-U")
    client = masked.dtcpclient(*AUTO)
    inside = router_address(client.wait_up()["prefix"])
    [link] = masked.site.ip_json("link", "show", "dev", "dtcp0")
    masked.go_mobile()
    server.wait_log(r"session up user=alice peer=198\.18\.0\.2 ", 30)
    client.wait_log("tunnel goes on|tunnel up(.|\n)*tunnel up")
    ping(masked.six, inside)
    assert "tunnel down" not in client.log()
    assert masked.site.ip_json("link", "show", "dev", "dtcp0")[0]["ifindex"] == link["ifindex"]


def test_carried_behind_a_nat(internet):
    """auto that has come up over protocol 41, and then moves behind a NAT: changes to UDP."""
    internet.add_mobile()
    internet.dtcps("-U")
    client = internet.dtcpclient("-l", *AUTO)
    inside = router_address(client.wait_up()["prefix"])
    internet.go_mobile()
    client.wait_log(CHANGING, 30)
    ping(internet.six, inside, seconds=30)
