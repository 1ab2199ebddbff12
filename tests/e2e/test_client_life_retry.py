# SPDX-License-Identifier: BSD-2-Clause
"""-l through everything that can be in the way of a session: it is back within a stated time.

The times are measured, and shown at the end of the run."""

import os
import re
import signal
import time

import pytest

from lab.dns import ANSWERS, FAILS, SILENT, NameServer
from lab.topology import SITE_NET, SIX
from lab.traffic import ping
from lab.wait import pass_time, patience, slow, until
from lab.wire import FakeServer, Wire

NAME = "broker.example.org"  # in no hosts file


def back_within(measured, seconds, wait):
    """wait() must return in that time; how long it took is shown."""
    started = time.monotonic()
    wait()
    took = time.monotonic() - started
    measured("back after", f"{took:.2f} s, at most {seconds} s")
    assert took < seconds * slow()


def count(client, pattern, since=0):
    return len(re.findall(pattern, client.log()[since:]))


def cut(node, rule):
    """A packet filter at the node, until lift()."""
    node.nft(f"table ip cut {{ chain f {{ type filter hook forward priority 0; {rule}; }}; }}")


def lift(node):
    node.nft("delete table ip cut")


@pytest.mark.parametrize("mode", [FAILS, SILENT], ids=["fails", "silent"])
def test_names_cannot_be_resolved(internet, measured, mode):
    """The name server fails, or says nothing, and then it knows the name."""
    names = NameServer(internet.site, ["198.51.100.2"], mode)
    internet.dtcps()
    client = internet.dtcpclient("-l", server=NAME)
    client.wait_log(f"{NAME}: server name not found: .*next attempt")
    until(lambda: count(client, "not found") >= 2, "another attempt")
    names.mode = ANSWERS
    back_within(measured, 6, client.wait_up)


def test_started_before_the_network(internet, measured):
    """Without address and route at first. Both come at once; no attempt is due by then."""
    internet.site.ip("addr", "flush", "dev", "up0")
    internet.dtcps()
    client = internet.dtcpclient("-l")
    until(lambda: count(client, "unreachable") >= 3, "some attempts", 20)
    internet.readdress("192.0.2.2")
    # The next attempt would have been after 3 s or more.
    back_within(measured, 2, client.wait_up)


def test_no_answer(internet, measured):
    """Packets are lost without a word, and then they pass."""
    cut(internet.net, "tcp dport 20200 drop")
    internet.dtcps()
    client = internet.dtcpclient("-l", "-d")
    client.wait_log("idle -> connect")
    pass_time(1.5, client.running, "it goes on")
    lift(internet.net)
    back_within(measured, 8, client.wait_up)


def test_wrong_password(internet, measured):
    """Said once, however often it is tried; and it is said that it is right again."""
    # The answer has to be there before the next attempt.
    server = internet.dtcps("-o", "limit.delay=0")
    client = internet.dtcpclient("-l", password="wrong")
    client.wait_log("wrong user name or password.*next attempt in about 60 s"
                    r" \(not said again for an hour")
    for number in range(2, 5):
        client.send_signal(signal.SIGHUP)
        until(lambda number=number: count(server, "authentication failed for") >= number,
              "another attempt")
    assert count(client, "wrong user name or password") == 1
    internet.users.passwd("alice", "wrong")
    client.send_signal(signal.SIGHUP)
    client.wait_log("works again, after 4 failures")
    back_within(measured, 3, client.wait_up)


def test_the_same_again_and_again(internet):
    """Five lines, and then silence; something else is said at once."""
    client = internet.dtcpclient("-l")
    for number in range(1, 6):
        until(lambda number=number: count(client, "Connection refused") >= number, "a line")
        client.send_signal(signal.SIGHUP)
    cut(internet.net, "tcp dport 20200 reject with icmp type host-unreachable")
    assert count(client, r"not said again for an hour") == 1
    before = client.mark()
    client.send_signal(signal.SIGHUP)
    client.wait_log("No route to host", since=before)
    lift(internet.net)
    client.send_signal(signal.SIGHUP)
    pass_time(1, client.running, "it goes on")
    assert count(client, "Connection refused") == 5


def test_superseded(internet):
    """Another place has the account now: not fought for, and said why."""
    internet.dtcps()
    client = internet.dtcpclient("-l")
    client.wait_up()
    with Wire(internet.site) as other:
        other.login()
        client.wait_log("session lost: .*superseded by a new session .another place uses the "
                        "account of this user.; next attempt in about 60 s")
        # Neither does a network that changes bring it back before its time.
        internet.site.ip("route", "del", "default")
        internet.site.ip("route", "add", "default", "via", SITE_NET)
        pass_time(2, lambda: "goes on" not in client.log(), "it waits")
        assert other.ask("ping").startswith("+OK")


@pytest.mark.slow(10)
def test_server_restarts(internet, measured):
    """Back soon after the server is, with the tunnel as it was; three times in a row."""
    server = internet.dtcps()
    client = internet.dtcpclient("-l")
    client.wait_up()
    [before] = internet.site.ip_json("link", "show", "dev", "dtcp0")
    for _ in range(3):
        since = client.mark()
        assert server.stop() == 0
        client.wait_log("session lost: .*server is shutting down; next attempt within 3 s",
                        since=since)
        server = internet.dtcps()
        back_within(measured, 6,
                    lambda since=since: client.wait_log("tunnel goes on ", since=since))
        ping(internet.site, SIX)
    [after] = internet.site.ip_json("link", "show", "dev", "dtcp0")
    assert after["ifindex"] == before["ifindex"]


def test_server_is_killed(internet, measured):
    """No good-bye: the connection breaks."""
    server = internet.dtcps()
    client = internet.dtcpclient("-l")
    client.wait_up()
    since = client.mark()
    server.kill_all()
    client.wait_log("session lost: .*next attempt within 3 s", since=since)
    internet.dtcps()
    back_within(measured, 6, lambda: client.wait_log("tunnel goes on ", since=since))
    ping(internet.site, SIX)


def test_half_open(internet, measured):
    """Every packet is lost without a word: found by a ping, and over once they pass again."""
    internet.dtcps()
    client = internet.dtcpclient("-l", "--keepalive", "1,2")
    client.wait_up()
    since = client.mark()
    cut(internet.net, "drop")
    back_within(measured, 5, lambda: client.wait_log("session lost: .*(no answer to ping|timed out)",
                                                     since=since))
    lift(internet.net)
    back_within(measured, 8, lambda: client.wait_log("tunnel goes on ", since=since))
    ping(internet.site, SIX)


def test_unacknowledged(internet, measured):
    """The server is gone when the request is sent: the kernel notices before the login's time is
    over."""
    def talk(peer):
        # What the client writes is lost; that it has got the greeting is still heard.
        cut(internet.net, "ip saddr 192.0.2.2 tcp flags & psh == psh drop")
        peer.greet()
        peer.line()

    FakeServer(internet.server, talk)
    client = internet.dtcpclient("--keepalive", "60,2")
    back_within(measured, 9, lambda: client.wait(10))
    assert client.popen.returncode == 6
    assert "connection lost: Connection timed out" in client.log()


@pytest.mark.slow(8)
def test_route_gone_and_back(internet, measured):
    """Back as soon as the route is, not when the next attempt is due."""
    internet.dtcps()
    client = internet.dtcpclient("-l", "--keepalive", "1,1")
    client.wait_up()
    since = client.mark()
    internet.site.ip("route", "del", "default")
    until(lambda: count(client, "Network is unreachable", since) >= 2, "some attempts", 30)
    internet.site.ip("route", "add", "default", "via", SITE_NET)
    # The next attempt would have been after 3 s or more.
    back_within(measured, 2, lambda: client.wait_log("tunnel goes on ", since=since))
    ping(internet.site, SIX)


@pytest.mark.parametrize("words", [(), ("-U", "-n")], ids=["ipv6", "udp"])
def test_address_changes(internet, measured, words):
    internet.dtcps("-U")
    client = internet.dtcpclient("-l", *words)
    client.wait_up()
    since = client.mark()
    internet.readdress("192.0.2.77")
    back_within(measured, 3, lambda: client.wait_log("tunnel (up|goes on) .*local=192.0.2.77",
                                                     since=since))
    ping(internet.site, SIX)


@pytest.mark.slow(12)
@pytest.mark.parametrize("words", [(), ("-U", "-n")], ids=["ipv6", "udp"])
def test_stopped_for_a_while(internet, measured, words):
    """As after suspend: packets not received meanwhile do not count as lost."""
    internet.dtcps("-U")
    answer = patience(1)
    client = internet.dtcpclient("-l", "--keepalive", f"1,{answer}", *words)
    client.wait_up()
    since = client.mark()
    rooms = client.rooms().values()
    for pid in rooms:
        os.kill(pid, signal.SIGSTOP)
    pass_time(7 + answer, client.running, "it is stopped")
    for pid in rooms:
        os.kill(pid, signal.SIGCONT)
    back_within(measured, 3, lambda: ping(internet.site, SIX))
    pass_time(2, lambda: "lost" not in client.log()[since:], "the session goes on")


def test_hold_with_udp(internet):
    """While it reconnects, interface, addresses and routes stay; then all of it goes."""
    server = internet.dtcps("-U")
    before = internet.site.state()
    client = internet.dtcpclient("-l", "--hold", "2", "-U", "-n")
    said = client.wait_up()
    up = internet.site.state()
    since = client.mark()
    assert server.stop() == 0
    client.wait_log("session lost: ", since=since)
    now = internet.site.state()
    assert [now[key] for key in ("interfaces", "addresses", "routes")] == \
        [up[key] for key in ("interfaces", "addresses", "routes")]
    client.wait_log("tunnel down: no session for 2 s", since=since)
    until(lambda: internet.site.state()["routes"] == before["routes"], "the routes are gone", 3)
    assert "dtcp0" not in internet.site.links()
    internet.dtcps("-U")
    assert client.wait_up(since=since)["prefix"] == said["prefix"]
