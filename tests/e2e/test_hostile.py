# SPDX-License-Identifier: BSD-2-Clause
"""Connections in masses, slow ones, senseless ones: the others feel nothing."""

import os
import time
from pathlib import Path

import pytest

from lab.process import limit_descriptors
from lab.topology import SITE
from lab.wait import SLOW, pass_time, patience, slow, until
from lab.wire import Wire

FULL = "-ERR too many connections, try again later"
PONG = "+OK hi, happy to hear from you"

# What the others may have to wait. Machines that run tests are busy; what a flood costs without
# limits is seconds.
PROMPT = 0.7


def add_sources(lab, count, network="203.0.113"):
    """More addresses of the site, from where anybody can attack."""
    sources = [f"{network}.{number}" for number in range(1, count + 1)]
    lab.site.ip("-batch", lab.file("sources", "".join(f"addr add {source}/32 dev up0\n"
                                                      for source in sources)))
    lab.net.ip("route", "add", f"{network}.0/24", "via", SITE)
    return sources


def junk(lab, source):
    """A connection that says nothing."""
    return Wire(lab.site, source=source, greet=False)


def close_all(wires):
    for wire in wires:
        wire.close()


def prompt_ping(wire):
    started = time.monotonic()
    assert wire.ask("ping") == PONG
    took = time.monotonic() - started
    assert took < PROMPT * slow(), f"the answer to a ping took {took:.2f} s"


def prompt_login(lab, source, user="bob"):
    started = time.monotonic()
    wire = Wire(lab.site, source=source)
    wire.login(user)
    took = time.monotonic() - started
    assert took < 2 * PROMPT * slow(), f"a login took {took:.2f} s"
    return wire


def ends(wires):
    """What each of them was told before it was closed; None for those that are still there."""
    said = []
    for wire in wires:
        wire.socket.setblocking(False)
        data = b""
        closed = False
        try:
            while chunk := wire.socket.recv(4096):
                data += chunk
            closed = True
        except BlockingIOError:
            pass
        except ConnectionResetError:
            closed = True
        said.append(data.decode() if closed else None)
    return said


def open_sockets(pid):
    found = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found += os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
        except FileNotFoundError:
            pass
    return found


def processor(pid):
    """Seconds of processor time of a process."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def crowded(internet):
    """The base picture with bob as well, and with addresses for attackers."""
    internet.users.add("bob")
    internet.sources = add_sources(internet, 8)
    return internet


def test_flood_from_a_few(crowded):
    """They displace each other, but neither a session nor a client that logs in."""
    server = crowded.dtcps(set={"limit.pending": 40})
    control = server.rooms()["control"]
    with Wire(crowded.site) as alice:
        alice.login()
        early = Wire(crowded.site, source=crowded.sources[7])
        flood = [junk(crowded, crowded.sources[number % 3]) for number in range(300)]
        prompt_ping(alice)
        until(lambda: open_sockets(control) < 40 + 10, "those that were dropped are closed")
        # One who had connected before and was slow, and one who comes now.
        early.login("bob")
        prompt_login(crowded, crowded.sources[6], "bob").close()
        said = ends(flood)
        until(lambda: 0 < ends(flood).count(None) <= 40, "the others are closed")
        # One that is dropped before its greeting could be sent hears nothing.
        assert all(text.endswith(f"{FULL}\r\n") for text in said if text)
        assert any(said)
        prompt_ping(alice)
        close_all([early, *flood])
    line = server.wait_log(r"connection dropped for a newer one peer=(\S+) reason=limit\.pending")
    assert line.group(1) in crowded.sources[:3]
    server.stop()
    assert 'lines left out about="dropped connections"' in server.log()


def test_flood_from_the_same_address(crowded):
    """Who shares the address with it gets in, too, and is not pushed out afterwards."""
    crowded.dtcps(set={"limit.source.pending": 20})
    source = crowded.sources[0]
    flood = [junk(crowded, source) for _ in range(100)]
    bob = prompt_login(crowded, source)
    flood += [junk(crowded, source) for _ in range(100)]
    prompt_ping(bob)
    until(lambda: 0 < ends(flood).count(None) <= 20, "the others are closed")
    close_all([bob, *flood])


def test_flood_from_everywhere(internet):
    """As many addresses as connections: the oldest ones go."""
    internet.users.add("bob")
    sources = add_sources(internet, 200)
    internet.dtcps(set={"limit.pending": 100})
    flood = [junk(internet, source) for source in sources[:150]]
    bob = Wire(internet.site)
    flood += [junk(internet, source) for source in sources[150:]]
    bob.login("bob")
    until(lambda: None not in ends(flood[:90]), "the oldest are closed")
    assert ends(flood[-90:]) == [None] * 90
    close_all([bob, *flood])


def test_overload(crowded):
    """Whose password is being looked at is not dropped: who comes then waits in the kernel."""
    names = ["alice", "bob", "carol"]
    crowded.users.add("carol")
    server = crowded.dtcps(set={"limit.pending": len(names)})
    with server.held("monitor"):
        wires = []
        for name, source in zip(names, crowded.sources):
            wires.append(Wire(crowded.site, source=source))
            wires[-1].send(f"{wires[-1].request(name)}\r\n")
        late = [junk(crowded, crowded.sources[7]) for _ in range(2)]
        pass_time(0.5, lambda: ends(wires + late) == [None] * 5, "nobody is dropped")
    for wire in wires:
        wire.socket.setblocking(True)
        assert wire.line().startswith("+OK ")
    for wire in late:
        wire.socket.setblocking(True)
        assert wire.line().startswith("+OK ")
    close_all(wires + late)


def test_only_sessions(crowded):
    """Sessions are never displaced; their users can still log in again."""
    crowded.dtcps(set={"limit.source.connections": 2})
    source = crowded.sources[0]
    with Wire(crowded.site, source=source) as bob, Wire(crowded.site, source=SITE) as alice:
        alice.login()
        bob.login("bob")
        waiting = Wire(crowded.site, source=source)
        again = prompt_login(crowded, source)
        assert waiting.line() == FULL and waiting.closed()
        assert bob.line() == "-ERR superseded by a new session"
        prompt_ping(again)
        again.close()


def test_refused_when_there_are_only_sessions(crowded):
    crowded.dtcps(set={"limit.source.connections": 1})
    with Wire(crowded.site, source=crowded.sources[0]) as bob:
        bob.login("bob")
        late = junk(crowded, crowded.sources[0])
        assert late.line() == FULL
        assert late.closed()
        prompt_ping(bob)
        prompt_login(crowded, crowded.sources[1], "alice").close()


def test_out_of_descriptors(crowded):
    """Those that are not logged in go for new ones."""
    server = crowded.dtcps()
    control = server.rooms()["control"]
    with Wire(crowded.site) as alice:
        alice.login()
        used = max(int(name) for name in os.listdir(f"/proc/{control}/fd"))
        limit_descriptors(control, used + 11)
        flood = [junk(crowded, crowded.sources[0]) for _ in range(60)]
        bob = prompt_login(crowded, crowded.sources[1])
        prompt_ping(alice)
        prompt_ping(bob)
        server.wait_log('connection dropped for a newer one .*reason="out of descriptors')
        close_all([bob, *flood])


def test_slow_ones(crowded):
    """A byte now and then does not keep a connection that is not logged in."""
    crowded.dtcps(set={"timeout.login": patience(2)})
    with Wire(crowded.site) as alice:
        alice.login()
        slow = [junk(crowded, crowded.sources[number % 4]) for number in range(40)]
        left = list(slow)

        def dripped():
            for wire in list(left):
                try:
                    wire.send(b"t")
                except OSError:
                    left.remove(wire)
            prompt_ping(alice)
            time.sleep(0.1)
            return not left

        until(dripped, lambda: f"all end; {len(left)} are left", 6)
        prompt_login(crowded, crowded.sources[5]).close()
        close_all(slow)


def test_garbage(crowded):
    """Anything may come; it ends at the first line that is too long, and costs no memory."""
    server = crowded.dtcps()
    control = server.rooms()["control"]
    before = processor(control)
    with Wire(crowded.site) as alice:
        alice.login()
        for number in range(60):
            wire = junk(crowded, crowded.sources[number % 8])
            wire.socket.setblocking(False)
            block = os.urandom(65536) if number % 2 else b"x" * 65536
            try:
                for _ in range(20):
                    wire.socket.send(block)
            except (BlockingIOError, ConnectionError):
                pass
            wire.close()
            if number % 10 == 0:
                prompt_ping(alice)
        prompt_login(crowded, crowded.sources[0]).close()
    assert processor(control) - before < 1 * SLOW


@pytest.mark.parametrize("logged_in", [True, False])
def test_endless_pings(crowded, logged_in):
    """The rate of lines is limited for all clients."""
    server = crowded.dtcps(set={"limit.lines": 20})
    control = server.rooms()["control"]
    with Wire(crowded.site) as alice, Wire(crowded.site, source=crowded.sources[0]) as bob:
        alice.login()
        if logged_in:
            bob.login("bob")
        before = processor(control)
        bob.socket.setblocking(False)
        started = time.monotonic()
        answers = b""
        while time.monotonic() - started < 1.5:
            try:
                while True:
                    bob.socket.send(b"ping\r\n" * 1000)
            except BlockingIOError:
                pass
            try:
                answers += bob.socket.recv(65536)
            except BlockingIOError:
                pass
            prompt_ping(alice)
            time.sleep(0.15)
        took = time.monotonic() - started
        assert 20 <= answers.count(b"\n") <= 10 + 20 * took + 2
        assert processor(control) - before < 0.3 * SLOW


def test_never_reading(crowded):
    """Also with a session: a client that does not read is not read from either; others are
    served, and nothing is queued."""
    server = crowded.dtcps(set={"limit.lines": 10000})
    control = server.rooms()["control"]
    with Wire(crowded.site) as alice:
        alice.login()
        deaf = prompt_login(crowded, crowded.sources[0])
        deaf.socket.setblocking(False)
        sent = 0
        # Until nothing was taken for a while: it waits on the client's side.
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 0.5:
            try:
                sent += deaf.socket.send(b"help\r\n" * 2000)
                quiet_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.02)
            prompt_ping(alice)
            assert sent < 64 << 20
        before = processor(control)
        pass_time(0.5, lambda: prompt_ping(alice) is None, "others are answered")
        assert processor(control) - before < 0.2 * SLOW
        deaf.close()


def test_dead_connections_are_found(internet):
    """Accepted sockets have keepalives and small buffers, inherited from the one that listens."""
    internet.dtcps()
    with Wire(internet.site) as wire:
        wire.login()


        def shown():
            return internet.server.run("ss", "-Htnom", "state", "established",
                                       "sport = :20200").stdout

        # First it waits for what was sent to be acknowledged.
        until(lambda: "timer:(keepalive," in shown(), shown)
        assert "rb16384" in shown() and "tb16384" in shown()
