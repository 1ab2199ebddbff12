# SPDX-License-Identifier: BSD-2-Clause
"""Answers and actions of a server over its control socket."""

import contextlib
import json
import os
import re
import signal
import socket
import stat
import time

import pytest

from lab.ctl import Ctl, ask_as, connect, socket_path
from lab.fake import server_status
from lab.node import alive
from lab.programs import HOST_PREFIX, PASSWORD, POOL, SERVICE, Server
from lab.topology import SITE
from lab.traffic import ping
from lab.wait import until
from lab.wire import Wire

SOCKET = "/var/run/dtcp/dtcps.sock"
TOTALS = {"in_packets", "in_octets", "out_packets", "out_octets"}


@pytest.fixture
def server(internet):
    return internet.dtcps("-U")


@pytest.fixture
def ctl(internet, server):
    with Ctl(socket_path(internet.server)) as ctl:
        yield ctl


def test_status(internet, server, ctl):
    before = time.time()
    status = ctl.status()
    assert status["program"] == "dtcps" and re.fullmatch(r"\d+\.\d+\.\d+.*", status["release"])
    assert status["pid"] == server.pid and status["interface"] == "dtcps0"
    assert before - 3600 < status["started"] <= time.time() + 1
    assert status["ready"] is True
    assert status["transports"] == ["ipv6", "udp"]
    assert status["listen"] == ["0.0.0.0"] and status["port"] == 20200
    assert status["sessions"] == {"now": 0, "limit": 16384, "tunnelonly": 0, "host": 0,
                                  "network": 0, "ipv6": 0, "udp": 0, "dead_paths": 0}
    assert status["connections"] == {"now": 0, "limit": 16384 + 4096}
    assert set(status["logins"].values()) == {0}
    assert status["logins"].keys() == server_status()["logins"].keys()
    assert status["database"] == {"path": str(internet.users.path), "users": 1}
    network, host = status["pools"]
    assert network == {"kind": "network", "prefix": str(POOL), "length": 56, "size": 65535,
                       "used": 0}
    assert host == {"kind": "host", "prefix": str(HOST_PREFIX), "length": 128,
                    "size": pytest.approx(2 ** 64), "used": 0}
    assert set(status["traffic"]) == {"user", "kernel"}
    assert set(status["traffic"]["user"]) == set(status["traffic"]["kernel"]) == TOTALS
    assert status["fast"]["mode"] in ("auto", "on", "off")
    assert isinstance(status["fast"]["active"], bool)


def test_status_counts_logins_and_traffic(internet, server, ctl):
    client = internet.dtcpclient("-t", "network")
    client.wait_up()
    prefix = ctl.sessions()[0]["prefixes"][0]
    address = prefix.replace("/56", "1")
    internet.site.ip("addr", "add", f"{address}/128", "dev", "lo")
    ping(internet.six, address, count=3)
    with Wire(internet.site) as guesser:
        assert guesser.ask(guesser.request(password="wrong")).startswith("-ERR auth")
        assert guesser.ask(guesser.request("alice", "host", "wrong")).startswith("-ERR auth")

    status = ctl.status()
    assert status["sessions"]["now"] == status["sessions"]["network"] == 1
    assert status["sessions"]["ipv6"] == 1 and status["connections"]["now"] >= 1
    assert status["logins"]["granted"] == 1 and status["logins"]["auth"] == 2
    for name, count in (("login_seconds", 1), ("database_seconds", 3)):
        histogram = status[name]
        bounds = histogram["le"]
        assert histogram["count"] == count and 0 < histogram["sum"] < 60
        assert bounds[-1] == ["+Inf", count] and bounds[0][0] == 0.001
        assert [number for _, number in bounds] == sorted(number for _, number in bounds)
    assert status["pools"][0]["used"] == 1

    # Both directions, by whichever path; and they stay when the session is gone.
    def carried():
        now = ctl.status()
        return {name: sum(path[name] for path in now["traffic"].values()) for name in TOTALS}

    before = carried()
    assert before["in_packets"] >= 3 and before["out_packets"] >= 3
    assert before["in_octets"] >= 3 * 104
    assert client.stop() == 0
    until(lambda: ctl.status()["sessions"]["now"] == 0, "the session ends")
    after = carried()
    assert all(after[name] >= before[name] for name in TOTALS)
    assert ctl.status()["connections"]["now"] == 0


def test_sessions(internet, server, ctl):
    internet.users.add("bob")
    internet.users.add("carol", prefix="2001:db8:100:4200::/56")
    with Wire(internet.site) as one, Wire(internet.site) as two, Wire(internet.site) as three:
        alice = one.login("alice", "host")
        two.login("bob", "network", PASSWORD, "udp=4028")
        three.login("carol", "network", PASSWORD, "udp")
        rows = ctl.sessions()
        assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
        assert [row["user"] for row in rows] == ["alice", "bob", "carol"]
        first, second, third = rows
        assert first["type"] == "host" and first["transport"] == "ipv6"
        assert first["peer"] == SITE and "port" not in first
        assert first["address"] in alice and first["prefixes"] == []
        assert abs(first["since"] - time.time()) < 3600
        assert first["path"] in ("alive", "dead", "unknown")
        assert second["transport"] == "udp" and second["path"] == "unknown"
        assert third["prefixes"] == ["2001:db8:100:4200::/56"] and "address" not in third
        for row in rows:
            assert all(isinstance(row[name], int)
                       for name in (*TOTALS, "dropped", "kernel_octets"))

        def users(**members):
            return [row["user"] for row in ctl.sessions(**members)]

        assert users(user="bob") == ["bob"] and users(user="dave") == []
        assert users(transport="udp") == ["bob", "carol"] and users(transport="ipv6") == ["alice"]
        assert users(address=SITE) == ["alice", "bob", "carol"] and users(address="192.0.2.9") == []
        assert users(address=first["address"]) == ["alice"]
        assert users(address="2001:db8:100:42ff::1") == ["carol"]
        assert users(prefix="2001:db8:100:4200::/64") == ["carol"]
        assert users(prefix=str(HOST_PREFIX)) == ["alice"]
        assert users(prefix="2001:db8::/32", transport="udp") == ["bob", "carol"]
        assert users(after=first["id"]) == ["bob", "carol"]
        assert users(after=first["id"], limit=1) == ["bob"] and users(limit=0) == []

        assert [row["session"]["user"] for row in ctl.must("session", user="carol")[0]] == ["carol"]
        assert ctl.refused("session", "missing", user="dave") == "dave has no session"


WRONG = [
    ({"command": "sessions", "transport": "tcp"}, "\"transport\": \"ipv6\" or \"udp\""),
    ({"command": "sessions", "address": "192.0.2"}, "\"address\": an IPv4 or IPv6 address"),
    ({"command": "sessions", "prefix": "2001:db8::1/64"}, "bits set beyond its length"),
    ({"command": "sessions", "prefix": "2001:db8::"}, "a slash and a number"),
    ({"command": "sessions", "address": SITE, "prefix": "2001:db8::/64"}, "not both"),
    ({"command": "sessions", "after": -1}, "\"after\": a whole number"),
    ({"command": "sessions", "limit": "all"}, "\"limit\": a whole number"),
    ({"command": "sessions", "users": "alice"}, "sessions takes no \"users\""),
    ({"command": "session"}, "session needs \"user\""),
    ({"command": "status", "user": "alice"}, "status takes no \"user\""),
    ({"command": "drops", "reason": "loop"}, "drops takes no \"reason\""),
    ({"command": "kick"}, "kick needs \"user\""),
    ({"command": "kick", "user": "a b"}, "no user can have this name"),
    ({"command": "kick", "user": "alice", "seconds": 2592001}, "\"seconds\": a whole number"),
    ({"command": "reload", "now": 1}, "reload takes no \"now\""),
    ({"command": "log"}, "log needs \"level\""),
    ({"command": "log", "level": "trace"}, "\"debug\" or \"info\""),
    ({"command": "status", "v": 2}, "the version here is 1"),
    ({"user": "alice"}, "\"command\": a text is needed"),
]


def test_wrong_requests(ctl):
    """One clear line for each, and the connection goes on."""
    for members, error in WRONG:
        ctl.send(json.dumps(members) + "\n")
        rows, last = ctl.answer()
        assert (rows, last["ok"], last["code"]) == ([], False, "bad"), last
        assert error in last["error"] and "\n" not in last["error"]
    ctl.send("status\n")
    assert "not JSON" in ctl.answer()[1]["error"]
    assert ctl.refused("destroy", "unknown") == "there is no command \"destroy\""
    assert ctl.status()["ready"]


def test_drops(internet, server, ctl):
    def dropped():
        return [drop for drop in ctl.must("drops")[1]["drops"] if drop["reason"] == "no-route"]

    assert dropped() == []
    # To a prefix that nobody has.
    internet.six.run("ping", "-c", "1", "-W", "1", str(POOL[0x420000 << 64]), check=False)
    until(dropped, "the drop is counted")
    drop, = dropped()
    assert drop["count"] >= 1 and drop["text"] == "destination belongs to no user"
    assert ctl.must("drops")[1]["icmp6_sent"] >= 1
    # All say the same.
    assert drop in ctl.status()["drops"]
    assert server.counters()["no-route"] == drop["count"]


def test_kick(internet, server, ctl):
    with Wire(internet.site) as session:
        session.login()
        assert ctl.must("kick", user="alice")[1]["ended"] == 1
        assert session.line() == "-ERR ended by the administrator, try again later"
        assert session.closed()
    server.wait_log("session down user=alice .*ended by the administrator")
    assert ctl.refused("kick", "missing", user="alice") == "alice has no session"
    with Wire(internet.site) as session:
        session.login()
        assert ctl.must("kick", user="alice", seconds=3600)[1]["ended"] == 1
        assert session.line().startswith("-ERR ended by the administrator")
    with Wire(internet.site) as session:
        # Nobody learns of it without the password.
        assert session.ask(session.request(password="wrong")).startswith("-ERR auth")
        assert session.ask(session.request()).startswith("-ERR ended by the administrator")
        assert ctl.status()["logins"]["kicked"] == 1
        # It can be taken back; and said of somebody who is not here.
        assert ctl.must("kick", user="alice", seconds=0)[1]["ended"] == 0
        session.login()
    assert ctl.must("kick", user="bob", seconds=1)[1]["ended"] == 0


def test_kicked_client_comes_back(internet, server, ctl):
    client = internet.dtcpclient("-l", "-t", "network")
    client.wait_up()
    assert ctl.must("kick", user="alice")[1]["ended"] == 1
    client.wait_log("the server says: ended by the administrator, try again later")
    until(lambda: ctl.sessions(user="alice"), "the client is back")


def test_reload(internet):
    path = internet.file("dtcps.conf", f"database = {internet.users.path}\nnetwork.pool = {POOL}\n")
    server = internet.dtcps("-c", path, set={"database": None, "host.prefix": None,
                                             "network.pool": None})
    with Ctl(socket_path(internet.server)) as ctl:
        path.write_text(path.read_text() + "limit.attempts = 1\n")
        ctl.must("reload")
        server.wait_log("setting changed .*limit.attempts")
        # By then it counts.
        with Wire(internet.site) as guesser:
            assert guesser.ask(guesser.request(password="wrong")).startswith("-ERR auth")
            assert guesser.closed()
        path.write_text("limit.attempts = none\n")
        error = ctl.refused("reload", "failed")
        assert "settings have errors" in error
        last = ctl.status()["last_error"]
        assert "all settings stay as they were" in last["text"]
        assert abs(last["time"] - time.time()) < 3600


def test_log(internet, server, ctl):
    """In all processes, until the settings are read again."""
    with Wire(internet.site) as session:
        session.login()
        ctl.must("log", level="debug")
        since = server.mark()
        session.ask("ping")
        server.wait_log("control: .* client: ping$", since=since)
        ctl.must("log", level="info")
        since = server.mark()
        session.ask("ping")
        assert "client: ping" not in server.log()[since:]
        ctl.must("log", level="debug")
        ctl.must("reload")
        since = server.mark()
        session.ask("ping")
        assert "client: ping" not in server.log()[since:]


def test_rights(internet, server):
    """Permissions by the peer's user id; no user of this machine needs to exist."""
    path = socket_path(internet.server)
    status = os.stat(path)
    assert stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o660
    assert status.st_uid == 0
    assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o755
    asks = "".join(json.dumps({"command": command}) + "\n"
                   for command in ("status", "drops", "reload"))
    # As the group would have it, whether this machine has one or not.
    os.chown(path, 0, 4711)
    assert ask_as(internet.server, 20300, [], SOCKET, asks) is None
    status, drops, denied = ask_as(internet.server, 20300, [4711], SOCKET, asks)
    assert status["ok"] and drops["ok"] and denied["code"] == "denied"
    kick = '{"command":"kick","user":"alice"}\n{"command":"log","level":"debug"}\n'
    assert [line["code"] for line in ask_as(internet.server, 20300, [4711], SOCKET, kick)] == \
        ["denied", "denied"]
    status, drops, reloaded = ask_as(internet.server, 0, [], SOCKET, asks)
    assert status["ok"] and drops["ok"] and reloaded["ok"]
    sessions = '{"command":"sessions"}\n{"command":"session","user":"alice"}\n'
    every, one = ask_as(internet.server, 20300, [4711], SOCKET, sessions)
    assert every["ok"] and one["code"] == "missing"


def test_socket_comes_and_goes(internet):
    path = socket_path(internet.server)
    server = internet.dtcps()
    assert path.exists()
    assert server.stop() == 0
    assert not path.parent.exists()
    # One that is left by somebody who could not clear up is replaced.
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        folder = os.open(path.parent, os.O_PATH)
        left.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)
    server = internet.dtcps()
    with Ctl(path) as ctl:
        assert ctl.status()["pid"] == server.pid
    assert server.stop() == 0
    # There need be none, and it can be elsewhere.
    server = internet.dtcps("--control-socket", "off")
    assert not path.exists()
    assert server.stop() == 0
    other = internet.dir / "own.sock"
    server = internet.dtcps(set={"control.socket": other})
    assert not path.exists()
    with Ctl(other) as ctl:
        assert ctl.status()["ready"]
    assert server.stop() == 0
    assert not other.exists()


def test_no_place_for_the_socket(internet):
    """Without a configured socket, the server starts without one."""
    (internet.server.dir / "run" / "dtcp").write_text("in the way")
    server = internet.dtcps()
    server.wait_log(f"cannot make the control socket {SOCKET} .another path can be set, or off.: "
                    "Not a directory$")
    assert server.stop() == 0
    server = internet.dtcps("--control-socket", SOCKET, wait=False)
    assert server.wait() == 1


def test_killed(internet, server):
    path = socket_path(internet.server)
    assert path.exists()
    server.send_signal(signal.SIGKILL)
    until(lambda: not path.exists(), "the guard removes the socket")
    until(lambda: not path.parent.exists(), "and its folder")


def test_two_instances(internet, server):
    """Side by side; and none takes the other's place."""
    internet.users.add("bob")
    database = internet.dir / "second.db"
    database.write_bytes(internet.users.path.read_bytes())
    database.chmod(0o600)
    os.chown(database, SERVICE, 0)
    own = {"database": database, "port": 20201, "interface": "second0", "host.prefix": None,
           "network.pool": "2001:db8:4200::/40"}
    taken = internet.dtcps("--control-socket", SOCKET, set=own, wait=False)
    assert taken.wait() == 1
    taken.wait_log(f"{SOCKET}: another program answers there")
    second = internet.dtcps(set=own)
    with Ctl(socket_path(internet.server)) as ctl, \
            Ctl(socket_path(internet.server, "dtcps-second0")) as other:
        assert ctl.status()["pid"] == server.pid and ctl.status()["port"] == 20200
        assert other.status()["pid"] == second.pid
        assert other.status()["interface"] == "second0"
    assert second.stop() == 0
    assert socket_path(internet.server).exists()


def test_same_name_in_another_network(internet, server):
    """Two network namespaces with one /run: the socket stays that of who made it, whether the other
    server ends in good order or is killed."""
    other = internet.node("other")
    (other.dir / "run").rmdir()
    (other.dir / "run").symlink_to(internet.server.dir / "run")
    database = internet.dir / "second.db"
    database.write_bytes(internet.users.path.read_bytes())
    database.chmod(0o600)
    os.chown(database, SERVICE, 0)
    for number in (signal.SIGTERM, signal.SIGKILL):
        second = Server(other, internet.users, set={"database": database})
        second.wait_log(f"{SOCKET}: another program answers there")
        rooms = second.rooms()
        second.stop(number)
        until(lambda: not any(alive(pid) for pid in rooms.values()), "all of it ends, its guard, too")
        with Ctl(socket_path(internet.server)) as ctl:
            assert ctl.status()["pid"] == server.pid


def test_others_do_not_answer(internet, server, ctl):
    """Their part is left out, and nothing waits for longer than a second, or piles up."""
    assert "pools" in ctl.status() and "pid" in ctl.status()
    with server.held("accounts"):
        for _ in range(3):
            status = ctl.status()
            assert "pools" not in status and "database" not in status and status["ready"]
        assert "pid" in status
    until(lambda: "pools" in ctl.status(), "accounts answers again")


def test_many_connections(internet, server):
    path = socket_path(internet.server)
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Ctl(path)) for _ in range(16)]
        for ctl in held:
            assert ctl.status()["ready"]
        with connect(path) as more:
            said = json.loads(more.makefile().readline())
            assert said["ok"] is False and said["code"] == "busy"
        # Nobody else is disturbed.
        with Wire(internet.site) as session:
            session.login()
            assert [row["user"] for row in held[3].sessions()] == ["alice"]
    with Ctl(path) as ctl:
        until(lambda: ctl.status()["ready"], "there is room again")


def test_reader_that_does_not_read(internet, server, ctl):
    """It delays no other client."""
    with connect(socket_path(internet.server)) as deaf:
        deaf.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while deaf.send(b'{"command":"status"}\n' * 100):
                pass
        with Wire(internet.site) as session:
            session.login()
            assert ctl.sessions()[0]["user"] == "alice"
