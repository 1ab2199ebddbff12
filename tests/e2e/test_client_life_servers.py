# SPDX-License-Identifier: BSD-2-Clause
"""Several servers on the command line, and several addresses of one name."""

import os
import pty
import signal
import time

import pytest

from lab.dns import NameServer
from lab.programs import PASSWORD, write_auth
from lab.topology import SIX
from lab.traffic import ping
from lab.wait import slow, until
from lab.wire import FakeServer

FIRST, SECOND, THIRD = "198.51.100.3", "198.51.100.2", "198.51.100.4"
NAME = "broker.example.org"  # in no hosts file


@pytest.fixture
def servers(internet):
    """The machine of the server has three addresses."""
    for address in (FIRST, THIRD):
        internet.server.ip("addr", "add", f"{address}/24", "dev", "up0")
    write_auth(internet.site, "".join(f"{server}:alice:{PASSWORD}\n"
                                      for server in (FIRST, SECOND, THIRD, NAME)))
    return internet


def start(internet, *words, last=THIRD):
    return internet.dtcpclient(*words, password=None, server=last)


def sold_out(peer):
    peer.greet()
    peer.line()
    peer.send("-ERR tunnel interface sold out")


def test_the_next_one_at_once(servers):
    """One refuses the connection, one the login; the third is told of by its name."""
    servers.dtcps(set={"listen": THIRD})
    fake = FakeServer(servers.server, sold_out, SECOND)
    started = time.monotonic()
    client = start(servers, FIRST, SECOND)
    said = client.wait_up()
    assert time.monotonic() - started < 5 * slow()
    assert (said["server"], said["server_address"]) == (THIRD, THIRD)
    client.wait_log(f"{FIRST}: .*Connection refused; trying {SECOND}")
    client.wait_log(f"{SECOND}: refused by the server: tunnel interface sold out; trying {THIRD}")
    assert len(fake.peers) == 1
    ping(servers.site, SIX)


def test_status_of_the_last_one(servers):
    """Without -l each is tried once."""
    FakeServer(servers.server, sold_out, THIRD)
    client = start(servers, FIRST, SECOND)
    assert client.wait() == 11
    lines = [line for line in client.log().splitlines() if "fast path" not in line]
    assert len(lines) == 3 and THIRD in lines[2] and "trying" not in lines[2]


def test_the_one_that_worked(servers):
    """It is the first to be tried when the session is lost; and where it is gone, another has the
    tunnel while it is held."""
    fake = FakeServer(servers.server, sold_out, FIRST)
    server = servers.dtcps(set={"listen": SECOND})
    client = start(servers, "-l", FIRST, last=SECOND)
    client.wait_up()
    since = client.mark()
    assert server.stop() == 0
    client.wait_log("session lost: ", since=since)
    servers.dtcps(set={"listen": SECOND})
    client.wait_log(rf"tunnel goes on server=\S+ server_address={SECOND}", since=since)
    until(lambda: len(fake.peers) >= 1, "the first one was asked at the start")
    before = len(fake.peers)

    client.send_signal(signal.SIGHUP)
    client.wait_up(since=client.mark())
    assert len(fake.peers) == before


def test_another_takes_over(servers):
    """A server goes for good; the next one has the same users, and the interface stays."""
    server = servers.dtcps(set={"listen": FIRST})
    client = start(servers, "-l", FIRST, last=SECOND)
    client.wait_up()
    [before] = servers.site.ip_json("link", "show", "dev", "dtcp0")
    since = client.mark()
    assert server.stop() == 0
    servers.dtcps(set={"listen": SECOND})
    # The far end is another one, so the script would hear of it; nothing else changes.
    client.wait_log(rf"tunnel up server=\S+ server_address={SECOND}", 6, since=since)
    [after] = servers.site.ip_json("link", "show", "dev", "dtcp0")
    assert after["ifindex"] == before["ifindex"]
    ping(servers.site, SIX)


def test_wrong_password_at_one(servers):
    """Each server has its own entry; where it is wrong, the next has its turn."""
    write_auth(servers.site, f"{FIRST}:alice:wrong\n{SECOND}:alice:{PASSWORD}\n")
    servers.dtcps()
    client = start(servers, FIRST, last=SECOND)
    said = client.wait_up()
    assert (said["server"], said["server_address"]) == (SECOND, SECOND)
    client.wait_log(f"{FIRST}: user alice: wrong user name or password .*; trying {SECOND}")


def test_no_entry_and_no_terminal(servers):
    """The first one without an entry is named, though others have theirs."""
    write_auth(servers.site, f"{FIRST}:alice:{PASSWORD}\n")
    client = start(servers, FIRST, SECOND)
    assert client.wait() == 13
    assert f'"{SECOND}:alice:..."' in client.log() and PASSWORD not in client.log()


def test_one_question(servers):
    """At the terminal, for all that have no entry."""
    write_auth(servers.site, f"{FIRST}:alice:{PASSWORD}\n")
    servers.dtcps(set={"listen": THIRD})
    master, slave = pty.openpty()
    client = servers.dtcpclient(FIRST, SECOND, password=None, server=THIRD, terminal=slave)
    os.close(slave)
    shown = b""
    while b"assword" not in shown or not shown.endswith(b": "):
        shown += os.read(master, 1000)
    assert shown.strip().endswith(f"password for alice at {SECOND}, {THIRD}:".encode())
    os.write(master, PASSWORD.encode() + b"\n")
    client.wait_up()
    assert client.stop() == 0
    os.close(master)


def test_address_that_says_nothing(servers, measured):
    """Of eight addresses of one name the first is silent: it gets its share of the time only, and
    is not the first any more."""
    servers.net.nft("table ip cut { chain f { type filter hook forward priority 0;"
                    f" ip daddr {FIRST} drop; }}; }}")
    NameServer(servers.site, [FIRST, SECOND, THIRD] + [f"198.51.100.{n}" for n in range(10, 15)])
    servers.dtcps(set={"listen": THIRD})
    started = time.monotonic()
    client = start(servers, "-l", last=NAME)
    client.wait_up()
    measured("first", f"{time.monotonic() - started:.2f} s")
    assert time.monotonic() - started < 5 * slow()
    since = client.mark()
    started = time.monotonic()
    client.send_signal(signal.SIGHUP)
    client.wait_up(since=since)
    measured("then", f"{time.monotonic() - started:.2f} s")
    assert time.monotonic() - started < 2 * slow()


def test_slow_address_behind_one_that_lets_nobody_in(servers):
    """The fastest address is not preferred for ever: the other one has time to answer."""
    fake = FakeServer(servers.server, sold_out, FIRST)
    NameServer(servers.site, [FIRST, SECOND])
    # Its first packet is lost, so a connection takes a second.
    servers.net.nft("table ip cut { chain f { type filter hook forward priority 0;"
                    f" ip daddr {SECOND} tcp flags & (syn | ack) == syn numgen inc mod 2 0 drop;"
                    " }; }")
    servers.dtcps(set={"listen": SECOND})
    client = start(servers, "-l", last=NAME)
    said = client.wait_up(8)
    assert (said["server"], said["server_address"]) == (NAME, SECOND)
    assert len(fake.peers) == 1


def test_address_that_lets_nobody_in(servers):
    """A server answers, but refuses the tunnel: the next attempt uses the next address."""
    fake = FakeServer(servers.server, sold_out, FIRST)
    NameServer(servers.site, [FIRST, SECOND])
    servers.dtcps(set={"listen": SECOND})
    client = start(servers, "-l", last=NAME)
    said = client.wait_up(5)
    assert (said["server"], said["server_address"]) == (NAME, SECOND)
    assert len(fake.peers) == 1
    # And the one that worked is the first now.
    client.send_signal(signal.SIGHUP)
    client.wait_up(since=client.mark())
    assert len(fake.peers) == 1
