# SPDX-License-Identifier: BSD-2-Clause
"""Pools that change, by mistake or not: what a user was given stays the user's."""

import contextlib

from lab.programs import HOST_PREFIX, POOL
from lab.topology import SIX
from lab.wire import Wire

MISTYPED = "2001:db8:200::/40"
OTHER_HOSTS = "2001:db8:2::/64"


@contextlib.contextmanager
def serving(lab, **settings):
    server = lab.dtcps(set=settings)
    yield server
    assert server.stop() == 0


def login(lab, name, kind="network"):
    """The addresses that the user gets."""
    with Wire(lab.site) as wire:
        given = wire.login(name, kind)[2]
        assert wire.ask("quit").startswith("+OK")
        return given


def check(lab, **settings):
    server = lab.dtcps("--check", set=settings, wait=False)
    return server.wait(), server.log()


def test_a_mistyped_pool(internet):
    """Two users log in while the pool is another one, in another order; then it is put back."""
    internet.users.add("bob")
    # Without one, --check has something else to say.
    internet.server.ip("route", "add", "default", "via", SIX)
    right = {"network.pool": POOL, "host.prefix": None}
    wrong = {"network.pool": MISTYPED, "host.prefix": None}
    with serving(internet, **right) as server:
        alice, bob = login(internet, "alice"), login(internet, "bob")
        assert "outside" not in server.log()
    assert "outside" not in check(internet, **right)[1]
    status, log = check(internet, **wrong)
    assert status == 0 and log.endswith("in order, 1 warning\n")
    assert "dtcps: 2 leases are outside of the pools: kept for when" in log
    with serving(internet, **wrong) as server:
        assert "2 leases are outside of the pools: kept for when" in server.log()
        meanwhile = {name: login(internet, name) for name in ("bob", "alice")}
        assert all(prefix.startswith("2001:db8:2") for prefix in meanwhile.values())
    with serving(internet, **right):
        assert (login(internet, "bob"), login(internet, "alice")) == (bob, alice)
    # Those of the mistyped pool wait, too; only who drops them loses them.
    assert "dtcps: 2 leases are outside of the pools: " in check(internet, **right)[1]
    internet.users.drop("bob", meanwhile["bob"])
    assert "dtcps: 1 lease is outside of the pools: " in check(internet, **right)[1]
    internet.users.drop("alice", meanwhile["alice"])
    assert "outside" not in check(internet, **right)[1]
    with serving(internet, **right):
        assert (login(internet, "alice"), login(internet, "bob")) == (alice, bob)


def test_addresses_as_well(internet):
    internet.users.add("bob")
    with serving(internet, **{"host.prefix": HOST_PREFIX}):
        given = [login(internet, name, "host") for name in ("alice", "bob")]
    with serving(internet, **{"host.prefix": OTHER_HOSTS}) as server:
        assert "2 leases are outside of the pools" in server.log()
        for name in ("bob", "alice"):
            assert login(internet, name, "host").startswith("2001:db8:2::")
    with serving(internet, **{"host.prefix": HOST_PREFIX}):
        assert [login(internet, name, "host") for name in ("alice", "bob")] == given


def test_a_lease_that_is_dropped_ends_its_session(internet):
    internet.dtcps()
    with Wire(internet.site) as wire:
        prefix = wire.login("alice", "network")[2]
        internet.users.drop("alice")
        assert wire.line(10) == "-ERR account changed: other addresses"
    # It was the last one to become free.
    assert login(internet, "alice") != prefix
