# SPDX-License-Identifier: BSD-2-Clause
"""The client's control socket: its answers in each state, compared with other sources; and what
can be asked of it."""

import contextlib
import json
import os
import signal
import stat
import time

from lab.ctl import ClientCtl, Ctl, ask_as, connect
from lab.node import alive
from lab.outside import Outside
from lab.process import Process, end_quietly
from lab.programs import DTCPCLIENT, PASSWORD, write_auth
from lab.topology import HIDDEN_SITE, SERVER, SITE, SIX
from lab.traffic import ping, ping_once
from lab.wait import slow, until
from lab.wire import FakeServer


def recent(status, *keys):
    """These times are of this test."""
    for key in keys:
        assert -1 < time.time() - status[key] < 60 * slow(), (key, status)


# --- what it says -----------------------------------------------------------------------------

def test_up_over_protocol_41(internet):
    """Each field as the kernel, the server's log and the client's own log have it."""
    server = internet.dtcps()
    client = internet.dtcpclient("--mtu", "1400")
    said = client.wait_up()
    client.wait_log("the far end answers")
    ping(internet.site, SIX)
    ctl = ClientCtl(internet.site)
    status = ctl.status()
    [link] = internet.site.ip_json("link", "show", "dev", "dtcp0")
    assert status["program"] == "dtcpclient" and status["release"]
    assert status["pid"] == client.rooms()["monitor"]
    assert (status["interface"], status["state"], status["user"]) == ("dtcp0", "up", "alice")
    assert status["server"] == {"name": SERVER, "address": SERVER, "port": 20200}
    assert status["servers"] == [SERVER]
    assert (status["type"], status["transport"]) == ("network", "ipv6")
    assert status["why"] == "the settings say so"
    assert status["carried"] == ("kernel" if "fast path: on" in client.log() else "user")
    assert status["address"] in internet.site.addresses("dtcp0")
    assert status["prefixes"] == [said["prefix"]]
    assert f"user=alice peer={SITE}" in server.log() and said["prefix"] in server.log()
    assert status["mtu"] == link["mtu"] == 1400
    assert status["path"] == "alive" and 0 < status["rtt"] < 1 * slow()
    recent(status, "since", "last_handshake")
    assert status["since"] <= status["last_handshake"] + 5 * slow()
    assert not {"name", "peer_address", "lan", "last_error", "next_try"} & status.keys()

    assert ping_once(internet.site, SIX, count=3, size=100).returncode == 0
    # Version 4 inside.
    Outside(internet.server).send(SERVER, SITE, b"\x45" + bytes(39))
    until(lambda: client.counters().get("not-ipv6") == 1, "it is counted")
    after, counters = ctl.status(), client.counters()
    for way in ("in", "out"):
        assert after[f"{way}_packets"] >= status[f"{way}_packets"] + 3
        assert after[f"{way}_octets"] >= status[f"{way}_octets"] + 3 * 148
        assert after[f"{way}_packets"] <= counters[f"{way}-packets"]
    [drop] = [drop for drop in after["drops"] if drop["reason"] == "not-ipv6"]
    assert drop["count"] == 1 and "IPv6" in drop["text"] and after["dropped"] >= 1
    assert after["since"] == status["since"]
    # Somebody renames it: the socket stays where it is.
    internet.site.rename("dtcp0", "six0")
    ctl.wait("its new name", interface="six0", state="up")


def test_up_over_udp_behind_a_nat(masked):
    """--transport auto has found it, and says why."""
    masked.dtcps("-U")
    client = masked.dtcpclient("--transport", "auto", type="host")
    client.wait_up()
    ping(masked.site, SIX)
    status = ClientCtl(masked.site).wait("it has been asked", path="alive")
    assert (status["state"], status["transport"]) == ("up", "udp")
    assert status["why"] == "there is a NAT on the way"
    assert [status["address"]] == masked.site.addresses("dtcp0")
    [link] = masked.site.ip_json("-6", "addr", "show", "dev", "dtcp0", "scope", "global")
    assert status["peer_address"] == link["addr_info"][0]["address"]
    assert status["prefixes"] == [] and status["type"] == "host"
    assert 0 < status["rtt"] < 1 * slow()
    assert HIDDEN_SITE not in json.dumps(status)


def test_waiting_connecting_held(internet):
    """Without a server; with one that says nothing; with one that has gone."""
    client = internet.dtcpclient("-l")
    ctl = ClientCtl(internet.site)
    status = ctl.wait("a pause", state="waiting")
    assert "Connection refused" in status["last_error"]["text"]
    assert status["server"]["name"] == SERVER and "address" not in status["server"]
    assert 0 < status["next_try"] - time.time() < 75
    recent(status["last_error"], "time")
    assert not {"prefixes", "carried", "path", "rtt", "last_handshake"} & status.keys()

    mute = FakeServer(internet.server, lambda peer: peer.line())
    client.send_signal(signal.SIGHUP)
    status = ctl.wait("an attempt", state="connecting")
    assert "next_try" not in status and "prefixes" not in status
    mute.close()

    server = internet.dtcps()
    client.send_signal(signal.SIGHUP)
    up = ctl.wait("a session", state="up")
    assert server.stop() == 0
    held = ctl.wait("a tunnel without a session", state="held")
    assert held["prefixes"] == up["prefixes"] and held["carried"] == up["carried"]
    assert "server is shutting down" in held["last_error"]["text"]
    assert held["since"] >= up["since"] and "path" not in held
    internet.dtcps()
    assert ctl.wait("another session", state="up")["last_error"]


def test_tunnel_none(internet):
    """The script makes the tunnel; the socket is called as the interface would be."""
    internet.dtcps()
    internet.dtcpclient("--tunnel", "none", "--interface", "six9")
    status = ClientCtl(internet.site, "six9").wait("a session", state="up")
    assert status["interface"] == "six9" and status["prefixes"]
    assert not {"carried", "in_packets", "drops"} & status.keys()


# --- what can be asked of it ------------------------------------------------------------------

def test_down_and_up(lab):
    """As at the end: quit, script, the networks at home, no interface. But it stays; and down."""
    lab.internet(lan=True)
    lab.users.add_alice()
    script = lab.file("script", f"#!/bin/sh\necho $state >>{lab.dir}/states\n", 0o755)
    server = lab.dtcps()
    client = lab.dtcpclient("-l", "--transport", "ipv6", "--lan", "lan0", "-s", script)
    client.wait_up()
    ctl = ClientCtl(lab.site)
    up = ctl.status()
    assert up["lan"] == [{"interface": "lan0", "prefix": f"{up['prefixes'][0][:-3]}/64"}]
    assert lab.site.addresses("lan0")
    since, server_since = client.mark(), server.mark()

    ctl.must("down")
    # Nothing of it has to be waited for.
    assert "dtcp0" not in lab.site.links()
    assert (lab.dir / "states").read_text() == "up\ndown\n"
    server.wait_log(r"session down user=alice .*quit", since=server_since)
    status = ctl.status()
    assert status["state"] == "down" and not {"next_try", "prefixes", "lan"} & status.keys()
    client.wait_log("tunnel down: on request", since=since)
    # Neither another address, nor signals, nor the same again lead out of it.
    lab.readdress("192.0.2.77")
    for number in (signal.SIGHUP, signal.SIGUSR2):
        mark = client.mark()
        client.send_signal(number)
        client.wait_log("down on request, which a signal does not change", since=mark)
    ctl.must("down")
    assert "it is down on request" in ctl.refused("reconnect", "failed")
    assert ctl.status()["state"] == "down" and "dtcp0" not in lab.site.links()
    assert "tunnel up" not in client.log()[since:]

    ctl.must("up")
    assert ctl.wait("another session", state="up")["prefixes"] == up["prefixes"]
    ping(lab.site, SIX)
    assert (lab.dir / "states").read_text() == "up\ndown\nup\n"
    ctl.must("up")
    assert ctl.status()["state"] == "up"
    ctl.must("down")
    assert client.stop() == 0


def test_down_without_l(internet):
    """Also one that would end with its session stays, until it is up again and loses that one."""
    server = internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    ctl = ClientCtl(internet.site)
    ctl.must("down")
    assert server.stop() == 0 and client.running()
    server = internet.dtcps()
    ctl.must("up")
    ctl.wait("another session", state="up")
    assert server.stop() == 0
    assert client.wait() in (11, 12)


def open_for_reader(fifo):
    """The writing end; None if there is no reader."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def test_down_while_another_waits(internet):
    """All clients that wait for the end of the tunnel get the result."""
    fifo = internet.dir / "fifo"
    script = internet.file("script", f"#!/bin/sh\n[ ! -e {fifo} ] || cat {fifo}\n", 0o755)
    internet.dtcps()
    client = internet.dtcpclient("-s", script)
    client.wait_up()
    ctl = ClientCtl(internet.site)
    os.mkfifo(fifo)
    with Ctl(ctl.path) as first, Ctl(ctl.path) as second:
        first.send('{"command":"down"}\n')
        ctl.wait("it goes down", state="down")
        second.send('{"command":"down"}\n')
        # Whoever asks for something else is not kept waiting.
        assert ctl.status()["state"] == "down"
        ctl.must("up")
        for waiting in (first, second):
            answer = waiting.line()
            assert not answer["ok"] and answer["code"] == "failed", answer
    # The script reads by now; when it runs again there is nothing to wait for.
    end = until(lambda: open_for_reader(fifo), "the script reads")
    fifo.unlink()
    os.close(end)
    ctl.wait("it comes up again", state="up")


def test_reconnect(internet):
    server = internet.dtcps()
    client = internet.dtcpclient()
    first = client.wait_up()
    since, server_since = client.mark(), server.mark()
    ClientCtl(internet.site).must("reconnect")
    client.wait_log("tunnel down: reconnecting on request", since=since)
    assert client.wait_up(since=since) == first
    server.wait_log(r"session down .*quit", since=server_since)


def test_log(internet):
    """In all processes, and back."""
    internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    ctl = ClientCtl(internet.site)
    ctl.must("log", level="debug")
    since = client.mark()
    ctl.must("reconnect")
    client.wait_log("client: tunnel alice <response>", since=since)
    client.wait_up(since=since)
    ctl.must("log", level="info")
    client.wait_log("log: info lines on request", since=since)
    since = client.mark()
    ctl.must("reconnect")
    client.wait_up(since=since)
    assert "<response>" not in client.log()[since:]


# --- who asks, and how ------------------------------------------------------------------------

def test_wrong_input(internet):
    internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    ctl = ClientCtl(internet.site)
    wrong = {
        "": "bad", "{": "bad", "[]": "bad", "{}": "bad", "\x00": "bad", "7": "bad",
        '{"command":7}': "bad", '{"command":"status","v":2}': "bad",
        '{"command":"status","user":"alice"}': "bad", '{"command":"sessions"}': "unknown",
        '{"command":"status","command":"down"}': "bad",
        '{"command":"log"}': "bad", '{"command":"log","level":"loud"}': "bad",
        '{"command":"log","level":1}': "bad", '{"command":"kick","user":"alice"}': "unknown",
    }
    with Ctl(ctl.path) as connection:
        for text, code in wrong.items():
            connection.send(f"{text}\n")
            answer = connection.line()
            assert (answer["ok"], answer["code"]) == (False, code), (text, answer)
            assert answer["error"] and "\n" not in answer["error"] and answer["v"] == 1
        # The same connection still works, and several requests at once.
        connection.send('{"command":"status"}\n{"command":"status","v":1}\n')
        # What is no news is the same.
        times = [(status["since"], status["pid"])
                 for status in (connection.line()["status"], connection.line()["status"])]
        assert times[0] == times[1]
    with Ctl(ctl.path) as connection:
        connection.send("x" * 5000 + "\n")
        assert connection.line()["code"] == "bad" and connection.line() is None
    # Half a request, octets that are no text, and somebody who leaves.
    for data in (b'{"command":', b"\xff\xfe\n", b"\r\n\r\n"):
        with connect(ctl.path) as raw:
            raw.sendall(data)
    with contextlib.ExitStack() as stack:
        def one_more():
            connection = stack.enter_context(Ctl(ctl.path))
            # Until those that have left are forgotten, it may be too many.
            with contextlib.suppress(ConnectionError):
                connection.send('{"command":"status"}\n')
                return (connection.line() or {}).get("ok")

        for _ in range(16):
            until(one_more, "16 have a connection")
        last = stack.enter_context(Ctl(ctl.path))
        assert last.line()["code"] == "busy" and last.line() is None
    ctl.wait("it is asked again", state="up")
    ping(internet.site, SIX)


def test_rights(internet):
    """Root may do everything; others who can open it, such as the group, may only query."""
    internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    ctl = ClientCtl(internet.site)
    mode = ctl.path.stat()
    assert stat.S_ISSOCK(mode.st_mode) and stat.S_IMODE(mode.st_mode) == 0o660 and mode.st_uid == 0
    assert stat.S_IMODE(ctl.path.parent.stat().st_mode) == 0o755
    # As the node has it.
    path = "/var/run/dtcp/dtcpclient-dtcp0.sock"
    assert ask_as(internet.site, 12345, (), path, "") is None
    ctl.path.chmod(0o666)
    wishes = [{"command": "down"}, {"command": "up"}, {"command": "reconnect"},
              {"command": "log", "level": "debug"}]
    text = "".join(json.dumps(wish) + "\n" for wish in [{"command": "status"}, *wishes])
    status, *refused = ask_as(internet.site, 12345, (), path, text)
    assert status["status"]["state"] == "up"
    assert [answer["code"] for answer in refused] == ["denied"] * len(wishes)
    assert ctl.status()["state"] == "up" and "on request" not in client.log()


# --- where it is ------------------------------------------------------------------------------

def test_two_side_by_side(internet):
    """Each has its own; one that is killed leaves nothing, and the other one's alone."""
    internet.users.add("bob")
    internet.dtcps("-U")
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n{SERVER}:bob:{PASSWORD}\n")
    first = internet.dtcpclient("-U", password=None)
    first.wait_up()
    second = internet.dtcpclient("-U", "-b", "5001", "--interface", "six1", user="bob",
                                 password=None)
    second.wait_up()
    one, other = ClientCtl(internet.site), ClientCtl(internet.site, "six1")
    assert (one.status()["user"], other.status()["user"]) == ("alice", "bob")
    other.must("down")
    assert one.status()["state"] == "up" and "six1" not in internet.site.links()
    rooms = first.rooms()
    os.kill(rooms["monitor"], signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in rooms.values()), "all of it ends")
    assert not one.path.exists()
    assert other.status()["state"] == "down"
    assert second.stop() == 0
    assert not other.path.parent.exists()


def test_left_behind(internet):
    """All processes of one were killed at once; the next one replaces its socket."""
    internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    ctl = ClientCtl(internet.site)
    client.kill_all()
    until(lambda: "dtcp0" not in internet.site.links(), "the interface goes with its descriptors")
    assert ctl.path.exists()
    client = internet.dtcpclient()
    client.wait_up()
    assert ctl.status()["pid"] == client.rooms()["monitor"]


def test_daemon(internet):
    """The process that takes signals is the one whose id is in the pid file."""
    internet.dtcps()
    config = internet.site.dir / "etc" / "dtcp"
    config.mkdir()
    (config / "home.conf").write_text(f"server = {SERVER}\nlogin = alice\ntype = network\n"
                                      "control-socket = /run/home.sock\n")
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n")
    daemon = Process(internet.site, "dtcpclient", DTCPCLIENT, "-D", "home")
    assert daemon.wait() == 0
    ctl = ClientCtl(internet.site, path=internet.site.dir / "run" / "home.sock")
    status = ctl.wait("a tunnel", state="up")
    try:
        assert (status["name"], status["interface"]) == ("home", "dtcp-home")
        pid = int((internet.site.dir / "run" / "dtcpclient-home.pid").read_text())
        assert status["pid"] == pid
        os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), "the daemon ends")
    finally:
        end_quietly(status["pid"])
    assert not ctl.path.exists()


def test_not_possible(internet):
    """Then there is none, and one line says so."""
    run = internet.site.dir / "run"
    (run / "dtcp").write_text("somebody else's")
    internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    assert client.log().count("cannot make the control socket") == 1
    assert client.stop() == 0
    assert (run / "dtcp").read_text() == "somebody else's"
    (run / "dtcp").unlink()
    client = internet.dtcpclient("--control-socket", "off")
    client.wait_up()
    assert "control socket" not in client.log() and not (run / "dtcp").exists()
