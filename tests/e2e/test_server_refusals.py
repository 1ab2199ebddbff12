# SPDX-License-Identifier: BSD-2-Clause
"""What the operator reads of a login that is right and gets no tunnel."""

import re

import pytest

from lab.programs import HOST_PREFIX, PASSWORD, POOL
from lab.topology import SITE, SIX
from lab.wait import until
from lab.wire import Wire

SOLD_OUT = "-ERR tunnel interface sold out"


def refused(internet, server, why, answer, user="alice", words=("network",)):
    """words: the type, and what follows it."""
    with Wire(internet.site) as wire:
        kind, *more = words
        assert wire.ask(wire.request(user, kind, PASSWORD, *more)) == answer
    server.wait_log(re.escape(f'control: tunnel refused user={user} peer={SITE} reason="{why}"') + "$")


@pytest.mark.parametrize("words, answer, why", [
    (("network", "udp"), "unsupported transport udp", "asks for UDP, and udp.enable is off"),
    (("ether",), "unsupported tunnel type ether",
     "asks for tunnel type ether, which does not exist"),
    (("host",), "unsupported tunnel type host",
     "asks for tunnel type host, and there is no host.prefix"),
    (("network",), "tunnel interface sold out", "no prefix of the user's own, and no network.pool"),
], ids=["udp", "unknown", "host", "no pool"])
def test_not_offered(internet, words, answer, why):
    server = internet.dtcps(set={"host.prefix": None, "network.pool": None})
    refused(internet, server, why, f"-ERR {answer}", words=words)


def test_pool_exhausted(internet):
    """The second of a pool's two prefixes is the only one to give."""
    internet.users.add("bob")
    pool = "2001:db8:100::/55"
    server = internet.dtcps(set={"network.pool": pool})
    with Wire(internet.site) as first:
        first.login()
        refused(internet, server, f"no free prefix in network.pool {pool}", SOLD_OUT, "bob")
    assert "alice" not in "".join(re.findall("refused.*", server.log()))


@pytest.mark.parametrize("prefix, why", [
    ("2001:db8:100::/48", f"has the server's own address of network.pool {POOL} in it"),
    ("2001:db8:1::/56", f"overlaps host.prefix {HOST_PREFIX}"),
    ("2001:db8:1:0:8000::/66", f"overlaps host.prefix {HOST_PREFIX}"),
])
def test_fixed_prefix_of_the_server(internet, prefix, why):
    """dtcpauth cannot know what is the server's own."""
    internet.users.add("bob", prefix=prefix)
    server = internet.dtcps()
    refused(internet, server, f"the user's prefix {prefix} {why}", SOLD_OUT, "bob")


def test_fixed_prefix_of_the_machine(internet):
    """One that would lead the machine's own network away is refused, unless network.fixed has it;
    and then nothing else outside the pool is allowed."""
    machine = ("has an address or a route of this machine in it, or is in one of its networks "
               "or in host.exclude (network.fixed allows it)")
    internet.users.add("bob", prefix="2001:db8:6::/48")
    internet.users.add("carol", prefix="2001:db8:f00::/48")
    server = internet.dtcps()
    refused(internet, server, f"the user's prefix 2001:db8:6::/48 {machine}", SOLD_OUT, "bob")
    with Wire(internet.site) as wire:
        assert wire.login("carol")[2] == "2001:db8:f00::/48"
    # What the machine gets later counts as well.
    internet.server.ip("-6", "route", "add", "2001:db8:f00:7::/64", "via", SIX, "dev", "six0")

    def refused_now():
        with Wire(internet.site) as wire:
            return wire.ask(wire.request("carol")) == SOLD_OUT

    until(refused_now, "it is seen")
    assert server.stop() == 0
    server = internet.dtcps(set={"network.fixed": "2001:db8:6::/48"})
    with Wire(internet.site) as wire:
        assert wire.login("bob")[2] == "2001:db8:6::/48"
    refused(internet, server, "the user's prefix 2001:db8:f00::/48 is in neither network.pool nor "
            "network.fixed", SOLD_OUT, "carol")


def test_no_free_session(internet):
    internet.users.add("bob")
    server = internet.dtcps("-U", set={"limit.sessions": 1})
    with Wire(internet.site) as first:
        first.login()
        refused(internet, server, "limit.sessions 1 reached", SOLD_OUT, "bob", ("network", "udp"))


def test_address_in_use(internet):
    internet.users.add("bob")
    server = internet.dtcps()
    with Wire(internet.site) as first:
        first.login()
        refused(internet, server, "alice has a tunnel of protocol 41 at this address",
                "-ERR address in use by another tunnel, use udp", "bob")


def test_not_a_flood(internet):
    """One line a second, and one about the rest."""
    server = internet.dtcps(set={"limit.lines": 1000})
    with Wire(internet.site) as wire:
        # Without a wait for each answer: all of them come in the same second.
        wire.send(f"{wire.request(type='ether')}\r\n" * 20)
        for _ in range(20):
            assert wire.line() == "-ERR unsupported tunnel type ether"
    server.wait_log(r'lines left out about="refused tunnels" count=[1-9]', 15)
    assert server.log().count("tunnel refused user=alice") < 10
