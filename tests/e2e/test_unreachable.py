# SPDX-License-Identifier: BSD-2-Clause
"""Packets for prefixes without a session: the sender is told, and told which case it is."""

import ipaddress
import socket
import time

from scapy.layers.inet6 import ICMPv6DestUnreach, IPerror6

from lab.capture import Capture, IPv6
from lab.outside import echo_request
from lab.programs import HOST_SERVER, POOL
from lab.topology import SIX, SIX_SERVER
from lab.traffic import ping, ping_once
from lab.wait import until
from lab.wire import Wire

ETH_P_IPV6 = 0x86DD
NEVER = "2001:db8:1ff::1"  # in the pool, far from anybody's


def unreachable(node, address, code):
    """Waits until a ping brings the ICMPv6 error with this code, and returns its sender."""
    with Capture(node, "up0", "icmp6 and ip6[40] == 1") as seen:
        ping_once(node, address, wait=1)
        packet = seen.wait_for(lambda packet: packet[ICMPv6DestUnreach].code == code and
                               packet[IPerror6].dst == address,
                               f"unreachable, code {code}, for {address}")
        return packet[IPv6].src


def test_never_assigned_and_down(internet):
    internet.dtcps()
    own = {str(POOL[1]), str(HOST_SERVER)}
    assert unreachable(internet.six, NEVER, code=0) in own
    with Wire(internet.site) as wire:
        prefix = ipaddress.ip_network(wire.login()[2])
        host = str(prefix[1])
        wire.ask("quit")
    # No route to what nobody has; address unreachable for what is somebody's who is not here.
    assert unreachable(internet.six, host, code=3) in own
    assert unreachable(internet.six, NEVER, code=0) in own
    text = ping_once(internet.six, host, wait=1).stdout
    assert "Address unreachable" in text
    text = ping_once(internet.six, NEVER, wait=1).stdout
    assert "No route" in text


def test_down_after_a_restart(internet):
    """What is whose is known from the database, before anybody has come back."""
    server = internet.dtcps()
    with Wire(internet.site) as wire:
        host = str(ipaddress.ip_network(wire.login()[2])[1])
    assert server.stop() == 0
    internet.dtcps()
    unreachable(internet.six, host, code=3)


def test_fixed_prefix_outside_the_pool(internet):
    """It is routed here from its user's first login on; nothing of it remains at the end."""
    internet.users.add("carol", prefix="2001:db8:f00::/48")
    server = internet.dtcps()
    before = internet.server.routes()
    with Wire(internet.site) as wire:
        assert wire.login("carol")[2] == "2001:db8:f00::/48"
        until(lambda: any("2001:db8:f00::/48" in route for route in internet.server.routes()),
              "the prefix is routed to the tunnel")
        wire.ask("quit")
    server.wait_log("session down user=carol peer=.* ")
    until(lambda: internet.server.routes() == before, "the route goes with the session")


def test_server_answers_itself(internet):
    """The first addresses of pool and host prefix are the server's own."""
    internet.dtcps()
    ping(internet.six, POOL[1])
    ping(internet.six, "2001:db8:1::1")


def test_rate_limit(internet):
    """A flood of such packets does not become a flood of errors."""
    internet.dtcps(set={"limit.icmp6": 10})
    unreachable(internet.six, NEVER, code=0)
    neighbour = next(entry["lladdr"] for entry in internet.six.ip_json("-6", "neigh")
                     if entry["dst"] == SIX_SERVER)
    with internet.six.inside():
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
        where = ("up0", ETH_P_IPV6, 0, 0, bytes.fromhex(neighbour.replace(":", "")))
        with Capture(internet.six, "up0", "icmp6 and ip6[40] == 1") as seen:
            started = time.monotonic()
            for number in range(1000):
                raw.sendto(echo_request(SIX, NEVER, number), where)
            ping(internet.six, POOL[1])
            took = time.monotonic() - started
            errors = len(seen.stop())
        raw.close()
    # The bucket may be full at first, and it fills while we send.
    assert 1 <= errors <= 10 + 10 * (took + 1), (errors, took)
