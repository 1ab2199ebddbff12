# SPDX-License-Identifier: BSD-2-Clause
"""The kernel carries the packets (--fast): that it does, that forward takes over what it cannot, and
that nothing stays behind which would swallow packets."""

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import threading
from pathlib import Path

import pytest

from lab.capture import Capture, IPv6
from lab.nat import drop
from lab.node import command
from lab.process import Process
from lab.programs import (DTCPCLIENT, DTCPS, HOST_PREFIX, PASSWORD, POOL, SERVICE, Client,
                          write_auth)
from lab.topology import SERVER, SITE, SITE_NET, SIX, narrow
from lab.traffic import ping, ping_once, transfer
from lab.wait import BUILD, until

MEGABYTE = 1 << 20


@pytest.fixture
def possible(internet):
    """Skips, with the reason, where this kernel cannot."""
    server = internet.dtcps("-U", set={"fast": "auto"})
    line = server.wait_log(r"fast path: (.*)").group(1)
    server.stop()
    if not line.startswith("on"):
        pytest.skip(f"fast path: {line}")
    return internet


class Tunnel:
    def __init__(self, lab, *words, fast="on", type="host", server_fast=None, mtu=1280):
        self.lab = lab
        self.server = lab.dtcps("-U", set={"fast": server_fast or fast, "mtu": mtu})
        self.client = lab.dtcpclient("--fast", fast, "-m", mtu, *words, type=type)
        self.address = self.client.wait_up().get("address")
        ping(lab.site, SIX)

    def by_forward(self):
        """Packets that forward has read from its device or written to it, at both ends."""
        count = 0
        for node, name in ((self.lab.site, "dtcp0"), (self.lab.server, "dtcps0")):
            [link] = node.ip_json("-s", "link", "show", "dev", name)
            count += link["stats64"]["rx"]["packets"] + link["stats64"]["tx"]["packets"]
        return count

    def transfer(self, size=4 * MEGABYTE):
        transfer(self.lab.site, self.lab.six, SIX, size=size)
        transfer(self.lab.six, self.lab.site, self.address, size=size)

    def transfer_by_forward(self):
        """How many packets of a transfer in both directions forward has handled: some 200 large ones
        are all. Over UDP without offloads these can be many even where the kernel sends."""
        before = self.by_forward()
        self.transfer()
        return self.by_forward() - before


def held(process, field):
    """What the descriptors of root's process say of one field of the kernel's: a list."""
    found = []
    folder = Path(f"/proc/{process.rooms()['monitor']}/fdinfo")
    for entry in folder.iterdir():
        # Another one may have been closed meanwhile.
        with contextlib.suppress(FileNotFoundError):
            found += re.findall(rf"^{field}:\s*(\S+)", entry.read_text(), flags=re.MULTILINE)
    return found


def filters(node):
    """The devices outside that packets are taken from on old kernels."""
    return [name for name in node.links() if "fast_decap" in node.command(
        "tc", "filter", "show", "dev", name, "ingress", check=False).stdout]


def devices(process):
    """How many devices outside packets are taken from: by links, or on old kernels by filters."""
    # The TUN device has two of its own.
    return max(len(held(process, "link_type")) - 2, len(filters(process.node)))


def is_loaded(program):
    return command("bpftool", "prog", "show", "id", program, check=False).returncode == 0


@pytest.mark.parametrize("transport", ["ipv6", "udp"])
def test_carried(possible, transport):
    tunnel = Tunnel(possible, "--transport", transport)
    before = tunnel.by_forward()
    counted = tunnel.client.counters()
    tunnel.transfer()
    # Each megabyte is some 800 packets, and half as many acknowledgements.
    assert tunnel.by_forward() - before < 1000
    now = tunnel.client.counters()
    assert now["out-bytes"] - counted["out-bytes"] > 4 * MEGABYTE
    assert now["in-bytes"] - counted["in-bytes"] > 4 * MEGABYTE
    assert now["out-packets"] - counted["out-packets"] > 3000
    assert now["in-packets"] - counted["in-packets"] > 3000
    assert "fast path: on" in tunnel.client.log()
    # The server has counted the same, and says so at the end.
    tunnel.client.stop()
    line = tunnel.server.wait_log(r"session down .* in_packets=(\d+) in_bytes=(\d+) out_packets=(\d+)")
    assert int(line.group(2)) > 4 * MEGABYTE


@pytest.mark.parametrize("transport", ["ipv6", "udp"])
def test_off(internet, transport):
    tunnel = Tunnel(internet, "--transport", transport, fast="off")
    before = tunnel.by_forward()
    tunnel.transfer()
    assert tunnel.by_forward() - before > 100
    assert held(tunnel.server, "prog_id") == [] and held(tunnel.client, "prog_id") == []
    assert "fast path: off" in tunnel.client.log()


def test_without_privilege(internet):
    """Who insists on the kernel is told in one line what is missing; for all others forward carries
    the packets."""
    under = ("setpriv", "--bounding-set=-bpf,-sys_admin")
    reason = "no privilege to load a program, or a security module refused it"
    settings = (f"database={internet.users.path}", f"host.prefix={HOST_PREFIX}",
                f"network.pool={POOL}", "fast=on", f"user={SERVICE}")
    server = Process(internet.server, "dtcps", *under, DTCPS,
                     *(word for setting in settings for word in ("-o", setting)))
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n")
    client = Process(internet.site, "dtcpclient", *under, DTCPCLIENT, "--fast", "on", "-u", "alice",
                     SERVER)
    for process in (server, client):
        assert process.wait() == 1
        [line] = [line for line in process.log().splitlines() if "fast path" in line]
        assert line.endswith(f"fast path: not possible: {reason}")
    internet.dtcps()
    client = Process(internet.site, "dtcpclient", *under, DTCPCLIENT, "--fast", "auto", "-t", "host",
                     "-u", "alice", SERVER)
    client.wait_log("tunnel up")
    assert f"fast path: off: {reason}" in client.log()
    ping(internet.site, SIX)


@pytest.mark.parametrize("ends", [("on", "off"), ("off", "on")])
@pytest.mark.parametrize("transport", ["ipv6", "udp"])
def test_one_end_only(possible, transport, ends):
    """Neither end has to know of the other's."""
    tunnel = Tunnel(possible, "--transport", transport, fast=ends[0], server_fast=ends[1])
    tunnel.transfer(MEGABYTE)


@pytest.mark.parametrize("transport", ["ipv6", "udp"])
def test_killed(possible, transport):
    """kill -9 of everything: no program is left, and the next start is like the first."""
    tunnel = Tunnel(possible, "--transport", transport)
    tunnel.transfer(MEGABYTE)
    loaded = {*held(tunnel.client, "prog_id"), *held(tunnel.server, "prog_id")}
    assert len(loaded) >= 6 and all(is_loaded(program) for program in loaded)
    if not held(tunnel.server, "link_type"):
        # Before Linux 6.6 they stay on the devices outside, and decline everything.
        loaded = set()
    for process in (tunnel.client, tunnel.server):
        for pid in process.rooms().values():
            os.kill(pid, signal.SIGKILL)
        process.wait()
    until(lambda: not any(is_loaded(program) for program in loaded), "the programs have gone")
    tunnel = Tunnel(possible, "--transport", transport, fast="off")
    tunnel.transfer(MEGABYTE)


def test_killed_with_filters(possible):
    """Before Linux 6.6 no descriptor holds the programs: root's process removes them, or a guard, or
    the next start, whichever path it takes."""
    lab = possible
    nodes = (lab.site, lab.server)
    lab.variables["LD_PRELOAD"] = str(BUILD / "tests" / "preload" / "no_tcx.so")
    tunnel = Tunnel(lab, "--transport", "ipv6")
    assert tunnel.transfer_by_forward() < 100
    assert [filters(node) for node in nodes] == [["up0"], ["up0"]]
    for process in (tunnel.client, tunnel.server):
        os.kill(process.rooms()["monitor"], signal.SIGKILL)
        process.wait()
    until(lambda: not any(filters(node) for node in nodes), "the guards remove the filters")

    tunnel = Tunnel(lab, "--transport", "ipv6")
    tunnel.transfer(MEGABYTE)
    tunnel.client.kill_all()
    tunnel.server.kill_all()
    assert all(filters(node) for node in nodes)
    tunnel = Tunnel(lab, "--transport", "ipv6", fast="off")
    assert not any(filters(node) for node in nodes)
    tunnel.transfer(MEGABYTE)
    tunnel.client.stop()
    tunnel.server.stop()

    tunnel = Tunnel(lab, "--transport", "ipv6")
    assert all(filters(node) for node in nodes)
    tunnel.client.stop()
    tunnel.server.stop()
    assert not any(filters(node) for node in nodes)


# --- what lies under it


def move(lab, name, other=None):
    """The site's address and default route are at this device now; other: the net's."""
    for node, old, new, address in ((lab.site, "up0", name, SITE), (lab.net, "site0", other, SITE_NET)):
        if new:
            node.ip("addr", "flush", "dev", old)
            node.ip("addr", "add", f"{address}/24", "dev", new)
            node.ip("link", "set", new, "up")
    lab.site.ip("route", "replace", "default", "via", SITE_NET)


def bridge(lab):
    lab.site.ip("link", "add", "br0", "type", "bridge")
    lab.site.ip("link", "set", "up0", "master", "br0")
    move(lab, "br0")


def macvlan(lab):
    lab.site.ip("link", "add", "link", "up0", "name", "mac0", "type", "macvlan", "mode", "bridge")
    move(lab, "mac0")


def vlan(lab):
    for node, wire in ((lab.site, "up0"), (lab.net, "site0")):
        made = node.command("ip", "link", "add", "link", wire, "name", f"{wire}.7", "type", "vlan",
                            "id", 7, check=False)
        if made.returncode != 0:
            pytest.skip(f"this kernel has no VLAN devices: {made.stderr.strip()}")
    move(lab, "up0.7", "site0.7")


@pytest.mark.parametrize("underlay", [bridge, macvlan, vlan])
def test_ethernet(possible, underlay):
    """Whatever has an Ethernet header is good for the kernel."""
    underlay(possible)
    assert Tunnel(possible, "--transport", "ipv6").transfer_by_forward() < 100


def open_tun(node, name):
    with node.inside():
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    # TUNSETIFF; IFF_TUN and IFF_NO_PI
    fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", name.encode(), 0x1001))
    return tun


@contextlib.contextmanager
def plain_wire(a, b, name):
    """A wire between two nodes without Ethernet headers, as that of PPPoE and of mobile networks."""
    ends = [open_tun(node, name) for node in (a, b)]
    stop, stopped = os.pipe()

    def pump():
        while True:
            ready, _, _ = select.select([*ends, stop], [], [])
            if stop in ready:
                return
            for one, other in (ends, reversed(ends)):
                if one in ready:
                    os.write(other, os.read(one, 65536))

    for node in (a, b):
        node.ip("link", "set", name, "mtu", 1492, "up")
    thread = threading.Thread(target=pump)
    thread.start()
    try:
        yield
    finally:
        os.close(stopped)
        thread.join()
        for fd in (*ends, stop):
            os.close(fd)


def test_without_ethernet(possible):
    """By such a device forward carries everything; when the default route moves to another one, the
    kernel does."""
    lab = possible
    with plain_wire(lab.site, lab.net, "ppp0"):
        move(lab, "ppp0", "ppp0")
        tunnel = Tunnel(lab, "--transport", "ipv6")
        assert tunnel.transfer_by_forward() > 100
        for node, wire, address in ((lab.site, "up0", SITE), (lab.net, "site0", SITE_NET)):
            node.ip("addr", "flush", "dev", "ppp0")
            node.ip("addr", "add", f"{address}/24", "dev", wire)
        lab.site.ip("route", "replace", "default", "via", SITE_NET)
        ping(lab.site, SIX)
        until(lambda: tunnel.transfer_by_forward() < 100, "the kernel carries the packets", 30)


def test_own_translation(possible):
    """The site's own packet filter translates what it sends: what the kernel sent would not be."""
    possible.site.nft("table ip own { chain out { type nat hook postrouting priority 100;"
                      " oifname up0 ip protocol udp masquerade fully-random; }; }")
    with Capture(possible.net, "site0", "src port 4028 and udp and src host 192.0.2.2", limit=10) as plain:
        tunnel = Tunnel(possible, "--transport", "udp")
        assert tunnel.transfer_by_forward() > 50
        assert plain.stop() == []


def test_own_way(possible):
    """What this machine sends itself has a route of its own, and the other one loses packets."""
    lab = possible
    lab.wire(lab.site, "up1", lab.net, "site1")
    lab.site.ip("addr", "add", "198.51.101.2/24", "dev", "up1")
    lab.net.ip("addr", "add", "198.51.101.1/24", "dev", "site1")
    drop(lab.net, "iifname site1")
    lab.site.ip("rule", "add", "iif", "lo", "table", 100)
    lab.site.ip("route", "add", "default", "via", SITE_NET, "table", 100)
    lab.site.ip("route", "replace", "default", "via", "198.51.101.1")
    assert Tunnel(lab, "--transport", "ipv6").transfer_by_forward() > 50


@pytest.mark.parametrize("near", ["server", "site"])
def test_smaller_path(possible, near):
    """The sender is told what fits, whether a router outside says so or the own interface, and then
    the kernel goes on."""
    lab = possible
    narrow(lab.net, f"{near}0", getattr(lab, near), "up0", 1400)
    tunnel = Tunnel(lab, "--transport", "ipv6", mtu=1480)
    with Capture(lab.site, "dtcp0", "icmp6 and ip6[40] == 2") as here, \
            Capture(lab.six, "up0", "icmp6 and ip6[40] == 2") as there:
        for node, address, told in ((lab.site, SIX, here), (lab.six, tunnel.address, there)):
            # What is too large for the path is known when the first one has been lost.
            ping_once(node, address, size=1400, count=3, more=("-M", "do"))
            packet = told.wait_for(lambda packet: True, "packet too big")
            assert packet[IPv6].payload.mtu == 1400 - 20
    assert tunnel.transfer_by_forward() < 100


# --- what others on this machine have to say


def test_ipsec(possible):
    """Policies that come while packets flow are obeyed: here, that none may leave the site."""
    lab = possible
    tunnel = Tunnel(lab, "--transport", "ipv6", fast="auto")
    assert tunnel.transfer_by_forward() < 100
    lab.site.ip("xfrm", "policy", "add", "dir", "out", "src", "203.0.113.0/24")
    tunnel.client.wait_log("fast path: off: this machine has IPsec policies")
    assert tunnel.transfer_by_forward() > 50
    since = tunnel.client.mark()
    lab.site.ip("xfrm", "policy", "flush")
    tunnel.client.wait_log("fast path: on, the kernel sends and receives", since=since)
    until(lambda: tunnel.transfer_by_forward() < 100, "the kernel carries the packets", 30)


def test_other_uplink(possible):
    """The server's default route moves to a device that was not there before."""
    lab = possible
    tunnel = Tunnel(lab, "-U")
    tunnel.transfer(MEGABYTE)
    lab.wire(lab.server, "up1", lab.net, "server1")
    lab.net.ip("addr", "add", "198.51.101.1/24", "dev", "server1")
    lab.server.ip("addr", "add", "198.51.101.2/24", "dev", "up1")
    lab.server.ip("route", "replace", "default", "via", "198.51.101.1", "dev", "up1")
    ping(lab.site, SIX)
    tunnel.transfer(MEGABYTE)
    until(lambda: devices(tunnel.server) == 2, "the programs follow to the new device")
    before = tunnel.by_forward()
    # Packets come in by one device and go out by the other: forward takes these in.
    tunnel.transfer(MEGABYTE)
    assert tunnel.by_forward() > before


def test_from_client_to_client(lab):
    """What one tunnel brings and another takes on is more than the kernel's programs do: forward
    does, both ways, for large packets as for small ones."""
    lab.internet(nat=True)
    site2 = lab.add_site2()
    lab.users.add("alice")
    lab.users.add("bob")
    server = lab.dtcps("-U")
    alice = lab.dtcpclient("-U", "-n", type="host").wait_up()["address"]
    bob = Client(site2, "-U", "-n", type="host", user="bob").wait_up()["address"]
    ping(lab.site, bob)
    transfer(lab.site, site2, bob, size=MEGABYTE)
    transfer(site2, lab.site, alice, size=MEGABYTE)
    assert server.running()
