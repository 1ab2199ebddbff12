# SPDX-License-Identifier: BSD-2-Clause
"""Users come, change and go while the server runs; and one user has one session."""

import ipaddress
import stat

from lab.programs import HOST_PREFIX, PASSWORD, POOL
from lab.topology import SERVER, SITE
from lab.wire import Wire

REFUSED = "-ERR authentication failed."
OTHER = "192.0.2.3"


def test_changes_are_seen_at_once(internet):
    internet.dtcps()
    with Wire(internet.site) as wire:
        assert wire.ask(wire.request("newcomer", "tunnelonly")) == REFUSED
        internet.users.add("newcomer")
        wire.login("newcomer", "tunnelonly")
        wire.ask("quit")
    internet.users.passwd("newcomer", "another one")
    with Wire(internet.site) as wire:
        assert wire.ask(wire.request("newcomer", "tunnelonly")) == REFUSED
        wire.login("newcomer", "tunnelonly", "another one")
        wire.ask("quit")
    internet.users.delete("newcomer")
    with Wire(internet.site) as wire:
        assert wire.ask(wire.request("newcomer", "tunnelonly", "another one")) == REFUSED


def test_deleted_user_is_cut(internet):
    server = internet.dtcps()
    internet.users.add("bob")
    internet.site.ip("addr", "add", f"{OTHER}/24", "dev", "up0")
    with Wire(internet.site) as alice, Wire(internet.site, source=OTHER) as bob:
        alice.login("alice")
        bob.login("bob")
        internet.users.delete("bob")
        assert bob.line(5) == "-ERR account changed"
        assert bob.closed()
        server.wait_log(rf"bob@{OTHER}: down")
        # Everybody else stays.
        assert alice.ask("ping").startswith("+OK")


def test_changed_password_cuts(internet):
    internet.dtcps()
    internet.users.add("bob")
    with Wire(internet.site) as wire:
        wire.login()
        internet.users.passwd("bob", "of no concern to alice")
        internet.users.passwd("alice", "changed")
        assert wire.line(5) == "-ERR account changed"
        assert wire.closed()
    with Wire(internet.site) as wire:
        wire.login(password="changed")


def test_new_session_replaces_the_old(internet):
    """The new one is set up first and has the same prefix; then the old one is told."""
    server = internet.dtcps()
    internet.site.ip("addr", "add", f"{OTHER}/24", "dev", "up0")
    for source in (None, OTHER):
        with Wire(internet.site) as old, Wire(internet.site, source=source) as new:
            words = old.login()
            again = new.login()
            assert again == [source or SITE, SERVER, words[2]]
            assert old.line() == "-ERR superseded by a new session"
            assert old.closed()
            assert new.ask("ping").startswith("+OK")
            new.ask("quit")
    assert server.counters()["sessions"] == 0


def test_two_users_at_one_address(internet):
    """Protocol 41 cannot tell them apart."""
    internet.dtcps()
    internet.users.add("bob")
    with Wire(internet.site) as alice, Wire(internet.site) as bob:
        alice.login("alice")
        assert bob.ask(bob.request("bob")) == "-ERR address in use by another tunnel, use udp"
        assert alice.ask("ping").startswith("+OK")
        alice.ask("quit")
        assert alice.closed()
        bob.login("bob")


def test_overlapping_prefixes(internet):
    """Never two users with the same addresses; the message says who has them."""
    users = internet.users
    users.add("fixed", prefix="2001:db8:f00::/48")
    for prefix in ("2001:db8:f00::/48", "2001:db8:f00:ff00::/56", "2001:db8::/32"):
        result = users.dtcpauth("add", "late", "--prefix", prefix, text="pass\n")
        assert result.returncode != 0
        assert "fixed" in result.stderr, result.stderr
    for prefix in ("2001:db8:f00::1/48", "nonsense", "2001:db8:a00::", "ff00::/16", "::/0"):
        result = users.dtcpauth("add", "late", "--prefix", prefix, text="pass\n")
        assert result.returncode != 0 and prefix in result.stderr, result.stderr
    assert users.dtcpauth("show", "late").returncode != 0

    # A prefix out of the pool goes to nobody else, and what was leased cannot be fixed for others.
    users.add("inside", prefix="2001:db8:100:100::/56")
    internet.dtcps()
    with Wire(internet.site) as wire:
        leased = wire.login()[2]
        assert ipaddress.ip_network(leased).subnet_of(POOL)
        assert leased != "2001:db8:100:100::/56"
    result = users.dtcpauth("add", "late", "--prefix", leased, text="pass\n")
    assert result.returncode != 0 and "alice" in result.stderr


def test_dtcpauth(internet):
    users = internet.users
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600
    users.add("bob", prefix="2001:db8:f00::/48")
    assert users.dtcpauth("add", "bob", text="x\n").returncode != 0
    listed = users.dtcpauth("list")
    assert listed.returncode == 0
    assert "alice" in listed.stdout and "bob" in listed.stdout
    shown = users.dtcpauth("show", "bob")
    assert "2001:db8:f00::/48" in shown.stdout
    assert PASSWORD not in listed.stdout + shown.stdout
    for words in (("show", "nobody"), ("del", "nobody"), ("passwd", "nobody")):
        result = users.dtcpauth(*words, text="x\n")
        assert result.returncode != 0 and "nobody" in result.stderr
    for name in ("", "a b", "a:b", "x" * 65, "tab\there"):
        assert users.dtcpauth("add", name, text="x\n").returncode != 0, name
    assert users.dtcpauth("add", "empty", text="\n").returncode != 0
    assert users.dtcpauth("add", "nothing", text="").returncode != 0
    for words in ((), ("frobnicate",), ("add",), ("list", "more"), ("add", "a", "b")):
        assert users.dtcpauth(*words, text="x\n").returncode != 0, words
    # The same prefix is free again once its user is gone.
    users.delete("bob")
    users.add("carol", prefix="2001:db8:f00::/48")


def test_database_that_cannot_be_used(internet):
    """One line that names the file, from both programs."""
    bad = internet.file("bad.db", "this is no database\n" * 100, 0o600)
    server = internet.dtcps(set={"database": bad}, wait=False)
    assert server.wait() != 0
    assert str(bad) in server.log()
    missing = internet.dir / "missing" / "users.db"
    server = internet.dtcps(set={"database": missing}, wait=False)
    assert server.wait() != 0
    assert str(missing) in server.log()


def test_host_addresses_are_distinct(internet):
    internet.dtcps()
    seen = set()
    for number in range(10):
        internet.users.add(f"user{number}")
        with Wire(internet.site) as wire:
            me6, her6 = wire.login(f"user{number}", "host")[2:]
            wire.ask("quit")
        assert ipaddress.ip_address(me6) in HOST_PREFIX
        assert her6 == str(HOST_PREFIX[1])
        seen.add(me6)
    assert len(seen) == 10 and str(HOST_PREFIX[1]) not in seen
