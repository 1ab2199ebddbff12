# SPDX-License-Identifier: BSD-2-Clause
"""Each source leaves where it belongs: beside native IPv6, and with two tunnels on one machine."""

import os
import re
import signal

import pytest

from lab.capture import Capture
from lab.programs import PASSWORD, router_address, write_auth
from lab.topology import SERVER, SIX
from lab.traffic import no_ping, ping, ping_once
from lab.wait import until

NATIVE = "2001:db8:9::2"


def rules(node):
    """Those that are not the kernel's own."""
    return [line for line in node.ip("-6", "rule", "show").splitlines()
            if "proto 220" in line or "proto dtcp" in line]


def add_native(lab):
    """The site's provider has IPv6, with a better default route, and knows nobody else's sources:
    it drops them without a word."""
    lab.net.sysctl("net.ipv6.conf.all.disable_ipv6", 0)
    lab.net.sysctl("net.ipv6.conf.default.disable_ipv6", 0)
    lab.net.sysctl("net.ipv6.conf.all.forwarding", 1)
    lab.net.ip("-6", "addr", "add", "2001:db8:9::1/64", "dev", "site0", "nodad")
    lab.net.ip("-6", "addr", "add", "2001:db8:a::1/64", "dev", "server0", "nodad")
    lab.server.ip("-6", "addr", "add", "2001:db8:a::2/64", "dev", "up0", "nodad")
    lab.server.ip("-6", "route", "add", "2001:db8:9::/64", "via", "2001:db8:a::1")
    lab.net.ip("-6", "route", "add", "2001:db8:6::/64", "via", "2001:db8:a::2")
    lab.net.nft("table ip6 bcp38 { chain f { type filter hook forward priority 0;"
                " iifname site0 ip6 saddr != 2001:db8:9::/64 counter drop; }; }")
    lab.site.ip("-6", "addr", "add", f"{NATIVE}/64", "dev", "up0", "nodad")
    lab.site.ip("-6", "route", "add", "default", "via", "2001:db8:9::1", "metric", "100")


def test_beside_native_ipv6(lab):
    lab.internet(lan=True)
    lab.users.add_alice()
    add_native(lab)
    before = lab.site.state()
    lab.dtcps()
    client = lab.dtcpclient()
    prefix = client.prefix()
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    # Who has no source yet takes the better route, and its address.
    ping(lab.site, SIX)
    ping(lab.site, SIX, source=NATIVE)
    ping(lab.site, SIX, source=str(router_address(prefix)))
    # A machine behind, with an address of the tunnel.
    lab.site.sysctl("net.ipv6.conf.all.forwarding", 1)
    lab.site.ip("-6", "addr", "add", f"{prefix[1]}/64", "dev", "lan0", "nodad")
    lab.lan.ip("-6", "addr", "add", f"{prefix[2]}/64", "dev", "eth0", "nodad")
    lab.lan.ip("-6", "route", "add", "default", "via", str(prefix[1]))
    ping(lab.lan, SIX)
    ping(lab.six, str(prefix[2]))
    # What is near stays near.
    ping(lab.site, str(prefix[2]), source=str(router_address(prefix)))
    assert "Destination unreachable" in no_ping(lab.six, str(prefix[5 << 64]))
    lab.site.ip("-6", "addr", "del", f"{prefix[1]}/64", "dev", "lan0")
    lab.site.sysctl("net.ipv6.conf.all.forwarding", 0)
    assert client.stop() == 0
    assert not rules(lab.site)
    lab.site.back_to(before)


def test_sources_of_nobody_are_told(lab):
    """There is no other way out; the server would drop them as spoofed."""
    lab.internet(lan=True)
    lab.users.add_alice()
    server = lab.dtcps()
    client = lab.dtcpclient()
    client.wait_up()
    lab.site.sysctl("net.ipv6.conf.all.forwarding", 1)
    lab.site.ip("-6", "addr", "add", "fd00:9::1/64", "dev", "lan0", "nodad")
    lab.lan.ip("-6", "addr", "add", "fd00:9::2/64", "dev", "eth0", "nodad")
    lab.lan.ip("-6", "route", "add", "default", "via", "fd00:9::1")
    with Capture(lab.lan, "eth0", "icmp6 and ip6[40] == 1") as seen:
        no_ping(lab.lan, SIX)
        # destination unreachable, source address failed ingress/egress policy
        seen.wait_for(lambda packet: packet.getlayer("ICMPv6DestUnreach").code == 5, "code 5")
    # Whichever path carries packets.
    ping_once(lab.lan, SIX, count=5)
    assert client.counters()["src-ingress"] >= 6
    assert "src-ingress" not in server.counters()


def test_two_tunnels(lab):
    """Each with a default route of its own, whichever was there first; one ends, or is killed, and
    the other goes on."""
    lab.internet()
    lab.users.add_alice()
    lab.users.add("bob")
    lab.dtcps("-U")
    write = f"{SERVER}:alice:{PASSWORD}\n{SERVER}:bob:{PASSWORD}\n"
    write_auth(lab.site, write)
    before = lab.site.state()

    def start(user, interface):
        client = lab.dtcpclient("-U", "-n", "-b", "0", "--interface", interface, user=user,
                                password=None)
        prefix = client.prefix()
        return client, str(router_address(prefix))

    alice, a = start("alice", "dtcp0")
    bob, b = start("bob", "dtcp1")
    for source in (a, b):
        ping(lab.site, SIX, source=source)
    assert len(rules(lab.site)) == 4
    assert alice.stop() == 0
    ping(lab.site, SIX, source=b)
    assert len(rules(lab.site)) == 2
    # Everything is killed, the guard too: the next start clears up, and leaves the other alone.
    alice, a = start("alice", "dtcp0")
    bob.kill_all()
    until(lambda: "dtcp1" not in lab.site.links(), "its interface has gone")
    assert len(rules(lab.site)) == 4
    ping(lab.site, SIX, source=a)
    bob, b = start("bob", "dtcp1")
    bob.wait_log("removed the rules for 1 prefix left behind by an earlier run")
    assert len(rules(lab.site)) == 4
    for source in (a, b):
        ping(lab.site, SIX, source=source)
    # Root's process alone: the guard clears up.
    os.kill(bob.rooms()["monitor"], signal.SIGKILL)
    bob.wait()
    until(lambda: len(rules(lab.site)) == 2, "the guard has removed the rules")
    assert alice.stop() == 0
    lab.site.back_to(before)
    assert not rules(lab.site)


@pytest.mark.parametrize("table", ["main", "100"])
def test_table_that_is_named(lab, table):
    lab.internet()
    lab.users.add_alice()
    lab.dtcps()
    client = lab.dtcpclient("--table", table)
    client.wait_up()
    assert len(rules(lab.site)) == (0 if table == "main" else 2)
    ping(lab.site, SIX)
    if table == "main":
        return
    assert any(re.search(r"lookup 100\b", line) for line in rules(lab.site))
    # Put back, as everything else.
    lab.site.ip("-6", "route", "flush", "table", "100")
    client.wait_log("the default route of its own table was removed by somebody; put back")
