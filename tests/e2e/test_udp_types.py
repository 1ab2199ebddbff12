# SPDX-License-Identifier: BSD-2-Clause
"""IPv6 in UDP: every type of tunnel through every kind of address translation."""

import ipaddress

import pytest

from lab.capture import IP, Capture
from lab.probe import UDP_PORT, UdpClient, link_local, until_learned
from lab.programs import HOST_PREFIX, HOST_SERVER, POOL, Client, router_address
from lab.topology import HIDDEN_SITE, HIDDEN_SITE2, SERVER, SITE, SIX
from lab.traffic import MEGABYTE, ping, transfer

TYPES = ["tunnelonly", "host", "network"]

# name: (the boxes, the client's options)
WAYS = {
    "no NAT": ([], ["-U"]),
    "no NAT, -n": ([], ["-U", "-n"]),
    "no NAT, -b 0": ([], ["-U", "-b", "0"]),
    "masquerade": (["masquerade"], ["-U", "-n"]),
    "masquerade, -b 0": (["masquerade"], ["-U", "-n", "-b", "0"]),
    "fully-random": (["masquerade fully-random"], ["-U", "-n"]),
    "two masquerades": (["masquerade", "masquerade fully-random"], ["-U", "-n"]),
    "static forward": (["masquerade fully-random"], ["-U", "-n", "-b", "5001", "-B", "5000"]),
}


def assert_udp(packets, source, destination, hops):
    """What the server's side sees: UDP with the server's port 4028, TTL 64 less the hops so far,
    fragments allowed."""
    ours = [packet for packet in packets if IP in packet and packet[IP].src == source]
    assert ours, f"nothing from {source} was seen outside"
    for packet in ours:
        outer = packet[IP]
        assert (outer.proto, outer.dst, outer.ttl) == (17, destination, 64 - hops)
        assert UDP_PORT in (outer.payload.sport, outer.payload.dport)
        assert not outer.flags.DF
        first = bytes(outer.payload.payload)[0]
        assert first >> 4 == 6 or first in (0xD0, 0xD1), packet.summary()


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("way", WAYS)
def test_through(lab, way, type):
    styles, words = WAYS[way]
    lab.internet(nat=styles)
    lab.users.add_alice()
    if "-B" in words:
        lab.nat.forward_port(5000, HIDDEN_SITE, 5001)
    before_server = lab.server.state()
    server = lab.dtcps("-U", set={"tunnelonly.keep": 0})
    running_server = lab.server.state()
    before_site = lab.site.state()
    here = HIDDEN_SITE if styles else SITE

    with Capture(lab.server, "up0", "udp", limit=300) as outside:
        client = lab.dtcpclient("-d", *words, type=type)
        up = client.wait_up()
        before_site["files"] = sorted([*before_site["files"], "etc/dtcpclient.auth"])
        assert (up["type"], up["mtu"]) == (type, "1280")
        assert up["local"].startswith(here) and up["remote"].startswith(SERVER), up
        server.wait_log(rf"session up user=alice peer={SITE} .*type={type}")

        if type == "tunnelonly":
            [device] = lab.server.links() - set(running_server["interfaces"])
            [inside] = lab.site.addresses("dtcp0", scope="link")
            far = f"{lab.server.addresses(device, scope='link')[0]}%dtcp0"
            ends = (lab.site, lab.server, far, f"{inside}%{device}", None)
        else:
            [inside] = lab.site.addresses("dtcp0")
            if type == "host":
                assert ipaddress.ip_address(inside) in HOST_PREFIX
                ping(lab.site, HOST_SERVER)
            else:
                prefix = ipaddress.ip_network(up["prefix"])
                assert prefix.subnet_of(POOL) and inside == str(router_address(prefix))
            ends = (lab.site, lab.six, SIX, inside, inside)
        site, host, there, back, source = ends
        # Inwards first: what the first hello taught is enough.
        ping(host, back)
        ping(site, there)
        ping(host, back, size=1200, count=3)
        transfer(site, host, there, 4 * MEGABYTE, source=source)
        transfer(host, site, back, 4 * MEGABYTE)
        packets = outside.stop()
    assert_udp(packets, SITE, SERVER, 1 + len(styles))
    assert_udp(packets, SERVER, SITE, 0)

    assert client.stop() == 0
    server.wait_log(rf"session down user=alice peer={SITE} .*quit")
    lab.site.back_to(before_site)
    lab.server.back_to({key: running_server[key] for key in ("interfaces", "routes")})
    assert server.stop() == 0
    lab.server.back_to(before_server)


@pytest.mark.parametrize("type", ["tunnelonly", "network"])
def test_link_local_addresses(internet, type):
    """On both sides of a link the address for the session is the same."""
    internet.dtcps("-U")
    client = internet.dtcpclient("-U", type=type)
    client.wait_up()
    assert link_local("alice") in internet.site.addresses("dtcp0", scope="link")


def test_named_port_is_used_at_once(internet):
    """Without a NAT the server needs no packet of the client to send to it. Here none arrives."""
    server = internet.dtcps("-U")
    with Capture(internet.site, "up0", f"udp src port {UDP_PORT}", direction="in") as seen:
        with UdpClient(internet.site, named=5555) as client:
            internet.six.run("ping", "-6", "-c", "1", "-W", "1", client.inside, check=False)
            packet = seen.wait_for(lambda packet: IP in packet, "a packet at the port named")
            assert packet[IP].payload.dport == 5555
    assert server.running()


def test_unnamed_port_is_waited_for(internet):
    """Where no port is named the server sends nothing before it has learned it."""
    server = internet.dtcps("-U")
    with Capture(internet.server, "up0", "udp", direction="out") as seen, \
            UdpClient(internet.site) as client:
        internet.six.run("ping", "-6", "-c", "1", "-W", "1", client.inside, check=False)
        assert seen.packets() == []
        client.learn()
        assert until_learned(server, "alice") == (SITE, client.socket.getsockname()[1])
        client.works()


@pytest.mark.parametrize("style", ["masquerade", "masquerade fully-random"])
def test_two_behind_one(lab, style):
    """Two machines behind one box, both with port 4028: each has its own network, both ways."""
    lab.internet(nat=[style])
    lab.add_site2()
    for user in ("alice", "bob"):
        lab.users.add(user)
    server = lab.dtcps("-U")
    alice = lab.dtcpclient("-U", "-n")
    bob = Client(lab.site2, "-U", "-n", user="bob")
    ups = [alice.wait_up(), bob.wait_up()]
    assert ups[0]["prefix"] != ups[1]["prefix"]
    assert ups[1]["local"].startswith(HIDDEN_SITE2)
    learned = [until_learned(server, user) for user in ("alice", "bob")]
    assert learned[0][0] == learned[1][0] == SITE and learned[0] != learned[1]
    addresses = [str(router_address(up["prefix"])) for up in ups]
    for site, address in zip((lab.site, lab.site2), addresses):
        ping(lab.six, address)
        ping(site, SIX, source=address)
    # To each other, through the server.
    ping(lab.site, addresses[1], source=addresses[0])
    transfer(lab.site, lab.site2, addresses[1], 4 * MEGABYTE, source=addresses[0])
    transfer(lab.site2, lab.six, SIX, 4 * MEGABYTE, source=addresses[1])
    # One goes, the other stays.
    assert alice.stop() == 0
    ping(lab.six, addresses[1])
    assert "superseded" not in server.log()


def test_port_taken(internet):
    """Said in one line that names the way out."""
    internet.dtcps("-U")
    with UdpClient(internet.site, port=UDP_PORT):
        client = internet.dtcpclient("-U")
        assert client.wait() == 1
        [line] = [line for line in client.log().splitlines() if str(UDP_PORT) in line]
        assert "-b" in line
        client = internet.dtcpclient("-U", "-b", "0", "--interface", "dtcp1")
        client.wait_log("tunnel up")


def test_other_server_port(internet):
    """-b of the server: named in its reply, used by the client."""
    internet.dtcps("-U", "-b", "14028")
    with Capture(internet.server, "up0", "udp port 14028", limit=10) as seen:
        internet.dtcpclient("-U").wait_up()
        ping(internet.site, SIX)
        seen.wait_for(lambda packet: packet[IP].payload.dport == 14028 and
                      packet[IP].payload.sport == UDP_PORT, "a packet to that port")


@pytest.mark.parametrize("words", [("-o", "udp.enable=yes", "-o", "udp.port=14028"),
                                   ("-U", "-o", "udp.port=14028")])
def test_keys(internet, words):
    """-U and -b are keys as well."""
    internet.dtcps(*words)
    client = internet.dtcpclient("-d", "-U")
    client.wait_log("udp=14028")
    client.wait_up()


def test_server_without_udp(internet):
    """-ERR on the wire; the client says what it means, and does not go on."""
    internet.dtcps()
    client = internet.dtcpclient("-U")
    assert client.wait() == 9
    assert "does not offer tunnels over UDP" in client.log()
    again = internet.dtcpclient("-U", "-l")
    again.wait_log("next attempt in about 60 s")


def test_both_transports_at_once(internet):
    """Two users at one address: one over protocol 41, one over UDP."""
    internet.users.add("bob")
    internet.dtcps("-U")
    internet.dtcpclient().wait_up()
    with UdpClient(internet.site, "bob") as bob:
        bob.learn()
        bob.works()
        ping(internet.site, SIX)
        bob.works()
