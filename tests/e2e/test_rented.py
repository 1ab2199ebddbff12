# SPDX-License-Identifier: BSD-2-Clause
"""Servers as they are rented: what the provider's router knows of them, and what --check says where
that is not enough. Whoever does what it says gets there.

    site --- net --- server --- six --- far
                      pub0      the provider's router, with ::1 of the link's own network
"""

import ipaddress
import os
import re
import signal

from lab.clock import Clocks
from lab.process import Process
from lab.programs import DTCPS, HOST_SERVER, POOL, SERVICE
from lab.traffic import ping
from lab.wait import until
from lab.wire import Wire

LINK = ipaddress.ip_network("2001:db8:a::/64")
GATEWAY, OWN = LINK[1], LINK[2]
ROUTED = ipaddress.ip_network("2001:db8:a::/48")
FAR = "2001:db8:f::2"
IN_ORDER = "dtcps: settings and database are in order\n"


def rented(lab, default=True):
    """The provider's router is node six, which has addresses of the base picture beside these."""
    lab.internet()
    lab.users.add_alice()
    far = lab.node("far")
    lab.wire(lab.server, "pub0", lab.six, "server0")
    lab.wire(lab.six, "far0", far, "up0")
    lab.six.sysctl("net.ipv6.conf.all.forwarding", 1)
    lab.six.ip("addr", "add", f"{GATEWAY}/64", "dev", "server0", "nodad")
    lab.six.ip("addr", "add", "2001:db8:f::1/64", "dev", "far0", "nodad")
    far.ip("addr", "add", f"{FAR}/64", "dev", "up0", "nodad")
    far.ip("route", "add", "default", "via", "2001:db8:f::1")
    # The other side of the server is not there.
    lab.server.ip("link", "set", "six0", "down")
    if default:
        lab.server.ip("addr", "add", f"{OWN}/64", "dev", "pub0", "nodad")
        lab.server.ip("route", "add", "default", "via", GATEWAY)
    for node in (lab.six, lab.server, far):
        node.settle()
    return far


def settings(**more):
    return {"host.prefix": None, "network.pool": None, **more}


def check(lab, *words, **more):
    server = lab.dtcps("--check", *words, set=settings(**more), wait=False)
    return server.wait(), server.log()


def follow(lab, log):
    """Does what the lines say, in the words after "with:"."""
    commands = [command for line in log.splitlines()
                for command in re.findall(r"with: (.*)", line)]
    for command in commands:
        lab.server.command("sh", "-ec", command)
    return commands


def routed(lab):
    lab.six.ip("route", "add", ROUTED, "via", OWN)


def test_a_routed_prefix_with_the_network_of_the_link_in_it(lab):
    """The most common one: the first /64 of the /48 is the link's, and its ::1 the router's."""
    far = rented(lab)
    routed(lab)
    # Or another one, in the middle: no user gets that.
    lab.server.ip("link", "set", "six0", "up")
    lab.server.ip("addr", "add", "2001:db8:a:8000::2/64", "dev", "six0", "nodad")
    assert check(lab, **{"network.pool": ROUTED}) == (0, IN_ORDER)
    server = lab.dtcps(set=settings(**{"network.pool": ROUTED}))
    assert str(GATEWAY) not in lab.server.addresses("dtcps0")
    ping(lab.server, GATEWAY)
    ping(lab.server, FAR)
    client = lab.dtcpclient()
    prefix = client.prefix()
    assert prefix.subnet_of(ROUTED) and not prefix.overlaps(LINK)
    ping(lab.site, FAR)
    ping(far, site_address(lab, prefix))
    assert "with: " not in server.log()


def site_address(lab, prefix):
    """An address of the prefix that the site has."""
    [address, *_] = [address for address in lab.site.addresses("dtcp0")
                     if ipaddress.ip_address(address) in prefix]
    return address


def test_a_network_that_comes_after_the_start(lab):
    """What may be the router's address is not taken before that is known: the kernel takes no
    default route by an address of its own."""
    far = rented(lab, default=False)
    routed(lab)
    server = lab.dtcps(set=settings(**{"network.pool": ROUTED}))
    assert "there is no IPv6 default route" in server.log()
    assert lab.server.addresses("dtcps0") == []
    lab.server.ip("addr", "add", f"{OWN}/64", "dev", "pub0", "nodad")
    lab.server.ip("route", "add", "default", "via", GATEWAY)
    server.wait_log(f"{GATEWAY} is left to whom it belongs")
    ping(lab.server, FAR)
    client = lab.dtcpclient()
    ping(far, site_address(lab, client.prefix()))
    assert lab.server.addresses("dtcps0") == []


def test_a_default_route_that_comes_after_the_start(lab):
    """By a router that is not in the prefix: then its ::1 is the server's."""
    rented(lab, default=False)
    lab.six.ip("addr", "add", "fe80::1/64", "dev", "server0", "nodad")
    routed(lab)
    lab.dtcps(set=settings(**{"network.pool": ROUTED}))
    assert lab.server.addresses("dtcps0") == []
    lab.server.ip("route", "add", "default", "via", "fe80::1", "dev", "pub0")
    until(lambda: lab.server.addresses("dtcps0") == [str(GATEWAY)], "the server has an address")


def test_no_network_comes(lab):
    """A server without any network takes its own address after a while."""
    Clocks(lab, 20)
    lab.internet()
    lab.users.add_alice()
    lab.server.ip("link", "set", "six0", "down")
    lab.dtcps()
    lab.dtcpclient(type="host").wait_up()
    until(lambda: {str(HOST_SERVER), str(POOL[1])} <= set(lab.server.addresses("dtcps0")),
          "the server has its addresses", 15)
    ping(lab.site, str(HOST_SERVER))


def test_another_network_that_comes_after_the_start(lab):
    """The server gives its own address up."""
    rented(lab, default=False)
    lab.server.ip("link", "set", "six0", "up")
    lab.server.ip("addr", "add", "2001:db8:6::1/64", "dev", "six0", "nodad")
    server = lab.dtcps(set=settings(**{"network.pool": ROUTED}))
    assert lab.server.addresses("dtcps0") == [str(GATEWAY)]
    lab.server.ip("addr", "add", f"{OWN}/64", "dev", "pub0", "nodad")
    until(lambda: lab.server.addresses("dtcps0") == [], "the address is given back")
    server.wait_log(f"{GATEWAY} is left to whom it belongs")
    lab.server.ip("route", "add", "default", "via", GATEWAY)
    ping(lab.server, FAR)


def test_a_router_that_rejects_what_nobody_has(lab):
    """As one does that announces the prefix with BGP; ours comes first, even where it is late."""
    far = rented(lab)
    routed(lab)
    lab.server.ip("route", "add", "unreachable", ROUTED, "metric", 20)
    assert check(lab, **{"network.pool": ROUTED}) == (0, IN_ORDER)
    lab.dtcps(set=settings(**{"network.pool": ROUTED}))
    client = lab.dtcpclient()
    address = site_address(lab, client.prefix())
    ping(far, address)
    lab.server.ip("route", "del", "unreachable", ROUTED, "metric", 20)
    lab.server.ip("route", "add", "blackhole", ROUTED, "metric", 1024)
    ping(far, address)


def test_a_machine_that_takes_all_for_itself(lab):
    """Before any of our routes, whatever its metric."""
    far = rented(lab)
    routed(lab)
    lab.server.ip("route", "add", "local", ROUTED, "dev", "lo")
    status, log = check(lab, **{"network.pool": ROUTED})
    assert status == 0 and "takes all of it for addresses of its own" in log
    assert len(follow(lab, log)) == 1
    assert check(lab, **{"network.pool": ROUTED}) == (0, IN_ORDER)
    lab.dtcps(set=settings(**{"network.pool": ROUTED}))
    ping(far, site_address(lab, lab.dtcpclient().prefix()))


def test_users_get_nothing_that_is_somebodys(lab):
    """Neither in the network of the link nor in that of another interface, nor host.exclude; who
    has such an address is moved."""
    rented(lab)
    first = "2001:db8:b::2"
    server = lab.dtcps(set=settings(**{"host.prefix": "2001:db8:b::/64"}))
    assert lab.dtcpclient(type="host").wait_up()["address"] == first
    assert server.stop() == 0
    lab.server.ip("addr", "add", f"{first}/128", "dev", "lo")
    server = lab.dtcps("-o", "host.exclude=2001:db8:b::3, 2001:db8:b::4/126",
                       set=settings(**{"host.prefix": "2001:db8:b::/64"}))
    with Wire(lab.site) as wire:
        assert "2001:db8:b::8" in wire.login("alice", "host")
    server.wait_log(f"has moved user=alice from={first}/128 to=2001:db8:b::8/128")
    assert server.stop() == 0
    # The first prefix for users is where the second link is.
    lab.server.ip("addr", "add", "2001:db8:a:100::1/64", "dev", "six0")
    lab.server.ip("link", "set", "six0", "up")
    lab.dtcps(set=settings(**{"network.pool": ROUTED}))
    with Wire(lab.site) as wire:
        assert "2001:db8:a:200::/56" in wire.login("alice", "network")


def test_what_becomes_somebodys_is_taken_from_a_session(lab):
    """An address of a running session that the machine gets, or host.exclude; its user has another
    one at once."""
    rented(lab)
    own = "host.prefix = 2001:db8:b::/64\n"
    path = lab.file("dtcps.conf", own)
    server = lab.dtcps("-c", path, set=settings())

    def log_in(wire, address):
        assert address in wire.login("alice", "host")
        server.wait_log(f"session up user=alice .* type=host address={address}$")

    def taken(wire, address):
        server.wait_log(f"a session has what is not .* ends user=alice from={address}/128$")
        assert wire.line() == "-ERR account changed: other addresses"
        assert wire.closed()

    with Wire(lab.site) as first:
        log_in(first, "2001:db8:b::2")
        # Whoever else is there, it is not about them.
        lab.server.ip("addr", "add", "2001:db8:b::77/128", "dev", "lo")
        lab.server.ip("addr", "add", "2001:db8:b::2/128", "dev", "lo")
        taken(first, "2001:db8:b::2")
    with Wire(lab.site) as second:
        log_in(second, "2001:db8:b::3")
        path.write_text(own + "host.exclude = 2001:db8:b::3\n")
        since = server.mark()
        server.send_signal(signal.SIGHUP)
        server.wait_log("setting changed setting=host.exclude from=none to=2001:db8:b::3 effect=now$", since=since)
        taken(second, "2001:db8:b::3")
    with Wire(lab.site) as third:
        log_in(third, "2001:db8:b::4")


def advertise(lab):
    config = lab.file("radvd.conf", f"""
        interface server0 {{
            AdvSendAdvert on;
            MinRtrAdvInterval 3;
            MaxRtrAdvInterval 4;
            prefix {LINK} {{ }};
        }};
    """)
    return Process(lab.six, "radvd", "radvd", "-n", "-C", config, "-p", lab.dir / "radvd.pid")


def test_a_default_route_that_is_advertised(lab):
    """With forwarding, as it has to be, the kernel does not listen to the router any more."""
    rented(lab, default=False)
    routed(lab)
    lab.server.sysctl("net.ipv6.conf.all.forwarding", 0)
    advertise(lab)

    def has_route():
        return "default" in lab.server.ip("-6", "route", "show", "default")

    until(has_route, "the server has a default route")
    pool = {"network.pool": "2001:db8:a:8000::/49"}
    status, log = check(lab, **pool)
    # Forwarding alone would cut it off.
    assert status == 0
    assert "sysctl -w net.ipv6.conf.pub0.accept_ra=2 net.ipv6.conf.all.forwarding=1" in log
    lab.server.sysctl("net.ipv6.conf.all.forwarding", 1)
    until(lambda: not has_route(), "the default route has gone")
    status, log = check(lab, **pool)
    assert "router advertisements on pub0 are not listened to" in log
    assert follow(lab, log) == ["sysctl -w net.ipv6.conf.pub0.accept_ra=2"]
    until(has_route, "the server has a default route again")
    assert check(lab, **pool) == (0, IN_ORDER)


def test_a_packet_filter(lab):
    """One that knows nothing of dtcps: each command that is said opens what it says."""
    rented(lab)
    routed(lab)
    lab.server.nft("""
        table inet filter {
            chain input {
                type filter hook input priority 0; policy drop;
                ct state established,related accept
                iif lo accept
                meta l4proto { icmp, ipv6-icmp } accept
                tcp dport { 22, 80-443 } accept
            }
            chain forward {
                type filter hook forward priority 0; policy drop;
                ct state established,related accept
            }
        }
    """)
    pool = {"network.pool": ROUTED}
    status, log = check(lab, "-U", **pool)
    assert status == 0
    assert [re.search("drops (.*) \\(", line).group(1) for line in log.splitlines()[:-1]] == [
        "the logins, TCP port 20200", "tunnels of protocol 41", "tunnels over UDP, port 4028",
        "what comes out of dtcps0 to other networks"]
    server = lab.dtcps("-U", wait=False, set=settings(**pool))
    server.wait_log("ready for logins port=20200 .* transports=ipv6,udp udp_port=4028$")
    assert server.log().count("the packet filter drops") == 4
    assert len(follow(lab, log)) == 4
    assert check(lab, "-U", **pool) == (0, IN_ORDER)
    lab.dtcpclient().wait_up()
    ping(lab.site, FAR)


def test_new_interfaces_without_ipv6(lab):
    """The server would not start; not with its unit either, which cannot change that."""
    rented(lab)
    lab.server.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
    status, log = check(lab, **{"network.pool": ROUTED})
    assert status == 2
    assert follow(lab, log) == ["sysctl -w net.ipv6.conf.default.disable_ipv6=0"]
    assert check(lab, **{"network.pool": ROUTED}) == (0, IN_ORDER)


def test_what_a_start_needs(lab):
    """Ports, the interface's name, and whose the database is; not those of the server that runs."""
    rented(lab)
    server = lab.dtcps(set=settings(**{"network.pool": "2001:db8:b::/48"}))
    server.wait_log("ready for logins port=20200 .* transports=ipv6$")
    assert check(lab, **{"network.pool": "2001:db8:b::/48"}) == (0, IN_ORDER)
    # Of another one, with a database of its own.
    other = lab.dir / "other"
    other.mkdir()
    (other / "users.db").write_bytes(lab.users.path.read_bytes())
    database = {"database": other / "users.db"}
    status, log = check(lab, **{**database, "network.pool": "2001:db8:b:8000::/49"})
    assert status == 2
    assert "TCP port 20200 is taken" in log
    assert "interface dtcps0 already" in log
    assert "overlaps 2001:db8:b::/48, which another dtcps has on dtcps0" in log
    database |= {"port": 20300, "interface": "two0"}
    assert check(lab, **database)[0] == 0
    (other / "users.db").chmod(0o600)
    os.chown(other, 65534, 65534)
    status, log = check(lab, **database)
    assert status == 2 and f"{other} does not let user {SERVICE}" in log
    assert follow(lab, log) == [f"chown {SERVICE}:root {other} && chmod ug+rwx {other}"]
    assert check(lab, **database)[0] == 0
    # As far as root gets without capabilities for others' files, which the unit does not have.
    assert (other.stat().st_uid, other.stat().st_gid) == (SERVICE, 0)
    assert other.stat().st_mode & 0o770 == 0o770
    os.chown(other / "users.db", 65534, 65534)
    status, log = check(lab, **database)
    assert status == 2 and f"{other}/users.db does not belong to user {SERVICE}" in log
    assert follow(lab, log) == [f"chown {SERVICE} {other}/users.db"]
    assert check(lab, **database)[0] == 0
    status, log = check(lab, **{**database, "listen": "192.0.2.200"})
    assert status == 2 and "listen = 192.0.2.200: this machine has no such address" in log


def test_suggest(lab):
    """The file that is suggested is right as it is, and has what the machine tells."""
    rented(lab)
    lab.server.ip("route", "add", "unreachable", ROUTED, "metric", 20)
    part = "2001:db8:a:700::/56"
    lab.server.ip("route", "add", part, "via", GATEWAY)
    result = lab.server.run(DTCPS, "--suggest", "-o", f"database={lab.users.path}")
    assert f"\n# - users with a part of {part} in network.pool {ROUTED}" in result.stdout
    lab.server.ip("route", "del", part)
    before = lab.server.state()
    result = lab.server.run(DTCPS, "--suggest", "-o", f"database={lab.users.path}")
    assert lab.server.state() == before
    assert result.stderr == ""
    assert f"\nnetwork.pool = {ROUTED}\n" in result.stdout
    assert "\nudp.enable = yes\n" in result.stdout
    path = lab.file("dtcps.conf", result.stdout)
    server = lab.dtcps("--check", "-c", path, set=settings(database=None), wait=False)
    assert (server.wait(), server.log()) == (0, IN_ORDER)
    # With all that it shows switched on as well.
    path.write_text(re.sub(r"(?m)^# ([a-z][\w.]* = (?!_dtcp))", r"\1", result.stdout))
    server = lab.dtcps("--check", "-c", path, set=settings(database=None), wait=False)
    assert server.wait() == 0, server.log()
