# SPDX-License-Identifier: BSD-2-Clause
"""A server that starts where another one runs, or where one has been killed."""

import os
import re
import sqlite3

import pytest

from lab.programs import DTCPS, POOL, SERVICE, Users
from lab.topology import SIX
from lab.traffic import ping
from lab.wire import Wire

OTHER_POOL = "2001:db8:800::/40"


def another_database(lab):
    users = Users(lab)
    users.path = lab.dir / "other.db"
    users.add("bob")
    return users


def elsewhere(lab, **more):
    """Settings with which a second server can live beside the first one."""
    return {"database": lab.dir / "other.db", "port": 20300, "interface": "tun0",
            "network.pool": OTHER_POOL, "host.prefix": None, **more}


def refused(lab, pattern, *words, status=1, **settings):
    second = lab.dtcps(*words, set=elsewhere(lab, **settings), wait=False)
    assert second.wait() == status
    last = second.log().strip().splitlines()[-1]
    assert re.search(pattern, last), second.log()
    return second


def test_two_that_share_nothing(internet):
    another_database(internet)
    first = internet.dtcps()
    with Wire(internet.site) as wire:
        wire.login("alice", "tunnelonly")
        second = internet.dtcps(set=elsewhere(internet))
        assert "removed" not in second.log()
        assert {"dtcps0", "dtcps1", "tun0"} <= set(internet.server.links())
        assert wire.ask("ping").startswith("+OK")
        with Wire(internet.site, port=20300) as other:
            assert other.login("bob")[2].startswith("2001:db8:800:")
        assert first.running() and second.running()


def test_what_cannot_be_shared(internet):
    another_database(internet)
    first = internet.dtcps("-f", internet.dir / "first.pid")
    pid = first.rooms()["monitor"]
    refused(internet, rf"users\.db: in use by another dtcps, process {pid};",
            database=internet.users.path)
    # By another name of the same file as well.
    link = internet.dir / "link"
    link.symlink_to(internet.dir)
    refused(internet, rf"users\.db: in use by another dtcps, process {pid};",
            database=link / "users.db")
    refused(internet, r"port 20200 \(-p names another\): Address already in use", port=20200)
    refused(internet, r"interface dtcps0 exists already", interface="dtcps0")
    refused(internet, rf"first\.pid: running already, process {pid}$",
            pidfile=internet.dir / "first.pid")
    # None of them has harmed the first one, and what is left of it is gone when it ends.
    internet.dtcpclient().wait_up()
    ping(internet.site, SIX)
    assert first.running()
    for process in reversed(internet.started):
        if process.running():
            assert process.stop() == 0
    assert not list(internet.dir.glob("*.lock")) and not list(internet.dir.glob("*.pid"))


def test_the_second_one_gives_nothing_away(internet):
    """What root has put there while the first one runs, as a copy that is put back, is not for the
    second one to give to its user."""
    first = internet.dtcps()
    os.chown(internet.users.path, 0, 0)
    refused(internet, r"users\.db: in use by another dtcps", database=internet.users.path)
    assert internet.users.path.stat().st_uid == 0
    assert first.running()


def test_lock_without_capabilities(lab):
    """As under systemd: root makes its lock as one of the folder's group. What the line says helps."""
    lab.internet()
    lab.users.add_alice()
    os.chown(lab.dir, SERVICE, SERVICE)
    (lab.dir / "limited").mkdir()
    limited = lab.file("limited/dtcps", "#!/bin/sh\nexec setpriv --bounding-set "
                       f'-dac_override,-dac_read_search {DTCPS} "$@"\n', 0o755)
    server = lab.dtcps(wait=False, program=limited)
    assert server.wait() == 1
    command = re.search(r"users\.db\.lock: Permission denied; let root make files beside it with: "
                        r"(chown :root (\S+) && chmod g\+rwx \2)\n", server.log()).group(1)
    lab.server.command("sh", "-ec", command)
    server = lab.dtcps(program=limited)
    assert server.stop() == 0
    assert not list(lab.dir.glob("*.lock"))


def test_after_all_was_killed(internet):
    """The pid file and the lock of the dead are taken over."""
    words = ("-f", internet.dir / "dtcps.pid")
    server = internet.dtcps(*words)
    server.kill_all()
    assert (internet.dir / "dtcps.pid").read_text().strip() == str(server.pid)
    assert (internet.dir / "users.db.lock").exists()
    server = internet.dtcps(*words)
    assert (internet.dir / "dtcps.pid").read_text().strip() == str(server.rooms()["monitor"])
    assert server.stop() == 0
    assert not (internet.dir / "users.db.lock").exists()


def test_leftovers(internet):
    """What no accident that is known leaves, but what would be in the way: an interface of ours
    that was made to stay, with the routes of the pool, and a reject route in the pool."""
    node = internet.server
    node.ip("tuntap", "add", "dev", "dtcps0", "mode", "tun")
    node.ip("link", "set", "dtcps0", "alias", "dtcps", "up")
    node.ip("-6", "route", "add", str(POOL), "dev", "dtcps0", "proto", "220")
    node.ip("-6", "route", "add", "unreachable", "2001:db8:100:100::/56", "proto", "220")
    # Neither of these is ours to remove.
    node.ip("tuntap", "add", "dev", "other0", "mode", "tun")
    node.ip("-6", "route", "add", "unreachable", "2001:db8:900::/40", "proto", "220")
    node.ip("-6", "route", "add", "unreachable", "2001:db8:100:900::/56")
    server = internet.dtcps()
    assert "removed the interface dtcps0, which an earlier run has left" in server.log()
    assert f"removed 1 reject route in {POOL}, which an earlier run has left" in server.log()
    internet.dtcpclient().wait_up()
    ping(internet.site, SIX)
    routes = node.ip("-6", "route", "show", "type", "unreachable")
    assert "2001:db8:900::/40" in routes and "2001:db8:100:900::/56" in routes
    assert "2001:db8:100:100::/56" not in routes
    assert "other0" in node.links()


def test_a_reject_route_of_a_client_that_runs_here_stays(internet):
    node = internet.server
    node.ip("tuntap", "add", "dev", "dtcp0", "mode", "tun")
    node.ip("link", "set", "dtcp0", "alias", "dtcpclient")
    node.ip("-6", "route", "add", "unreachable", "2001:db8:100:100::/56", "proto", "220")
    server = internet.dtcps()
    assert "removed" not in server.log()
    assert "2001:db8:100:100::/56" in node.ip("-6", "route", "show", "type", "unreachable")


def test_an_interface_of_somebody_else_is_in_the_way(internet):
    internet.server.ip("tuntap", "add", "dev", "dtcps0", "mode", "tun")
    server = internet.dtcps(wait=False)
    assert server.wait() == 1
    assert "interface dtcps0 exists already" in server.log()
    assert "dtcps0" in internet.server.links()


def prefixes(lab, users, port=20200):
    """{user: what the user gets}, in this order of logins."""
    found = {}
    for user in users:
        with Wire(lab.site, port=port) as wire:
            found[user] = wire.login(user)[2:]
            assert wire.ask("quit").startswith("+OK")
    return found


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL", "copy"])
def test_everybody_keeps_their_prefix(internet, how):
    names = ["alice", "bob", "carol", "dave"]
    for name in names[1:]:
        internet.users.add(name)
    server = internet.dtcps()
    before = prefixes(internet, names)
    assert len({tuple(words) for words in before.values()}) == len(names)
    more = {}
    if how == "copy":
        # As a backup is made, while the server runs.
        copy = internet.dir / "copy.db"
        with sqlite3.connect(internet.users.path) as live, sqlite3.connect(copy) as saved:
            live.backup(saved)
        live.close()
        saved.close()
        copy.chmod(0o600)
        more["database"] = copy
    if how == "SIGKILL":
        server.kill_all()
    else:
        assert server.stop() == 0
    internet.dtcps(set=more)
    # Another order: it is not that they come as they came before.
    assert prefixes(internet, reversed(names)) == before
