# SPDX-License-Identifier: BSD-2-Clause
"""Servers whose only prefix is the /64 of their own link: the provider's router knows that network
as on-link, and looks for each address there. test_rented.py has the picture."""

import ipaddress
import select
import socket
import time

from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, \
    ICMPv6NDOptSrcLLAddr, IPv6

from lab.programs import DTCPS
from lab.traffic import no_ping, ping
from lab.wait import slow, until
from test_rented import FAR, GATEWAY, IN_ORDER, LINK, OWN, advertise, check, rented, settings, \
    site_address

ETH_P_IPV6 = 0x86dd
# As the kernel counts whom a frame is for.
HERE, GROUP, OUTGOING = 0, 2, 4
HOST = {"host.prefix": LINK}
POOL = {"network.pool": LINK, "network.length": 80}
ANSWERED = f"neighbour solicitations on pub0, which has the network {LINK}, are answered"
NOBODYS = "2001:db8:a::7777"


def group(target):
    """Where a node listens for questions about an address."""
    last = int(ipaddress.ip_address(target)) & 0xffffff
    return str(ipaddress.ip_address(int(ipaddress.ip_address("ff02::1:ff00:0")) | last))


def mac_of(node, interface):
    [link] = node.ip_json("link", "show", "dev", interface)
    return link["address"]


class Asker:
    """The provider's router, by hand: neighbour solicitations, and what comes back. Each is from
    another address, so that it can be told what is answered."""

    def __init__(self, lab):
        self.mac, self.server = mac_of(lab.six, "server0"), mac_of(lab.server, "pub0")
        self.asked = 0
        self.kind = None  # whom the frame of the last answer was for
        with lab.six.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
            self.socket.bind(("server0", ETH_P_IPV6))
        lab.closing.append(self.socket.close)

    def send(self, target, source=None, destination=None, mac=None, hop_limit=255):
        """Returns where an answer goes to."""
        self.asked += 1
        source = source or f"fe80::a5:{self.asked:x}"
        destination = destination or group(target)
        if not mac:
            packed = ipaddress.ip_address(destination).packed
            mac = self.server if packed[0] != 0xff else "33:33:" + packed[-4:].hex(":")
        packet = IPv6(src=source, dst=destination, hlim=hop_limit) / ICMPv6ND_NS(tgt=str(target))
        if source != "::":
            packet /= ICMPv6NDOptSrcLLAddr(lladdr=self.mac)
        self.socket.sendto(bytes(packet), ("server0", ETH_P_IPV6, 0, 0,
                                           bytes.fromhex(mac.replace(":", ""))))
        return source if source != "::" else "ff02::1"

    def answer(self, seconds=15):
        """The next advertisement; None if there is none in time."""
        end = time.monotonic() + seconds * slow()
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            data, where = self.socket.recvfrom(2048)
            packet = IPv6(data)
            self.kind = where[2]
            if self.kind != OUTGOING and ICMPv6ND_NA in packet:
                return packet
        return None

    def ask(self, target, before=(), **more):
        """The answer; before it, no other one of these has come."""
        asker = self.send(target, **more)
        while True:
            packet = self.answer()
            assert packet is not None, f"{target}, {more}"
            assert packet.dst not in before, packet.show(dump=True)
            if packet.dst == asker:
                assert packet[ICMPv6ND_NA].tgt == str(target), packet.show(dump=True)
                return packet

    def ask_in_vain(self, target, known, **more):
        """Nobody answers, by the time that there is an answer about a known address."""
        self.ask(known, before=[self.send(target, **more)])

    def wait(self, target):
        until(lambda: self.send(target) and self.answer(1), f"{target} is answered for")


def start(lab, *words, **more):
    server = lab.dtcps(*words, set=settings(**more))
    server.wait_log(ANSWERED)
    return server


def test_host_tunnels(lab):
    """The most common rented server: nothing but one address has to be said, and both directions
    work, also after the router was restarted, and until the session ends."""
    far = rented(lab)
    assert check(lab, **HOST) == (0, IN_ORDER)
    start(lab, **HOST)
    client = lab.dtcpclient(type="host")
    address = client.wait_up()["address"]
    assert ipaddress.ip_address(address) in LINK
    assert address not in (str(GATEWAY), str(OWN))
    ping(far, address)
    ping(lab.site, FAR)
    # Those that are on the link stay where they are, and can be reached by users.
    ping(lab.server, GATEWAY)
    ping(lab.server, FAR)
    ping(lab.site, GATEWAY)
    no_ping(far, NOBODYS)
    # A router that has just been started knows nobody.
    lab.six.ip("-6", "neigh", "flush", "dev", "server0")
    ping(far, address)
    assert client.stop() == 0
    until(lambda: "dtcps0" not in lab.server.ip("-6", "route", "get", address),
          "the route goes with the session")
    lab.six.ip("-6", "neigh", "flush", "dev", "server0")
    no_ping(far, address)
    # The next one.
    assert lab.dtcpclient(type="host").wait_up()["address"] == address
    ping(far, address)


def test_solicitations(lab):
    """As RFC 4861 has them, and no others."""
    rented(lab)

    def takes_all_groups():
        return "allmulti 1" in lab.server.ip("-d", "link", "show", "dev", "pub0")

    assert not takes_all_groups()
    server = start(lab, "-o", f"host.exclude={LINK[0x100]}/120", **HOST)
    assert takes_all_groups()
    client = lab.dtcpclient(type="host")
    address = client.wait_up()["address"]
    asker = Asker(lab)
    asker.wait(address)
    for destination in (group(address), address):
        packet = asker.ask(address, destination=destination)
        told = packet[ICMPv6ND_NA]
        assert packet.src == lab.server.addresses("pub0", "link")[0]
        assert asker.kind == HERE
        # A proxy: who really has the address comes before it (section 7.2.8).
        assert (told.R, told.S, told.O, packet.hlim) == (0, 1, 0, 255)
        assert packet[ICMPv6NDOptDstLLAddr].lladdr == asker.server
    packet = asker.ask(address, source="::")
    assert (packet[ICMPv6ND_NA].S, packet[ICMPv6ND_NA].O) == (0, 0)
    assert asker.kind == GROUP
    # Nobody's, somebody's, another network's; from beyond the link; to another machine.
    for target in (NOBODYS, LINK[0x105], "2001:db8:b::1", "2001:db8:a:1::3"):
        asker.ask_in_vain(target, address)
    asker.ask_in_vain(address, address, hop_limit=254)
    asker.ask_in_vain(address, address, destination="ff02::1")
    asker.ask_in_vain(address, address, destination=address, mac="02:00:00:00:00:99")
    # The machine answers for its own address by itself, and only once.
    assert asker.ask(OWN)[ICMPv6ND_NA].O == 1
    assert client.stop() == 0
    until(lambda: asker.send(address) and not asker.answer(1), "it ends with the session")
    assert server.stop() == 0
    assert not takes_all_groups()


def test_an_address_that_a_user_has_is_not_free(lab):
    """Duplicate address detection of another machine on that link."""
    rented(lab)
    start(lab, **HOST)
    address = lab.dtcpclient(type="host").wait_up()["address"]
    ping(lab.six, address)
    for key in ("accept_dad", "dad_transmits"):
        lab.six.sysctl(f"net.ipv6.conf.server0.{key}", 1)

    def state(which):
        [link] = lab.six.ip_json("addr", "show", "dev", "server0")
        [found] = [info for info in link["addr_info"] if info["local"] == which]
        return "failed" if "dadfailed" in found else "wait" if "tentative" in found else "free"

    for which, want in ((address, "failed"), (NOBODYS, "free")):
        lab.six.ip("addr", "add", f"{which}/64", "dev", "server0")
        until(lambda which=which, want=want: state(which) == want,
              lambda which=which, want=want: f"{which} is {want}, not {state(which)}")


def test_prefixes(lab):
    """Longer than a /64, for machines with many addresses; without the one that is somebody's."""
    far = rented(lab)
    lab.server.ip("addr", "add", "2001:db8:a:0:1::77/64", "dev", "pub0", "nodad")
    assert check(lab, **POOL) == (0, IN_ORDER)
    server = start(lab, **POOL)
    client = lab.dtcpclient("-l")
    prefix = client.prefix()
    assert prefix.prefixlen == 80 and prefix.subnet_of(LINK)
    assert OWN not in prefix and ipaddress.ip_address("2001:db8:a:0:1::77") not in prefix
    ping(far, site_address(lab, prefix))
    ping(lab.site, FAR)
    asker = Asker(lab)
    for target in (prefix[5], prefix[-1]):
        asker.wait(target)
    outside = ipaddress.ip_address(int(prefix[-1]) + 1)
    asker.ask_in_vain(outside, prefix[5])
    # The machine gets an address in it: its user has another one.
    lab.server.ip("addr", "add", f"{prefix[9]}/128", "dev", "lo")
    server.wait_log(f"a session has what is not .* ends user=alice from={prefix}$")
    server.wait_log(f"has moved user=alice from={prefix}")
    moved = ipaddress.ip_network(server.wait_log(r"has moved user=alice .* to=(\S+)$").group(1))
    assert not moved.overlaps(prefix)
    asker.wait(moved[5])
    asker.ask_in_vain(prefix[9], moved[5])
    asker.ask_in_vain(prefix[5], moved[5])


def test_rate(lab):
    """Of answers for the addresses of one prefix."""
    rented(lab)
    server = start(lab, **POOL)
    prefix = lab.dtcpclient().prefix()
    asker = Asker(lab)
    asker.wait(prefix[5])
    asker.ask(prefix[5])
    began = time.monotonic()
    # All at once, however long sending takes: as many as its socket holds, which are more than it
    # may answer at once.
    with server.held("ndp"):
        for number in range(1000):
            asker.send(prefix[0x1000 + number])
    answers = 0
    while asker.answer(0.3):
        answers += 1
    took = time.monotonic() - began
    # The bucket may be full at first, and it fills while we send.
    assert 1 <= answers <= 100 + 100 * (took + 1), (answers, took)
    server.wait_log("too many neighbour solicitations, some are not answered count=[0-9]+$")
    # In between, those are answered that a router asks for of hosts that it knows.
    for number in range(10):
        for scanned in range(100):
            asker.send(prefix[0x2000 + 100 * number + scanned])
        asker.ask(prefix[5])
        asker.ask(prefix[7 + number], destination=prefix[7 + number])


def test_the_interface_goes_and_comes(lab):
    """Another one for the kernel, of the same name; sessions stay."""
    far = rented(lab)
    server = start(lab, **HOST)
    address = lab.dtcpclient(type="host").wait_up()["address"]
    ping(far, address)
    for gone in (("link", "del", "pub0"), ("link", "set", "pub0", "down")):
        since = server.mark()
        lab.server.ip(*gone)
        server.wait_log("neighbour solicitations on pub0 are not answered any more", since=since)
        since = server.mark()
        if "del" in gone:
            lab.wire(lab.server, "pub0", lab.six, "server0")
            lab.six.ip("addr", "add", f"{GATEWAY}/64", "dev", "server0", "nodad")
        else:
            lab.server.ip("link", "set", "pub0", "up")
        lab.server.ip("addr", "add", f"{OWN}/64", "dev", "pub0", "nodad")
        lab.server.ip("route", "replace", "default", "via", GATEWAY)
        server.wait_log(ANSWERED, since=since)
        ping(far, address)
    # With another address of the card.
    asker = Asker(lab)
    lab.server.ip("link", "set", "pub0", "address", "02:00:00:00:00:77")
    until(lambda: asker.ask(address)[ICMPv6NDOptDstLLAddr].lladdr == "02:00:00:00:00:77",
          "answers have it")


def test_an_interface_that_is_named(lab):
    """For users with prefixes of their own; and nothing is answered where that is not wanted."""
    far = rented(lab)
    prefix = ipaddress.ip_network("2001:db8:a:0:9::/80")
    lab.users.add("bob", prefix=prefix)
    named = {"ndp.proxy": "pub0"}
    assert check(lab, **named)[0] == 0
    server = lab.dtcps(set=settings(**named))
    server.wait_log("neighbour solicitations on pub0 are answered for what sessions have")
    client = lab.dtcpclient(user="bob")
    assert client.prefix() == prefix
    ping(far, site_address(lab, prefix))
    assert client.stop() == 0
    # Over a device of its own, with the site's address by hand.
    client = lab.dtcpclient("--address", f"{prefix[1]}/80", type="tunnelonly", user="bob")
    client.wait_up()
    lab.site.ip("route", "replace", FAR, "dev", "dtcp0")
    ping(far, str(prefix[1]))
    assert client.stop() == 0
    assert server.stop() == 0
    status, log = check(lab, **HOST, **{"ndp.proxy": "off"})
    assert status == 0 and log.endswith("in order, 1 warning\n")
    assert f"host.prefix {LINK} is in the network of pub0" in log
    server = lab.dtcps(set=settings(**HOST, **{"ndp.proxy": "off"}))
    assert "ndp" not in server.rooms()
    address = lab.dtcpclient(type="host").wait_up()["address"]
    no_ping(far, address)


def test_a_network_that_is_advertised(lab):
    """As it is at some providers, with the router's link-local address for the default route."""
    far = rented(lab, default=False)
    lab.server.sysctl("net.ipv6.conf.pub0.accept_ra", 2)
    advertise(lab)
    until(lambda: lab.server.addresses("pub0"), "the server has an address")
    assert check(lab, **HOST) == (0, IN_ORDER)
    start(lab, **HOST)
    address = lab.dtcpclient(type="host").wait_up()["address"]
    ping(far, address)
    text = lab.server.run(DTCPS, "--suggest", "-o", f"database={lab.users.path}").stdout
    assert f"# Others may be in {LINK}, which a router announces on pub0" in text


def test_a_single_address(lab):
    """The machine knows of no network: only the router's address tells that all of it is there."""
    far = rented(lab, default=False)
    lab.server.ip("addr", "add", f"{OWN}/128", "dev", "pub0", "nodad")
    lab.server.ip("route", "add", GATEWAY, "dev", "pub0")
    lab.server.ip("route", "add", "default", "via", GATEWAY, "dev", "pub0")
    assert check(lab, **HOST) == (0, IN_ORDER)
    server = lab.dtcps(set=settings(**HOST))
    server.wait_log("neighbour solicitations on pub0 are answered for what sessions have")
    address = lab.dtcpclient(type="host").wait_up()["address"]
    ping(far, address)
    ping(lab.site, FAR)
    ping(lab.server, GATEWAY)


def test_suggest(lab):
    """A whole configuration, by which such a server works."""
    far = rented(lab)
    text = lab.server.run(DTCPS, "--suggest", "-o", f"database={lab.users.path}").stdout
    assert f"\nhost.prefix = {LINK}\n" in text
    assert f"# On pub0, since its network is {LINK}.\n# ndp.proxy = auto\n" in text
    assert "# What has to be done besides" not in text
    path = lab.file("dtcps.conf", text)
    server = lab.dtcps("--check", "-c", path, set=settings(database=None), wait=False)
    assert (server.wait(), server.log()) == (0, IN_ORDER)
    server = lab.dtcps("-c", path, set=settings(database=None))
    client = lab.dtcpclient(type="host")
    ping(far, client.wait_up()["address"])
    assert client.stop() == 0
    assert server.stop() == 0
    # A smaller one.
    lab.server.ip("addr", "flush", "dev", "pub0", "scope", "global")
    lab.server.ip("addr", "add", f"{OWN}/112", "dev", "pub0", "nodad")
    lab.server.ip("route", "replace", "default", "via", GATEWAY)
    text = lab.server.run(DTCPS, "--suggest", "-o", f"database={lab.users.path}").stdout
    assert "\nnetwork.pool = 2001:db8:a::/112\n" in text
    assert "\nnetwork.length = 120\n" in text
    path.write_text(text)
    lab.dtcps("-c", path, set=settings(database=None))
    ping(far, site_address(lab, lab.dtcpclient().prefix()))
