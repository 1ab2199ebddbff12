# SPDX-License-Identifier: BSD-2-Clause
"""The project's own programs."""

import ipaddress
import os
import re
import signal
import subprocess

from .process import Process
from .sockets import listening_ports
from .wait import BUILD, until

DTCPS = BUILD / "src" / "server" / "dtcps"
DTCPCLIENT = BUILD / "src" / "client" / "dtcpclient"
DTCPAUTH = BUILD / "src" / "tools" / "dtcpauth"
DTCPCTL = BUILD / "src" / "tools" / "dtcpctl"
DTCPWEB = BUILD / "src" / "web" / "dtcpweb"

PORT = 20200
POOL = ipaddress.ip_network("2001:db8:100::/40")
HOST_PREFIX = ipaddress.ip_network("2001:db8:1::/64")
HOST_SERVER = HOST_PREFIX[1]
PASSWORD = "the quick brown fox"

# Whom dtcps runs as, and to whom the lab's folder and the databases in it belong: a number, so that
# no machine needs to know it.
SERVICE = 20200

# DTCP_FAST=on or off: which path carries packets in all tests that do not say so themselves.
FAST = os.environ.get("DTCP_FAST")


class Users:
    """A user database, kept with dtcpauth."""

    with_alice = None  # a whole one

    def __init__(self, lab):
        self.path = lab.dir / "users.db"
        self.environment = lab.environment()

    def dtcpauth(self, *words, text=None):
        return subprocess.run([str(DTCPAUTH), "--database", str(self.path), *map(str, words)],
                              input=text, stdin=subprocess.DEVNULL if text is None else None,
                              capture_output=True, text=True, env=self.environment,
                              start_new_session=True)

    def must(self, *words, text=None):
        result = self.dtcpauth(*words, text=text)
        assert result.returncode == 0, f"dtcpauth {words}: {result.returncode}\n{result.stderr}"
        return result.stdout

    def add(self, name, password=PASSWORD, prefix=None):
        extra = ("--prefix", prefix) if prefix else ()
        return self.must("add", name, *extra, text=f"{password}\n")

    def add_alice(self):
        """The user of most tests. dtcpauth makes the database once, the others are copies."""
        if self.path.exists():
            self.add("alice")
        elif Users.with_alice is None:
            self.add("alice")
            Users.with_alice = self.path.read_bytes()
        else:
            with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
                copy.write(Users.with_alice)
            os.chown(self.path, SERVICE, 0)

    def passwd(self, name, password):
        return self.must("passwd", name, text=f"{password}\n")

    def set(self, name, *words):
        return self.must("set", name, *words)

    def delete(self, name):
        return self.must("del", name)

    def drop(self, name, *lease):
        return self.must("lease", "drop", name, *lease)


class Counting(Process):
    """A program that shows its counters at SIGUSR1."""

    FIRST = ""  # of the counters; it is always there

    def counters(self):
        """{name: number} as logged at SIGUSR1, without zeros."""
        since = self.mark()
        for wanted in (1, 2):
            # The second answer begins when the first is complete.
            self.send_signal(signal.SIGUSR1)
            until(lambda wanted=wanted: self._blocks(since)[wanted:],
                  f"{self.name} shows its counters")
        return {name: int(number)
                for name, number in re.findall(r"counter name=(\S+) value=(\d+)", self._blocks(since)[1])}

    def calm(self):
        """Waits until it has heard all that the kernel has to say about what was done up to now."""
        self.node.settle()
        # It answers when it has nothing else to do.
        self.counters()

    def _blocks(self, since):
        return re.split(rf"(?=counter name={self.FIRST} value=\d+$)", self.log()[since:], flags=re.MULTILINE)


class Server(Counting):
    """dtcps in the foreground. set holds settings for -o; None leaves a default one out."""

    FIRST = "sessions"

    def __init__(self, node, users, *words, set=None, wait=True, program=DTCPS):
        settings = {"database": users.path, "host.prefix": HOST_PREFIX, "network.pool": POOL,
                    "user": SERVICE}
        if FAST:
            settings["fast"] = FAST
        settings.update(set or {})
        options = []
        for key, value in settings.items():
            if value is not None:
                options += ["-o", f"{key}={value}"]
        super().__init__(node, "dtcps", program, *options, *words)
        self.port = int(settings.get("port") or PORT)
        self.parts = {"control", "forward", "accounts"}
        if (settings.get("host.prefix") or settings.get("network.pool")) and \
                settings.get("ndp.proxy") != "off":
            self.parts.add("ndp")
        if wait:
            self.wait_ready()

    def listens(self):
        with self.node.inside():
            return self.port in listening_ports()

    def wait_ready(self):
        def ready():
            if not self.running():
                raise AssertionError(f"dtcps ended with status {self.popen.returncode}")
            # The port is there before anybody is let in.
            return self.listens() and "ready for logins" in self.log() and \
                self.parts <= self.rooms().keys()

        until(ready, "dtcps listens")


class Client(Counting):
    """dtcpclient in the foreground, its password in the node's own dtcpclient.auth."""

    FIRST = "in-packets"

    def __init__(self, node, *words, type="network", user="alice", password=PASSWORD,
                 server="198.51.100.2", terminal=None, program=DTCPCLIENT):
        if password is not None:
            write_auth(node, f"{server}:{user}:{password}\n")
        kind = ("-t", type) if type else ()
        name = ("-u", user) if user else ()
        fast = ("--fast", FAST) if FAST and "--fast" not in words else ()
        super().__init__(node, "dtcpclient", program, *kind, *name, *fast, *words, server,
                         terminal=terminal)

    def wait_up(self, seconds=15, since=0):
        """Waits for the line that says that the tunnel is up, and returns what it says."""
        line = self.wait_log(r"tunnel up (.*)", seconds, since=since).group(1)
        return dict(re.findall(r"(\w+)=(\S+)", line))

    def prefix(self):
        return ipaddress.ip_network(self.wait_up()["prefix"])


def write_auth(node, text, mode=0o600, name="dtcpclient.auth"):
    path = node.dir / "etc" / name
    path.write_text(text)
    path.chmod(mode)
    return path


def router_address(prefix):
    """The address that a router of a delegated prefix gets: ::1 of its last /64; of a /64, its
    last but one."""
    prefix = ipaddress.ip_network(prefix)
    if prefix.prefixlen >= 64:
        return prefix[-2]
    return ipaddress.ip_network((int(prefix[-1]) >> 64 << 64, 64))[1]
