# SPDX-License-Identifier: BSD-2-Clause
"""dtcps: its command line, its signals, its life in the background."""

import ipaddress
import os
import signal

import pytest

from lab.node import _config, alive
from lab.process import Process, end_quietly
from lab.programs import DTCPS, POOL, SERVICE
from lab.topology import SERVER, SIX
from lab.traffic import ping
from lab.wait import until
from lab.wire import Wire


def test_usage(internet):
    """Status 2, and a line that names what is wrong."""
    for words, text in [
            (("-Z",), "-Z"), (("-o", "nonsense"), "nonsense"), (("-o", "no.such=1"), "no.such"),
            (("-o", "network.pool=2001:db8::1/40"), "2001:db8::1/40"),
            (("-o", "network.length=200"), "200"), (("-o", "mtu=9000"), "9000"),
            (("-o", "timeout.idle=x"), "timeout.idle"), (("-o", "port=99999"), "99999"),
            (("-o", "network.pool=2001:db8::/60", "-o", "network.length=56"), "network.length"),
            (("-p", "0"), "0"), (("-g", "::1"), "::1"), (("-i", "a/b"), "a/b"),
            (("2001:db8:1::/48",), "2001:db8:1::/48"), (("one", "two"), ""),
            (("-a",), "host.prefix"),
            (("-c", "/nowhere/dtcps.conf"), "/nowhere/dtcps.conf: No such file or directory"),
            (("--user", "no-such-user"), "no-such-user")]:
        server = Process(internet.server, "dtcps", DTCPS, "-o", f"database={internet.users.path}",
                         "-o", f"user={SERVICE}", *words)
        assert server.wait() == 2, (words, server.log())
        assert text in server.log(), (words, server.log())


def test_help_and_version(internet):
    for word, text in (("--help", "usage: dtcps"), ("--version", "dtcps ")):
        server = Process(internet.server, "dtcps", DTCPS, word)
        assert server.wait() == 0
        assert text in server.log()


@pytest.mark.parametrize("argument", ["2001:db8:1::/64", "2001:db8:1::"])
def test_prefix_argument(internet, argument):
    """A /64 for host tunnels, also written as the old server took it."""
    internet.dtcps(argument, set={"host.prefix": None})
    with Wire(internet.site) as wire:
        me6, her6 = wire.login(type="host")[2:]
        assert her6 == "2001:db8:1::1"
        assert ipaddress.ip_address(me6) in ipaddress.ip_network("2001:db8:1::/64")


def test_interface(internet):
    internet.dtcps("-i", "broker0")
    assert "broker0" in internet.server.links() and "dtcps0" not in internet.server.links()
    [link] = internet.server.ip_json("-d", "link", "show", "dev", "broker0")
    assert link["ifalias"] == "dtcps" and link["mtu"] == 1280
    internet.dtcpclient().wait_up()
    ping(internet.site, SIX)


def test_network_length(internet):
    internet.dtcps(set={"network.length": 48})
    with Wire(internet.site) as wire:
        assert wire.login()[2].endswith("/48")


def test_given_address(internet):
    internet.dtcps("-g", "203.0.113.77")
    with Wire(internet.site) as wire:
        assert wire.login()[1] == "203.0.113.77"


def test_listen(internet):
    """On one of several addresses only; port from -p."""
    internet.server.ip("addr", "add", "198.51.100.3/24", "dev", "up0")
    internet.dtcps("-p", "2020", set={"listen": "198.51.100.3", "port": 2020})
    with Wire(internet.site, server="198.51.100.3", port=2020) as wire:
        assert wire.login()[1] == "198.51.100.3"
    with pytest.raises(ConnectionRefusedError):
        Wire(internet.site, server=SERVER, port=2020)


def test_several_addresses(internet):
    """The tunnel's end is the address that the client has connected to."""
    internet.server.ip("addr", "add", "198.51.100.3/24", "dev", "up0")
    internet.dtcps()
    for server in (SERVER, "198.51.100.3"):
        client = internet.dtcpclient(server=server)
        assert client.wait_up()["remote"] == server
        ping(internet.site, SIX)
        assert client.stop() == 0


def test_forwarding_off(internet):
    """Works, but for nobody beyond the server; said clearly."""
    internet.server.sysctl("net.ipv6.conf.all.forwarding", 0)
    server = internet.dtcps()
    server.wait_log("forwarding")
    assert server.running()


def test_no_warning_without_reason(internet):
    server = internet.dtcps()
    assert "forwarding" not in server.log()


def test_kernel_routes(internet):
    """Pools are routed to the one device once; sessions cost no route."""
    internet.dtcps()
    lines = [line for line in internet.server.routes() if "dtcps0" in line and "proto 220" in line]
    assert any("2001:db8:100::/40" in line for line in lines)
    assert any("2001:db8:1::/64" in line for line in lines)
    before = internet.server.routes()
    with Wire(internet.site) as wire:
        wire.login()
        assert internet.server.routes() == before


def test_sigterm_ends_sessions(internet):
    """The clients' connections are closed, and the status is 0."""
    for number in (signal.SIGTERM, signal.SIGINT):
        server = internet.dtcps()
        with Wire(internet.site) as wire:
            wire.login()
            assert server.stop(number) == 0
            last = wire.line()
            assert last is None or last.startswith("-ERR")


def test_daemon(internet):
    before = internet.server.state()
    server = internet.dtcps("-D", wait=False)
    assert server.wait() == 0
    path = internet.server.dir / "run" / "dtcps.pid"
    until(lambda: path.exists() and path.read_text().strip(), "pid file")
    pid = int(path.read_text())
    try:
        until(server.listens, "dtcps listens")
        client = internet.dtcpclient()
        client.wait_up()
        ping(internet.site, SIX)
        assert client.stop() == 0
        second = internet.dtcps("-D", set={"port": 2021, "interface": "dtcps9"}, wait=False)
        assert second.wait() == 1
        assert str(pid) in second.log()
        os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), "the daemon ends")
    finally:
        end_quietly(pid)
    internet.server.back_to(before)


def test_check_beside_a_daemon_in_a_container(internet):
    """The kernel does not list a lock there whose process has gone, as that of a daemon has. Its
    ports and its interface are nobody else's nonetheless."""
    words = [DTCPS, "-o", f"database={internet.users.path}", "-o", f"user={SERVICE}", "-o",
             f"network.pool={POOL}"]
    script = """
        "$@" -D && "$@" --check
        status=$?
        pid=$(cat "$PIDFILE") && kill $pid && while kill -0 $pid; do sleep 0.02; done 2>/dev/null
        exit $status
    """
    internet.variables["PIDFILE"] = _config("DTCP_RUNDIR") + "/dtcps.pid"
    result = internet.server.run("unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script,
                                 "sh", *words, check=False)
    assert result.returncode == 0, result.stderr
    assert "in order" in result.stdout


# What the start scripts of the old server's packages run, without and with their variables set.
OLD_CALLS = ["-i", "-i 2001:db8:1::", "-i gif70 2001:db8:1::", "-i gif7[0-9] 2001:db8:1::",
             "-F 1 -i gif70 2001:db8:1::", "-c -i gif[1-9][0-9] 2001:db8:1::",
             "-p 20200 -o -i gif10", "-U -I ng0 -i gif10"]


def test_called_as_the_old_server(internet):
    """It became a daemon by itself, and its start script waits for that: we say one line and end."""
    for call in OLD_CALLS:
        server = Process(internet.server, "dtcps", DTCPS, *call.split())
        assert server.wait() == 2, call
        assert len(server.log().splitlines()) == 1, server.log()


def test_daemon_called_as_the_old_server(internet):
    """With -D its start script works, and a line says what -D is today."""
    server = internet.dtcps("-D", "-i", "gif70", "2001:db8:1::", set={"host.prefix": None},
                            wait=False)
    assert server.wait() == 0
    assert "dtcps: -D: becomes a daemon; to stay in the foreground, leave it out\n" in server.log()
    path = internet.server.dir / "run" / "dtcps.pid"
    until(lambda: path.exists() and path.read_text().strip(), "pid file")
    pid = int(path.read_text())
    try:
        until(server.listens, "dtcps listens")
        assert "gif70" in internet.server.links()
        os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), "the daemon ends")
    finally:
        end_quietly(pid)
    server = internet.dtcps("2001:db8:1::", set={"host.prefix": None})
    server.wait_log("stays in the foreground; -D makes it a daemon")


def test_log_of_a_session(internet):
    """One line when it begins, one when it ends, with what passed."""
    server = internet.dtcps()
    client = internet.dtcpclient()
    prefix = client.prefix()
    server.wait_log(rf"session up user=alice peer=192\.0\.2\.2 .*type=network prefix={prefix}")
    ping(internet.site, SIX, count=3, size=100)
    assert client.stop() == 0
    match = server.wait_log(r'session down user=alice peer=192\.0\.2\.2 reason="(.*?)" seconds=\d+ '
                            r"in_packets=(\d+) in_bytes=(\d+) out_packets=(\d+) out_bytes=(\d+) "
                            r"dropped=(\d+)")
    assert int(match.group(2)) >= 3 and int(match.group(3)) >= 3 * 148
    assert int(match.group(4)) >= 3 and int(match.group(5)) >= 3 * 148
