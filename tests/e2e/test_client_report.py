# SPDX-License-Identifier: BSD-2-Clause
"""SIGUSR1: the client logs its status, and continues."""

import os
import signal

from lab.outside import Outside
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping, ping_once
from lab.wait import until


def test_counters(internet):
    """Counters of packets, and of drops by reason."""
    internet.dtcps()
    client = internet.dtcpclient()
    prefix = client.wait_up()["prefix"]
    ping(internet.site, SIX)
    before = client.counters()
    assert ping_once(internet.site, SIX, count=3, size=100).returncode == 0
    after = client.counters()
    # Three echo requests out, three replies in: 40 octets of IPv6, 8 of ICMPv6, 100 of data.
    for way in ("in", "out"):
        assert after[f"{way}-packets"] >= before[f"{way}-packets"] + 3
        assert after[f"{way}-bytes"] >= before[f"{way}-bytes"] + 3 * 148
    assert "not-ipv6" not in after and after["rtt-us"] > 0
    # Version 4 inside.
    Outside(internet.server).send(SERVER, SITE, b"\x45" + bytes(39))
    until(lambda: client.counters().get("not-ipv6") == 1, "it is counted")
    assert f"status: up: alice at 198.51.100.2 ({SERVER}), prefix {prefix}, interface dtcp0, " \
        "the far end answers, round-trip time " in client.log()
    assert client.stop() == 0


def test_every_process_gets_it(internet):
    """As pkill and service managers do it; also while there is no session."""
    server = internet.dtcps()
    client = internet.dtcpclient("-l")
    client.wait_up()
    server.kill()
    client.wait_log("session lost")
    since = client.mark()
    rooms = client.rooms()
    assert rooms.keys() == {"monitor", "guard", "control", "forward"}
    for pid in rooms.values():
        os.kill(pid, signal.SIGUSR1)
    client.wait_log("status: tunnel held, connecting again: ", since=since)
    client.wait_log("counter name=out-bytes ", since=since)
    internet.dtcps()
    client.wait_log("tunnel goes on", since=since)
    assert client.log().count("status: ") == 1
    assert client.rooms() == rooms


def test_tunnel_none(internet):
    """Without a forward room there is nothing to count."""
    internet.dtcps()
    client = internet.dtcpclient("--tunnel", "none", type="tunnelonly")
    client.wait_log("tunnel up")
    client.send_signal(signal.SIGUSR1)
    client.wait_log(rf"status: up: alice at 198\.51\.100\.2 \({SERVER}\)$")
    client.send_signal(signal.SIGHUP)
    client.wait_log("tunnel up.*(.|\n)*tunnel up")
    assert "counter" not in client.log()
