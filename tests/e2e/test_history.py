# SPDX-License-Identifier: BSD-2-Clause
"""Who had an address, and when: noted by the server, and told by dtcpauth."""

import json
import os
import signal
import sqlite3
import time

from lab.node import alive
from lab.programs import SERVICE
from lab.topology import SITE, SIX
from lab.traffic import ping
from lab.wait import until
from lab.wire import Wire

KEYS = ["user", "type", "transport", "ipv4", "addresses", "began", "ended", "reason", "in_octets",
        "out_octets"]


def history(internet, *words):
    sessions = json.loads(internet.users.must("history", "--json", *words))
    assert all(list(session) == KEYS for session in sessions)
    return sessions


def until_noted(internet, count, *words):
    until(lambda: len(history(internet, *words)) == count, "the sessions are noted")
    return history(internet, *words)


def until_ended(internet, *words):
    until(lambda: all(session["ended"] for session in history(internet, *words)),
          "the ends are noted")
    return history(internet, *words)


def test_who_had_it(internet):
    """A real tunnel with traffic, found by any address of it, and by nothing else."""
    internet.users.add("bob")
    internet.dtcps("-U")
    client = internet.dtcpclient()
    prefix = client.prefix()
    [session] = until_noted(internet, 1)
    assert session["ended"] is None and session["in_octets"] is None
    assert (session["user"], session["type"], session["transport"], session["ipv4"],
            session["addresses"]) == ("alice", "network", "ipv6", SITE, [str(prefix)])
    listed = {line.split()[0]: line.split()[-1] for line in
              internet.users.must("list").splitlines()}
    assert (listed["alice"], listed["bob"]) == ("now", "-")
    ping(internet.site, SIX)
    client.stop()
    with Wire(internet.site) as wire:
        me6 = wire.login("bob", "host udp")[2]
        until_noted(internet, 2)
        wire.ask("quit")
        assert wire.closed()
    until_ended(internet)
    # As if it had been an hour before.
    with sqlite3.connect(internet.users.path) as db:
        db.execute("UPDATE session SET began = began - 3600, ended = ended - 3600"
                   " WHERE name = 'alice'")
    db.close()
    alice, bob = history(internet)
    day = alice["began"].split("T")[0]
    assert alice["reason"] == bob["reason"] == "client quit"
    assert min(alice["in_octets"], alice["out_octets"]) > 40
    assert (bob["user"], bob["type"], bob["transport"], bob["addresses"]) == \
        ("bob", "host", "udp", [me6])

    for words, expected in (
            (("--address", prefix[0x4217]), [alice]),
            (("--address", prefix[0]), [alice]),
            (("--address", prefix[-1]), [alice]),
            (("--address", prefix[0] - 1), []),
            (("--prefix", prefix), [alice]),
            (("--prefix", prefix.supernet(new_prefix=40)), [alice]),
            (("--address", me6), [bob]),
            (("--prefix", "2001:db8::/32"), [alice, bob]),
            (("--address", SITE), [alice, bob]),
            (("--address", "192.0.2.99"), []),
            (("bob", "--address", SITE), [bob]),
            (("alice",), [alice]),
            (("--at", alice["began"]), [alice]),
            (("--at", alice["began"], "bob"), []),
            (("--at", day), [alice, bob] if bob["began"].startswith(day) else [alice]),
            (("--at", "2001-01-01"), []),
            (("--address", prefix[7], "--at", "2001-01-01T10:00"), [])):
        assert history(internet, *words) == expected, words
    heading, *lines = internet.users.must("history").splitlines()
    assert heading.split() == ["BEGAN", "ENDED", "USER", "TYPE", "TRANSPORT", "IPV4", "ADDRESSES",
                               "IN", "OUT", "REASON"]
    assert [line.split()[:9] for line in lines] == [
        [one["began"], one["ended"], one["user"], one["type"], one["transport"], SITE,
         one["addresses"][0], str(one["in_octets"]), str(one["out_octets"])]
        for one in (alice, bob)]
    assert all(line[heading.index("REASON"):] == "client quit" for line in lines)
    # It outlives the user; and who never was has none.
    internet.users.delete("bob")
    assert history(internet, "bob") == [bob]
    result = internet.users.dtcpauth("history", "carol")
    assert (result.returncode, result.stderr) == (3, "dtcpauth: no user carol\n")


def test_end_of_the_server(internet):
    """It is told to end, and it is killed."""
    server = internet.dtcps()
    with Wire(internet.site) as wire:
        wire.login()
        server.stop()
    assert [one["reason"] for one in history(internet)] == ["server is shutting down"]
    server = internet.dtcps()
    with Wire(internet.site) as wire:
        wire.login()
        until_noted(internet, 2)
        rooms = server.rooms()
        os.kill(rooms["monitor"], signal.SIGKILL)
        server.wait()
        until(lambda: not any(alive(pid) for pid in rooms.values()), "all rooms end")
    # In time or not: the others may have been told before they ended.
    internet.dtcps()
    first, second = until_ended(internet)
    assert first["reason"] == "server is shutting down"
    assert second["reason"] in ("server ended", "client closed the connection")


def test_old_ones_go(internet):
    """After their time, and all of them if there is to be no history."""
    def age(days):
        with sqlite3.connect(internet.users.path) as db:
            db.execute("UPDATE session SET began = began - ?, ended = ended - ?",
                       (days * 86400, days * 86400))
        db.close()
        for name in os.listdir(internet.dir):
            if name.startswith("users.db"):
                os.chown(internet.dir / name, SERVICE, 0)

    def log_in():
        with Wire(internet.site) as wire:
            wire.login()
            wire.ask("quit")
            assert wire.closed()

    server = internet.dtcps()
    log_in()
    server.stop()
    age(91)
    assert len(history(internet)) == 1
    server = internet.dtcps()
    until_noted(internet, 0)
    log_in()
    server.stop()
    assert len(history(internet)) == 1
    server = internet.dtcps(set={"history.keep": 0})
    until_noted(internet, 0)
    log_in()
    server.stop()
    assert history(internet) == []


def test_logins_do_not_wait(internet):
    """Another program has the database: logins of those who have their prefix go on, and so does
    the history when it can. If it never lets go of it, the server ends all the same, and says what
    is lost."""
    server = internet.dtcps()
    with Wire(internet.site) as wire:
        wire.login()
    until_noted(internet, 1)
    db = sqlite3.connect(internet.users.path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    with Wire(internet.site) as wire:
        wire.login()
        server.wait_log("history waits: .*: locked by another program")
        assert wire.ask("ping").startswith("+OK")
    db.execute("ROLLBACK")
    until_noted(internet, 2)
    until_ended(internet)
    with Wire(internet.site) as wire:
        wire.login()
        until_noted(internet, 3)
        db.execute("BEGIN IMMEDIATE")
        assert server.stop() == 0
    db.execute("ROLLBACK")
    db.close()
    server.wait_log("history: 1 entries were lost: .*: locked by another program")
    assert "killed" not in server.log()


def test_wrong_questions(internet):
    for words, line in (
            (("--address", "nonsense"), "--address nonsense is no address"),
            (("--at", "yesterday"), '--at "yesterday" is neither a day such as 2027-12-31 nor a '
                                    "time such as 2027-12-31T18:00+01:00"),
            # Nobody had an address then.
            (("--at", "2999-01-01"), '--at "2999-01-01" is yet to come'),
            (("--prefix", "2001:db8::"), "--prefix 2001:db8:: is not an IPv6 address, a slash and a "
                                         "number"),
            (("--prefix", "2001:db8::/32", "--address", "::1"),
             "history takes --prefix or --address, not both; see dtcpauth --help"),
            (("a", "b"), "history: too many words; see dtcpauth --help")):
        result = internet.users.dtcpauth("history", *words)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == f"dtcpauth: {line}\n"
    result = internet.users.dtcpauth("list", "--at", time.strftime("%Y-%m-%d"))
    assert result.stderr == "dtcpauth: list takes no --at; see dtcpauth --help\n"
