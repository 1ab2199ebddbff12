# SPDX-License-Identifier: BSD-2-Clause
"""Two hundred users at once, each from an address of its own."""

import ipaddress

from lab.outside import Outside, echo_request
from lab.programs import POOL
from lab.topology import SERVER, SITE, SIX
from lab.wait import until
from lab.wire import Wire

USERS = 200
ADDRESSES = [f"203.0.113.{number}" for number in range(1, USERS + 1)]


def test_two_hundred(internet):
    site = internet.site
    batch = internet.file("addresses", "".join(f"addr add {address}/32 dev up0\n"
                                               for address in ADDRESSES))
    site.ip("-batch", batch)
    internet.net.ip("route", "add", "203.0.113.0/24", "via", SITE)
    for number in range(USERS):
        internet.users.add(f"user{number}", f"password {number}")
    server = internet.dtcps()
    outside = Outside(site)

    # In steps, so that all of them are at the same point at the same time.
    wires = [Wire(site, source=address, greet=False) for address in ADDRESSES]
    for wire in wires:
        wire.greeting = wire.line()
        wire.challenge = wire.greeting.split()[1]
    for number, wire in enumerate(wires):
        wire.send(wire.request(f"user{number}", "network", f"password {number}") + "\r\n")
    prefixes = []
    for address, wire in zip(ADDRESSES, wires):
        words = wire.line(60).split()
        assert words[:3] == ["+OK", address, SERVER], words
        prefixes.append(ipaddress.ip_network(words[3]))
    assert all(prefix.subnet_of(POOL) and POOL[1] not in prefix for prefix in prefixes)
    assert len(set(prefixes)) == USERS
    ordered = sorted(prefixes)
    assert not any(a.overlaps(b) for a, b in zip(ordered, ordered[1:]))
    assert server.counters()["sessions"] == USERS

    # Each pings the IPv6 host from inside its own prefix; the answer comes to its own address.
    missing = dict(zip(ADDRESSES, prefixes))

    def all_answered():
        for number, address in enumerate(ADDRESSES):
            if address in missing:
                outside.send(address, SERVER, echo_request(missing[address][1], SIX, number))
        while missing and (answer := outside.receive(1)):
            source, destination, packet = answer
            assert source == SERVER
            if packet[40] == 129 and destination in missing:
                assert packet[24:40] == missing[destination][1].packed
                del missing[destination]
        return not missing

    until(all_answered, lambda: f"all ping; {len(missing)} of {USERS} are missing", 30)

    # And all leave at once.
    for wire in wires:
        wire.send("quit\r\n")
    for wire in wires:
        assert wire.line() == "+OK good bye"
        assert wire.closed()
    until(lambda: server.counters()["sessions"] == 0, "every session has ended")


def test_limit_of_sessions(internet):
    """One more than the limit is refused, and the others do not notice."""
    server = internet.dtcps(set={"limit.sessions": 2})
    for user in ("bob", "carol"):
        internet.users.add(user)
    for address in ("192.0.2.3", "192.0.2.4"):
        internet.site.ip("addr", "add", f"{address}/24", "dev", "up0")
    with Wire(internet.site) as alice, Wire(internet.site, source="192.0.2.3") as bob:
        alice.login("alice")
        bob.login("bob")
        carol = Wire(internet.site, source="192.0.2.4", greet=False)
        greeting = carol.line()
        if greeting is not None and greeting.startswith("+OK"):
            carol.challenge = greeting.split()[1]
            assert carol.ask(carol.request("carol")) == "-ERR tunnel interface sold out"
        carol.close()
        assert alice.ask("ping").startswith("+OK") and bob.ask("ping").startswith("+OK")
        assert server.counters()["sessions"] == 2
        # A user's new session takes the place of the old one.
        with Wire(internet.site) as again:
            again.login("alice")
            assert alice.line() == "-ERR superseded by a new session"
