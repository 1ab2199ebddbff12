# SPDX-License-Identifier: BSD-2-Clause
"""The client's address changes while its tunnel is in use. Nothing inside may notice."""

import pytest

from lab.nat import drop
from lab.probe import link_local, until_learned
from lab.programs import router_address
from lab.topology import HIDDEN_SITE, MOBILE, MOBILE_SITE, SITE, SIX
from lab.traffic import Stream, ping, stream
from lab.wait import slow, until

# Every call of the script on a line of its own.
SCRIPT = """#!/bin/sh
echo "$state $myaddr $me $my_port $her_port $prefix" >>{dir}/calls
"""


class Site:
    """A tunnel over UDP that is in use, and what was inside before its site moved."""

    def __init__(self, lab, *words, type="network"):
        self.lab = lab
        self.links = lab.server.links()
        self.server = lab.dtcps("-U")
        script = lab.file("script", SCRIPT.format(dir=lab.dir), 0o755)
        self.client = lab.dtcpclient("-U", "-n", "-s", script, *words, type=type)
        self.address = self.client.wait_up().get("address")
        self.at = until_learned(self.server, "alice")
        self.before = self.inside()
        self.since, self.server_since = self.client.mark(), self.server.mark()

    def inside(self):
        """What applications and the administrator see of the tunnel."""
        [link] = self.lab.site.ip_json("link", "show", "dev", "dtcp0")
        routes = [route for route in self.lab.site.routes()
                  if "dtcp0" in route or "unreachable" in route]
        return {"index": link["ifindex"], "mtu": link["mtu"], "routes": routes,
                "addresses": self.lab.site.addresses("dtcp0"),
                "link-local": self.lab.site.addresses("dtcp0", scope="link")}

    def calls(self):
        return (self.lab.dir / "calls").read_text().splitlines()

    def stream(self, direction):
        return stream(self.lab, direction, self.address)

    def is_found(self, address):
        """Waits until packets come from the new place."""
        while until_learned(self.server, "alice", self.server_since, 30)[0] != address:
            self.server_since += 1

    def has_moved(self, address):
        """Waits for that, and until a new session is behind them."""
        self.is_found(address)
        self.server.wait_log(rf"session up user=alice peer={address} ", 30, since=self.server_since)
        self.client.wait_log("tunnel (up|goes on)", 30, since=self.since)

    def nothing_noticed(self):
        assert self.inside() == self.before
        assert self.client.running()
        assert "tunnel down" not in self.client.log()
        assert not [call for call in self.calls() if call.startswith("down")], self.calls()


@pytest.fixture(params=["to the host", "to the site"])
def direction(request):
    return request.param


def roam(site, flow, move, address, measured, what):
    flow.flows()
    flow.measure_gap()
    move()
    flow.flows(30)
    site.has_moved(address)
    flow.flows(30)
    flow.finish()
    site.nothing_noticed()
    measured(f"gap when {what}, {flow.what}", f"{flow.gap:.1f} s")
    assert flow.gap < 10 * slow()


def test_address_replaced(internet, direction, measured):
    site = Site(internet)
    roam(site, site.stream(direction), lambda: internet.readdress("192.0.2.77"), "192.0.2.77",
         measured, "the address is replaced")
    ping(internet.six, site.address)
    ping(internet.site, SIX, source=site.address)
    # The script was told the address; it has changed.
    until(lambda: len(site.calls()) == 2, lambda: f"the script is told: {site.calls()}")
    assert site.calls()[1].startswith("up 192.0.2.77 192.0.2.77 ")


def test_address_replaced_behind_nat(masked, direction, measured):
    """The address outside stays, the port changes."""
    site = Site(masked)
    roam(site, site.stream(direction), lambda: masked.readdress("203.0.113.77"), SITE, measured,
         "the address is replaced behind a NAT")


@pytest.mark.parametrize("type", ["network", "host"])
def test_other_network(masked, type, direction, measured):
    """From one NAT to another, over another interface: Wi-Fi to mobile."""
    masked.add_mobile()
    site = Site(masked, type=type)
    assert site.at[0] == SITE
    roam(site, site.stream(direction), masked.go_mobile, MOBILE, measured,
         "the network is another")
    until(lambda: len(site.calls()) == 2, lambda: f"the script is told: {site.calls()}")
    assert site.calls()[1].startswith(f"up {MOBILE_SITE} {MOBILE} ")


def test_other_network_bare_link(masked, direction, measured):
    """tunnelonly: connections are between link-local addresses, and each end of them is bound to
    its interface."""
    masked.add_mobile()
    site = Site(masked, type="tunnelonly")
    [device] = masked.server.links() - site.links - {"dtcps0"}
    [there] = masked.server.addresses(device, scope="link")
    flow = Stream(masked.site, masked.server, f"{there}%dtcp0") if direction == "to the host" \
        else Stream(masked.server, masked.site, f"{link_local('alice')}%{device}")
    index = masked.server.ip_json("link", "show", "dev", device)[0]["ifindex"]
    roam(site, flow, masked.go_mobile, MOBILE, measured, "the network is another")
    assert masked.server.ip_json("link", "show", "dev", device)[0]["ifindex"] == index
    assert site.client.stop() == 0


def test_control_connection_cannot_follow(masked, direction, measured):
    """The other network lets no connection through to the server: a hello alone moves the tunnel,
    under the session that there is."""
    masked.add_mobile()
    site = Site(masked, "-l")
    flow = site.stream(direction)
    flow.flows()
    drop(masked.net, "tcp dport 20200")
    flow.measure_gap()
    masked.go_mobile()
    site.is_found(MOBILE)
    flow.flows(20)
    flow.finish()
    measured(f"gap when only UDP passes in the other network, transfer {direction}",
             f"{flow.gap:.1f} s")
    assert site.server.log().count("session up") == 1
    site.nothing_noticed()


def test_without_n(internet, direction, measured):
    """A client that names its port, from one address to another."""
    server = internet.dtcps("-U")
    client = internet.dtcpclient("-U", "-b", "5000")
    inside = str(router_address(client.wait_up()["prefix"]))
    flow = stream(internet, direction, inside)
    flow.flows()
    internet.readdress("192.0.2.77")
    flow.flows(30)
    server.wait_log(r"session up user=alice peer=192\.0\.2\.77 ", 30)
    flow.flows(30)
    flow.finish()
    assert "tunnel down" not in client.log()


@pytest.mark.slow(20)
def test_offline_for_a_while(masked):
    """No network at all for some seconds, as between two trains; the transfer waits."""
    masked.add_mobile()
    site = Site(masked, "-l")
    flow = site.stream("to the host")
    flow.flows()
    masked.site.ip("link", "set", "up0", "down")
    until(lambda: flow.silence() > 8, "nothing comes for 8 s", 20)
    masked.go_mobile()
    flow.flows(60)
    site.has_moved(MOBILE)
    flow.finish()
    site.nothing_noticed()


def test_script_not_called_for_nothing(masked):
    """The control connection breaks and is made anew from the same place: all that the script was
    told is as before, so it is not called."""
    site = Site(masked, "-l", "--keepalive", "2,2")
    assert len(site.calls()) == 1
    masked.nat.forget(everything=True)
    site.client.wait_log("session lost", 30, since=site.since)
    site.server.wait_log("session up user=alice peer=.* ", 30, since=site.server_since)
    site.client.wait_log("tunnel goes on", 30, since=site.since)
    ping(masked.six, site.address)
    site.nothing_noticed()
    assert len(site.calls()) == 1, site.calls()
    assert site.client.stop() == 0
    assert [call.split()[0] for call in site.calls()] == ["up", "down"]


def test_nothing_left_after_roaming(internet):
    """What was made before the move goes, too, at the end."""
    before = internet.site.state()
    site = Site(internet)
    internet.readdress("192.0.2.77")
    site.has_moved("192.0.2.77")
    assert site.client.stop() == 0
    now = internet.site.state()
    for what in ("interfaces", "processes"):
        assert now[what] == before[what]
    assert not [route for route in now["routes"] if "dtcp0" in route or "proto 220" in route]


def test_held_tunnel_ends(masked):
    """--hold: how long a tunnel outlives its session where no other follows."""
    site = Site(masked, "-l", "--hold", "2")
    masked.site.ip("link", "set", "up0", "down")
    site.server.kill()
    masked.site.ip("link", "set", "up0", "up")
    masked.site.ip("route", "replace", "default", "via", "203.0.113.1")
    site.client.wait_log("tunnel down: no session for 2 s", 40, since=site.since)
    until(lambda: "dtcp0" not in masked.site.links(), "the interface is gone")
    until(lambda: site.calls()[-1].startswith(f"down {HIDDEN_SITE}"), "the script is told")
