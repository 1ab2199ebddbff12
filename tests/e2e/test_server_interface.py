# SPDX-License-Identifier: BSD-2-Clause
"""An administrator, or another program, at work on the server's interfaces."""

import ipaddress
import signal
import time

import pytest

from lab.programs import POOL
from lab.topology import SERVER, SIX
from lab.traffic import ping
from lab.wait import slow, until

OUTSIDE = "2001:db8:f00::/48"


def set_up(internet, name="dtcps0"):
    """What an interface of the server has: (addresses, routes)."""
    return (sorted(internet.server.addresses(name) + internet.server.addresses(name, scope="link")),
            [route for route in internet.server.routes() if f"dev {name} " in route])


def start(internet, *words, prefix=OUTSIDE):
    """A server, and a client with a prefix that lies outside of the pool."""
    if prefix:
        internet.users.delete("alice")
        internet.users.add("alice", prefix=prefix)
    server = internet.dtcps("-U")
    client = internet.dtcpclient(*words)
    client.wait_up()
    ping(internet.site, SIX)
    server.calm()
    return server, client


def remove(internet, name="dtcps0"):
    internet.server.ip("link", "del", name)


def made_again(server, name="dtcps0", since=0, seconds=15):
    server.wait_log(f"interface {name} was removed by somebody; making it again", seconds, since)


@pytest.mark.parametrize("words", [(), ("-U", "-n")], ids=["ipv6", "udp"])
def test_removed(internet, measured, words):
    """It is there again with all that belongs to it, and no client notices."""
    before = internet.server.state()
    server, client = start(internet, *words)
    whole = set_up(internet)
    assert any(OUTSIDE in route for route in whole[1])
    started = time.monotonic()
    remove(internet)
    made_again(server)
    ping(internet.site, SIX)
    measured("packets pass again after", f"{time.monotonic() - started:.2f} s")
    assert set_up(internet) == whole
    ping(internet.six, POOL[1])
    assert "put back" not in server.log() and "down" not in server.log()
    # The route of a session goes with it, also from the new interface.
    assert client.stop() == 0
    until(lambda: not any(OUTSIDE in route for route in internet.server.routes()), "it is gone")
    assert server.stop() == 0
    internet.server.back_to(before)


def test_without_ipv6_for_a_while(internet):
    """The kernel takes addresses and routes away with it; all of them are there again after it."""
    server, client = start(internet)
    whole = set_up(internet)
    with server.held("monitor"):
        internet.server.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
    server.wait_log("interface dtcps0: IPv6 was turned off; nothing passes until it is turned on")
    internet.server.sysctl("net.ipv6.conf.all.disable_ipv6", 0)
    server.wait_log("interface dtcps0 is up again, with its addresses and routes")
    assert set_up(internet) == whole
    ping(internet.site, POOL[1])
    assert client.running()


def far_end():
    """The link-local address that clients know the server by."""
    address = int(ipaddress.ip_address(SERVER))
    return f"fe80::{address >> 16:x}:{address & 0xffff:x}"


def test_own_interface_is_kept(internet):
    """What an administrator has put on it is there for the user's next session, and goes when none
    comes in time."""
    by_hand = "2001:db8:77::1"
    before = internet.server.state()
    path = internet.file("dtcps.conf", "tunnelonly.keep = 600\n")
    server = internet.dtcps("-c", path)
    for _ in range(2):
        client = internet.dtcpclient(type="tunnelonly")
        client.wait_up()
        ping(internet.site, f"{far_end()}%dtcp0")
        if by_hand not in internet.server.addresses("dtcps1"):
            internet.server.ip("address", "add", f"{by_hand}/64", "dev", "dtcps1", "nodad")
            internet.server.ip("-6", "route", "add", "2001:db8:78::/48", "dev", "dtcps1")
            whole = set_up(internet, "dtcps1")
        assert set_up(internet, "dtcps1") == whole
        assert client.stop() == 0
        server.wait_log("session down")
    # One that is removed meanwhile is not missing to anybody.
    remove(internet, "dtcps1")
    client = internet.dtcpclient(type="tunnelonly")
    client.wait_up()
    ping(internet.site, f"{far_end()}%dtcp0")
    assert client.stop() == 0
    assert "by somebody" not in server.log()
    path.write_text("tunnelonly.keep = 0\n")
    server.send_signal(signal.SIGHUP)
    until(lambda: "dtcps1" not in internet.server.links(), "it is gone")
    assert server.stop() == 0
    internet.server.back_to(before)


def test_removed_and_stopped(internet):
    """The end comes first: nothing is made any more, and nothing is left."""
    before = internet.server.state()
    server, client = start(internet)
    remove(internet)
    assert server.stop() == 0
    client.wait()
    internet.server.back_to(before)


def test_set_down_and_up(internet):
    """At once: what the kernel has taken away is there again."""
    server, _ = start(internet)
    whole = set_up(internet)
    with server.held("monitor"):
        internet.server.ip("link", "set", "dtcps0", "down")
        internet.server.ip("link", "set", "dtcps0", "up")
    ping(internet.site, SIX)
    until(lambda: set_up(internet) == whole, "all is as before", 8)
    assert server.running()


def test_nothing_is_wrong(internet):
    """What the server does itself is not taken for somebody else's doing."""
    internet.users.add("bob", prefix=OUTSIDE)
    server = internet.dtcps("-U")
    for number, kind in enumerate(("tunnelonly", "network", "host") * 2):
        client = internet.dtcpclient(type=kind, user="bob", *(("-U", "-n") if number > 2 else ()))
        client.wait_up()
        assert client.stop() == 0
    with pytest.raises(AssertionError, match="somebody"):
        server.wait_log("by somebody|put back", 1 / slow())
