# SPDX-License-Identifier: BSD-2-Clause
"""An administrator, or another program, changes the client's interface."""

import signal
import time

import pytest

from lab.programs import router_address
from lab.topology import SIX
from lab.traffic import ping
from lab.wait import slow, until


def start(internet, *words):
    """Its script prints its arguments."""
    script = internet.file("script", "#!/bin/sh\necho called $state $tunif\n", 0o755)
    client = internet.dtcpclient("-s", script, *words)
    client.wait_up()
    ping(internet.site, SIX)
    client.calm()
    return client


def set_up(internet):
    """(addresses, routes) of the tunnel."""
    return (sorted(internet.site.addresses("dtcp0") +
                   internet.site.addresses("dtcp0", scope="link")),
            internet.site.routes())


@pytest.mark.parametrize("words", [(), ("-U", "-n")], ids=["ipv6", "udp"])
def test_removed(internet, measured, words):
    """It is there again with all that belongs to it, and the script hears of it."""
    before = internet.site.state()
    internet.dtcps("-U")
    client = start(internet, *words)
    whole = set_up(internet)
    since = client.mark()
    started = time.monotonic()
    internet.site.ip("link", "del", "dtcp0")
    client.wait_log("interface dtcp0 was removed by somebody; making it again", since=since)
    client.wait_up(since=since)
    measured("made again after", f"{time.monotonic() - started:.2f} s")
    assert time.monotonic() - started < 2 * slow()
    assert set_up(internet) == whole
    ping(internet.site, SIX)
    assert client.log()[since:].count("called up dtcp0") == 1
    assert "called down" not in client.log() and "lost" not in client.log()
    assert client.stop() == 0
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    internet.site.back_to(before)


def test_removed_and_stopped(internet):
    """The end comes first: nothing is made any more, and nothing is left."""
    before = internet.site.state()
    internet.dtcps()
    client = start(internet)
    internet.site.ip("link", "del", "dtcp0")
    assert client.stop() == 0
    assert client.log().count("called down") == 1
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    internet.site.back_to(before)


def test_removed_while_held(internet):
    """A tunnel that waits for its next session is kept whole as well."""
    server = internet.dtcps()
    client = start(internet, "-l")
    since = client.mark()
    assert server.stop() == 0
    client.wait_log("session lost", since=since)
    internet.site.ip("link", "del", "dtcp0")
    client.wait_log("tunnel up ", since=since)
    internet.dtcps()
    client.wait_log("tunnel goes on ", since=since)
    ping(internet.site, SIX)


def test_renamed(internet):
    """It is followed under its new name, and has all that the kernel took away meanwhile."""
    before = internet.site.state()
    internet.dtcps()
    client = start(internet)
    internet.site.rename("dtcp0", "wan6")
    client.wait_log("interface dtcp0 is called wan6 now")
    until(lambda: any("default dev wan6" in route for route in internet.site.routes()),
          "the route is back", 3)
    ping(internet.site, SIX)
    assert client.stop() == 0
    assert "called down wan6" in client.log()
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    internet.site.back_to(before)


def test_set_down(internet):
    """An interface that is set down stays down. When it is set up again, everything is restored."""
    internet.dtcps()
    client = start(internet)
    whole = set_up(internet)
    with client.held("monitor"):
        internet.site.ip("link", "set", "dtcp0", "down")
    client.wait_log("interface dtcp0 was set down; nothing passes until it is set up again")
    assert internet.site.addresses("dtcp0") == []
    internet.site.ip("link", "set", "dtcp0", "up")
    client.wait_log("interface dtcp0 is up again, with its addresses and routes", 3)
    assert set_up(internet) == whole
    ping(internet.site, SIX)
    assert "removed by somebody" not in client.log()


def test_ipv6_turned_off_and_on(internet):
    """Some tools do that to begin anew. It takes all addresses and routes, and is heard of by other
    messages than a link that is set down."""
    server = internet.dtcps()
    client = start(internet, "-l")
    whole = set_up(internet)
    with client.held("monitor"):
        internet.site.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
    client.wait_log("interface dtcp0: IPv6 was turned off; nothing passes until it is turned on")
    # A session that comes meanwhile changes nothing about it.
    since = client.mark()
    assert server.stop() == 0
    internet.dtcps()
    client.wait_log("tunnel goes on", since=since)
    since = client.mark()
    internet.site.sysctl("net.ipv6.conf.all.disable_ipv6", 0)
    client.wait_log("interface dtcp0 is up again, with its addresses and routes", 3, since)
    assert set_up(internet) == whole
    ping(internet.site, SIX)
    assert "cannot" not in client.log() and "removed by somebody" not in client.log()


def test_address_and_routes_removed(internet):
    """They are put back, with a line for each."""
    internet.dtcps()
    client = start(internet)
    whole = set_up(internet)
    prefix = client.prefix()
    address = router_address(prefix)
    with client.held("monitor"):
        internet.site.ip("-6", "address", "del", f"{address}/128", "dev", "dtcp0")
        internet.site.ip("-6", "route", "del", "default", "dev", "dtcp0")
        internet.site.ip("-6", "route", "del", "unreachable", prefix)
    for what in (f"address {address}", f"reject route {prefix}", "default route"):
        client.wait_log(f"interface dtcp0: the {what} was removed by somebody; put back")
    until(lambda: set_up(internet) == whole, "all is as before", 3)
    ping(internet.site, SIX)
    assert client.log().count("put back") == 3


def take_name(internet):
    internet.site.ip("tuntap", "add", "dev", "dtcp0", "mode", "tun")


def test_name_taken_when_it_is_to_be_made(internet):
    """-l gets through that, too: said once, and tried until the name is free again."""
    client = internet.dtcpclient("-l")
    client.wait_log("next attempt")
    take_name(internet)
    server = internet.dtcps()
    client.wait_log("the tunnel cannot be made here; next attempt in about 60 s"
                    r" \(not said again for an hour")
    since = server.mark()
    client.send_signal(signal.SIGHUP)
    server.wait_log("session down user=alice peer=.* ", since=since)
    assert client.log().count("interface dtcp0 exists already") == 1
    internet.site.ip("link", "del", "dtcp0")
    client.send_signal(signal.SIGHUP)
    client.wait_up()
    ping(internet.site, SIX)


@pytest.mark.parametrize("words", [("-l",), ()], ids=["l", "once"])
def test_cannot_be_made_again(internet, words):
    """The script hears of the end; with -l there is another session when the name is free."""
    before = internet.site.state()
    internet.dtcps()
    client = start(internet, *words)
    internet.site.rename("dtcp0", "wan6")
    client.wait_log("interface dtcp0 is called wan6 now")
    take_name(internet)
    since = client.mark()
    internet.site.ip("link", "del", "wan6")
    client.wait_log("called down", since=since)
    if words:
        client.wait_log("session lost: the tunnel cannot be made here; next attempt", since=since)
        internet.site.ip("link", "del", "dtcp0")
        client.send_signal(signal.SIGHUP)
        client.wait_up(since=since)
        ping(internet.site, SIX)
        assert client.stop() == 0
    else:
        assert client.wait() == 1
        internet.site.ip("link", "del", "dtcp0")
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    internet.site.back_to(before)


def test_nothing_is_wrong(internet):
    """The client's own changes are not taken for another program's."""
    internet.dtcps("-U")
    client = start(internet, "-l", "-U", "-n")
    for _ in range(2):
        since = client.mark()
        client.send_signal(signal.SIGHUP)
        client.wait_up(since=since)
        ping(internet.site, SIX)
    since = client.mark()
    internet.readdress("192.0.2.77")
    client.wait_log("tunnel up .*local=192.0.2.77", since=since)
    ping(internet.site, SIX)
    assert "somebody" not in client.log() and "put back" not in client.log()
