# SPDX-License-Identifier: BSD-2-Clause
"""Address translation between the site and the server, and in front of the server."""

import pytest

from lab.capture import Capture
from lab.programs import router_address
from lab.topology import HIDDEN_SITE, SERVER, SITE, SIX
from lab.traffic import ping
from lab.wire import Wire


@pytest.fixture
def behind_nat(lab):
    lab.internet(nat=True)
    lab.users.add_alice()
    return lab


def test_refused_behind_nat(behind_nat):
    """Protocol 41 will usually not work there: said with both addresses and the way on."""
    behind_nat.dtcps()
    before = behind_nat.site.state()["interfaces"]
    client = behind_nat.dtcpclient()
    assert client.wait() == 10
    [line] = [line for line in client.log().splitlines() if "NAT" in line]
    assert HIDDEN_SITE in line and SITE in line and "-n" in line
    assert "tunnel up" not in client.log()
    assert behind_nat.site.state()["interfaces"] == before


def test_n_goes_on(behind_nat):
    """This NAT translates protocol 41 as well, as long as the site speaks first: which it does."""
    server = behind_nat.dtcps()
    seen = Capture(behind_nat.server, "up0", "ip proto 41", limit=20)
    client = behind_nat.dtcpclient("-n")
    up = client.wait_up()
    assert up["local"].startswith(HIDDEN_SITE) and up["remote"] == SERVER
    server.wait_log(rf"session up user=alice peer={SITE} ")
    ping(behind_nat.site, SIX)
    ping(behind_nat.six, router_address(up["prefix"]))
    assert seen.stop()[0]["IP"].src == SITE


def test_loop_ends_at_nat_too(behind_nat):
    """What cannot become better by waiting is not tried for ever, -l or not."""
    behind_nat.dtcps()
    client = behind_nat.dtcpclient("-l")
    client.wait_log("NAT")


def test_server_behind_one_to_one_nat(internet):
    """-g: the address that clients are given, where the server's own is another."""
    public = "203.0.113.9"
    internet.net.nft(f"""table ip nat {{
        chain in {{ type nat hook prerouting priority -100; ip daddr {public} dnat to {SERVER}; }}
        chain out {{ type nat hook postrouting priority 100;
                     oifname site0 ip saddr {SERVER} snat to {public}; }}
    }}""")
    internet.dtcps("-g", public)
    with Wire(internet.site, server=public) as wire:
        assert wire.login()[:2] == [SITE, public]
        wire.ask("quit")
    client = internet.dtcpclient(server=public)
    up = client.wait_up()
    assert up["remote"] == public
    ping(internet.site, SIX)
    ping(internet.six, router_address(up["prefix"]))
