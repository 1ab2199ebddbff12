# SPDX-License-Identifier: BSD-2-Clause
"""Reconnecting, restarting, running in the background."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from lab.capture import Capture
from lab.dns import ANSWERS, SILENT, NameServer
from lab.node import alive
from lab.process import end_quietly
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping
from lab.wait import slow, until
from lab.wire import FakeServer


def test_l_comes_back(internet):
    """The server restarts; the client says that the tunnel went, and has it again soon."""
    server = internet.dtcps()
    client = internet.dtcpclient("-l", "--hold", "0")
    first = client.wait_up()
    ping(internet.site, SIX)
    since = client.mark()
    assert server.stop() == 0
    client.wait_log("tunnel down: .*next attempt", since=since)
    until(lambda: "dtcp0" not in internet.site.links(), "the interface is gone meanwhile")
    internet.dtcps()
    again = client.wait_up(since=since)
    assert again == first
    ping(internet.site, SIX)


def test_l_holds_the_tunnel(internet):
    """Back within --hold with the same answers: the same interface, and nothing for the script."""
    script = internet.file("script", "#!/bin/sh\necho called $state\n", 0o755)
    server = internet.dtcps()
    client = internet.dtcpclient("-l", "-s", str(script))
    client.wait_up()
    [before] = internet.site.ip_json("link", "show", "dev", "dtcp0")
    since = client.mark()
    assert server.stop() == 0
    client.wait_log("session lost: .*next attempt", since=since)
    assert "dtcp0" in internet.site.links()
    internet.dtcps()
    client.wait_log("tunnel goes on ", since=since)
    ping(internet.site, SIX)
    [after] = internet.site.ip_json("link", "show", "dev", "dtcp0")
    assert after["ifindex"] == before["ifindex"]
    assert client.log().count("called up") == 1
    assert "called down" not in client.log()


def test_hold_ends(internet):
    """Not back in time: the tunnel goes, and comes again with the next session."""
    server = internet.dtcps()
    client = internet.dtcpclient("-l", "--hold", "1")
    client.wait_up()
    since = client.mark()
    assert server.stop() == 0
    client.wait_log("tunnel down: no session for 1 s", since=since)
    until(lambda: "dtcp0" not in internet.site.links(), "the interface is gone")
    internet.dtcps()
    client.wait_up(since=since)
    ping(internet.site, SIX)


def test_l_waits_longer_and_longer(internet):
    """1 s, then 2, then 4, each a quarter more or less."""
    with Capture(internet.site, "up0", "tcp[tcpflags] = tcp-syn", "out", limit=4) as attempts:
        client = internet.dtcpclient("-l")
        until(lambda: len(attempts.packets()) == 4, "four attempts", 20)
        times = [float(packet.time) for packet in attempts.packets()]
    for number, (a, b) in enumerate(zip(times, times[1:])):
        assert 0.7 * 2 ** number < b - a < 1.3 * 2 ** number + 1 * slow(), times
    assert client.stop() == 0


def test_l_from_the_start(internet):
    """With -l it does not matter who starts first."""
    client = internet.dtcpclient("-l")
    client.wait_log("refused")
    internet.dtcps()
    client.wait_up()


def test_l_resolves_anew(internet):
    """A server that has moved is found under its name."""
    hosts = internet.site.dir / "hosts"
    hosts.write_text("198.51.100.99 broker.example.net\n")
    internet.net.nft("table ip f { chain f { type filter hook forward priority 0;"
                     " ip daddr 198.51.100.99 reject with icmp type host-unreachable; }; }")
    internet.dtcps()
    client = internet.dtcpclient("-l", server="broker.example.net")
    client.wait_log("next attempt")
    # In place: the file is mounted, another one by that name would not be seen.
    hosts.write_text("127.0.0.1 localhost\n198.51.100.2 broker.example.net\n")
    client.wait_up(30)


def test_sighup(internet):
    """Quits, takes the tunnel down and connects anew at once, with or without -l."""
    server = internet.dtcps()
    for words in ((), ("-l",)):
        client = internet.dtcpclient(*words)
        first = client.wait_up()
        since, server_since = client.mark(), server.mark()
        client.send_signal(signal.SIGHUP)
        client.wait_log("tunnel down: ", since=since)
        assert client.wait_up(since=since) == first
        server.wait_log(r"session down .*quit", since=server_since)
        ping(internet.site, SIX)
        assert client.stop() == 0


def test_sighup_while_waiting(internet):
    """Does not wait for the next attempt."""
    client = internet.dtcpclient("-l")
    until(lambda: len(re.findall("next attempt", client.log())) >= 4, "some attempts", 20)
    internet.dtcps()
    client.send_signal(signal.SIGHUP)
    client.wait_up(4)


def storm(client, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end and client.running():
        client.send_signal(signal.SIGHUP)


@pytest.mark.parametrize("server", [SERVER, "broker.example.net", "broker.example.org"],
                         ids=["address", "hosts", "dns"])
@pytest.mark.parametrize("there", [True, False], ids=["there", "silent"])
def test_sighup_storm(internet, server, there):
    """A script gone wild is no reason to end. The last signal counts."""
    NameServer(internet.site, [SERVER], ANSWERS if there else SILENT)
    if there:
        internet.dtcps()
    client = internet.dtcpclient("-l", "-d", server=server)
    client.wait_log("raise -> up" if there else "idle -> connect")
    began, before = time.monotonic(), client.mark()
    storm(client, 2)
    attempts = client.log()[before:].count("-> connect\n")
    assert attempts <= 4 * (time.monotonic() - began) + 4
    if there:
        since = client.mark()
        client.send_signal(signal.SIGHUP)
        client.wait_log("tunnel down: reconnecting on request", since=since)
        client.wait_up(since=since)
        ping(internet.site, SIX)
    assert client.stop() == 0


def test_sighup_storm_while_control_is_busy(internet):
    """What it does not take does not pile up either."""
    client = internet.dtcpclient("-l", server="broker.example.net")
    client.wait_log("next attempt")
    control = client.rooms()["control"]
    os.kill(control, signal.SIGSTOP)
    storm(client, 2)
    os.kill(control, signal.SIGCONT)
    internet.dtcps()
    client.send_signal(signal.SIGHUP)
    client.wait_up(4)


def test_signals_at_any_time(internet):
    """Before the tunnel is up, too, the end is status 0 and nothing is left."""
    before = internet.site.state()["interfaces"]
    fake = FakeServer(internet.server, lambda peer: peer.line())
    for number in (signal.SIGTERM, signal.SIGINT):
        count = len(fake.peers)
        client = internet.dtcpclient("-l")
        until(lambda count=count: len(fake.peers) > count, "a connection")
        assert client.stop(number) == 0
    assert internet.site.state()["interfaces"] == before


def test_server_that_does_not_answer_quit(internet):
    """Waited for two seconds, no longer."""
    def talk(peer):
        peer.greet()
        peer.line()
        peer.send(f"+OK {SITE} {SERVER} 2001:db8:100:100::/56")
        while peer.line() is not None:
            pass

    FakeServer(internet.server, talk)
    client = internet.dtcpclient()
    client.wait_up()
    started = time.monotonic()
    assert client.stop() == 0
    assert time.monotonic() - started < 4 * slow()
    assert "dtcp0" not in internet.site.links()


def daemon_pid(internet, name="dtcpclient.pid"):
    path = internet.site.dir / "run" / name

    def there():
        return path.exists() and path.read_text().strip().isdigit()

    until(there, f"pid file {path}")
    return int(path.read_text())


def test_daemon(internet):
    """-D returns once it is in the background; the pid file is everybody's to read, and goes."""
    internet.dtcps()
    before = internet.site.state()
    client = internet.dtcpclient("-D")
    assert client.wait() == 0
    pid = daemon_pid(internet)
    path = internet.site.dir / "run" / "dtcpclient.pid"
    try:
        assert Path(f"/proc/{pid}/comm").exists()
        assert path.stat().st_mode & 0o444 == 0o444
        until(lambda: "dtcp0" in internet.site.links(), "the tunnel comes up")
        ping(internet.site, SIX)
        # No terminal, no working folder held, nothing written to where it was started from.
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert os.getsid(pid) != os.getsid(0) and os.getsid(pid) != client.pid
        for fd in ("0", "1", "2"):
            assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"

        # A second one sees the first.
        second = internet.dtcpclient("-D", "--interface", "dtcp9")
        assert second.wait() == 1
        assert str(pid) in second.log()

        os.kill(pid, signal.SIGHUP)
        ping(internet.site, SIX)
        os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), "the daemon ends")
    finally:
        end_quietly(pid)
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    internet.site.back_to(before)


def test_daemon_with_its_own_pid_file(internet):
    internet.dtcps()
    client = internet.dtcpclient("-D", "-f", "/run/other.pid")
    assert client.wait() == 0
    pid = daemon_pid(internet, "other.pid")
    try:
        until(lambda: "dtcp0" in internet.site.links(), "the tunnel comes up")
        assert not (internet.site.dir / "run" / "dtcpclient.pid").exists()
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), "the daemon ends")
    assert not (internet.site.dir / "run" / "other.pid").exists()


def test_daemon_with_l_outlives_the_server(internet):
    server = internet.dtcps()
    client = internet.dtcpclient("-D", "-l", "--hold", "0")
    assert client.wait() == 0
    pid = daemon_pid(internet)
    try:
        ping(internet.site, SIX)
        assert server.stop() == 0
        until(lambda: "dtcp0" not in internet.site.links(), "the tunnel goes")
        internet.dtcps()
        ping(internet.site, SIX)
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), "the daemon ends")
