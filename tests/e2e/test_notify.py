# SPDX-License-Identifier: BSD-2-Clause
"""What a service manager hears: ready, the state in words, the end, and that all rooms live."""

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from lab.manager import Manager
from lab.node import alive
from lab.process import end_quietly
from lab.programs import PASSWORD
from lab.topology import SERVER, SIX
from lab.traffic import ping
from lab.wait import SLOW, until
from lab.wire import Wire

WATCHDOG = 0.5 * SLOW


def test_server(internet):
    """READY when clients can come, the number of sessions, STOPPING; and only monitor speaks."""
    with Manager(internet) as manager:
        server = internet.dtcps(wait=False)
    ready = manager.wait("READY", "1")
    assert server.listens()
    assert ready.what["STATUS"] == "20200: 0 sessions"
    client = internet.dtcpclient()
    manager.wait("STATUS", "20200: 1 session")
    client.wait_up()
    since = manager.mark()
    assert client.stop() == 0
    manager.wait("STATUS", "20200: 0 sessions", since=since)
    since = manager.mark()
    assert server.stop() == 0
    manager.wait("STOPPING", "1", since=since)
    assert {said.pid for said in manager.said()} == {server.pid}
    assert not manager.values("WATCHDOG"), "nobody asked for it"


def test_server_counts_once_a_second(internet):
    """Logins in a row are not told one by one, and the last word is right."""
    names = [f"user{number}" for number in range(10)]
    for name in names:
        internet.users.add(name)
    with Manager(internet) as manager:
        internet.dtcps("-U")
    people = [Wire(internet.site) for _ in names]
    begin, since = time.monotonic(), manager.mark()
    for name, wire in zip(names, people):
        wire.login(name, "network", PASSWORD, "udp")
    end = manager.wait("STATUS", "20200: 10 sessions", since=since).when
    assert len(manager.values("STATUS", since)) <= 2 + (end - begin)
    for wire in people:
        wire.close()


def test_server_reload(internet):
    """SIGHUP: with its time, by which a manager knows whose READY it is."""
    with Manager(internet) as manager:
        server = internet.dtcps()
    manager.wait("READY", "1")
    before, since = time.monotonic(), manager.mark()
    server.send_signal(signal.SIGHUP)
    reloading = manager.wait("RELOADING", "1", since=since)
    assert before <= int(reloading.what["MONOTONIC_USEC"]) / 1000000 <= time.monotonic()
    manager.wait("READY", "1", since=since)
    order = [name for said in manager.said()[since:] for name in said.what]
    assert order.index("RELOADING") < order.index("READY")


def test_client(internet):
    """READY when it runs, with what it waits for; after the script, user, server and addresses."""
    script = internet.file("script", f"#!/bin/sh\necho $state >>{internet.dir}/states\n", 0o755)
    with Manager(internet) as manager:
        client = internet.dtcpclient("-l", "-s", script)
    assert manager.wait("READY", "1").what["STATUS"] == f"connecting to {SERVER}"
    manager.wait("STATUS", "no tunnel, connecting again: connection refused")
    internet.dtcps()
    manager.wait("STATUS", lambda text: text.startswith("up: "))
    assert (internet.dir / "states").read_text() == "up\n"
    prefix = client.wait_up()["prefix"]
    told = f"up: alice at 198.51.100.2 ({SERVER}), prefix {prefix}, interface dtcp0, " \
        "the far end answers, round-trip time "
    manager.wait("STATUS", lambda text: text.startswith(told))
    ping(internet.site, SIX)
    since = manager.mark()
    assert client.stop() == 0
    assert manager.wait("STOPPING", "1", since=since).what["STATUS"] == "ending"
    assert {said.pid for said in manager.said()} == {client.pid}


def test_client_loses_its_server(internet):
    """The tunnel is held, taken down, made again; and READY is not said again."""
    server = internet.dtcps()
    with Manager(internet) as manager:
        client = internet.dtcpclient("-l", "--hold", "2")
    client.wait_up()
    manager.wait("STATUS", lambda text: text.startswith("up: "))
    since = manager.mark()
    server.kill()
    manager.wait("STATUS", lambda text: text.startswith("tunnel held, connecting again: "),
                 since=since)
    manager.wait("STATUS", "no tunnel, connecting again: connection refused", since=since)
    since = manager.mark()
    internet.dtcps()
    manager.wait("STATUS", lambda text: text.startswith("up: alice at "), since=since)
    client.wait_up()
    assert manager.values("READY") == ["1"]
    assert not manager.values("STOPPING")


def test_client_that_cannot_log_in(internet):
    """Without -l it ends, and its last word is why."""
    internet.dtcps()
    with Manager(internet) as manager:
        client = internet.dtcpclient(password="wrong")
    assert client.wait() == 8
    last = manager.wait("STOPPING", "1")
    assert last.what["STATUS"] == "ending: wrong user name or password"


def test_client_without_a_password(internet):
    """An error at the start makes the start fail."""
    with Manager(internet) as manager:
        client = internet.dtcpclient("-l", password=None)
    assert client.wait() == 13
    assert not manager.values("READY")
    assert len(client.log().splitlines()) == 1, client.log()


def test_abstract_socket(internet):
    with Manager(internet, abstract_on=internet.server) as manager:
        internet.dtcps()
    manager.wait("READY", "1")


def test_no_manager_there(internet):
    """A missing socket is logged, and has no other effect."""
    internet.variables["NOTIFY_SOCKET"] = "/nonexistent/notify"
    server = internet.dtcps()
    assert "NOTIFY_SOCKET=/nonexistent/notify: No such file or directory" in server.log()


@pytest.mark.parametrize("program, room", [
    ("server", "control"), ("server", "forward"), ("server", "accounts"),
    ("client", "control"), ("client", "forward")])
def test_watchdog(internet, program, room):
    """A sign of life comes every half of the time, none while a room hangs, and again after it."""
    if program == "client":
        internet.dtcps()
    with Manager(internet, watchdog=WATCHDOG) as manager:
        process = internet.dtcps() if program == "server" else internet.dtcpclient()
    manager.wait("READY", "1")
    since = manager.mark()
    until(lambda: len(manager.values("WATCHDOG", since)) >= 4, "some signs of life")
    times = [said.when for said in manager.said()[since:] if "WATCHDOG" in said.what]
    assert times[3] - times[0] > 3 * WATCHDOG / 2 * 0.7
    pid = process.rooms()[room]
    stopped = process.mark()
    os.kill(pid, signal.SIGSTOP)
    try:
        # On a busy machine a room can be late by itself, too.
        process.wait_log(f"room {room} has not answered for \\d+ ms", since=stopped)
        since = manager.mark()
        end = time.monotonic() + 2 * WATCHDOG
        until(lambda: time.monotonic() > end, "time passes")
        assert not manager.values("WATCHDOG", since)
    finally:
        os.kill(pid, signal.SIGCONT)
    manager.wait("WATCHDOG", "1", since=since)
    process.wait_log("all rooms answer again")


def test_watchdog_at_the_end(internet):
    """A room's late answer, while the script has its time for "down" and control is gone already."""
    script = internet.file("script", "#!/bin/sh\n"
                           f"echo $state >>{internet.dir}/states\n"
                           f"while [ $state = down ] && [ ! -e {internet.dir}/enough ]; do\n"
                           "    sleep 0.05\n"
                           "done\n", 0o755)
    internet.dtcps()
    with Manager(internet, watchdog=WATCHDOG) as manager:
        client = internet.dtcpclient("-s", script)
    client.wait_up()
    manager.wait("WATCHDOG", "1")
    rooms = client.rooms()
    os.kill(rooms["forward"], signal.SIGSTOP)
    try:
        client.wait_log("room forward has not answered for \\d+ ms")
        os.kill(rooms["control"], signal.SIGKILL)
        until(lambda: "down" in (internet.dir / "states").read_text(), "the script runs for down")
    finally:
        os.kill(rooms["forward"], signal.SIGCONT)
    client.wait_log("all rooms answer again")
    since = manager.mark()
    manager.wait("WATCHDOG", "1", since=since)
    (internet.dir / "enough").touch()
    assert client.wait() == 1
    assert "dtcp0" not in internet.site.links()


def test_watchdog_of_somebody_else(internet):
    """$WATCHDOG_PID names the shell, say, that has started us."""
    with Manager(internet, watchdog=WATCHDOG, WATCHDOG_PID="1") as manager:
        internet.dtcps()
    manager.wait("READY", "1")
    assert not manager.values("WATCHDOG")


def test_daemon(internet):
    """With -D it is another process that goes on, and it says so first."""
    with Manager(internet) as manager:
        server = internet.dtcps("-D", wait=False)
    assert server.wait() == 0
    pid = int(manager.wait("MAINPID").what["MAINPID"])
    try:
        ready = manager.wait("READY", "1")
        assert pid == ready.pid != server.pid
        assert int((internet.server.dir / "run" / "dtcps.pid").read_text()) == pid
        os.kill(pid, signal.SIGTERM)
        manager.wait("STOPPING", "1")
        until(lambda: not alive(pid), "the daemon ends")
    finally:
        end_quietly(pid)


def memory(pid):
    """What a process can write to. Its title has taken the place where /proc/PID/environ looks."""
    found = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            begin, end = (int(number, 16) for number in line.split()[0].split("-"))
            # Sanitizers have mappings of terabytes.
            if line.split()[1] == "rw-p" and end - begin < 64 << 20:
                with contextlib.suppress(OSError):
                    found += os.pread(mem.fileno(), end - begin, begin)
    return found


def test_nobody_else_gets_the_socket(internet):
    """Neither a room nor the script could speak in our name."""
    script = internet.file("script", "#!/bin/sh\n"
                           f"cat /proc/$$/environ >{internet.dir}/environ.$state\n", 0o755)
    with Manager(internet, watchdog=60):
        server = internet.dtcps()
        client = internet.dtcpclient("-s", script)
    client.wait_up()
    texts = {"script": (internet.dir / "environ.up").read_bytes()}
    for process in (server, client):
        rooms = process.rooms()
        for room in rooms.keys() - {"monitor"}:
            texts[f"{process.name}: {room}"] = memory(rooms[room])
    assert len(texts) == 1 + 5 + 3
    for who, text in texts.items():
        assert b"PATH=" in text, who
        for word in (b"NOTIFY_SOCKET=", b"WATCHDOG_USEC="):
            assert word not in text, who
