# SPDX-License-Identifier: BSD-2-Clause
"""Many clients of one server, each on a machine of its own: all types and transports, some of them
behind NATs."""

import ipaddress
import select
import threading
import time

from .echo import Echo
from .nat import Nat
from .programs import POOL, Client
from .topology import SIX
from .wait import until

TYPES = ("network", "host", "tunnelonly")
BEHIND_NAT = 5  # sites at each box
SERVER_LINK_LOCAL = "fe80::c633:6402"  # of 198.51.100.2
NETWORK_LENGTH = 56


class Site:
    """The machine of one user."""

    def __init__(self, lab, number):
        self.lab = lab
        self.number = number
        self.user = f"user{number}"
        self.password = f"password {number}"
        self.type = TYPES[number % len(TYPES)]
        self.nat = None
        self.node = lab.node(f"c{number}")
        self.client = None
        self.outages = []
        self.last = self.first = None  # when an answer came, and the first one since the mark
        self.marked = 0
        self.sending = None

    def connect(self, router, interface, network, transport):
        """Puts it on a wire of a router."""
        self.router, self.interface, self.network = router, interface, network
        self.transport = transport
        self.lab.wire(self.node, "up0", router, interface)
        router.ip("addr", "add", f"{network}.1/24", "dev", interface)
        self.host = 2
        self.node.ip("addr", "add", f"{network}.2/24", "dev", "up0")
        self.node.ip("route", "add", "default", "via", f"{network}.1")

    def readdress(self):
        """Another address of its network in place of the one it had."""
        self.host = 2 + (self.host - 1) % 9
        self.node.ip("-4", "addr", "flush", "dev", "up0")
        self.node.ip("addr", "add", f"{self.network}.{self.host}/24", "dev", "up0")
        self.node.ip("route", "replace", "default", "via", f"{self.network}.1")

    def start(self, *words):
        transport = ("-n", "-U") if self.nat and self.transport == "udp" else \
            ("--transport", self.transport)
        self.client = Client(self.node, "-l", *transport, *words, type=self.type, user=self.user,
                             password=self.password)
        return self.client

    def watch(self):
        """From here on its packets are sent by send()."""
        self.sending = Echo(self.node)

    def send(self):
        if self.type == "tunnelonly":
            self.sending.send(SERVER_LINK_LOCAL, "dtcp0")
        else:
            self.sending.send(SIX)

    def inside(self):
        """Its address in the tunnel."""
        if self.type == "tunnelonly":
            addresses = self.node.addresses("dtcp0", scope="link")
        else:
            addresses = self.node.addresses("dtcp0")
        return addresses[0] if len(addresses) == 1 else None

    def own(self):
        """The user's own prefix or address; None if there is none."""
        inside = self.inside()
        if self.type == "network" and inside:
            return ipaddress.ip_network((inside, NETWORK_LENGTH), strict=False)
        return inside


class Crowd:
    """count sites around a Lab, their users in the database; none of them runs anything yet."""

    def __init__(self, lab, count):
        self.lab = lab
        self.nats = []
        lab.internet()
        self.sites = [self._site(number) for number in range(count)]
        for site in self.sites:
            lab.users.add(site.user, site.password)
        self.from_six, self.from_server = Echo(lab.six), Echo(lab.server)
        self.pulse = None
        lab.closing.append(self.close)

    def _site(self, number):
        lab = self.lab
        site = Site(lab, number)
        if number % 5 < 3:
            transport = ("ipv6", "udp", "auto")[number // 3 % 3]
            site.connect(lab.net, f"s{number}", f"10.1.{number}", transport)
            return site
        if not self.nats or len(self.nats[-1].sites) == BEHIND_NAT:
            self._nat()
        site.nat = self.nats[-1]
        site.connect(site.nat, f"in{number}", f"10.2.{number}", ("udp", "auto")[number % 2])
        site.nat.sites.append(site)
        return site

    def _nat(self):
        number = len(self.nats)
        nat = Nat(self.lab, f"box{number}", "masquerade")
        self.lab.nodes.append(nat)
        self.nats.append(nat)
        nat.sites = []
        nat.host = 2
        nat.network = f"10.3.{number}"
        self.lab.wire(nat, "out0", self.lab.net, f"n{number}")
        self.lab.net.ip("addr", "add", f"{nat.network}.1/24", "dev", f"n{number}")
        nat.ip("addr", "add", f"{nat.network}.2/24", "dev", "out0")
        nat.ip("route", "add", "default", "via", f"{nat.network}.1")

    def readdress_nat(self, nat):
        nat.host = 2 + (nat.host - 1) % 9
        nat.ip("-4", "addr", "flush", "dev", "out0")
        nat.ip("addr", "add", f"{nat.network}.{nat.host}/24", "dev", "out0")
        nat.ip("route", "replace", "default", "via", f"{nat.network}.1")

    def server(self, **more):
        return self.lab.dtcps("-U", **more)

    # --- what gets through

    def watch(self):
        """Pings from every site all the time, and notes when no answer came for longer than a
        second. Returns the thread's own object."""
        for site in self.sites:
            site.watch()
        self.pulse = Pulse(self.sites)
        return self.pulse

    def mark(self, moment=None):
        """From this moment on first answers are waited for; from now on, unless told."""
        for site in self.sites:
            site.first = None
        for site in self.sites:
            site.marked = moment or time.monotonic()

    def missing(self):
        """Sites that have had no answer since the mark."""
        return [site for site in self.sites if site.first is None]

    def wait_all(self, seconds):
        """Waits until every site has had an answer since the mark; returns when each of them had
        its first, in seconds from then on."""
        def names():
            return [f"{site.user} ({site.type}, {site.transport}{', nat' if site.nat else ''})"
                    for site in self.missing()]

        until(lambda: not self.missing(), lambda: f"every ping goes through; missing: {names()}",
              seconds)
        return self.times()

    def times(self):
        return sorted(site.first - site.marked for site in self.sites)

    def own(self):
        """{user: the prefix or address that is that user's for good}, after a look that nobody has
        what another one has. A bare link has an address for as long as its session."""
        found = {site.user: site.own() for site in self.sites}
        for user, what in found.items():
            assert what, f"{user} has no address"
        networks = [what for what in found.values() if isinstance(what, ipaddress.IPv6Network)]
        assert all(network.subnet_of(POOL) for network in networks), found
        assert len(set(found.values())) == len(found), found
        return {site.user: found[site.user] for site in self.sites if site.type != "tunnelonly"}

    def back_again(self, seconds=15):
        """Waits until the pings towards the sites go through, too."""
        missing = {site.user: site.inside() for site in self.sites if site.type != "tunnelonly"}
        bare = {site.user: site.inside() for site in self.sites if site.type == "tunnelonly"}

        def all_there():
            for user in self.from_six.answered(missing):
                del missing[user]
            if bare:
                devices = [name for name in self.lab.server.links()
                           if name.startswith("dtcps") and name != "dtcps0"]
                there = self.from_server.neighbours(devices)
                for user in [user for user, address in bare.items() if address in there]:
                    del bare[user]
            return not missing and not bare

        until(all_there, lambda: f"pings reach every site; missing: {missing} {bare}", seconds)

    def close(self):
        if self.pulse:
            self.pulse.stop()
        for site in self.sites:
            if site.sending:
                site.sending.close()
        self.from_six.close()
        self.from_server.close()


class Pulse:
    """The thread that pings."""

    INTERVAL = 0.25
    OUTAGE = 1.0

    def __init__(self, sites):
        self.sites = sites
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        by_socket = {site.sending.socket: site for site in self.sites}
        poll = select.epoll()
        by_number = {}
        for sock, site in by_socket.items():
            poll.register(sock, select.EPOLLIN)
            by_number[sock.fileno()] = site
        while not self.ending.is_set():
            for site in self.sites:
                site.send()
            end = time.monotonic() + self.INTERVAL
            while (left := end - time.monotonic()) > 0:
                for number, _ in poll.poll(left):
                    self._answer(by_number[number])
        poll.close()

    def _answer(self, site):
        if not site.sending.receive():
            return
        now = time.monotonic()
        if site.last and now - site.last > self.OUTAGE:
            site.outages.append(now - site.last)
        site.last = now
        if site.first is None and now > site.marked:
            site.first = now

    def stop(self):
        self.ending.set()
        self.thread.join()
