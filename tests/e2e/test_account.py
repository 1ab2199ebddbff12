# SPDX-License-Identifier: BSD-2-Clause
"""Users are added, changed and deleted while the server runs; and one user has one session."""

import ipaddress
import stat
import time

import pytest

from lab.programs import HOST_PREFIX, PASSWORD, POOL
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping
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
        assert bob.line(5) == "-ERR account changed: user deleted"
        assert bob.closed()
        server.wait_log(rf"session down user=bob peer={OTHER} ")
        # Everybody else stays.
        assert alice.ask("ping").startswith("+OK")


def test_changed_password_cuts(internet):
    internet.dtcps()
    internet.users.add("bob")
    with Wire(internet.site) as wire:
        wire.login()
        internet.users.passwd("bob", "of no concern to alice")
        internet.users.passwd("alice", "changed")
        assert wire.line(5) == "-ERR account changed: another password"
        assert wire.closed()
    with Wire(internet.site) as wire:
        wire.login(password="changed")


def test_several_prefixes(internet):
    """A client gets all that are fixed for its user, and so does the device of a tunnelonly one."""
    prefixes = ["2001:db8:100:800::/56", "2001:db8:100:4200::/60", "2001:db8:f00::/48"]
    inside = [str(ipaddress.ip_network(prefix)[0x77]) for prefix in prefixes[:2]]
    internet.users.set("alice", "prefix=" + ",".join(reversed(prefixes)))
    server = internet.dtcps()
    with Wire(internet.site) as wire:
        assert wire.login()[2:] == prefixes
        wire.ask("quit")
        assert wire.closed()
    client = internet.dtcpclient()
    client.wait_up()
    server.wait_log(rf"session up user=alice peer={SITE} .*prefix={','.join(prefixes)}")
    for address in inside:
        internet.site.ip("addr", "add", f"{address}/128", "dev", "lo")
        ping(internet.site, SIX, source=address)
        ping(internet.six, address)
    # One less: the session ends, and the next one has the others.
    internet.users.set("alice", f"prefix={prefixes[0]},{prefixes[2]}")
    assert client.wait() != 0
    with Wire(internet.site) as wire:
        assert wire.login()[2:] == [prefixes[0], prefixes[2]]
        wire.ask("quit")
        assert wire.closed()
    # All of a tunnelonly user's are led to the one device, in the pool or not.
    with Wire(internet.site) as wire:
        wire.login("alice", "tunnelonly")
        for prefix in (prefixes[0], prefixes[2]):
            assert "dtcps1" in internet.server.ip("-6", "route", "show", prefix)
        wire.ask("quit")
        assert wire.closed()


LIMITS = [
    # words, type, transport; of the end of a session, and of a login; and what the log says of it
    ("disabled=yes", "network", "", "disabled", "account disabled", "the account is disabled"),
    ("expires=2001-01-01", "host", "udp", "expired", "account expired", "the account has expired"),
    ("types=tunnelonly,host", "network", "udp", "tunnel type not allowed",
     "unsupported tunnel type network",
     "asks for tunnel type network, which the user is not allowed"),
    ("transports=udp", "network", "", "transport not allowed",
     "unsupported transport ipv6, use udp", "asks for protocol 41, which the user is not allowed"),
    ("transports=ipv6", "tunnelonly", "udp", "transport not allowed", "unsupported transport udp",
     "asks for UDP, which the user is not allowed"),
]


@pytest.mark.parametrize("words, kind, transport, end, refusal, reason", LIMITS)
def test_limits(internet, words, kind, transport, end, refusal, reason):
    """Each ends a session at once and keeps the user out, who is told why, as is the log; somebody
    without the password learns nothing."""
    server = internet.dtcps("-U", set={"limit.delay": 0})
    with Wire(internet.site) as wire:
        wire.login("alice", f"{kind} {transport}")
        internet.users.set("alice", words)
        assert wire.line(5) == f"-ERR account changed: {end}"
        assert wire.closed()
    server.wait_log(rf"session down user=alice peer={SITE} reason=\"account changed: {end}\"")
    with Wire(internet.site) as wire:
        assert wire.ask(wire.request("alice", f"{kind} {transport}", "wrong")) == REFUSED
        assert wire.ask(wire.request("alice", f"{kind} {transport}")) == f"-ERR {refusal}"
        server.wait_log(rf"tunnel refused user=alice peer={SITE} reason=\"{reason}")
        internet.users.set("alice", "disabled=no", "expires=never", "types=any", "transports=any")
        wire.login("alice", f"{kind} {transport}")


def test_expiry(internet):
    """The account expires while the session is up."""
    server = internet.dtcps()
    with Wire(internet.site) as wire:
        wire.login()
        moment = time.gmtime(time.time() + 2)
        internet.users.set("alice", f"expires={time.strftime('%Y-%m-%dT%H:%M:%SZ', moment)}")
        assert wire.line(10) == "-ERR account changed: expired"
        assert wire.closed()
    server.wait_log(r"reason=\"account changed: expired\"")


def test_client_is_led_to_udp(internet):
    """With auto, a user who may have UDP only gets it."""
    internet.users.set("alice", "transports=udp")
    internet.dtcps("-U")
    client = internet.dtcpclient("--transport", "auto")
    client.wait_log("tunnel up .*transport=udp ")


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
