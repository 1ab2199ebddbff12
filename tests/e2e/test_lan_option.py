# SPDX-License-Identifier: BSD-2-Clause
"""--lan: networks at home get the prefix, behind a firewall, and everything goes at the end."""

import contextlib
import ipaddress
import os
import shutil
import signal
import socket

import pytest

from lab.capture import Capture
from lab.node import command
from lab.process import Process
from lab.programs import DTCPCLIENT, PASSWORD, write_auth
from lab.topology import SERVER, SIX
from lab.traffic import no_ping, ping
from lab.wait import until

DNS = "2001:db8:6::53"


def learned(node):
    """{address: preferred lifetime} of addresses by advertisements."""
    return {info["local"]: info["preferred_life_time"]
            for link in node.ip_json("-6", "addr", "show", "dev", "eth0", "scope", "global")
            for info in link.get("addr_info", []) if info.get("dynamic")}


def preferred(node):
    return [address for address, life in learned(node).items() if life > 0]


def one_address(node):
    [address] = until(lambda: preferred(node), f"{node.name} has an address")
    return ipaddress.ip_address(address)


def tables(node):
    return node.command("nft", "list", "tables").stdout


def state(node):
    """With what --lan could leave besides."""
    keys = [f"net.ipv6.conf.{name}.{key}" for name in ("up0", "lan0")
            for key in ("accept_ra", "disable_ipv6", "mtu")]
    return {**node.state(), "tables": tables(node), "rules": node.ip("-6", "rule", "show"),
            **{key: node.sysctl(key) for key in keys}}


def back_to(node, before):
    def difference():
        now = state(node)
        return {key: (before[key], now[key]) for key in before if before[key] != now[key]}

    until(lambda: not difference(), lambda: f"{node.name} is as before: {difference()}")


def home(lab, second=False):
    """The site with one network at home, or two; what is to be there again at the end."""
    lab.internet(lan=True)
    lab.users.add_alice()
    lan2 = None
    if second:
        lan2 = lab.node("lan2")
        lab.wire(lab.site, "lan1", lan2, "eth0")
    write_auth(lab.site, f"{SERVER}:alice:{PASSWORD}\n{SERVER}:bob:{PASSWORD}\n")
    return lan2, state(lab.site)


@contextlib.contextmanager
def listening(node, port):
    with node.inside():
        listener = socket.create_server(("::", port), family=socket.AF_INET6)
    with listener:
        yield listener


def connect(node, address, port):
    """None, or the error."""
    with node.inside():
        client = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    with client:
        client.settimeout(5)
        try:
            client.connect((str(address), port))
        except OSError as error:
            return error
    return None


def test_two_networks(lab):
    """Each has a /64 in the order of the option; they reach the world, each other and the router;
    from outside, only what is open comes in."""
    lan2, before = home(lab, second=True)
    (lab.site.dir / "resolv.conf").write_text(f"nameserver 127.0.0.1\nnameserver {DNS}\n")
    lab.dtcps("-U")
    with Capture(lab.lan, "eth0", "icmp6 and ip6[40] == 134") as seen:
        client = lab.dtcpclient("--lan", "lan0,lan1", "--lan-open", "tcp/8000,udp/5000-5010",
                                type=None, password=None)
        prefix = client.prefix()
        subnets = prefix.subnets(new_prefix=64)
        first, second = next(subnets), next(subnets)
        a, b = one_address(lab.lan), one_address(lan2)
        advert = seen.wait_for(lambda packet: "Prefix Information" in packet.summary() or
                               packet.haslayer("ICMPv6NDOptPrefixInfo"), "an advertisement")
    assert a in first and b in second
    assert str(first[1]) in lab.site.addresses("lan0")
    assert str(second[1]) in lab.site.addresses("lan1")
    info = advert["ICMPv6NDOptPrefixInfo"]
    assert (info.preferredlifetime, info.validlifetime) == (2700, 5400)
    assert advert["ICMPv6NDOptRDNSS"].dns == [DNS]
    assert advert["ICMPv6NDOptMTU"].mtu == 1280
    for node in (lab.lan, lan2):
        ping(node, SIX)
    ping(lab.lan, str(b))
    # RFC 4890: who is asked whether it is there answers.
    ping(lab.six, str(a))
    with listening(lab.six, 9000):
        assert connect(lab.lan, SIX, 9000) is None
    with listening(lab.lan, 8000), listening(lab.lan, 8001), listening(lan2, 8001), \
            listening(lab.site, 8000):
        assert connect(lab.six, a, 8000) is None
        # Refused at once, and not only after a time.
        assert isinstance(connect(lab.six, a, 8001), PermissionError)
        assert connect(lan2, a, 8001) is None
        # The router itself: from inside, and not from outside.
        for address in (first[1], prefix[-1] - ((1 << 64) - 2)):
            assert isinstance(connect(lab.six, address, 8000), PermissionError)
            assert connect(lab.lan, address, 8000) is None
    with Capture(lab.lan, "eth0", "icmp6 and ip6[40] == 134") as seen:
        assert client.stop() == 0
        seen.wait_for(lambda packet: packet["ICMPv6ND_RA"].routerlifetime == 0 and
                      packet["ICMPv6NDOptPrefixInfo"].preferredlifetime == 0, "the last word")
    until(lambda: not preferred(lab.lan), "the address is deprecated")
    back_to(lab.site, before)


def test_firewall_off(lab):
    _, before = home(lab)
    lab.dtcps()
    client = lab.dtcpclient("--lan", "lan0", "--lan-firewall", "off", "--lan-dns", "none",
                            password=None)
    client.wait_up()
    a = one_address(lab.lan)
    assert tables(lab.site) == before["tables"]
    with listening(lab.lan, 8001):
        until(lambda: connect(lab.six, a, 8001) is None, "it is open")
    assert client.stop() == 0
    back_to(lab.site, before)


def test_killed(lab):
    """Root's process alone, when the guard takes back what was made; then everything, when the next
    start does."""
    _, before = home(lab)
    lab.dtcps()
    client = lab.dtcpclient("--lan", "lan0", password=None)
    client.wait_up()
    one_address(lab.lan)
    os.kill(client.rooms()["monitor"], signal.SIGKILL)
    client.wait()
    back_to(lab.site, before)
    until(lambda: not preferred(lab.lan), "the address is deprecated")
    client = lab.dtcpclient("--lan", "lan0", "--interface", "tun7", password=None)
    client.wait_up()
    one_address(lab.lan)
    client.kill_all()
    # Of the same name, whose control socket takes the place of the one that was left.
    client = lab.dtcpclient("--interface", "tun7", password=None)
    client.wait_log("took back what an earlier run has left on the networks here")
    client.wait_up()
    assert client.stop() == 0
    back_to(lab.site, before)


def test_prefix_changes(lab):
    """The old one is deprecated, and whoever still uses it is told."""
    _, before = home(lab)
    lab.dtcps()
    client = lab.dtcpclient("-l", "--hold", "0", "--lan", "lan0", password=None)
    client.wait_up()
    old = one_address(lab.lan)
    lab.users.delete("alice")
    client.wait_log("tunnel down")
    until(lambda: not preferred(lab.lan), "the address is deprecated")
    lab.users.add("alice", prefix="2001:db8:1ff::/48")
    since = client.mark()
    client.send_signal(signal.SIGHUP)
    client.wait_up(since=since)
    new = until(lambda: preferred(lab.lan), "an address of the new prefix")
    assert all(ipaddress.ip_address(address) in ipaddress.ip_network("2001:db8:1ff::/64")
               for address in new)
    assert learned(lab.lan)[str(old)] == 0
    assert str(old) not in new
    ping(lab.lan, SIX, source=new[0])
    with Capture(lab.lan, "eth0", "icmp6 and ip6[40] == 1") as seen:
        lab.lan.command("ping", "-6", "-c", "1", "-W", "1", "-I", str(old), SIX, check=False)
        seen.wait_for(lambda packet: packet["ICMPv6DestUnreach"].code == 5, "code 5")
    assert client.stop() == 0
    back_to(lab.site, before)


def test_two_instances(lab):
    """Each has a network at home; what both need goes with the last one."""
    lan2, before = home(lab, second=True)
    lab.users.add("bob")
    lab.dtcps("-U")

    def start(user, interface, lan):
        client = lab.dtcpclient("-U", "-n", "-b", "0", "--interface", interface, "--lan", lan,
                                user=user, password=None)
        client.wait_up()
        return client

    alice, bob = start("alice", "dtcp0", "lan0"), start("bob", "dtcp1", "lan1")
    for node in (lab.lan, lan2):
        one_address(node)
        ping(node, SIX)
    assert alice.stop() == 0
    assert lab.site.sysctl("net.ipv6.conf.all.forwarding") == "1"
    ping(lan2, SIX)
    alice = start("alice", "dtcp0", "lan0")
    os.kill(bob.rooms()["monitor"], signal.SIGKILL)
    bob.wait()
    until(lambda: "dtcpclient-dtcp1" not in tables(lab.site), "the guard has removed the table")
    until(lambda: preferred(lab.lan), "an address")
    ping(lab.lan, SIX)
    assert alice.stop() == 0
    back_to(lab.site, before)


def test_uplink_keeps_its_router(lab):
    """Native IPv6 by router advertisements goes on beside a tunnel."""
    lab.internet(lan=True)
    lab.users.add_alice()
    lab.net.sysctl("net.ipv6.conf.all.disable_ipv6", 0)
    lab.net.sysctl("net.ipv6.conf.site0.disable_ipv6", 0)
    lab.net.sysctl("net.ipv6.conf.all.forwarding", 1)
    lab.net.ip("-6", "addr", "add", "2001:db8:9::1/64", "dev", "site0", "nodad")
    config = lab.file("radvd.conf", "interface site0 { AdvSendAdvert on; MinRtrAdvInterval 3;"
                      " MaxRtrAdvInterval 4; AdvDefaultLifetime 8;"
                      " prefix 2001:db8:9::/64 { }; };\n")
    Process(lab.net, "radvd", "radvd", "-n", "-m", "stderr", "-C", config, "-p",
            lab.dir / "radvd.pid")

    def route():
        return [one for one in lab.site.ip_json("-6", "route", "show", "default", "dev", "up0")]

    until(route, "the uplink has a default route")
    lab.dtcps()
    client = lab.dtcpclient("--lan", "lan0")
    client.wait_up()
    assert lab.site.sysctl("net.ipv6.conf.up0.accept_ra") == "2"
    assert route()
    one_address(lab.lan)
    ping(lab.lan, SIX)
    assert route()
    assert client.stop() == 0
    assert lab.site.sysctl("net.ipv6.conf.up0.accept_ra") == "1"
    assert route()


def test_interface_that_comes_later(lab):
    """Said at the start, and it gets its part when it is there, and again when somebody takes its
    address; one that is down is set up, and back."""
    _, before = home(lab)
    lab.site.ip("link", "set", "lan0", "down")
    before = state(lab.site)
    lab.dtcps()
    client = lab.dtcpclient("--lan", "lan0,lan1", password=None)
    client.wait_log("there is no interface lan1; it gets its part when it comes")
    prefix = client.prefix()
    one_address(lab.lan)
    lan2 = lab.node("lan2")
    lab.wire(lab.site, "lan1", lan2, "eth0")
    b = one_address(lan2)
    assert b in list(prefix.subnets(new_prefix=64))[1]
    ping(lan2, SIX)
    lab.site.ip("-6", "addr", "flush", "dev", "lan1", "scope", "global")
    until(lambda: lab.site.addresses("lan1"), "the address is there again")
    ping(lan2, SIX)
    assert client.stop() == 0
    assert "state DOWN" in lab.site.ip("link", "show", "lan0")
    lab.site.ip("link", "del", "lan1")
    back_to(lab.site, before)


def test_machine_without_ipv6(lab):
    """As many have it by sysctl.conf, since their provider has none: the tunnel and the networks at
    home have it nonetheless, and nothing else."""
    home(lab)
    for name in ("all", "default"):
        lab.site.sysctl(f"net.ipv6.conf.{name}.disable_ipv6", 1)
    before = state(lab.site)
    lab.dtcps()
    client = lab.dtcpclient("--lan", "lan0", password=None)
    client.wait_up()
    one_address(lab.lan)
    ping(lab.lan, SIX)
    ping(lab.site, SIX)
    assert lab.site.sysctl("net.ipv6.conf.up0.disable_ipv6") == "1"
    assert client.stop() == 0
    back_to(lab.site, before)


@pytest.mark.parametrize("chain", ["forward", "FORWARD"])
def test_other_rules_in_the_way(lab, chain):
    """A machine with a firewall that forwards nothing: a line says so, and whoever does what it says
    gets there."""
    home(lab)
    lab.site.nft(f"""
        table ip6 filter {{
            chain {chain} {{
                type filter hook forward priority 0; policy drop;
                ct state established,related accept
            }}
        }}
    """)
    lab.dtcps()
    client = lab.dtcpclient("--check", "--check-target", SIX, "--lan", "lan0", password=None)
    assert client.wait() == 0 and "drops what comes from lan0 " in client.log()
    client = lab.dtcpclient("--lan", "lan0", password=None)
    client.wait_up()
    command = client.wait_log("drops what comes from lan0 .*; let it into the tunnel with: (.*)$").group(1)
    if chain == "FORWARD":
        assert command == "ip6tables -I FORWARD -o dtcp0 -j ACCEPT"
        command = "nft insert rule ip6 filter FORWARD oifname dtcp0 accept"
    one_address(lab.lan)
    no_ping(lab.lan, SIX)
    lab.site.command("sh", "-c", command)
    ping(lab.lan, SIX)
    assert client.stop() == 0
    client = lab.dtcpclient("--lan", "lan0", password=None)
    client.wait_up()
    assert "packet filter" not in client.log()


def test_program_that_is_missing(lab):
    """One line, before anything is made, and before the password is asked for."""
    _, before = home(lab)
    nothing = lab.file("nothing", "", 0o644)
    words = lab.site.words(DTCPCLIENT, "--lan", "lan0", "-u", "alice", SERVER)
    for program, instead in (("radvd", ""), ("nft", ", nftables, or use --lan-firewall off")):
        path = os.path.realpath(shutil.which(program, path="/usr/sbin:/usr/bin"))
        result = command(*words[:2], nothing, path, *words[2:], check=False)
        assert (result.returncode, result.stderr) == (
            2, f"dtcpclient: --lan needs {program}, which is not installed; install the package of "
            f"that name{instead}\n")
    back_to(lab.site, before)
