# SPDX-License-Identifier: BSD-2-Clause
"""Each type of tunnel, from login to the last trace of it."""

import ipaddress

import pytest

from lab.capture import IP, Capture
from lab.programs import HOST_PREFIX, HOST_SERVER, POOL, router_address
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping, transfer


def assert_protocol_41(packets, source, destination):
    """What the outside sees: IPv4 protocol 41, TTL 64, fragments allowed at MTU 1280."""
    ours = [packet for packet in packets if IP in packet and packet[IP].src == source]
    assert ours, f"nothing from {source} was seen outside"
    for packet in ours:
        outer = packet[IP]
        assert outer.proto == 41
        assert outer.dst == destination
        assert outer.ttl == 64
        assert not outer.flags.DF
        assert outer.payload.version == 6, packet.summary()


def leave(internet, client, server, before_site, before_server):
    """The client quits; nothing may be left on either side, and the server knows why it went."""
    assert client.stop() == 0
    client.wait_log("tunnel down: ")
    server.wait_log(r"session down user=alice peer=192\.0\.2\.2 .*quit")
    internet.site.back_to(before_site)
    internet.server.back_to({key: before_server[key] for key in ("interfaces", "routes")})


def both_ways(internet, inside):
    """Pings and transfers between the site, whose address is inside, and the IPv6 host."""
    ping(internet.site, SIX, source=inside)
    ping(internet.six, inside)
    ping(internet.six, inside, size=1200, count=3)
    transfer(internet.site, internet.six, SIX, source=str(inside))
    transfer(internet.six, internet.site, str(inside))


@pytest.mark.parametrize("numbered", [False, True], ids=["unnumbered", "numbered"])
def test_network(internet, numbered):
    before_site = internet.site.state()
    before_all = internet.server.state()
    server = internet.dtcps(*(["-a"] if numbered else []))
    before_server = internet.server.state()
    outside_site = Capture(internet.site, "up0", "ip proto 41", "out", limit=400)
    outside_server = Capture(internet.server, "up0", "ip proto 41", "out", limit=400)

    client = internet.dtcpclient()
    up = client.wait_up()
    before_site["files"] = sorted([*before_site["files"], "etc/dtcpclient.auth"])
    prefix = ipaddress.ip_network(up["prefix"])
    assert up["server"].startswith(SERVER)
    assert (up["type"], up["local"], up["remote"]) == ("network", SITE, SERVER)
    assert (up["interface"], up["mtu"]) == ("dtcp0", "1280")
    assert prefix.prefixlen == 56 and prefix.subnet_of(POOL)
    assert POOL[1] not in prefix, "the pool's first prefix is the server's own"
    server.wait_log(rf"session up user=alice peer=192\.0\.2\.2 .*type=network.*{prefix}")

    addresses = {ipaddress.ip_address(text) for text in internet.site.addresses("dtcp0")}
    if numbered:
        assert len(addresses) == 1
        inside = addresses.pop()
        assert inside in HOST_PREFIX and inside != HOST_SERVER
        ping(internet.site, HOST_SERVER)
    else:
        inside = router_address(prefix)
        assert addresses == {inside}

    both_ways(internet, inside)
    assert_protocol_41(outside_site.stop(), SITE, SERVER)
    assert_protocol_41(outside_server.stop(), SERVER, SITE)

    leave(internet, client, server, before_site, before_server)
    assert server.stop() == 0
    internet.server.back_to(before_all)


def test_host(internet):
    before_all = internet.server.state()
    server = internet.dtcps()
    before_server = internet.server.state()
    before_site = internet.site.state()
    outside = Capture(internet.server, "up0", "ip proto 41", "out", limit=400)
    client = internet.dtcpclient(type="host")
    up = client.wait_up()
    before_site["files"] = sorted([*before_site["files"], "etc/dtcpclient.auth"])
    assert (up["type"], up["local"], up["remote"]) == ("host", SITE, SERVER)

    [inside] = internet.site.addresses("dtcp0")
    assert ipaddress.ip_address(inside) in HOST_PREFIX
    assert inside != str(HOST_SERVER)
    [info] = [info for link in internet.site.ip_json("addr", "show", "dev", "dtcp0")
              for info in link["addr_info"] if info["scope"] == "global"]
    assert info["address"] == str(HOST_SERVER), "the server is the peer of a point-to-point link"

    ping(internet.site, HOST_SERVER)
    both_ways(internet, inside)
    assert_protocol_41(outside.stop(), SERVER, SITE)
    leave(internet, client, server, before_site, before_server)
    assert server.stop() == 0
    internet.server.back_to(before_all)


def link_local(ipv4):
    """RFC 4213, section 3.7: the IPv4 address as the last 32 bits."""
    return str(ipaddress.ip_address(int(ipaddress.ip_address("fe80::")) +
                                    int(ipaddress.ip_address(ipv4))))


def test_tunnelonly(internet):
    before_all = internet.server.state()
    server = internet.dtcps(set={"tunnelonly.keep": 0})
    before_server = internet.server.state()
    before_site = internet.site.state()
    outside = Capture(internet.server, "up0", "ip proto 41", "out", limit=400)
    client = internet.dtcpclient(type="tunnelonly")
    up = client.wait_up()
    before_site["files"] = sorted([*before_site["files"], "etc/dtcpclient.auth"])
    assert (up["type"], up["local"], up["remote"]) == ("tunnelonly", SITE, SERVER)
    assert internet.site.addresses("dtcp0") == []
    assert link_local(SITE) in internet.site.addresses("dtcp0", scope="link")
    [device] = internet.server.links() - set(before_server["interfaces"])
    assert link_local(SERVER) in internet.server.addresses(device, scope="link")

    ping(internet.site, f"{link_local(SERVER)}%dtcp0")
    ping(internet.server, f"{link_local(SITE)}%{device}")
    transfer(internet.site, internet.server, f"{link_local(SERVER)}%dtcp0")
    transfer(internet.server, internet.site, f"{link_local(SITE)}%{device}")
    assert_protocol_41(outside.stop(), SERVER, SITE)
    leave(internet, client, server, before_site, before_server)
    assert server.stop() == 0
    internet.server.back_to(before_all)


def test_tunnelroute_is_network(internet):
    """The old word for network; only the server has to know it."""
    from lab.wire import Wire
    internet.dtcps()
    with Wire(internet.site) as wire:
        words = wire.login(type="tunnelroute")
        assert ipaddress.ip_network(words[2]).subnet_of(POOL)


def test_addresses_stay_the_users(internet):
    """The same prefix and the same address, session after session and after a restart."""
    from lab.wire import Wire
    server = internet.dtcps()
    internet.users.add("bob")
    seen = {}
    for turn in range(3):
        for user, source in (("alice", None), ("bob", None)):
            for kind in ("network", "host"):
                with Wire(internet.site, source=source) as wire:
                    words = wire.login(user, kind)[2:]
                    assert seen.setdefault((user, kind), words) == words, f"turn {turn}"
                    wire.ask("quit")
        if turn == 1:
            assert server.stop() == 0
            server = internet.dtcps()
    assert len({tuple(words) for words in seen.values()}) == 4
