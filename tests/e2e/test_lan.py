# SPDX-License-Identifier: BSD-2-Clause
"""The example script: a network at home gets IPv6 from radvd, and is told when it ends. And an
administrator who leads the prefix to a router of that network."""

import ipaddress
import os
import signal

from lab.capture import Capture
from lab.process import Process
from lab.topology import SITE, SIX
from lab.traffic import PYTHON, fetch, no_ping, ping
from lab.wait import REPO, until

# The metric of our own reject routes: all others come before it.
LAST = 4294967295


def lan_script(lab, interface="lan0"):
    text = (REPO / "etc" / "dtcpclient.script").read_text()
    assert "\nLAN_IF=\n" in text
    return lab.file("script", text.replace("\nLAN_IF=\n", f"\nLAN_IF={interface}\n"), 0o755)


def lan_addresses(lab):
    """{address: preferred lifetime} of the LAN host's addresses from advertisements."""
    return {info["local"]: info["preferred_life_time"]
            for link in lab.lan.ip_json("-6", "addr", "show", "dev", "eth0", "scope", "global")
            for info in link.get("addr_info", []) if info.get("dynamic")}


def test_lan_gets_ipv6_by_advertisement(lab):
    lab.internet(lan=True)
    lab.users.add_alice()
    before = lab.site.state()
    (lab.dir / "hello").write_text("hello over IPv6\n")
    http = Process(lab.six, "http", PYTHON, "-m", "http.server", "--bind", SIX,
                   "--directory", lab.dir, "8000")
    lab.dtcps()
    client = lab.dtcpclient("-s", lan_script(lab))
    prefix = client.prefix()
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    first = next(prefix.subnets(new_prefix=64))

    [address] = until(lambda: lan_addresses(lab), "the LAN host has an address")
    assert ipaddress.ip_address(address) in first
    assert str(first[1]) in lab.site.addresses("lan0")
    assert lab.site.sysctl("net.ipv6.conf.all.forwarding") == "1"

    ping(lab.lan, SIX)
    ping(lab.six, address)
    until(lambda: http.running() and fetch(lab.lan, f"http://[{SIX}]:8000/hello"), "a page")
    assert fetch(lab.lan, f"http://[{SIX}]:8000/hello") == b"hello over IPv6\n"

    # At the end the LAN host keeps the address for what is open, and uses it for nothing new.
    assert client.stop() == 0
    until(lambda: set(lan_addresses(lab).values()) == {0}, "the address is deprecated", 5)
    assert not any(route["dst"] == "default" for route in lab.lan.ip_json("-6", "route"))
    lab.site.back_to(before)


def test_forwarding_that_was_on_stays_on(lab):
    lab.internet(lan=True)
    lab.users.add_alice()
    lab.site.sysctl("net.ipv6.conf.all.forwarding", 1)
    lab.dtcps()
    client = lab.dtcpclient("-s", lan_script(lab))
    client.wait_up()
    until(lambda: lan_addresses(lab), "the LAN host has an address")
    assert client.stop() == 0
    assert lab.site.sysctl("net.ipv6.conf.all.forwarding") == "1"


def test_lan_interface_that_is_not_there(lab):
    """Said in one line, and the tunnel stays."""
    lab.internet()
    lab.users.add_alice()
    lab.dtcps()
    client = lab.dtcpclient("-s", lan_script(lab, "eth7"))
    client.wait_log("there is no interface eth7")
    client.wait_up()
    ping(lab.site, SIX)


def run_script(lab, script, **variables):
    """The script by itself, with the variables that dtcpclient gives it."""
    words = [f"{key}={value}" for key, value in variables.items()]
    return lab.site.run("env", *words, script, check=False)


def test_script_alone(lab):
    """Several prefixes of all lengths; up again without down; down twice."""
    lab.internet(lan=True)
    script = lan_script(lab)
    before = lab.site.state()
    common = {"tuntype": "network", "tunif": "dtcp0", "mtu": "1280",
              "prefix": "2001:db8:100:100::/56 2001:db8:200::/48 2001:db8::/64 2001:db8:0:1::/64"}
    want = {"2001:db8:100:100::1", "2001:db8:200::1", "2001:db8::1", "2001:db8:0:1::1"}
    with Capture(lab.lan, "eth0", "icmp6 and ip6[40] == 134") as seen:
        for _ in range(2):
            result = run_script(lab, script, state="up", **common)
            assert result.returncode == 0, result.stderr
            assert set(lab.site.addresses("lan0")) == want
        until(lambda: len(lan_addresses(lab)) == 4, "an address of each prefix")
        for _ in range(2):
            result = run_script(lab, script, state="down", **common)
            assert (result.returncode, result.stderr) == (0, "")
        lab.site.back_to(before)
        seen.wait_for(lambda packet: "ICMPv6 Neighbor Discovery Option - Prefix Information"
                      in packet and packet.preferredlifetime == 0, "preferred lifetime 0")
    for bad in ("2001:db8:1:2:3::/80", "2001:db8::", "nonsense", "2001:db8::1:0:0:0/x", ""):
        result = run_script(lab, script, state="up", tuntype="network", tunif="dtcp0", prefix=bad)
        assert result.returncode == 1 and len(result.stderr.splitlines()) == 1, result.stderr
    lab.site.back_to(before)
    for kind in ("host", "tunnelonly"):
        assert run_script(lab, script, state="up", tuntype=kind, tunif="dtcp0").returncode == 0
    lab.site.back_to(before)


def test_lan_of_a_site_that_moves(lab):
    """The site's IPv4 address changes: the script hears of it, and the LAN notices nothing."""
    lab.internet(lan=True)
    lab.users.add_alice()
    server = lab.dtcps("-U")
    client = lab.dtcpclient("-U", "-n", "-s", lan_script(lab))
    client.wait_up()
    [address] = until(lambda: lan_addresses(lab), "the LAN host has an address")
    ping(lab.lan, SIX)
    radvd = [pid for pid, title in lab.site.processes().items() if title.startswith("radvd")]
    since = client.mark()
    lab.readdress("192.0.2.77")
    client.wait_log("lan0 goes on announcing", since=since)
    server.wait_log("session up user=alice peer=192.0.2.77 ")
    ping(lab.lan, SIX)
    assert lan_addresses(lab)[address] > 0
    assert radvd == [pid for pid, title in lab.site.processes().items()
                     if title.startswith("radvd")]


def test_lan_of_a_tunnel_that_is_renamed(lab):
    """Under the new name of its tunnel, the script still finds what it has to go on with, and what
    to take back."""
    lab.internet(lan=True)
    lab.users.add_alice()
    lab.readdress("192.0.2.77")
    before = lab.site.state()
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    lab.readdress(SITE)
    lab.dtcps("-U")
    client = lab.dtcpclient("-U", "-n", "-s", lan_script(lab))
    client.wait_up()
    until(lambda: lan_addresses(lab), "the LAN host has an address")
    lab.site.rename("dtcp0", "wan6")
    client.wait_log("interface dtcp0 is called wan6 now")
    lab.readdress("192.0.2.77")
    client.wait_log("lan0 goes on announcing")
    ping(lab.lan, SIX)
    assert client.stop() == 0
    until(lambda: set(lan_addresses(lab).values()) == {0}, "the address is deprecated", 5)
    lab.site.back_to(before)


class RouterBehind:
    """The LAN host becomes a router for the whole prefix; its address is in the prefix."""

    def __init__(self, lab):
        lab.internet(lan=True)
        self.lab = lab
        self.site = lab.site
        lab.users.add_alice()
        lab.dtcps()
        client = lab.dtcpclient()
        self.prefix = client.prefix()
        assert client.stop() == 0
        self.address = self.prefix[0x10001]
        self.site.ip("-6", "addr", "add", "fe80::1/64", "dev", "lan0", "nodad")
        lab.lan.ip("-6", "addr", "add", "fe80::2/64", "dev", "eth0", "nodad")
        lab.lan.ip("-6", "addr", "add", f"{self.address}/128", "dev", "eth0", "nodad")
        lab.lan.ip("-6", "route", "add", "default", "via", "fe80::1", "dev", "eth0")
        self.site.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.clean = self.routes()

    def route(self, verb, *metric):
        self.site.ip("-6", "route", verb, self.prefix, "via", "fe80::2", "dev", "lan0", *metric)

    def routes(self):
        """Those that the tunnel could have to do with."""
        return [route for route in self.site.routes()
                if str(self.prefix) in route or "proto 220" in route]


def test_own_route_for_the_prefix(lab):
    """It is there at the start: the tunnel comes up, leads to the router behind, and at the end,
    sudden or not, the route is still there."""
    behind = RouterBehind(lab)
    for metric in ((), ("metric", "9"), ("metric", "5000")):
        behind.route("add", *metric)
        own = behind.routes()
        assert len(own) == 1
        client = lab.dtcpclient()
        client.wait_up()
        ping(lab.six, behind.address)
        assert client.stop() == 0
        assert behind.routes() == own
        behind.route("del", *metric)
    # The guard clears away, and so does the next start.
    behind.route("add")
    own = behind.routes()
    client = lab.dtcpclient()
    client.wait_up()
    os.kill(client.rooms()["monitor"], signal.SIGKILL)
    client.wait()
    until(lambda: behind.routes() == own, "the guard has removed the reject route")
    client = lab.dtcpclient()
    client.wait_up()
    client.kill_all()
    client = lab.dtcpclient()
    client.wait_log("removed 1 reject route left behind by an earlier run")
    client.wait_up()
    ping(lab.six, behind.address)
    assert client.stop() == 0
    assert behind.routes() == own


def test_own_route_comes_and_goes(lab):
    """While the tunnel is up: without it, packets for the prefix are answered and do not loop."""
    behind = RouterBehind(lab)
    client = lab.dtcpclient()
    client.wait_up()
    whole = behind.routes()
    for verb, *metric in (("add",), ("append",), ("replace",), ("add", "metric", "5000")):
        assert "Destination unreachable" in no_ping(lab.six, behind.address), verb
        behind.route(verb, *metric)
        ping(lab.six, behind.address)
        behind.route("del", *metric)
        assert behind.routes() == whole
    assert "put back" not in client.log()
    assert client.stop() == 0
    assert behind.routes() == behind.clean


def test_own_route_in_the_very_place(lab):
    """It has the metric of our reject route, which then is not needed; and is, once that goes."""
    behind = RouterBehind(lab)
    behind.route("add", "metric", LAST)
    own = behind.routes()
    client = lab.dtcpclient()
    client.wait_log(f"no reject route {behind.prefix} is made: somebody else has a route to it")
    client.wait_up()
    ping(lab.six, behind.address)
    behind.route("del", "metric", LAST)
    client.wait_log(f"the reject route {behind.prefix} was removed by somebody; put back")
    assert "Destination unreachable" in no_ping(lab.six, behind.address)
    assert client.stop() == 0
    assert behind.routes() == behind.clean
    behind.route("add", "metric", LAST)
    client = lab.dtcpclient()
    client.wait_up()
    assert client.stop() == 0
    assert behind.routes() == own
