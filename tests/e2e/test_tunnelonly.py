# SPDX-License-Identifier: BSD-2-Clause
"""What tunnelonly leaves to the administrators of both ends: a prefix of the user's, addresses and
routes by hand, router advertisements, a routing protocol."""

import ipaddress
import signal

import pytest

from lab.capture import Capture, IPv6
from lab.outside import Outside, echo_request, icmp6, ipv6
from lab.process import Process
from lab.topology import SERVER, SITE, SIX
from lab.traffic import no_ping, ping
from lab.wait import until

LINK = "2001:db8:77::/64"
NEAR, FAR = "2001:db8:77::1", "2001:db8:77::2"  # the server's end, the client's


def link_up(lab, *words, user="alice", **more):
    """A client without anything inside but what words say."""
    client = lab.dtcpclient(*words, type="tunnelonly", user=user, **more)
    client.wait_up()
    return client


def number_server(lab):
    lab.server.ip("addr", "add", f"{NEAR}/64", "dev", "dtcps1", "nodad")


@pytest.mark.parametrize("prefix, udp", [("2001:db8:77::/48", ()), ("2001:db8:1ab::/48", ("-U",))],
                         ids=["outside the pool", "in the pool, UDP"])
def test_prefix_of_the_user(internet, prefix, udp):
    """dtcpauth --prefix leads to that user's device, as long as there is a session; what the client
    does with it is its own affair."""
    internet.users.add("carol", prefix=prefix)
    internet.users.add("dave")
    server = internet.dtcps(*udp)
    before = internet.server.routes()
    inside = [str(ipaddress.ip_network(prefix)[number]) for number in (1, 1 << 64)]
    client = link_up(internet, *udp, "--address", f"{inside[0]}/64", "--address", inside[1],
                     user="carol")
    for address in inside:
        ping(internet.site, SIX, source=address)
        ping(internet.six, address)
    assert f"{prefix} dev dtcps1" in internet.server.ip("-6", "route")
    # It is made again with its device, and goes with the session.
    internet.server.ip("link", "delete", "dtcps1")
    server.wait_log("making it again")
    ping(internet.six, inside[0])
    assert client.stop() == 0
    until(lambda: internet.server.routes() == before or "dtcps1" in internet.server.links() and
          prefix not in internet.server.ip("-6", "route", "show", "dev", "dtcps1"),
          internet.server.routes)
    no_ping(internet.six, inside[0])
    # Nobody else has it.
    link_up(internet, *udp, "--address", f"{inside[0]}/64", user="dave")
    no_ping(internet.site, SIX, source=inside[0])
    until(lambda: server.counters().get("src-ingress"), "its packets are dropped")


def test_by_hand(internet):
    """Both ends get addresses as KAME's manual page says; they are the user's also next time."""
    server = internet.dtcps()
    client = link_up(internet, "--address", f"{FAR}/64")
    number_server(internet)
    ping(internet.site, NEAR)
    ping(internet.server, FAR)
    ping(internet.site, SIX, source=FAR)
    ping(internet.six, FAR)
    assert client.stop() == 0
    # Again by hand, at the other end as well.
    link_up(internet, "--route", "default")
    internet.site.ip("addr", "add", f"{FAR}/64", "dev", "dtcp0", "nodad")
    ping(internet.site, NEAR)
    ping(internet.six, FAR)
    assert "src-ingress" not in server.counters()


class Spoofer:
    """Sends packets with any source through alice's tunnel and says which come out of it."""

    def __init__(self, lab):
        self.lab = lab
        self.outside = Outside(lab.site)
        self.number = 0
        self.seen = Capture(lab.server, "dtcps1", "icmp6 and ip6[40] == 128", "in")

    def passes(self, source):
        """Whether a packet from there comes out. The one behind it does in any case."""
        self.number += 2
        for packet_source, number in ((source, self.number), ("fe80::77", self.number + 1)):
            self.outside.send(SITE, SERVER, echo_request(packet_source, SIX, number))
        self.seen.wait_for(lambda packet: packet.payload and self._is(packet, self.number + 1),
                           "the packet behind it")
        return any(self._is(packet, self.number) for packet in self.seen.packets())

    @staticmethod
    def _is(packet, number):
        return IPv6 in packet and bytes(packet[IPv6])[46:48] == number.to_bytes(2, "big")

    def until(self, source, wanted):
        until(lambda: self.passes(source) == wanted, f"{source} passes: {wanted}")


def test_reverse_route(internet):
    """Sources are right if the kernel has a route to them through the device, and wrong from the
    moment when it has not."""
    server = internet.dtcps()
    link_up(internet)
    number_server(internet)
    spoofer = Spoofer(internet)
    route = ("-6", "route")

    spoofer.until(FAR, True)
    # What nobody has a route to, the server's own, a neighbour's, a pool's, this machine's end.
    for source in ("2001:db8:88::1", SIX, "2001:db8:100::1", "2001:db8:1::2", "2001:db8:6::1", NEAR):
        assert not spoofer.passes(source), source
    assert server.counters()["src-ingress"] == 6
    internet.server.ip(*route, "add", "2001:db8:88::/48", "dev", "dtcps1")
    spoofer.until("2001:db8:88::1", True)
    # More of it goes elsewhere.
    internet.server.ip(*route, "add", "2001:db8:88:1::/64", "via", SIX)
    spoofer.until("2001:db8:88:1::1", False)
    spoofer.until("2001:db8:88:2::1", True)
    # Both ways at once.
    internet.server.ip(*route, "replace", "2001:db8:88:1::/64", "nexthop", "via", SIX,
                       "nexthop", "via", "fe80::1", "dev", "dtcps1")
    spoofer.until("2001:db8:88:1::1", True)
    internet.server.ip(*route, "delete", "2001:db8:88::/48", "dev", "dtcps1")
    spoofer.until("2001:db8:88::1", False)
    # A device that somebody else made has a number of its own.
    internet.server.ip("link", "delete", "dtcps1")
    server.wait_log("making it again")
    number_server(internet)
    spoofer.seen = Capture(internet.server, "dtcps1", "icmp6 and ip6[40] == 128", "in")
    spoofer.until(FAR, True)


def test_any_source(internet):
    """For those who run a routing protocol and have other routes back."""
    path = internet.file("dtcps.conf", "tunnelonly.sources = any\n")
    server = internet.dtcps("-c", path)
    client = link_up(internet)
    spoofer = Spoofer(internet)
    assert spoofer.passes("2001:db8:88::1")
    assert not spoofer.passes("::1")
    assert spoofer.passes("2001:db8:88::2")
    # Sessions from then on.
    path.write_text("tunnelonly.sources = strict\n")
    server.send_signal(signal.SIGHUP)
    server.wait_log("setting changed setting=tunnelonly.sources from=any to=strict effect=now$")
    assert client.stop() == 0
    link_up(internet)
    assert not spoofer.passes("2001:db8:88::1")


def radvd(lab):
    """Announces LINK on dtcps1, and is there when it is asked."""
    number_server(lab)
    conf = lab.file("radvd.conf", f"""
interface dtcps1 {{
    AdvSendAdvert on;
    MinRtrAdvInterval 3;
    MaxRtrAdvInterval 4;
    prefix {LINK} {{ }};
}};
""")
    return Process(lab.server, "radvd", "radvd", "-n", "-m", "stderr", "-d", "1", "-C", conf, "-p",
                   lab.dir / "radvd.pid")


def numbered(lab):
    return [address for address in lab.site.addresses("dtcp0")
            if ipaddress.ip_address(address) in ipaddress.ip_network(LINK)]


@pytest.mark.parametrize("forwarding", [0, 1], ids=["host", "router"])
def test_router_advertisements(internet, forwarding):
    """radvd on the server numbers a client that asks for it, be it a router itself."""
    internet.site.sysctl("net.ipv6.conf.all.forwarding", forwarding)
    internet.dtcps(set={"tunnelonly.ra": "yes"})
    client = link_up(internet, "--accept-ra", "--route", "none")
    radvd(internet)
    assert internet.site.sysctl("net.ipv6.conf.dtcp0.accept_ra") == "2"
    [address] = until(lambda: numbered(internet), "an address by router advertisement")
    assert ipaddress.ip_address(address).packed[8:] == \
        ipaddress.ip_address(f"::{SITE}").packed[8:], "of the link-local address"
    ping(internet.site, SIX, source=address)
    ping(internet.six, address)
    assert "default" in internet.site.ip("-6", "route", "show", "dev", "dtcp0")
    # A client that comes later asks, and does not wait for the next one that goes to all.
    assert client.stop() == 0
    with Capture(internet.server, "dtcps1", "icmp6 and ip6[40] == 133", "in") as asked:
        link_up(internet, "--accept-ra")
        asked.wait_for(lambda packet: IPv6 in packet, "a router solicitation")
        until(lambda: numbered(internet), "an address again")


@pytest.mark.parametrize("server_says, client_says", [("no", True), ("yes", False)],
                         ids=["client only", "server only"])
def test_router_advertisements_need_both(internet, server_says, client_says):
    server = internet.dtcps(set={"tunnelonly.ra": server_says})
    # Whoever sets it by default has not meant the tunnel.
    internet.site.sysctl("net.ipv6.conf.default.accept_ra", 2)
    client = link_up(internet, *(["--accept-ra"] if client_says else []))
    radvd(internet)
    dropping = server if client_says else client
    until(lambda: dropping.counters().get("router", 0) >= 2, "they are dropped", 20)
    assert numbered(internet) == []
    assert internet.site.sysctl("net.ipv6.conf.dtcp0.accept_ra") == ("2" if client_says else "0")


def test_redirects_and_a_clients_advertisements_are_dropped(internet):
    """Whatever both ends say, no client changes the server's routes."""
    server = internet.dtcps(set={"tunnelonly.ra": "yes"})
    client = link_up(internet, "--accept-ra")
    advert = ipv6("fe80::1", "ff02::1",
                  icmp6("fe80::1", "ff02::1", 134, 0, bytes.fromhex("400007080000000000000000")),
                  hop_limit=255)
    redirect = ipv6("fe80::1", "fe80::2", icmp6("fe80::1", "fe80::2", 137, 0, bytes(36)),
                    hop_limit=255)
    outside = Outside(internet.site)
    for packet in (advert, redirect):
        outside.send(SITE, SERVER, packet)
    until(lambda: server.counters().get("router") == 2, "the server drops them")
    Outside(internet.server).send(SERVER, SITE, redirect)
    until(lambda: client.counters().get("router") == 1, "the client drops it")


def bird(node, interface, network):
    """OSPF version 3 over the tunnel, and its routes in the kernel."""
    conf = node.lab.file(f"bird-{node.name}.conf", f"""
log stderr all;
router id {"10.0.0.1" if node.name == "server" else "10.0.0.2"};
protocol device {{ scan time 1; }}
protocol kernel {{ ipv6 {{ export where proto = "ospf1"; }}; }}
protocol static {{ ipv6; route {network} unreachable; }}
protocol ospf v3 {{
    ipv6 {{ export where source = RTS_STATIC; }};
    area 0 {{ interface "{interface}" {{ type ptp; hello 1; dead 4; }}; }};
}}
""")
    return Process(node, "bird", "bird", "-f", "-c", conf, "-s", node.dir / "bird.ctl")


def test_ospf(internet):
    """A routing protocol finds its neighbour on the device's own link, and what it learns is
    accepted from there without any other word."""
    behind = "2001:db8:99:1::1"
    internet.dtcps()
    link_up(internet, "--route", "none")
    internet.site.ip("addr", "add", f"{behind}/128", "dev", "lo")
    bird(internet.server, "dtcps1", "2001:db8:6::/64")
    bird(internet.site, "dtcp0", "2001:db8:99::/48")
    until(lambda: "dev dtcps1" in internet.server.ip("-6", "route", "show", "2001:db8:99::/48"),
          "the server learns the client's route", 40)
    until(lambda: "dev dtcp0" in internet.site.ip("-6", "route", "show", "2001:db8:6::/64"),
          "the client learns the server's route", 40)
    ping(internet.site, SIX, source=behind)
    ping(internet.six, behind)
