# SPDX-License-Identifier: BSD-2-Clause
"""Packet sizes over UDP: 28 octets outside, so 1472 fit into an Ethernet's 1500."""

import pytest

from lab.capture import Capture, IPv6
from lab.programs import router_address
from lab.topology import SIX, narrow
from lab.traffic import no_ping, ping, transfer

MEGABYTES = 4 << 20
OVERHEAD = 28
PING = 48  # IPv6 and ICMPv6 headers
# In the kernel's filter, since transfers are long.
WHOLE = "(ip[6] & 0x40 != 0)"  # "don't fragment" is set
CUT = "(ip[6] & 0x20 != 0)"  # more fragments follow


def tunnel(lab, mtu, server_mtu=None):
    lab.dtcps("-U", set={"mtu": server_mtu or mtu})
    client = lab.dtcpclient("-U", *(["-n"] if lab.nats else []), "-m", mtu)
    up = client.wait_up()
    assert up["mtu"] == str(mtu)
    [link] = lab.site.ip_json("link", "show", "dev", "dtcp0")
    assert link["mtu"] == mtu
    return str(router_address(up["prefix"]))


@pytest.fixture(params=["no NAT", "NAT"])
def way(request, lab):
    """Messages about the path have to find their way through a NAT as well."""
    lab.internet(nat=["masquerade fully-random"] if request.param == "NAT" else [])
    lab.users.add_alice()
    return lab


def test_whole_path(way):
    """1472 fits, in packets that must not be cut; the answer to anything larger says so."""
    inside = tunnel(way, 1472)
    with Capture(way.server, "up0", "udp and ip[2:2] = 1500", limit=10) as large, \
            Capture(way.server, "up0", "udp and (ip[2:2] > 1500 or "
                                       f"ip[2:2] > 100 and not {WHOLE})", limit=10) as wrong:
        ping(way.site, SIX, source=inside, size=1472 - PING, more=("-M", "do"))
        ping(way.six, inside, size=1472 - PING, more=("-M", "do"))
        transfer(way.site, way.six, SIX, MEGABYTES, source=inside)
        transfer(way.six, way.site, inside, MEGABYTES)
        large.wait_for(lambda packet: True, "a large packet")
        assert wrong.stop() == []
    with Capture(way.six, "up0", "icmp6 and ip6[40] == 2") as told:
        no_ping(way.six, inside, size=1473 - PING, more=("-M", "do"))
        assert told.wait_for(lambda packet: True, "packet too big")[IPv6].payload.mtu == 1472


def test_server_with_more(way):
    """A server set to 1480, which protocol 41 can have, gives 1472 over UDP."""
    inside = tunnel(way, 1472, server_mtu=1480)
    ping(way.six, inside, size=1472 - PING, more=("-M", "do"))
    with Capture(way.six, "up0", "icmp6 and ip6[40] == 2") as told:
        no_ping(way.six, inside, size=1476 - PING, more=("-M", "do"))
        assert told.wait_for(lambda packet: True, "packet too big")[IPv6].payload.mtu == 1472


@pytest.mark.parametrize("where", ["near the server", "near the site"])
@pytest.mark.parametrize("direction", ["to the host", "to the site"])
def test_smaller_path(way, where, direction):
    """MTU 1472 is set, the path takes less: its router says so outside, we say so inside."""
    if where == "near the server":
        narrow(way.net, "server0", way.server, "up0", 1400)
    elif way.nats:
        narrow(way.net, "site0", way.nat, "out0", 1400)
    else:
        narrow(way.net, "site0", way.site, "up0", 1400)
    inside = tunnel(way, 1472)
    if direction == "to the host":
        sender, interface, begins = way.site, "dtcp0", way.site
    else:
        sender, interface, begins = way.six, "up0", way.server
    with Capture(begins, "up0", "udp and greater 200", "out", limit=500) as outside, \
            Capture(sender, interface, "icmp6 and ip6[40] == 2") as told:
        if direction == "to the host":
            transfer(way.site, way.six, SIX, MEGABYTES, source=inside)
        else:
            transfer(way.six, way.site, inside, MEGABYTES)
        packet = told.wait_for(lambda packet: True, "packet too big")
        assert packet[IPv6].payload.mtu == 1400 - OVERHEAD
        packets = outside.stop()
    assert packets and all(packet["IP"].flags.DF for packet in packets)
    assert not any(packet["IP"].flags.MF or packet["IP"].frag for packet in packets)


@pytest.mark.parametrize("mtu", [1000, 600])
def test_fragments_at_1280(way, mtu):
    """At 1280 the path may cut what is outside; it is joined again at the end, or by the NAT."""
    narrow(way.net, "server0", way.server, "up0", mtu)
    inside = tunnel(way, 1280)
    with Capture(way.server, "up0", f"ip proto 17 and {CUT}", limit=10) as cut, \
            Capture(way.server, "up0", f"ip proto 17 and {WHOLE}", limit=10) as wrong:
        ping(way.site, SIX, source=inside, size=1280 - PING)
        ping(way.six, inside, size=1280 - PING)
        transfer(way.site, way.six, SIX, MEGABYTES, source=inside)
        transfer(way.six, way.site, inside, MEGABYTES)
        cut.wait_for(lambda packet: True, "a fragment")
        assert wrong.stop() == []
