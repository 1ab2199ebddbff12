# SPDX-License-Identifier: BSD-2-Clause
"""A network namespace, used like a separate machine."""

import contextlib
import ctypes
import fcntl
import ipaddress
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

from .wait import BUILD, until

PREFIX = "dtcp"
FOLDER = "dtcp-e2e-"
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MNT_DETACH = 2
SIOCGIFFLAGS = 0x8913
IFF_RUNNING = 0x40
IFA_F_TENTATIVE = 0x40
SCOPES = {"global": 0x00, "link": 0x20}  # as /proc/net/if_inet6 has them
NETNS = Path("/run/netns")
ENTER = BUILD / "tests" / "e2e" / "enter"
_libc = ctypes.CDLL(None, use_errno=True)


def _config(name):
    match = re.search(rf'#define {name} "(.*)"', (BUILD / "config.h").read_text())
    return match.group(1)


def setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _mount(result, path):
    if result != 0:
        raise OSError(ctypes.get_errno(), "mount", path)


class Namespaces:
    """As "ip netns" does it; but tests make them by the thousand, so it is asked only once, for
    what it prepares."""

    prepared = False

    @classmethod
    def add(cls, name):
        if not cls.prepared:
            command("ip", "netns", "add", name)
            cls.prepared = True
            return
        path = str(NETNS / name)
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0))
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _libc.unshare(CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            try:
                _mount(_libc.mount(b"/proc/thread-self/ns/net", path.encode(), None, MS_BIND, None),
                       path)
            finally:
                setns(back)
        finally:
            os.close(back)

    @staticmethod
    def delete(name):
        path = NETNS / name
        _mount(_libc.umount2(str(path).encode(), MNT_DETACH), str(path))
        path.unlink()


def command(*words, check=True, **more):
    if "input" not in more:
        more["stdin"] = subprocess.DEVNULL
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True, **more)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: status {result.returncode}\n"
                             f"{result.stdout}{result.stderr}")
    return result


def ip_batch(lines):
    """Several commands for ip, which is started only once."""
    return command("ip", "-batch", "-", input="".join(f"{line}\n" for line in lines))


def alive(pid):
    """False also for a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def command_line(pid):
    """As ps shows it: the title of those that have set one."""
    text = Path(f"/proc/{pid}/cmdline").read_bytes()
    return text.replace(b"\0", b" ").decode(errors="replace").strip()


def processes_of(*inodes):
    """{pid: command line} of everything that runs in the network namespaces of these inodes."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{entry}/ns/net").st_ino in inodes:
                found[int(entry)] = command_line(entry)
    return found


class Node:
    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.ns = f"{PREFIX}-{os.getpid()}-{lab.number}-{name}"
        self.gathered = []
        self.dir = lab.dir / name
        for sub in ("run", "etc"):
            (self.dir / sub).mkdir(parents=True)
        (self.dir / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        (self.dir / "hosts").write_text("127.0.0.1 localhost\n198.51.100.2 broker.example.net\n")
        Namespaces.add(self.ns)
        self.inode = os.stat(NETNS / self.ns).st_ino
        # No duplicate address detection: nobody is to wait for it.
        with self.inside():
            for where in ("all", "default"):
                self.sysctl(f"net.ipv6.conf.{where}.accept_dad", 0)
                self.sysctl(f"net.ipv6.conf.{where}.dad_transmits", 0)
        self.ip("link", "set", "lo", "up")

    # --- its network

    @contextlib.contextmanager
    def inside(self):
        """This thread's new sockets, and its /proc/sys/net, are the node's."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            there = os.open(NETNS / self.ns, os.O_RDONLY | os.O_CLOEXEC)
            try:
                setns(there)
            finally:
                os.close(there)
            try:
                yield self
            finally:
                setns(back)
        finally:
            os.close(back)

    def command(self, *words, **more):
        """Runs a tool that needs no more of the node than its network."""
        with self.inside():
            return command(*words, **more)

    def ip(self, *words, check=True):
        if self.lab.gathers:
            self.gathered.append(" ".join(map(str, words)))
            return ""
        return self.command("ip", *words, check=check).stdout

    def ip_gathered(self):
        """Runs the collected commands."""
        lines, self.gathered = self.gathered, []
        with self.inside():
            ip_batch(lines)

    def ip_json(self, *words):
        text = self.ip("-j", *words)
        return json.loads(text) if text.strip() else []

    def sysctl(self, key, value=None):
        path = Path("/proc/sys") / key.replace(".", "/")
        with self.inside():
            if value is None:
                return path.read_text().strip()
            path.write_text(str(value))
        return None

    def nft(self, rules):
        self.command("nft", "-f", "-", input=rules)

    def rename(self, interface, name):
        """As an administrator does it: an interface that is up used to keep its name."""
        for words in ((interface, "down"), (interface, "name", name), (name, "up")):
            self.ip("link", "set", *words)

    def settle(self, *interfaces):
        """Waits until the kernel has done what it does in its own time: the routes of each address
        where there is a carrier; and for these interfaces, which are ends of wires, the carrier and
        a link-local address. Before that, packets get lost and what can be seen here still
        changes."""
        until(lambda: not self._unsettled(interfaces),
              lambda: f"{self.name} is settled; not yet: {self._unsettled(interfaces)}")

    def _unsettled(self, interfaces):
        addresses = self._table("if_inet6")
        routes = {tuple(words[:2]) for words in self._table("ipv6_route")}
        local = {name for *_, scope, _, name in addresses if int(scope, 16) == SCOPES["link"]}
        running = self._running({*interfaces, *(name for *_, name in addresses)})
        found = [name for name in interfaces if name not in running]
        if self.sysctl("net.ipv6.conf.default.disable_ipv6") == "0":
            found += [f"{name} without link-local address" for name in interfaces
                      if name not in local]
        return found + [f"{address} on {name}" for address, *_, bits, name in addresses
                        if name in running and
                        (int(bits, 16) & IFA_F_TENTATIVE or (address, "80") not in routes)]

    def _running(self, interfaces):
        """Those of them that are up and have a carrier."""
        found = set()
        with self.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as query:
            for name in interfaces:
                # One that has gone meanwhile is none.
                with contextlib.suppress(OSError):
                    request = struct.pack("16s24x", name.encode())
                    flags, = struct.unpack("16xH22x", fcntl.ioctl(query, SIOCGIFFLAGS, request))
                    if flags & IFF_RUNNING:
                        found.add(name)
        return found

    def _table(self, name):
        """The words of each line of a table below /proc/net."""
        with self.inside():
            text = Path("/proc/thread-self/net", name).read_text()
        return [line.split() for line in text.splitlines()]

    def links(self):
        return {words[0].partition(":")[0] for words in self._table("dev")[2:]}

    def addresses(self, interface, scope="global"):
        """The IPv6 addresses on an interface, as text without their lengths."""
        return sorted(str(ipaddress.ip_address(int(address, 16)))
                      for address, _, _, bits, _, name in self._table("if_inet6")
                      if name == interface and int(bits, 16) == SCOPES[scope])

    def routes(self):
        """Every IPv6 route of every table, one line each."""
        self.settle()
        lines = self.ip("-6", "route", "show", "table", "all").splitlines()
        return sorted(re.sub(r" expires \S+", "", line).strip() for line in lines)

    # --- what runs there

    def words(self, *words):
        """The command line that runs words on this node, where it finds the node's files in place
        of the machine's."""
        own = {
            "hosts": "/etc/hosts",
            "resolv.conf": os.path.realpath("/etc/resolv.conf"),
            "etc": _config("DTCP_SYSCONFDIR"),
            "run": os.path.realpath(_config("DTCP_RUNDIR")),
        }
        pairs = [text for name, real in own.items() for text in (str(self.dir / name), real)]
        return [str(ENTER), str(NETNS / self.ns), *pairs, "--", *[str(word) for word in words]]

    def run(self, *words, check=True, **more):
        return command(*self.words(*words), check=check, env=self.lab.environment(), **more)

    def processes(self):
        """{pid: command line} of everything that runs in this namespace."""
        return processes_of(self.inode)

    # --- what is left when something has ended

    def state(self):
        """All that a program could leave behind here: compare before and after."""
        self.settle()
        addresses = []
        links = self.ip_json("addr", "show")
        for link in links:
            for info in link.get("addr_info", []):
                addresses.append((link["ifname"], info.get("local"), info.get("prefixlen")))
        files = sorted(str(path.relative_to(self.dir)) for path in self.dir.rglob("*"))
        return {
            "interfaces": sorted(link["ifname"] for link in links),
            "addresses": sorted(addresses, key=str),
            "routes": self.routes(),
            "files": files,
            "processes": sorted(self.processes().values()),
            "forwarding": self.sysctl("net.ipv6.conf.all.forwarding"),
        }

    def back_to(self, before, seconds=15):
        """Waits until nothing more is there than before."""

        def difference():
            now = self.state()
            return {key: {"before": before[key], "now": now[key]}
                    for key in before if now[key] != before[key]}

        until(lambda: not difference(), lambda: f"{self.name} is as before: {difference()}", seconds)

    def destroy(self):
        with contextlib.suppress(OSError):
            Namespaces.delete(self.ns)


def sweep():
    """Removes namespaces and folders of runs that died before they could."""
    for path in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        match = re.match(rf"{FOLDER}(\d+)-", path.name)
        if match and not alive(match.group(1)):
            for disk in path.glob("disk*"):
                command("umount", "-l", disk, check=False)
            shutil.rmtree(path, ignore_errors=True)
    for name in os.listdir(NETNS) if NETNS.is_dir() else []:
        match = re.fullmatch(rf"{PREFIX}-(\d+)-\d+-\w+", name)
        if not match or alive(match.group(1)):
            continue
        pids = command("ip", "netns", "pids", name, check=False).stdout.split()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        command("ip", "netns", "del", name, check=False)
