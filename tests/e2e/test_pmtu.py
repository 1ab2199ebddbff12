# SPDX-License-Identifier: BSD-2-Clause
"""Packet sizes: what fits, what is cut, and who is told."""

import pytest

from lab.capture import Capture, IPv6
from lab.programs import router_address
from lab.topology import SIX, narrow
from lab.traffic import no_ping, ping, transfer

MEGABYTES = 4 << 20
# In the kernel's filter, since transfers are long.
WHOLE = "(ip[6] & 0x40 != 0)"  # "don't fragment" is set
CUT = "(ip[6] & 0x20 != 0)"  # more fragments follow


def tunnel(internet, mtu):
    internet.dtcps(set={"mtu": mtu})
    client = internet.dtcpclient("-m", mtu)
    up = client.wait_up()
    assert up["mtu"] == str(mtu)
    [link] = internet.site.ip_json("link", "show", "dev", "dtcp0")
    assert link["mtu"] == mtu
    return str(router_address(up["prefix"]))


@pytest.mark.parametrize("where", ["near the server", "near the site"])
@pytest.mark.parametrize("direction", ["to the host", "to the site"])
def test_smaller_path(internet, where, direction):
    """MTU 1480 is set, the path takes less: its router says so outside, we say so inside."""
    if where == "near the server":
        narrow(internet.net, "server0", internet.server, "up0", 1400)
    else:
        narrow(internet.net, "site0", internet.site, "up0", 1400)
    inside = tunnel(internet, 1480)
    if direction == "to the host":
        sender, interface, begins = internet.site, "dtcp0", internet.site
    else:
        sender, interface, begins = internet.six, "up0", internet.server
    with Capture(begins, "up0", "ip proto 41", "out", limit=500) as outside, \
            Capture(sender, interface, "icmp6 and ip6[40] == 2") as told:
        if direction == "to the host":
            transfer(internet.site, internet.six, SIX, MEGABYTES, source=inside)
        else:
            transfer(internet.six, internet.site, inside, MEGABYTES)
        packet = told.wait_for(lambda packet: True, "packet too big")
        assert packet[IPv6].payload.mtu == 1400 - 20
        packets = outside.stop()
    assert packets and all(packet["IP"].flags.DF for packet in packets)
    assert not any(packet["IP"].flags.MF or packet["IP"].frag for packet in packets)


def test_whole_path(internet):
    """With nothing smaller on the way, 1480 is what fits, and 1481 is said to be too big."""
    inside = tunnel(internet, 1480)
    with Capture(internet.server, "up0", "ip proto 41 and ip[2:2] >= 1500", limit=10) as large, \
            Capture(internet.server, "up0", f"ip proto 41 and not {WHOLE}", limit=10) as wrong:
        # 40 octets of IPv6, 8 of ICMPv6.
        ping(internet.site, SIX, source=inside, size=1480 - 48, more=("-M", "do"))
        ping(internet.six, inside, size=1480 - 48)
        transfer(internet.site, internet.six, SIX, MEGABYTES, source=inside)
        large.wait_for(lambda packet: True, "a large packet")
        assert wrong.stop() == []


@pytest.mark.parametrize("mtu", [1000, 600])
def test_fragments_at_1280(internet, mtu):
    """At 1280 there is nothing smaller to fall back to: outside may be cut, and is joined again."""
    narrow(internet.net, "server0", internet.server, "up0", mtu)
    inside = tunnel(internet, 1280)
    with Capture(internet.server, "up0", f"ip proto 41 and {CUT}", limit=10) as cut, \
            Capture(internet.site, "up0", f"ip proto 41 and {WHOLE}", "out", 10) as wrong:
        ping(internet.site, SIX, source=inside, size=1280 - 48)
        ping(internet.six, inside, size=1280 - 48)
        transfer(internet.site, internet.six, SIX, MEGABYTES, source=inside)
        transfer(internet.six, internet.site, inside, MEGABYTES)
        cut.wait_for(lambda packet: True, "a fragment")
        assert wrong.stop() == []


def test_too_big_for_the_tunnel(internet):
    """A packet that never fits is answered by the server with the tunnel's MTU."""
    inside = tunnel(internet, 1280)
    with Capture(internet.six, "up0", "icmp6 and ip6[40] == 2") as told:
        no_ping(internet.six, inside, size=1400, more=("-M", "do"))
        packet = told.wait_for(lambda packet: True, "packet too big")
        assert packet[IPv6].payload.mtu == 1280
        # The sender cuts it from now on.
        ping(internet.six, inside, size=1400)
        transfer(internet.six, internet.site, inside, MEGABYTES)
