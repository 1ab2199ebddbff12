# SPDX-License-Identifier: BSD-2-Clause
"""Lookup of the server's name by the system's resolver, and its failures."""

import os
import signal
import time

import pytest

from lab.clock import Clocks
from lab.dns import ANSWERS, FAILS, SILENT, NameServer
from lab.node import alive
from lab.topology import SERVER, SIX
from lab.traffic import ping
from lab.wait import slow, until

NAME = "broker.example.org"  # in no hosts file
# Longer than anything here waits.
PATIENT = "nameserver 127.0.0.1\noptions timeout:40 attempts:1\n"


def resolv(internet, text):
    # In place: the file is mounted, another one by that name would not be seen.
    (internet.site.dir / "resolv.conf").write_text(text)


def resolver(client):
    """The process id of the look-up that runs."""
    return until(lambda: client.rooms().get("resolver"), "the name is looked up")


def test_dead_name_servers_first(internet, measured):
    """Such as the tunnel's own, once the tunnel is down: the third one is asked after them."""
    resolv(internet, "nameserver 2001:db8:6::53\nnameserver 2001:db8:6::54\n"
                     "nameserver 127.0.0.1\n")
    NameServer(internet.site, [SERVER])
    internet.dtcps()
    started = time.monotonic()
    client = internet.dtcpclient("-l", server=NAME)
    client.wait_up()
    measured("up after", f"{time.monotonic() - started:.2f} s")
    ping(internet.site, SIX)
    assert "server name not found" not in client.log()


def test_search_list(internet):
    """And the name servers as they are at each look-up."""
    resolv(internet, "search invalid example.org\nnameserver 127.0.0.9\n"
                     "options timeout:1 attempts:1\n")
    names = NameServer(internet.site, [SERVER], name=NAME)
    internet.dtcps()
    client = internet.dtcpclient("-l", server="broker")
    client.wait_log("broker: server name not found: the name servers do not answer, or have failed"
                    " for the moment; next attempt")
    resolv(internet, "search invalid example.org\nnameserver 127.0.0.1\n")
    client.wait_up()
    assert names.asked >= 2
    ping(internet.site, SIX)


def test_no_address(internet):
    """Each reason has its own line."""
    names = NameServer(internet.site, [], six=["2001:db8::1"], name=NAME)
    for name, mode, said in (
            (NAME, ANSWERS, "the name has IPv6 addresses only; dtcp needs an IPv4 address"),
            ("nobody.example.org", ANSWERS, "server name not found: there is no such name"),
            (NAME, FAILS, "server name not found: the name servers do not answer, or have failed"
                          " for the moment")):
        names.mode = mode
        client = internet.dtcpclient(server=name)
        assert client.wait() == 3
        assert f"{name}: {said} server={name} " in client.log()


@pytest.mark.slow(20)
def test_late_answer(internet):
    """Whatever the resolver's own patience is, an attempt ends after 15 s; what is answered after
    that is not lost."""
    resolv(internet, PATIENT)
    names = NameServer(internet.site, [SERVER], SILENT)
    internet.dtcps()
    client = internet.dtcpclient("-l", server=NAME)
    pid = resolver(client)
    client.wait_log(f"{NAME}: server name not found: no answer to the look-up within 15 s; next",
                    20)
    assert alive(pid)
    names.answer_kept()
    client.wait_up(6)
    ping(internet.site, SIX)


def test_back_without_name_servers(internet, measured):
    """The address that worked is tried beside the look-up. With a script, as monitor has other
    capabilities then."""
    names = NameServer(internet.site, [SERVER])
    server = internet.dtcps()
    script = internet.file("script", "#!/bin/sh\n", 0o755)
    client = internet.dtcpclient("-l", "-s", script, server=NAME)
    client.wait_up()
    resolv(internet, PATIENT)
    names.mode = SILENT
    since = client.mark()
    assert server.stop() == 0
    client.wait_log("session lost: .*next attempt within 3 s", since=since)
    internet.dtcps()
    started = time.monotonic()
    client.wait_log("tunnel goes on ", since=since)
    measured("back after", f"{time.monotonic() - started:.2f} s")
    # At another signal, too; and the look-up that still runs then is ended with the program.
    since = client.mark()
    client.send_signal(signal.SIGHUP)
    client.wait_up(since=since)
    ping(internet.site, SIX)
    pid = resolver(client)
    assert client.stop() == 0
    until(lambda: not alive(pid), "the look-up has ended", 2)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["asked", "killed"])
def test_end_during_a_look_up(internet, how):
    """Neither the program nor its parts wait for it."""
    before = internet.site.state()
    resolv(internet, PATIENT)
    NameServer(internet.site, [], SILENT)
    client = internet.dtcpclient("-l", server=NAME)
    pid = resolver(client)
    started = time.monotonic()
    assert client.stop(how) == (0 if how == signal.SIGTERM else -signal.SIGKILL)
    assert time.monotonic() - started < 2 * slow()
    until(lambda: not alive(pid), "the look-up has ended", 2)
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    internet.site.back_to(before)


def test_wakes_during_a_look_up(internet):
    """It asked in another network, perhaps: begun anew."""
    clocks = Clocks(internet)
    resolv(internet, PATIENT)
    names = NameServer(internet.site, [SERVER], SILENT)
    internet.dtcps()
    client = internet.dtcpclient("-l", server=NAME)
    pid = resolver(client)
    until(lambda: names.asked, "a name server is asked")
    names.mode = ANSWERS
    clocks.sleep(600)
    client.wait_log("this machine has slept for 6.. s")
    client.wait_up()
    assert not alive(pid)


def test_killed_look_up(internet):
    """A module of the system's that crashes costs one attempt."""
    resolv(internet, PATIENT)
    names = NameServer(internet.site, [SERVER], SILENT)
    internet.dtcps()
    client = internet.dtcpclient("-l", server=NAME)
    os.kill(resolver(client), signal.SIGKILL)
    client.wait_log(f"looking up {NAME}: the process was killed by signal 9")
    client.wait_log(f"{NAME}: server name not found: the look-up was broken off; next attempt")
    names.mode = ANSWERS
    client.wait_up()


def test_the_last_of_ten_addresses(internet, measured):
    """All of a name's addresses have their turn in one round: nine say nothing."""
    dead = [f"198.51.100.{number}" for number in range(70, 79)]
    internet.net.nft("table ip cut { chain f { type filter hook forward priority 0;"
                     f" ip daddr {{ {', '.join(dead)} }} drop; }}; }}")
    NameServer(internet.site, [*dead, SERVER])
    internet.dtcps()
    started = time.monotonic()
    client = internet.dtcpclient(server=NAME)
    client.wait_up()
    measured("up after", f"{time.monotonic() - started:.2f} s")
    assert time.monotonic() - started < 8 * slow()
    ping(internet.site, SIX)
