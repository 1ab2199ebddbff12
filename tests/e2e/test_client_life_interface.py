# SPDX-License-Identifier: BSD-2-Clause
"""An administrator, or another program, at work on the client's interface."""

import fcntl
import os
import signal
import socket
import struct
import threading
import time

import pytest

from lab.programs import router_address
from lab.topology import SIX
from lab.traffic import ping
from lab.wait import pass_time, slow, until


SIOCGIFINDEX = 0x8933


def talking_script(internet, pause):
    """Says what it is told, and takes its time at "up"."""
    return internet.file("script", f"#!/bin/sh\necho called $state $tunif\n"
                                   f"[ $state = down ] || sleep {pause}\n", 0o755)


def start(internet, *words, pause=0):
    client = internet.dtcpclient("-s", talking_script(internet, pause), *words)
    client.wait_up()
    ping(internet.site, SIX)
    client.calm()
    return client


def set_up(internet):
    """What the tunnel has: (addresses, routes)."""
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


def test_removed_again_and_again(internet):
    """By something that does it each time: the answer comes, but every five seconds only."""
    internet.dtcps()
    client = start(internet)
    since = 0
    first = time.monotonic()
    for _ in range(2):
        client.wait_log("called up", 8, since)
        since = client.mark()
        internet.site.ip("link", "del", "dtcp0")
        client.wait_log("making it again", 8, since=since)
    assert time.monotonic() - first > 4
    client.wait_up(since=since)
    ping(internet.site, SIX)


class Sniper(threading.Thread):
    """Removes the interface at the first moment that it is there, once: a shot that comes when it
    has gone already does not count."""

    REQUEST = struct.Struct("=IHHII" "BxHiII")  # nlmsghdr and ifinfomsg
    ANSWER = struct.Struct("=16xi")  # nlmsghdr and the error of nlmsgerr
    RTM_DELLINK, NLM_F_REQUEST_ACK = 17, 5

    def __init__(self, node):
        super().__init__(daemon=True)
        with node.inside():
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            self.query = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.has_hit = threading.Event()
        self.ending = threading.Event()
        self.start()

    def _shoot(self, index):
        self.socket.send(self.REQUEST.pack(self.REQUEST.size, self.RTM_DELLINK,
                                           self.NLM_F_REQUEST_ACK, 1, 0, 0, 0, index, 0, 0))
        [error] = self.ANSWER.unpack_from(self.socket.recv(4096))
        return error == 0

    def run(self):
        wanted = struct.pack("16s24x", b"dtcp0")
        # Nor does it take a processor for good from the tests that come after one that failed.
        deadline = time.monotonic() + 30 * slow()
        while not self.ending.is_set() and time.monotonic() < deadline:
            try:
                found = fcntl.ioctl(self.query, SIOCGIFINDEX, wanted)
            except OSError:
                continue
            if self._shoot(*struct.unpack_from("i", found, 16)):
                self.has_hit.set()
                return

    def end(self):
        self.ending.set()
        self.join()
        self.socket.close()
        self.query.close()


@pytest.mark.parametrize("when", ["tried", "made"])
def test_removed_while_it_is_made(internet, when):
    """At the start, where it is tried whether it can be made, and when it is needed."""
    before = internet.site.state()
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    sniper = Sniper(internet.site) if when == "tried" else None
    client = internet.dtcpclient("-l")
    client.wait_log("next attempt")
    if when == "made":
        sniper = Sniper(internet.site)
    internet.dtcps()
    client.wait_up()
    until(sniper.has_hit.is_set, "the interface is removed once")
    sniper.end()
    removals = "interface dtcp0 was removed by somebody"
    # Of one that was only tried nobody needs to know that it was removed a moment too early.
    if when == "made":
        client.wait_log(removals)
    ping(internet.site, SIX)
    assert client.log().count(removals) <= 1
    assert client.stop() == 0
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


def test_removed_while_the_script_runs(internet):
    """It is made again when the script is done."""
    internet.dtcps()
    client = internet.dtcpclient("-s", talking_script(internet, pause=1))
    client.wait_log("called up dtcp0")
    internet.site.ip("link", "del", "dtcp0")
    client.wait_up()
    since = client.mark()
    client.wait_log("making it again")
    client.wait_up(since=since)
    ping(internet.site, SIX)


def test_session_ends_while_it_is_made_again(internet):
    """The script still runs for the new interface when the tunnel is to go."""
    server = internet.dtcps()
    client = start(internet, "-l", "--hold", "0", pause=1)
    since = client.mark()
    internet.site.ip("link", "del", "dtcp0")
    client.wait_log("called up dtcp0", since=since)
    assert server.stop() == 0
    client.wait_log("called down dtcp0", since=since)
    until(lambda: "dtcp0" not in internet.site.links(), "it is gone")
    internet.dtcps()
    client.wait_log("called up dtcp0", since=client.mark())
    ping(internet.site, SIX)


def test_new_session_while_it_is_made_again(internet):
    """Another session takes the place of the old one when the script is done."""
    server = internet.dtcps()
    client = start(internet, "-l", pause=3)
    since = client.mark()
    internet.site.ip("link", "del", "dtcp0")
    client.wait_log("called up dtcp0", since=since)
    assert server.stop() == 0
    internet.dtcps()
    client.wait_log("tunnel goes on: ", since=since)
    ping(internet.site, SIX)
    assert client.log()[since:].count("called up") == 1


def test_removed_while_held(internet):
    """A tunnel that waits for its next session is kept whole as well."""
    server = internet.dtcps()
    client = start(internet, "-l")
    since = client.mark()
    assert server.stop() == 0
    client.wait_log("session lost", since=since)
    internet.site.ip("link", "del", "dtcp0")
    client.wait_log("tunnel up: ", since=since)
    internet.dtcps()
    client.wait_log("tunnel goes on: ", since=since)
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


def test_renamed_and_killed(internet):
    """The guard knows the new name, too."""
    internet.dtcps()
    client = start(internet)
    internet.site.rename("dtcp0", "wan6")
    client.wait_log("interface dtcp0 is called wan6 now")
    os.kill(client.rooms()["monitor"], signal.SIGKILL)
    client.wait()
    until(lambda: "called down wan6" in client.log(), "the script was run")
    until(lambda: "wan6" not in internet.site.links(), "it is gone")


def test_set_down(internet):
    """Whoever sets it down means it. When it is set up again, all is as it was."""
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


def test_set_down_until_the_end(internet):
    before = internet.site.state()
    internet.dtcps()
    client = start(internet)
    with client.held("monitor"):
        internet.site.ip("link", "set", "dtcp0", "down")
    client.wait_log("was set down")
    assert client.stop() == 0
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    internet.site.back_to(before)


@pytest.mark.parametrize("where", ["dtcp0", "all"])
def test_ipv6_turned_off_and_on(internet, where):
    """Some tools do that to begin anew. It takes all addresses and routes, and is heard of by other
    messages than a link that is set down."""
    server = internet.dtcps()
    client = start(internet, "-l")
    whole = set_up(internet)
    with client.held("monitor"):
        internet.site.sysctl(f"net.ipv6.conf.{where}.disable_ipv6", 1)
    client.wait_log("interface dtcp0: IPv6 was turned off; nothing passes until it is turned on")
    # A session that comes meanwhile changes nothing about it.
    since = client.mark()
    assert server.stop() == 0
    internet.dtcps()
    client.wait_log("tunnel goes on", since=since)
    since = client.mark()
    internet.site.sysctl(f"net.ipv6.conf.{where}.disable_ipv6", 0)
    client.wait_log("interface dtcp0 is up again, with its addresses and routes", 3, since)
    assert set_up(internet) == whole
    ping(internet.site, SIX)
    assert "cannot" not in client.log() and "removed by somebody" not in client.log()


def test_what_cannot_be_put_back(internet):
    """With an MTU that IPv6 forbids. That is said once for each thing, however often it is tried."""
    internet.dtcps()
    client = start(internet)
    addresses = set(set_up(internet)[0])
    for mtu in (1000, 1001, 1002):
        internet.site.ip("link", "set", "dtcp0", "mtu", mtu)
        client.wait_log("cannot add the address .*\n(.*\n)*.*cannot add the route ::/0")
        pass_time(0.3, client.running, "it looks again")
    assert client.log().count("cannot add the route ::/0") == 1
    since = client.mark()
    internet.site.ip("link", "set", "dtcp0", "mtu", 1280)
    client.wait_log("the default route was removed by somebody; put back", since=since)
    # To an interface that is new to IPv6 the kernel has given one of its own as well.
    assert addresses <= set(set_up(internet)[0])
    ping(internet.site, SIX)


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
    server.wait_log("alice@.*: down", since=since)
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
    """What the client does itself is not taken for somebody else's doing."""
    internet.dtcps("-U")
    client = start(internet, "-l", "-U", "-n")
    for _ in range(2):
        since = client.mark()
        client.send_signal(signal.SIGHUP)
        client.wait_up(since=since)
        ping(internet.site, SIX)
    since = client.mark()
    internet.readdress("192.0.2.77")
    client.wait_log("tunnel up: .*local 192.0.2.77", since=since)
    ping(internet.site, SIX)
    assert "somebody" not in client.log() and "put back" not in client.log()
