# SPDX-License-Identifier: BSD-2-Clause
"""The user database in trouble. Sessions go on whatever happens to it; a login that it cannot
answer gets an error and can be tried again, and the log has one line that says what is wrong. When
the trouble is over, the next login is as good as ever: nothing is to be restarted."""

import os
import re
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from lab.programs import SERVICE
from lab.topology import SIX
from lab.traffic import ping, ping_once
from lab.wait import slow, until
from lab.wire import Wire

OTHER = "192.0.2.3"
INTERNAL = "-ERR internal error, try again later"


def login(lab, user):
    """Logs in from another address and leaves; returns the answer."""
    with Wire(lab.site, source=OTHER) as wire:
        return wire.ask(wire.request(user))


@pytest.fixture
def users(internet):
    """alice is there, bob was once, carol never."""
    for name in ("bob", "carol"):
        internet.users.add(name)
    internet.site.ip("addr", "add", f"{OTHER}/24", "dev", "up0")
    return internet


class Troubled:
    """A server with alice's tunnel, to which something is about to happen."""

    def __init__(self, lab):
        self.lab = lab
        self.server = lab.dtcps()
        self.client = lab.dtcpclient()
        self.client.wait_up()
        ping(lab.site, SIX)
        assert login(lab, "bob").startswith("+OK")
        self.since = self.server.mark()

    def complaints(self):
        """But for what the history has to say, if something of it waits just then."""
        return re.findall(r"(?m)^(?!.*history waits).*users\.db: (.*)", self.server.log()[self.since:])

    def well(self):
        """alice has noticed nothing."""
        assert ping_once(self.lab.site, SIX).returncode == 0
        assert self.client.running() and "session lost" not in self.client.log()
        assert self.server.running()

    def back(self):
        """carol gets in now, at once."""
        answer = login(self.lab, "carol")
        assert answer.startswith("+OK"), answer
        self.well()


def on_a_disk(lab, size):
    """Moves the database to a small disk, and returns that folder."""
    disk = lab.disk(size)
    lab.users.path = Path(shutil.move(lab.users.path, disk))
    os.chown(lab.users.path, SERVICE, 0)
    return disk


def fill(path):
    with open(path, "wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(512))


def test_disk_full(users):
    """Who has addresses gets in as always; who needs new ones, once there is room for the note."""
    filler = on_a_disk(users, "256k") / "filler"
    case = Troubled(users)
    fill(filler)
    assert login(users, "bob").startswith("+OK")
    for _ in range(2):
        assert login(users, "carol") == INTERNAL
    assert case.complaints() == ["No space left on device"]
    case.well()
    filler.unlink()
    case.back()


def test_disk_full_at_the_start(users):
    filler = on_a_disk(users, "256k") / "filler"
    fill(filler)
    server = users.dtcps(wait=False)
    assert server.wait() == 1
    assert server.log() == f"dtcps: {users.users.path}: No space left on device\n"
    filler.unlink()
    Troubled(users).back()


def test_locked(users):
    """A program holds a lock of the database: nothing is delayed for long."""
    case = Troubled(users)
    other = sqlite3.connect(users.users.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    for _ in range(4):
        assert login(users, "carol") == INTERNAL
    assert time.monotonic() - started < 2.5 * slow()
    assert login(users, "bob").startswith("+OK")
    assert case.complaints() == ["locked by another program"]
    case.well()
    other.execute("ROLLBACK")
    other.close()
    case.back()


def open_files(process):
    """What the processes on its machine have open."""
    found = set()
    for pid in process.node.processes():
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                found.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:
            continue
    return found


@pytest.mark.slow(6)
def test_locked_at_the_start(users):
    """Waited for; in vain, it is said."""
    other = sqlite3.connect(users.users.path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    server = users.dtcps(wait=False)
    assert server.wait() == 1
    assert server.log() == f"dtcps: {users.users.path}: locked by another program\n"
    waiting = users.dtcps(wait=False)
    until(lambda: str(users.users.path) in open_files(waiting), "it has opened the database")
    other.execute("ROLLBACK")
    other.close()
    waiting.wait_ready()


def test_slow_disk(users):
    """While accounts stands still, nobody is held up who does not need it: neither those who are
    logged in nor whoever comes; and what somebody does to an interface is put right."""
    case = Troubled(users)
    accounts = case.server.rooms()["accounts"]
    with Wire(users.site, source=OTHER) as wire:
        os.kill(accounts, signal.SIGSTOP)
        try:
            wire.send(wire.request("carol") + "\r\n")
            with Wire(users.site, source=OTHER) as another:
                assert another.challenge
            users.server.ip("link", "del", "dtcps0")
            case.server.wait_log("interface dtcps0 was removed by somebody; making it again")
            ping(users.site, SIX)
            case.well()
        finally:
            os.kill(accounts, signal.SIGCONT)
        assert wire.line().startswith("+OK ")


def many_users(lab):
    """So many that the server cannot keep the database in its memory."""
    db = sqlite3.connect(lab.users.path)
    db.executemany("INSERT INTO user (name, password, created) VALUES (?, ?, 0)",
                   ((f"user{number}", "x" * 100) for number in range(40000)))
    db.commit()
    db.close()


@pytest.mark.parametrize("restore", ["in its place", "by another file"])
def test_damaged(users, restore):
    """Garbage all over the file, and its contents from a backup later."""
    many_users(users)
    case = Troubled(users)
    path = users.users.path
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    good = path.read_bytes()
    with open(path, "r+b") as file:
        file.write(os.urandom(len(good)))
    names = iter(f"user{number}" for number in range(100, 40000, 997))
    until(lambda: login(users, next(names)) == INTERNAL, "the damage is noticed", 5)
    assert login(users, "carol") == INTERNAL
    case.server.send_signal(signal.SIGHUP)
    assert case.complaints()[0] in ("the database is damaged", "not a user database")
    case.well()
    if restore == "in its place":
        with open(path, "r+b") as file:
            file.write(good)
    else:
        whole = path.with_name("whole")
        whole.write_bytes(good)
        os.chown(whole, SERVICE, 0)
        os.rename(whole, path)
    case.back()
    assert len(case.complaints()) == 1


@pytest.mark.parametrize("what, text", [
    (lambda good: b"", "not a user database"),
    (lambda good: os.urandom(len(good)), "not a user database"),
    (lambda good: good[:4096], "the database is damaged"),
], ids=["empty", "garbage", "cut"])
def test_damaged_at_the_start(users, what, text):
    good = users.users.path.read_bytes()
    users.users.path.write_bytes(what(good))
    server = users.dtcps(wait=False)
    assert server.wait() == 1
    assert server.log() == f"dtcps: {users.users.path}: {text}\n"
    users.users.path.write_bytes(good)
    Troubled(users).back()


def test_parts_damaged_at_the_start(users):
    """The rest may be good, so the server begins; and whose record cannot be read is told so."""
    good = users.users.path.read_bytes()
    pages = [good[at:at + 4096] for at in range(0, len(good), 4096)]
    # What the tables are is in others.
    bad = [os.urandom(4096) if b"alice" in page else page for page in pages]
    assert bad[0] == pages[0] and bad != pages
    users.users.path.write_bytes(b"".join(bad))
    server = users.dtcps()
    server.wait_log(r"users\.db: the database is damaged")
    assert login(users, "alice") == INTERNAL
    with open(users.users.path, "r+b") as file:
        file.write(good)
    assert login(users, "alice").startswith("+OK")


def test_a_disk_that_does_not_answer(lab):
    """At the start, when signals wait for the loop: the program can be ended nevertheless."""
    lab.internet()
    lab.users.add_alice()
    holder = sqlite3.connect(lab.users.path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    server = lab.dtcps(wait=False)
    listed = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    [child] = until(lambda: listed.read_text().split(), "a child looks into the database")
    # It waits for the lock, and from here on for ever.
    os.kill(int(child), signal.SIGSTOP)
    server.send_signal(signal.SIGTERM)
    assert server.wait() == 1
    assert "users.db: no answer from the disk yet; not waiting any longer" in server.log()
    holder.close()
    assert not list(lab.dir.glob("*.lock"))
    assert lab.dtcps().stop() == 0


VERSION_1 = """
CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL, created INTEGER NOT NULL) STRICT;
CREATE TABLE block (user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    kind INTEGER NOT NULL, fixed INTEGER NOT NULL, first BLOB NOT NULL, last BLOB NOT NULL,
    bits INTEGER NOT NULL, PRIMARY KEY (user, kind)) STRICT, WITHOUT ROWID;
INSERT INTO user (name, password, created) VALUES ('alice', 'the quick brown fox', 7);
INSERT INTO block VALUES (1, 1, 0, x'20010db8010001000000000000000000',
    x'20010db8010001ffffffffffffffffff', 56);
PRAGMA application_id = 0x64746370; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;
"""


def test_a_check_changes_nothing(lab):
    """A database of an earlier version is made one of today when the server starts, not before:
    the program that has it could be of that version."""
    lab.internet()
    db = sqlite3.connect(lab.users.path)
    db.executescript(VERSION_1)
    db.close()
    lab.users.path.chmod(0o600)
    os.chown(lab.users.path, SERVICE, 0)
    before = lab.users.path.read_bytes()
    check = lab.dtcps("--check", wait=False)
    assert check.wait() == 0
    check.wait_log("users.db was made by an earlier version of dtcp; the next start brings it up")
    for words in (["list"], ["show", "alice"], ["lease", "list"]):
        assert "2001:db8:100:100::/56" in lab.users.dtcpauth(*words).stdout
    assert lab.users.dtcpauth("add", "alice", text="secret\n").returncode == 4
    result = lab.users.dtcpauth("import", "--dry-run", "-", text="bob:secret\nalice:other\n")
    assert result.stdout == "nothing is imported; it would be: 1 added, 1 changed, 0 unchanged\n"
    assert lab.users.dtcpauth("import", "-", text="bob:secret\nalice: \n\n:\n").returncode == 6
    assert lab.users.path.read_bytes() == before
    server = lab.dtcps()
    with Wire(lab.site) as wire:
        assert "2001:db8:100:100::/56" in wire.login("alice")
    assert server.stop() == 0
    assert lab.users.path.read_bytes() != before
    assert "earlier version" not in server.log()
