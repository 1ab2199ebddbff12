# SPDX-License-Identifier: BSD-2-Clause
"""What a hostile or unlucky peer, user or administrator must not achieve."""

import os
import signal
import socket
from pathlib import Path

import pytest

from lab.capture import IPv6, Capture
from lab.node import alive
from lab.outside import Outside, icmp6, ipv6
from lab.programs import PASSWORD
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping
from lab.wait import until
from lab.wire import FakeServer, Wire

OTHER = "192.0.2.3"


def memory(pid):
    """Resident KiB of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        [line] = [line for line in status if line.startswith("VmRSS")]
    return int(line.split()[1])


def test_answers_that_nobody_reads(internet):
    """Who does not read is not heard any more; others are, and no memory is lost to it."""
    server = internet.dtcps()
    control = server.rooms()["control"]
    before = memory(control)
    with Wire(internet.site) as deaf, Wire(internet.site) as other:
        deaf.socket.setblocking(False)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += deaf.socket.send(b"\n" * 65536)
        except BlockingIOError:
            pass
        assert other.ask("ping").startswith("+OK")
        # What it sent waits in the kernel.
        assert memory(control) - before < 8 << 10, f"{sent} octets were taken"


def test_guessing_ends_the_connection(internet):
    server = internet.dtcps(set={"limit.attempts": 2})
    with Wire(internet.site) as wire:
        for _ in range(2):
            assert wire.ask(wire.request(password="wrong")) == "-ERR authentication failed."
        assert wire.closed()
    server.wait_log(rf'{SITE}: authentication failed for user "alice"')


def test_deleted_and_added_again(internet):
    """Another user of the same name, even with the same password, is somebody else; and the
    prefix that the first one had goes to nobody before its session has ended."""
    internet.users.add("bob")
    internet.users.add("carol")
    # There is one prefix besides the server's own.
    internet.dtcps(set={"network.pool": "2001:db8:100::/55"})
    for number in (3, 4):
        internet.site.ip("addr", "add", f"192.0.2.{number}/24", "dev", "up0")
    with Wire(internet.site, source=OTHER) as bob, \
            Wire(internet.site, source="192.0.2.4") as carol:
        had = bob.login("bob")[2]
        internet.users.delete("bob")
        internet.users.add("bob", prefix="2001:db8:f00::/48")
        assert carol.login("carol")[2] == had
        assert bob.line(5) == "-ERR account changed: user deleted"


def test_refused_login_takes_nothing(internet):
    """A login that another user's address forbids leaves the user's own session alone."""
    internet.users.add("bob")
    internet.dtcps()
    internet.site.ip("addr", "add", f"{OTHER}/24", "dev", "up0")
    with Wire(internet.site) as alice, Wire(internet.site, source=OTHER) as bob, \
            Wire(internet.site, source=OTHER) as again:
        alice.login("alice")
        bob.login("bob")
        answer = again.ask(again.request("alice"))
        assert answer == "-ERR address in use by another tunnel, use udp"
        assert alice.ask("ping").startswith("+OK")
        assert bob.ask("ping").startswith("+OK")


def routes_with_local(node, device):
    """All of them; None as long as that of the device's own address is on its way."""
    routes = node.ip("-6", "route", "show", "table", "all")
    return routes if f"dev {device} table local" in routes else None


@pytest.mark.parametrize("kind", ["network", "tunnelonly"])
def test_router_advertisements_stop(internet, kind):
    """A client is no router of the server, whatever the server's kernel would believe."""
    internet.server.sysctl("net.ipv6.conf.all.forwarding", 0)
    server = internet.dtcps()
    device = "dtcps0" if kind == "network" else "dtcps1"
    with Wire(internet.site) as wire:
        wire.login(type=kind)
        before = until(lambda: routes_with_local(internet.server, device),
                       "the kernel has the route to the device's own address")
        mine = "fe80::c000:202"
        for number, body in ((134, bytes.fromhex("4000070800000000 00000000")),
                             (137, bytes(4) + socket.inet_pton(socket.AF_INET6, mine) +
                              socket.inet_pton(socket.AF_INET6, SIX))):
            message = icmp6(mine, "ff02::1", number, 0, body)
            with Capture(internet.server, device) as inside:
                Outside(internet.site).send(SITE, SERVER, ipv6(mine, "ff02::1", message,
                                                               hop_limit=255))
                until(lambda: server.counters().get("router"), "it is counted")
                seen = [packet for packet in inside.stop() if packet[IPv6].src == mine]
            assert seen == []
        assert server.counters()["router"] == 2
        assert internet.server.ip("-6", "route", "show", "table", "all") == before


def test_prefix_that_was_not_asked_for(internet):
    """A server cannot take native traffic away with prefixes that a tunnelonly user never wanted,
    nor with enormous ones."""
    FakeServer(internet.server, lambda peer: peer.serve(f"+OK {SITE} {SERVER} 2001:db8::/32"))
    client = internet.dtcpclient("--route", "none", type="tunnelonly")
    client.wait_up()
    assert "unreachable" not in internet.site.ip("-6", "route", "show")


def test_enormous_prefix(internet):
    FakeServer(internet.server, lambda peer: peer.serve(f"+OK {SITE} {SERVER} 2000::/8"))
    client = internet.dtcpclient("--route", "none")
    assert client.wait() == 7
    assert "unreachable" not in internet.site.ip("-6", "route", "show")


def test_sighup_of_the_server(internet):
    server = internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    server.send_signal(signal.SIGHUP)
    server.counters()
    ping(internet.site, SIX)


def test_somebody_elses_child(internet):
    """A child that the process had before it became dtcps is none of its rooms."""
    script = internet.file("wrap", '#!/bin/sh\n(exit 3) &\nexec "$@"\n', 0o755)
    from lab.process import Process
    from lab.programs import DTCPS, SERVICE
    server = Process(internet.server, "wrapped", str(script), DTCPS, "-o",
                     f"database={internet.users.path}", "-o", "network.pool=2001:db8:100::/40",
                     "-o", f"user={SERVICE}")
    server.wait_log("ready for logins port=")
    client = internet.dtcpclient()
    client.wait_up()
    ping(internet.site, SIX)
    assert "unexpectedly" not in server.log()
    assert client.stop() == 0
    assert server.stop() == 0


def test_a_room_that_hangs(internet):
    """Asked to stop, monitor does not wait for ever for a room that does not answer."""
    server = internet.dtcps()
    os.kill(server.rooms()["control"], signal.SIGSTOP)
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 1
    assert "dtcps0" not in internet.server.links()


def hanging(internet, state):
    return str(internet.file("hang", f'#!/bin/sh\ntest "$state" = {state} || exit 0\n'
                                     'echo waiting\nsleep 300\n', 0o755))


@pytest.mark.parametrize("state", ["up", "down"])
def test_asked_twice(internet, state):
    """A second SIGTERM waits neither for the server nor for the script."""
    internet.dtcps()
    client = internet.dtcpclient("-s", hanging(internet, state))
    if state == "down":
        client.wait_up()
        client.send_signal(signal.SIGTERM)
    client.wait_log("hang: waiting")

    def ended():
        # Two that come too close together are one to the kernel.
        if client.running():
            client.send_signal(signal.SIGTERM)
        return not client.running()

    until(ended, "it ends", 10)
    assert client.wait() == 0
    assert "dtcp0" not in internet.site.links()


def test_monitor_dies_while_the_script_runs(internet):
    """The guard ends the script before it has "down" run, so that nothing comes after that."""
    marks = internet.dir / "marks"
    script = internet.file("slow", f'#!/bin/sh\necho "$state begins" >>{marks}\n'
                                   'test "$state" = up && sleep 300\n'
                                   f'echo "$state ends" >>{marks}\n', 0o755)
    internet.dtcps()
    client = internet.dtcpclient("-s", str(script))
    until(lambda: marks.exists() and "up begins" in marks.read_text(), "the script runs")
    rooms = client.rooms()
    # Back in its loop, so that the guard has been told of the script.
    until(lambda: Path(f"/proc/{rooms['monitor']}/stat").read_text().rpartition(") ")[2][0] == "S",
          "monitor sleeps")
    os.kill(rooms["monitor"], signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in rooms.values()), "all rooms end")
    assert marks.read_text().split("\n") == ["up begins", "down begins", "down ends", ""]
    assert not any("sleep 300" in title for title in internet.site.processes().values())


def test_pid_files_of_the_killed(internet):
    path = internet.dir / "client.pid"
    client = internet.dtcpclient("-l", "-f", path)
    client.wait_log("refused")
    until(lambda: "guard" in client.rooms(), "the guard is there")
    assert int(path.read_text()) == client.rooms()["monitor"]
    os.kill(client.rooms()["monitor"], signal.SIGKILL)
    assert client.wait() == -signal.SIGKILL
    until(lambda: not path.exists(), "the client's pid file goes")

    path = internet.dir / "server.pid"
    server = internet.dtcps("-f", path)
    until(lambda: "guard" in server.rooms(), "the guard is there")
    os.kill(server.rooms()["monitor"], signal.SIGKILL)
    assert server.wait() == -signal.SIGKILL
    until(lambda: not path.exists(), "the server's pid file goes")


def test_words_of_the_script(internet):
    """What a script says is in the log, also a daemon's."""
    script = internet.file("talk", "#!/bin/sh\necho out $state\necho err $state >&2\n", 0o755)
    internet.dtcps()
    client = internet.dtcpclient("-s", str(script))
    client.wait_up()
    client.wait_log("talk: out up")
    client.wait_log("talk: err up")


def test_default_script_that_cannot_run(internet):
    """Left alone, with a word about it."""
    path = internet.site.dir / "etc" / "dtcpclient.script"
    path.write_text("#!/bin/sh\necho called\n")
    path.chmod(0o644)
    internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    assert "chmod +x" in client.log()
    assert "called" not in client.log()


def test_missing_database_is_said_once(internet):
    """The sessions go on; the log is not filled; and when it is back, all is well."""
    server = internet.dtcps()
    aside = f"{internet.users.path}.aside"
    with Wire(internet.site) as wire:
        wire.login()
        os.rename(internet.users.path, aside)
        for _ in range(3):
            with Wire(internet.site) as other:
                answer = other.ask(other.request())
                assert answer.startswith("-ERR"), answer
        assert wire.ask("ping").startswith("+OK")
        said = [line for line in server.log().splitlines() if "users.db" in line]
        assert len(said) == 1 + server.log().splitlines()[0].count("users.db"), said
        os.rename(aside, internet.users.path)
        with Wire(internet.site) as other:
            other.login()


def test_passwords_are_nowhere(internet):
    """Neither in an argument, nor in the environment, nor in a debug log."""
    server = internet.dtcps("-d")
    client = internet.dtcpclient("-d")
    client.wait_up()
    for process in (server, client):
        for pid in process.rooms().values():
            for name in ("cmdline", "environ"):
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    assert PASSWORD.encode() not in file.read()
        assert PASSWORD not in process.log()
    internet.users.add("bob")
    with Wire(internet.site) as wire:
        request = wire.request("bob", "host", "wrong")
        digest = request.split()[2]
        wire.ask("  tunnel\t" + request.split(" ", 1)[1])
        assert digest not in server.log()
