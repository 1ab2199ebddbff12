# SPDX-License-Identifier: BSD-2-Clause
"""Large packets in the kernel, small ones on the wire: between a host behind the site's router and
one behind the server, with the offloads of the interfaces and without."""

import random
import socket

import pytest

from lab.capture import Capture
from lab.topology import SIX
from lab.traffic import ping, transfer
from lab.wait import until

MEGABYTES = 4 << 20
LAN = "2001:db8:100:100::10"
LAN_ROUTER = "2001:db8:100:100::1"
OUTSIDE = {"-U": "udp port 4028", "ipv6": "ip proto 41"}


@pytest.fixture(params=["-U", "ipv6"])
def transport(request):
    return request.param


@pytest.fixture(params=["offloads", "no offloads"])
def hosts(request, lab, transport):
    """The two hosts, which can reach each other. Without offloads nothing is ever larger outside
    than what the path takes."""
    lab.offloads = request.param == "offloads"
    lab.internet(lan=True)
    lab.users.add("alice", prefix="2001:db8:100:100::/56")
    lab.dtcps("-U")
    more = ("-U",) if transport == "-U" else ("--transport", "ipv6")
    lab.dtcpclient(*more).wait_up()
    lab.site.sysctl("net.ipv6.conf.all.forwarding", 1)
    lab.site.ip("addr", "add", f"{LAN_ROUTER}/64", "dev", "lan0", "nodad")
    lab.lan.ip("addr", "add", f"{LAN}/64", "dev", "eth0", "nodad")
    lab.lan.ip("route", "add", "default", "via", LAN_ROUTER)
    ping(lab.lan, SIX)
    if lab.offloads:
        yield lab
        return
    with Capture(lab.net, "server0", f"({OUTSIDE[transport]}) and greater 1515",
                 limit=5) as too_large:
        yield lab
        assert too_large.stop() == []


def test_tcp(hosts, transport):
    with Capture(hosts.net, "server0", f"({OUTSIDE[transport]}) and greater 1200", limit=5) as full:
        transfer(hosts.lan, hosts.six, SIX, MEGABYTES)
        transfer(hosts.six, hosts.lan, LAN, MEGABYTES)
        full.wait_for(lambda packet: True, "a packet of full size")


def receive(sock, count):
    got = []
    sock.settimeout(0.02)

    def all_there():
        try:
            while True:
                got.append(sock.recv(2048))
        except TimeoutError:
            return len(got) >= count

    until(all_there, lambda: f"all {count} datagrams come, not {len(got)}")
    return got


@pytest.mark.parametrize("there", ["to the host", "to the LAN"])
def test_udp(hosts, there):
    """Datagrams of one size, which can go as one, and of any size; each as it was, in order."""
    sender, receiver, address = \
        (hosts.lan, hosts.six, SIX) if there == "to the host" else (hosts.six, hosts.lan, LAN)
    numbers = random.Random(7)
    with receiver.inside():
        incoming = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    incoming.bind((address, 0))
    with sender.inside():
        outgoing = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    outgoing.connect(incoming.getsockname()[:2])
    with incoming, outgoing:
        for size in (lambda: 100, lambda: 1200, lambda: numbers.choice((0, 1, 100, 500, 1200))):
            sent = [numbers.randbytes(size()) for _ in range(40)]
            for datagram in sent:
                outgoing.send(datagram)
            assert receive(incoming, len(sent)) == sent
        # The kernel cuts this one by itself (UDP_SEGMENT), or has us cut it.
        outgoing.setsockopt(socket.IPPROTO_UDP, 103, 500)
        large = numbers.randbytes(500 * 20 + 7)
        outgoing.send(large)
        assert b"".join(receive(incoming, 21)) == large
