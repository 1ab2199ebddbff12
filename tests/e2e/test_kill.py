# SPDX-License-Identifier: BSD-2-Clause
"""Sudden death: whichever process goes, the others follow, and nothing that was made stays."""

import os
import signal

import pytest

from lab.node import alive
from lab.process import status_field
from lab.programs import PASSWORD, router_address, write_auth
from lab.topology import SIX
from lab.traffic import ping
from lab.wait import until

SERVER = "198.51.100.2"
SERVER_ROOMS = ["monitor", "control", "forward", "accounts", "ndp"]
CLIENT_ROOMS = ["monitor", "control", "forward", "guard"]


def rooms_of(process, names):
    until(lambda: set(names) <= process.rooms().keys(),
          lambda: f"{process.name} has its rooms, not only {process.rooms()}")
    return process.rooms()


def kill_one(process, names, room):
    """Kills a room; returns the exit status once all of the others have ended."""
    rooms = rooms_of(process, names)
    os.kill(rooms[room], signal.SIGKILL)
    status = process.wait()
    until(lambda: not any(alive(pid) for pid in rooms.values()),
          lambda: f"all rooms end: {[name for name, pid in rooms.items() if alive(pid)]} still run")
    return status


@pytest.mark.parametrize("room", SERVER_ROOMS)
def test_server_room(internet, room):
    before = internet.server.state()
    server = internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    ping(internet.site, SIX)

    status = kill_one(server, SERVER_ROOMS, room)
    assert status == (-signal.SIGKILL if room == "monitor" else 1)
    internet.server.back_to(before)
    if room != "monitor":
        assert room in server.log(), "the message names the room"
    # The client notices, says so and leaves nothing either.
    assert client.wait() == 12
    assert "dtcp0" not in internet.site.links()

    server = internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    ping(internet.site, SIX)


@pytest.mark.parametrize("room", CLIENT_ROOMS)
def test_client_room(internet, room):
    server = internet.dtcps()
    before = internet.site.state()
    client = internet.dtcpclient()
    client.wait_up()
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    ping(internet.site, SIX)

    status = kill_one(client, CLIENT_ROOMS, room)
    assert status == (-signal.SIGKILL if room == "monitor" else 1)
    internet.site.back_to(before)
    server.wait_log(r"session down user=alice peer=192\.0\.2\.2 ")

    client = internet.dtcpclient()
    client.wait_up()
    ping(internet.site, SIX)


def test_client_all_at_once(internet):
    """All processes are killed: the next start removes what the kernel did not."""
    internet.dtcps()
    before = internet.site.state()
    client = internet.dtcpclient()
    client.wait_up()
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    rooms_of(client, CLIENT_ROOMS)
    client.kill_all()
    until(lambda: "dtcp0" not in internet.site.links(), "the interface goes with its descriptors")
    client = internet.dtcpclient()
    client.wait_up()
    ping(internet.site, SIX)
    assert client.stop() == 0
    internet.site.back_to(before)


def test_one_of_two_clients_all_at_once(internet):
    """Its reject route may be the other one's for all that the sweep knows, so it stays; but where
    it is in the way it is taken over, and goes in the end."""
    internet.users.add("bob")
    internet.dtcps("-U")
    before = internet.site.state()
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n{SERVER}:bob:{PASSWORD}\n")

    def start(user, port):
        return internet.dtcpclient("-U", "-b", port, "--interface", user, user=user, password=None)

    other = start("bob", 5001)
    reject = f"unreachable {other.prefix()} "
    prefix = start("alice", 5002).prefix()
    internet.started[-1].kill_all()
    client = start("alice", 5002)
    assert client.prefix() == prefix
    client.wait_log(f"took over the reject route {prefix}")
    ping(internet.six, router_address(prefix))
    assert client.stop() == 0
    routes = internet.site.routes()
    assert not any(f"unreachable {prefix} " in route for route in routes)
    assert any(reject in route for route in routes)
    assert other.stop() == 0
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    internet.site.back_to(before)


def test_reject_routes_of_an_earlier_version(internet):
    """They had another metric, and are swept all the same; somebody else's stay."""
    internet.dtcps()
    before = internet.site.state()
    for metric in (1024, 7):
        internet.site.ip("-6", "route", "add", "unreachable", "2001:db8:77::/48", "proto", "220",
                         "metric", metric)
    theirs = ("unreachable", "2001:db8:77::/48", "metric", "99")
    internet.site.ip("-6", "route", "add", *theirs)
    client = internet.dtcpclient()
    client.wait_log("removed 2 reject routes left behind by an earlier run")
    assert client.stop() == 0
    internet.site.ip("-6", "route", "del", *theirs)
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    internet.site.back_to(before)


def test_server_all_at_once(internet):
    before = internet.server.state()
    server = internet.dtcps()
    server.kill_all()
    server = internet.dtcps()
    internet.dtcpclient().wait_up()
    ping(internet.site, SIX)
    for process in reversed(internet.started):
        if process.running():
            assert process.stop() == 0
    internet.server.back_to(before)


def test_nobody_reads_the_network_as_root(internet):
    """All but monitor and guard have given everything up."""
    server = internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    for process, names in ((server, SERVER_ROOMS), (client, CLIENT_ROOMS)):
        rooms = rooms_of(process, names)
        for room in set(names) - {"monitor", "guard"}:
            where = f"{process.name}: {room}"
            # A tunnel over protocol 41 is up before forward has its first packet to carry.
            for field in ("Uid", "Gid"):
                until(lambda pid=rooms[room], field=field: "0" not in
                      status_field(pid, field).split(), f"{where} has given up its {field}")
            until(lambda pid=rooms[room]: status_field(pid, "NoNewPrivs") == "1", where)
            for field in ("CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"):
                assert int(status_field(rooms[room], field), 16) == 0, (where, field)
            assert status_field(rooms[room], "Groups") == "", where


def test_rooms_ignore_signals(internet):
    """A terminal's ^C reaches all processes of the group: only monitor takes it."""
    server = internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    for process, names in ((server, SERVER_ROOMS), (client, CLIENT_ROOMS)):
        rooms = rooms_of(process, names)
        for room in names[1:]:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(rooms[room], number)
    ping(internet.site, SIX)
    assert client.running() and server.running()
    os.killpg(client.pid, signal.SIGINT)
    assert client.wait() == 0
    server.wait_log(r"session down .*quit")
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait() == 0
