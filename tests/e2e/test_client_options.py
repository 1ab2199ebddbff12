# SPDX-License-Identifier: BSD-2-Clause
"""The effects of dtcpclient's options on the machine, and its messages."""

import ipaddress
import os
import re

from lab.programs import PASSWORD, Users, router_address, write_auth
from lab.process import status_field
from lab.topology import SERVER, SITE, SIX
from lab.traffic import no_ping, ping
from lab.wait import until
from lab.wire import FakeServer, response


def routes_of(node, interface="dtcp0"):
    """{destination: metric} of what dtcpclient has put into the main table."""
    return {route["dst"]: route.get("metric")
            for route in node.ip_json("-6", "route", "show", "proto", "220")
            if route.get("dev") in (interface, "lo", None)}


def test_default_route(internet):
    """Metric 1024, so that native IPv6 wins; marked as ours."""
    internet.dtcps()
    client = internet.dtcpclient()
    prefix = client.prefix()
    routes = routes_of(internet.site)
    assert routes["default"] == 1024
    assert str(prefix) in routes, "a reject route for the whole prefix"
    [line] = [line for line in internet.site.routes() if str(prefix) in line and "local" not in line]
    assert re.match(r"(unreachable|blackhole|prohibit)", line), line
    assert internet.site.ip_json("-d", "link", "show", "dtcp0")[0].get("ifalias") == "dtcpclient"
    assert client.stop() == 0
    assert routes_of(internet.site) == {}


def test_unassigned_parts_do_not_loop(internet):
    """A packet for a part of the prefix that nobody uses dies at the router, with an answer."""
    internet.dtcps()
    client = internet.dtcpclient()
    prefix = client.prefix()
    ping(internet.six, router_address(prefix))
    internet.site.sysctl("net.ipv6.conf.all.forwarding", 1)
    text = no_ping(internet.six, prefix[0x1234])
    assert "Destination unreachable" in text, text


def test_route_none(internet):
    internet.dtcps()
    client = internet.dtcpclient("--route", "none")
    prefix = client.prefix()
    assert set(routes_of(internet.site)) == {str(prefix)}


def test_route_prefixes(internet):
    internet.dtcps()
    client = internet.dtcpclient("--route", "2001:db8:6::/64,2000::/3", "--metric", "77")
    prefix = client.prefix()
    routes = routes_of(internet.site)
    assert routes["2001:db8:6::/64"] == 77
    assert routes["2000::/3"] == 77
    assert "default" not in routes
    assert str(prefix) in routes
    ping(internet.site, SIX)


def test_native_ipv6_wins(internet):
    """A default route with the kernel's usual metric is preferred, and is not touched."""
    internet.dtcps()
    internet.site.ip("-6", "route", "add", "default", "dev", "up0", "metric", "256")
    client = internet.dtcpclient()
    client.wait_up()
    [route] = internet.site.ip_json("-6", "route", "get", SIX)
    assert route["dev"] == "up0"
    assert client.stop() == 0
    assert any("default dev up0" in line for line in internet.site.routes())


def test_router_address(internet):
    """::1 of the last /64; of a /64 the last address but one; or as --address says."""
    internet.users.add("small", prefix="2001:db8:f00:1::/64")
    internet.users.add("large", prefix="2001:db8:f01::/48")
    internet.dtcps()
    for user, want in (("alice", None), ("small", "2001:db8:f00:1:ffff:ffff:ffff:fffe"),
                       ("large", "2001:db8:f01:ffff::1")):
        client = internet.dtcpclient(user=user)
        prefix = client.prefix()
        want = want or str(router_address(prefix))
        assert internet.site.addresses("dtcp0") == [want]
        ping(internet.site, SIX, source=want)
        ping(internet.six, want)
        assert client.stop() == 0
    client = internet.dtcpclient("--address", "2001:db8:f01:2::3", user="large")
    client.wait_up()
    assert internet.site.addresses("dtcp0") == ["2001:db8:f01:2::3"]
    ping(internet.site, SIX)


def test_address_outside_the_prefix(internet):
    """Refused, as the server would drop everything from it."""
    internet.dtcps()
    client = internet.dtcpclient("--address", "2001:db8:dead::1")
    assert client.wait() != 0
    assert "--address" in client.log()
    assert "tunnel up" not in client.log()


def test_interface_and_mtu(internet):
    internet.dtcps()
    client = internet.dtcpclient("--interface", "home6", "-m", "1400")
    up = client.wait_up()
    assert (up["interface"], up["mtu"]) == ("home6", "1400")
    [link] = internet.site.ip_json("link", "show", "dev", "home6")
    assert link["mtu"] == 1400
    assert "dtcp0" not in internet.site.links()
    ping(internet.site, SIX)


def test_two_clients(internet):
    """Two tunnels side by side on one machine, to two servers."""
    internet.server.ip("addr", "add", "198.51.100.3/24", "dev", "up0")
    users = Users(internet)
    users.path = internet.dir / "second.db"
    users.add("bob")
    internet.dtcps(set={"listen": SERVER, "interface": "dtcps0"})
    internet.dtcps(set={"listen": "198.51.100.3", "interface": "second0", "database": users.path,
                        "network.pool": "2001:db8:a00::/40", "host.prefix": "2001:db8:2::/64"})
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n198.51.100.3:bob:{PASSWORD}\n")
    one = internet.dtcpclient(password=None)
    two = internet.dtcpclient("--interface", "dtcp1", "--metric", "2000", password=None,
                              user="bob", server="198.51.100.3")
    # One default route is the better one: what is to go through the other must say so.
    assert one.prefix() != two.prefix()
    ping(internet.site, SIX, source="dtcp0")
    ping(internet.site, SIX, source="dtcp1")
    assert one.stop() == 0
    ping(internet.site, SIX)
    ping(internet.six, router_address(two.prefix()))


def test_port(internet):
    internet.dtcps("-p", "2020", set={"port": 2020})
    internet.dtcpclient("-p", "2020").wait_up()
    ping(internet.site, SIX)


def test_server_by_name(internet):
    """The name is looked up, and is the one that the password file is asked about."""
    internet.dtcps()
    client = internet.dtcpclient(server="broker.example.net")
    up = client.wait_up()
    assert up["server"] == "broker.example.net" and up["server_address"] == SERVER
    ping(internet.site, SIX)


def test_default_type_and_user(internet):
    """tunnelonly, and the login name of whoever runs it. Nothing is routed into a bare link, and
    the server has better things."""
    internet.users.add("root")
    internet.dtcps()
    write_auth(internet.site, f"{SERVER}:root:{PASSWORD}\n")
    client = internet.dtcpclient(type=None, user=None, password=None)
    assert client.wait_up()["type"] == "tunnelonly"
    internet.started[0].wait_log(rf"session up user=root peer={SITE} ")
    assert routes_of(internet.site) == {}
    assert "this server has IPv6 addresses as well: -t host for this machine, -t network for it " \
        "and the networks behind it server=" in client.log()
    assert client.stop() == 0
    # Whoever has chosen it knows why.
    client = internet.dtcpclient("--route", "default", type="tunnelonly", user=None, password=None)
    client.wait_up()
    assert routes_of(internet.site) == {"default": 1024}
    assert "as well" not in client.log()


def test_network_without_a_prefix(internet):
    """No more than a bare link."""
    FakeServer(internet.server, lambda peer: peer.serve(f"+OK {SITE} {SERVER}"))
    client = internet.dtcpclient()
    client.wait_log("lacks an IPv6 prefix")
    client.wait_up()
    assert routes_of(internet.site) == {}


def test_rooms_user(internet):
    for path in (internet.users.path, internet.dir):
        os.chown(path, 1, 0)
    internet.dtcps("--user", "daemon")
    client = internet.dtcpclient("--user", "daemon")
    client.wait_up()
    for process in internet.started:
        until(lambda process=process: {"control", "forward"} <= process.rooms().keys(), "rooms")
        for room in ("control", "forward"):
            assert status_field(process.rooms()[room], "Uid").split() == ["1"] * 4


def test_debug_shows_the_dialogue(internet):
    """Both directions, with neither the password nor what could stand for it."""
    internet.dtcps()
    client = internet.dtcpclient("-d", "--keepalive", "1")
    client.wait_up()
    text = client.log()
    challenge = re.search(r"\+OK ([0-9A-F]{32}) ", text).group(1)
    assert re.search(r"tunnel alice .* network", text)
    assert re.search(rf"\+OK {SITE} {SERVER} 2001:db8:", text)
    client.wait_log("ping")
    client.wait_log("happy to hear")
    assert client.stop() == 0
    client.wait_log("quit")
    assert PASSWORD not in client.log()
    del challenge

    quiet = internet.dtcpclient()
    quiet.wait_up()
    assert "+OK" not in quiet.log()


def test_request_on_the_wire(internet):
    """Exactly the four words that every old server accepts, in one line with CRLF."""
    fake = FakeServer(internet.server, lambda peer: peer.serve(f"+OK {SITE} {SERVER}"))
    client = internet.dtcpclient("--keepalive", "1", type="tunnelonly")
    client.wait_up()
    until(lambda: len(fake.peers[0].heard) >= 2, "a ping")
    [peer] = fake.peers
    digest = response("alice", peer.CHALLENGE, PASSWORD)
    assert peer.heard[0] == f"tunnel alice {digest} tunnelonly\r\n".encode()
    assert peer.heard[1] == b"ping\r\n"
    assert client.stop() == 0
    until(lambda: peer.heard[-1] == b"quit\r\n", "quit")


def test_old_servers_replies(internet):
    """Words by their shape: other texts, other order, zeros, several prefixes, extensions."""
    for reply, kind, want in [
            (f"+OK {SITE} {SERVER} 2001:0db8:03c3::/48", "network", "2001:db8:3c3::/48"),
            (f"+OK {SITE} {SERVER} something=else 2001:db8:a00::/48 more", "network",
             "2001:db8:a00::/48"),
            (f"+OK {SITE} {SERVER} 2001:db8:a00::/48,2001:db8:b00::/48", "network", None),
            (f"+OK {SITE} {SERVER} 2001:db8:a00::/48 2001:db8:b00::/48", "network", None),
            (f"+OK  {SITE}\t{SERVER}  2001:db8:1::2 2001:db8:1::1 ", "host", None)]:
        fake = FakeServer(internet.server, lambda peer, reply=reply: peer.serve(reply))
        client = internet.dtcpclient(type=kind)
        up = client.wait_up()
        if want:
            assert up["prefix"] == want
        elif kind == "network":
            assert {"2001:db8:a00::/48", "2001:db8:b00::/48"} <= routes_of(internet.site).keys()
            assert up["prefix"] == "2001:db8:a00::/48,2001:db8:b00::/48"
        else:
            assert internet.site.addresses("dtcp0") == ["2001:db8:1::2"]
        assert client.stop() == 0
        fake.close()
        fake.thread.join(5)


def test_password_file(internet):
    """Comments, blank lines and broken ones are passed over, the latter with a warning."""
    internet.dtcps()
    internet.users.add("colon", "with:colons: and blanks")
    path = write_auth(internet.site, f"# comment\n\nbroken line\n{SERVER}:colon:with:colons: and "
                      f"blanks\nother.example:alice:wrong\n{SERVER}:alice:{PASSWORD}\n")
    client = internet.dtcpclient(password=None)
    client.wait_up()
    assert re.search(r"dtcpclient\.auth:3: ", client.log())
    assert "dtcpclient.auth:4" not in client.log() and "others can read" not in client.log()
    assert client.stop() == 0
    client = internet.dtcpclient(password=None, user="colon")
    client.wait_up()
    assert client.stop() == 0

    path.chmod(0o644)
    client = internet.dtcpclient(password=None)
    client.wait_up()
    client.wait_log("others can read")
    assert client.stop() == 0

    path.unlink()
    other = internet.file("elsewhere", f"{SERVER}:alice:{PASSWORD}\n", 0o600)
    client = internet.dtcpclient("--auth-file", other, password=None)
    prefix = client.prefix()
    assert ipaddress.ip_network(prefix).prefixlen == 56
    assert PASSWORD not in client.log()
