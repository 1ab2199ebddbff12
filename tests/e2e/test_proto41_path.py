# SPDX-License-Identifier: BSD-2-Clause
"""The path of protocol 41, while the control connection lives: watched by both ends, without the
help of anybody's firewall, and kept open by what they ask. Time passes faster here."""

import re
import struct

import pytest

from lab.clock import Clocks
from lab.nat import drop
from lab.outside import Outside
from lab.programs import router_address
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping, ping_once
from lab.wait import pass_time, until
from lab.wire import FakeServer

SPEED = 5
DEAD = "nothing comes over protocol 41 any more"
BACK = "packets come over protocol 41 again"
ANSWERS = "the far end answers over protocol 41"
SILENT = "the far end does not answer over protocol 41"
PREFIX = "2001:db8:100:100::/56"


@pytest.fixture
def hasty(internet):
    Clocks(internet, SPEED)
    return internet


@pytest.mark.slow(25)
@pytest.mark.parametrize("lost", ["ip protocol 41", f"ip saddr {SITE} ip protocol 41"],
                         ids=["both ways", "to the server"])
def test_dead_and_back(hasty, lost):
    """Each end says so once, also where the other one still hears it; and the tunnel stays."""
    server = hasty.dtcps()
    client = hasty.dtcpclient()
    inside = router_address(client.wait_up()["prefix"])
    ping(hasty.six, inside)
    client.wait_log(ANSWERS, 10 / SPEED)
    take_away = drop(hasty.net, lost)
    client.wait_log(DEAD, 90 / SPEED)
    server.wait_log(rf"{DEAD} user=alice peer={re.escape(SITE)}$", 90 / SPEED)
    assert server.counters()["dead-paths"] == 1
    client.counters()
    assert re.search("status: up: .*, but nothing comes through it$", client.log(), re.MULTILINE)
    take_away()
    client.wait_log(BACK)
    server.wait_log(rf"{BACK} user=alice peer={re.escape(SITE)}$")
    assert "dead-paths" not in server.counters()
    ping(hasty.six, inside)
    for process in (client, server):
        assert len(re.findall(f"{DEAD}|{BACK}", process.log())) == 2
        assert not re.search("tunnel down|session lost|session down", process.log())


@pytest.mark.slow(25)
def test_dead_from_the_start(hasty):
    """Up is not all: whether anything passes is said within ten seconds, and when that changes."""
    hasty.dtcps()
    take_away = drop(hasty.net, "ip protocol 41")
    client = hasty.dtcpclient()
    client.wait_up()
    client.wait_log(f"{SILENT}, .*; --transport auto would try UDP as well server=", 10 / SPEED)
    client.counters()
    assert re.search("status: up: .*, but nothing comes through it$", client.log(), re.MULTILINE)
    take_away()
    # Such a one is asked once a minute.
    client.wait_log(ANSWERS, 90 / SPEED)
    client.counters()
    assert re.search(r"status: up: .*, the far end answers, round-trip time [\d.]+ ms$", client.log(), re.MULTILINE)
    assert len(re.findall(f"{DEAD}|{BACK}|{SILENT}|{ANSWERS}", client.log())) == 2


@pytest.mark.slow(20)
def test_auto_changes(hasty):
    """To UDP, with the same tunnel."""
    server = hasty.dtcps("-U")
    client = hasty.dtcpclient("-l", "--transport", "auto")
    inside = router_address(client.wait_up()["prefix"])
    drop(hasty.net, "ip protocol 41")
    client.wait_log(f"{DEAD}; changing to UDP", 90 / SPEED)
    # With other words for the script, so it is said anew.
    client.wait_log("tunnel up(.|\n)*tunnel up")
    ping(hasty.six, inside)
    assert "tunnel down" not in client.log() and "client quit" in server.log()


@pytest.mark.slow(10)
def test_behind_a_stateful_firewall(hasty):
    """It lets in what belongs to something that went out, for six seconds, or thirty in here."""
    hasty.dtcps()
    client = hasty.dtcpclient()
    inside = router_address(client.wait_up()["prefix"])
    hasty.net.sysctl("net.netfilter.nf_conntrack_generic_timeout", 6)
    drop(hasty.net, "iifname server0 ip protocol 41 ct state new")
    ping(hasty.site, SIX)
    # Nothing of the site's own is to keep it open.
    hasty.site.nft("table ip6 quiet { chain c { type filter hook output priority 0;"
                   " oifname dtcp0 icmpv6 type != echo-reply drop; }; }")
    pass_time(10, client.running, "the client runs")
    assert ping_once(hasty.six, inside).returncode == 0


def test_no_firewall_decides(internet):
    """Neither machine lets any ICMPv6 into or out of the tunnel."""
    for node in (internet.site, internet.server):
        node.nft("table ip6 deaf {"
                 " chain i { type filter hook input priority 0; meta l4proto icmpv6 drop; };"
                 " chain o { type filter hook output priority 0; meta l4proto icmpv6 drop; }; }")
    internet.dtcps("-U")
    client = internet.dtcpclient("--transport", "auto")
    client.wait_up()
    assert "changing" not in client.log()


@pytest.mark.slow(15)
def test_old_server(hasty):
    """One that answers no echo is asked seldom, and that it has said nothing at all is told once."""
    FakeServer(hasty.server, lambda peer: peer.serve(f"+OK {SITE} {SERVER} {PREFIX}"))
    old = Outside(hasty.server)
    client = hasty.dtcpclient()
    client.wait_up()
    numbers = []

    def asked():
        received = old.receive(watching=True)
        if received:
            numbers.append(struct.unpack("!H", received[2][46:48])[0])
        return len(numbers) == 6

    # Five at once, and one after a minute.
    until(asked, lambda: f"it is asked again; {numbers}", 90 / SPEED)
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert DEAD not in client.log() and client.log().count(SILENT) == 1
