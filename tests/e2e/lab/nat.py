# SPDX-License-Identifier: BSD-2-Clause
"""NATs, and networks that lose packets. All of it is the kernel's own:
nftables and conntrack, in the node's namespace."""

import collections
import contextlib
import itertools
import re

from .node import Node

# One mapping: who has it inside, what the outside sees, and for how many seconds it is still kept.
Mapping = collections.namedtuple("Mapping", "source port outside outside_port seconds")

_numbers = itertools.count()
UDP_TIMEOUTS = ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream")


class Nat(Node):
    """A box whose in0, in1, ... are inside and whose out0 is outside.

    how is "masquerade", which keeps a port where it can, or "masquerade fully-random".
    """

    def __init__(self, lab, name, how):
        super().__init__(lab, name)
        self.how = how
        self.sysctl("net.ipv4.ip_forward", 1)
        self.nft("table ip nat { chain in { type nat hook prerouting priority -100; };"
                 " chain out { type nat hook postrouting priority 100;"
                 f" oifname out0 {how}; }}; }}")

    def forward_port(self, port, address, to=None):
        """A static forward of a UDP port, as an administrator sets it."""
        self.nft(f"add rule ip nat in iifname out0 udp dport {port} dnat to {address}:{to or port}")

    def translate(self, on):
        """Whether packets of new flows over UDP are translated. What went out without stays so."""
        self.nft("flush chain ip nat out; " + ("" if on else
                 "add rule ip nat out ip protocol udp accept; ") +
                 f"add rule ip nat out oifname out0 {self.how}")

    def timeouts(self, seconds):
        """How long a UDP mapping is kept without a packet."""
        for name in UDP_TIMEOUTS:
            self.sysctl(f"net.netfilter.{name}", seconds)

    def mappings(self, port=4028):
        """The UDP mappings towards a port of the server."""
        found = []
        listed = self.command("conntrack", "-L", "-p", "udp", check=False).stdout
        for line in listed.splitlines():
            there, back = re.findall(r"src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)", line)
            if int(there[3]) == port:
                found.append(Mapping(there[0], int(there[2]), back[1], int(back[3]),
                                     int(line.split()[2])))
        return found

    def forget(self, everything=False):
        """Drops the UDP mappings; everything: those of TCP as well, like a box that restarts."""
        words = ["-F"] if everything else ["-D", "-p", "udp"]
        self.command("conntrack", *words)


def drop(node, match, hook="forward", verdict="drop"):
    """Adds a firewall rule on a node, for one that loses what it should carry. Returns a function
    that takes it away."""
    table = f"drop{next(_numbers)}"
    node.nft(f"table ip {table} {{ chain c {{ type filter hook {hook} priority 0;"
             f" {match} counter {verdict}; }}; }}")
    return lambda: node.nft(f"delete table ip {table}")


def lose(node, percent):
    """Loses packets at random, in both directions."""
    return drop(node, f"numgen random mod 100 < {percent}")


@contextlib.contextmanager
def blocked(node, match):
    take_away = drop(node, match)
    try:
        yield
    finally:
        take_away()
