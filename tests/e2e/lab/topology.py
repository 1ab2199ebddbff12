# SPDX-License-Identifier: BSD-2-Clause
"""The machines and the wires between them.

    lan --- site --- [nat --- nat2] --- net --- server --- six
           site2 ------'
site    where dtcpclient runs
site2   optional: another machine behind the same box
nat     optional: boxes that hide the site behind their own address, one behind the other
mobile  optional: another way from the site to the net, through a box of its own
net     a router that knows IPv4 only
server  where dtcps runs; its other side has IPv6
six     a host with IPv6 only
lan     optional: a machine behind the site, without any address at first
"""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from .nat import Nat
from .node import FOLDER, Node, command, ip_batch, processes_of
from .process import end_quietly
from .programs import SERVICE, Client, Server, Users
from .wait import SANITIZED, until

SITE = "192.0.2.2"
SITE_NET = "192.0.2.1"
HIDDEN_SITE = "203.0.113.2"
HIDDEN_NAT = "203.0.113.1"
HIDDEN_SITE2 = "203.0.112.2"
MOBILE_SITE = "100.64.0.2"
MOBILE = "198.18.0.2"
SERVER = "198.51.100.2"
SERVER_NET = "198.51.100.1"
SIX_SERVER = "2001:db8:6::1"
SIX = "2001:db8:6::2"

# DTCP_OFFLOADS=off: every interface is like a network card that does nothing for its packets.
OFFLOADS = os.environ.get("DTCP_OFFLOADS") != "off"
OFFLOADS_OFF = ("tso", "off", "gso", "off", "tx", "off", "rx", "off")


def narrow(a, a_if, b, b_if, mtu):
    """Both ends of a wire take no larger packets."""
    a.ip("link", "set", a_if, "mtu", mtu)
    b.ip("link", "set", b_if, "mtu", mtu)


class Lab:
    """Everything that one test makes; close() takes all of it away, whatever happened."""

    count = 0

    def __init__(self):
        Lab.count += 1
        self.number = Lab.count
        self.dir = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"))
        # The unprivileged rooms write what sanitizers find; the database is in here.
        self.dir.chmod(0o775)
        os.chown(self.dir, SERVICE, 0)
        self.reports = self.dir / "sanitizer"
        self.reports.mkdir()
        self.reports.chmod(0o777)
        self.nodes = []
        self.gathers = False
        self.offloads = OFFLOADS
        self.wires = []
        self.ends = []
        self.started = []
        self.closing = []
        self.ended = []
        self.variables = {}
        self.users = Users(self)
        self.site = self.net = self.server = self.six = self.lan = None
        self.site2 = self.mobile = None
        self.nats = []

    def environment(self):
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "LC_ALL": "C.UTF-8", "HOME": "/root", "LOGNAME": "root", "USER": "root",
               **self.variables}
        if SANITIZED:
            # Leaks are looked for by the unit tests: a process that has given its privileges up
            # may not be traced, which is how the leak finder works.
            env["ASAN_OPTIONS"] = \
                f"detect_leaks=0:verify_asan_link_order=0:log_path={self.reports}/asan"
            env["UBSAN_OPTIONS"] = \
                f"halt_on_error=1:print_stacktrace=1:log_path={self.reports}/ubsan"
        return env

    # --- building

    def node(self, name):
        node = Node(self, name)
        self.nodes.append(node)
        return node

    @contextlib.contextmanager
    def at_once(self):
        """Wires, and what the nodes' ip() is asked for, wait until the end and are then done with
        one process for each node: it takes longer to start than to do them. Then all is settled."""
        self.gathers = True
        yield
        self.gathers = False
        self._lay_wires()
        for node in self.nodes:
            node.ip_gathered()
        self._settle()

    def _lay_wires(self):
        lines, self.wires = self.wires, []
        ip_batch(lines)

    def _settle(self):
        ends, self.ends = self.ends, []
        for node, interface in ends:
            if not self.offloads:
                # What is captured in the middle is what was on the wire: nothing is joined there.
                node.command("ethtool", "-K", interface, *OFFLOADS_OFF,
                             "gro", "off" if node is self.net else "on")
            node.settle(interface)

    def wire(self, a, a_if, b, b_if):
        self.wires.append(f"link add {a_if} netns {a.ns} type veth peer name {b_if} netns {b.ns}")
        if not self.gathers:
            self._lay_wires()
        a.ip("link", "set", a_if, "up")
        b.ip("link", "set", b_if, "up")
        self.ends += [(a, a_if), (b, b_if)]
        if not self.gathers:
            self._settle()

    @property
    def nat(self):
        """The box next to the site."""
        return self.nats[0]

    def _wire_nats(self, styles):
        """From the site outwards."""
        inner, interface = self.site, "up0"
        for number, style in enumerate(styles):
            nat = Nat(self, f"nat{number + 1 if number else ''}", style)
            self.nodes.append(nat)
            self.nats.append(nat)
            self.wire(inner, interface, nat, "in0")
            network = "203.0.113" if number == 0 else f"100.64.{number}"
            inner.ip("addr", "add", f"{network}.2/24", "dev", interface)
            inner.ip("route", "add", "default", "via", f"{network}.1")
            nat.ip("addr", "add", f"{network}.1/24", "dev", "in0")
            inner, interface = nat, "out0"
        return inner, interface

    def internet(self, nat=(), lan=False):
        """Builds the whole picture; returns itself. nat: True, or a style for each box."""
        with self.at_once():
            self._internet(["masquerade"] if nat is True else nat or (), lan)
        return self

    def _internet(self, nat, lan):
        site, net = self.node("site"), self.node("net")
        server, six = self.node("server"), self.node("six")
        self.site, self.net, self.server, self.six = site, net, server, six

        net.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        net.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        net.sysctl("net.ipv4.ip_forward", 1)
        outer, interface = self._wire_nats(nat)
        self.wire(outer, interface, net, "site0")
        outer.ip("addr", "add", f"{SITE}/24", "dev", interface)
        outer.ip("route", "add", "default", "via", SITE_NET)
        net.ip("addr", "add", f"{SITE_NET}/24", "dev", "site0")

        self.wire(server, "up0", net, "server0")
        server.ip("addr", "add", f"{SERVER}/24", "dev", "up0")
        server.ip("route", "add", "default", "via", SERVER_NET)
        net.ip("addr", "add", f"{SERVER_NET}/24", "dev", "server0")

        server.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.wire(server, "six0", six, "up0")
        server.ip("addr", "add", f"{SIX_SERVER}/64", "dev", "six0", "nodad")
        six.ip("addr", "add", f"{SIX}/64", "dev", "up0", "nodad")
        six.ip("route", "add", "default", "via", SIX_SERVER)

        if lan:
            self.lan = self.node("lan")
            self.wire(site, "lan0", self.lan, "eth0")

    def add_site2(self):
        """Another machine behind the box next to the site."""
        self.site2 = self.node("site2")
        self.wire(self.site2, "up0", self.nat, "in1")
        self.site2.ip("addr", "add", f"{HIDDEN_SITE2}/24", "dev", "up0")
        self.nat.ip("addr", "add", "203.0.112.1/24", "dev", "in1")
        self.site2.ip("route", "add", "default", "via", "203.0.112.1")
        return self.site2

    # --- what changes while a tunnel is there

    def readdress(self, address):
        """The site gets another address of its network in place of the one it had."""
        self.site.ip("addr", "flush", "dev", "up0")
        self.site.ip("addr", "add", f"{address}/24", "dev", "up0")
        gateway = HIDDEN_NAT if self.nats else SITE_NET
        self.site.ip("route", "replace", "default", "via", gateway)

    def add_mobile(self, style="masquerade"):
        """Another way for the site, not used yet."""
        self.mobile = Nat(self, "mobile", style)
        self.nodes.append(self.mobile)
        self.wire(self.site, "up1", self.mobile, "in0")
        self.wire(self.mobile, "out0", self.net, "mobile0")
        self.mobile.ip("addr", "add", "100.64.0.1/24", "dev", "in0")
        self.mobile.ip("addr", "add", f"{MOBILE}/24", "dev", "out0")
        self.net.ip("addr", "add", "198.18.0.1/24", "dev", "mobile0")
        self.mobile.ip("route", "add", "default", "via", "198.18.0.1")
        self.site.ip("link", "set", "up1", "down")

    def go_mobile(self):
        """The site leaves its network for the other one."""
        self.site.ip("link", "set", "up0", "down")
        self.site.ip("link", "set", "up1", "up")
        self.site.ip("addr", "add", f"{MOBILE_SITE}/24", "dev", "up1")
        self.site.ip("route", "add", "default", "via", "100.64.0.1")

    # --- running

    def dtcps(self, *words, **more):
        return Server(self.server, self.users, *words, **more)

    def dtcpclient(self, *words, **more):
        return Client(self.site, *words, **more)

    def file(self, name, text, mode=0o644):
        path = self.dir / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def disk(self, size):
        """A folder on a disk of its own, which can be filled up."""
        folder = self.dir / f"disk{len(self.closing)}"
        folder.mkdir()
        command("mount", "-t", "tmpfs", "-o", f"size={size},mode=0775,uid={SERVICE}", "dtcp-e2e",
                folder)
        self.closing.append(lambda: command("umount", "-l", folder))
        return folder

    def sanitizer_reports(self):
        """Reports of the sanitizers in any process, also in those without a terminal."""
        texts = [path.read_text(errors="replace") for path in sorted(self.reports.iterdir())]
        for process in self.started:
            text = process.log()
            if "Sanitizer:" in text or "runtime error:" in text:
                texts.append(text)
        return texts

    def disbelieved(self):
        """Messages that processes rejected as invalid, though none has been compromised."""
        return [line for process in self.started
                if not any("-traitor" in str(word) for word in process.words)
                for line in process.log().splitlines() if line.endswith(": not believed")]

    def messages(self):
        """[(program, its output)] of everything that was started."""
        found = []
        for process in self.started:
            status = "runs" if process.running() else f"status {process.popen.returncode}"
            title = f"{process.node.name}: {process.name} (pid {process.pid}, {status})"
            found.append((title, f"$ {' '.join(process.words)}\n{process.log()[-6000:]}"))
        return found

    def _processes(self):
        """{pid: command line} of everything that runs on any of the nodes."""
        return processes_of(*(node.inode for node in self.nodes))

    def close(self, gently):
        """Ends everything. gently: our own programs are asked first, and must follow."""
        problems = []
        try:
            ours = [process for process in self.started if isinstance(process, (Client, Server))]
            # A client whose server goes first has another status.
            for process in sorted(ours, key=lambda process: isinstance(process, Server)):
                if gently and process.running():
                    try:
                        status = process.stop()
                    except AssertionError as error:
                        problems.append(str(error))
                    else:
                        if status != 0:
                            problems.append(f"{process.name} ended with status {status} on SIGTERM")
            if gently:
                def left():
                    return [title for title in self._processes().values()
                            if title.startswith(("dtcps", "dtcpclient"))]

                try:
                    until(lambda: not left(), lambda: f"nothing is left running: {left()}", 5)
                except AssertionError as error:
                    problems.append(str(error))
        finally:
            for action in self.closing:
                action()
            for process in self.started:
                process.kill()
            # Whatever still runs in a namespace that we made was started by us.
            for pid in self._processes():
                end_quietly(pid)
            for node in self.nodes:
                node.destroy()
        problems += self.sanitizer_reports() + self.disbelieved()
        self.ended = self.messages()
        shutil.rmtree(self.dir, ignore_errors=True)
        return problems
