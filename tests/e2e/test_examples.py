# SPDX-License-Identifier: BSD-2-Clause
"""The examples of dtcps(8) and dtcpclient(8), as they stand there, each with packets behind it.

Each example runs in a shell of its node. What is typed into a file is typed, ^D and all; apt-get is
played, as who runs the tests has what it would bring.
"""

import ipaddress
import os
import pty
import re
import signal
import socket

import pytest

from lab.node import alive
from lab.process import Process, end_quietly
from lab.programs import HOST_PREFIX, PASSWORD, write_auth
from lab.topology import SERVER, SITE_NET, SIX
from lab.traffic import ping
from lab.wait import BUILD, REPO, until
from test_on_link import rented

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif('"/usr/local/etc"' not in (BUILD / "config.h").read_text(),
                       reason="built for another prefix than the manual pages'")]

PROGRAMS = ("server", "client", "tools")
APT = """#!/bin/sh
[ "$1" = install ] && command -v radvd nft
"""
NAMES = ("tunnel.example.net", "tunnel1.example.net", "tunnel2.example.net")


def examples(page):
    """[(what the text says, its commands)] of a page's EXAMPLES."""
    text = (REPO / "man" / page).read_text()
    section = re.search(r"(?s)^\.Sh EXAMPLES\n(.*?)^\.Sh ", text, re.MULTILINE).group(1)
    found = []
    said = []
    lines = iter(section.splitlines())
    for line in lines:
        if line.startswith(".Dl "):
            found.append((" ".join(said), [line.removeprefix(".Dl ")]))
        elif line.startswith(".Bd "):
            block = []
            for line in lines:
                if line == ".Ed":
                    break
                block.append(line)
            found.append((" ".join(said), block))
        elif line != ".Pp":
            said.append(re.sub(r"^\.\w+ ", "", line))
            continue
        if line != ".Pp":
            said = []
    return found


def script(commands):
    """For a shell: commands begin with "# ", what is typed into one of them ends with ^D."""
    lines = []
    typing = False
    for number, line in enumerate(commands):
        line = line.replace(r"\e", "\\")
        if line == "^D":
            lines.append("TYPED")
            typing = False
        elif line.startswith("# "):
            assert not typing
            typed = number + 1 < len(commands) and "^D" in commands[number:] and \
                re.search(r"\bcat >+ ", line)
            lines.append(line[2:] + (" <<'TYPED'" if typed else ""))
            typing = bool(typed)
        else:
            lines.append(line)
    assert not typing, commands
    return "\n".join(lines) + "\n"


EXAMPLES = {(page, text.split(":")[0].split(",")[0]): commands
            for page in ("dtcps.8", "dtcpclient.8") for text, commands in examples(page)}
tried = {}


def example(page, begins):
    """Marks the test of an example, and gives it the shell's script."""
    tried[page, begins] = True
    return pytest.mark.parametrize("lines", [script(EXAMPLES[page, begins])], ids=[begins])


class Shell(Process):
    """Runs an example on a node. Daemons that it starts are ended with the lab."""

    def __init__(self, lab, node, lines, **more):
        folder = lab.dir / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "apt-get").write_text(APT)
        (folder / "apt-get").chmod(0o755)
        path = ":".join([str(folder), *(str(BUILD / "src" / name) for name in PROGRAMS),
                         lab.environment()["PATH"]])
        # exec: a signal for the shell is for what runs in the foreground.
        lines = re.sub(r"(?m)^(dtcp.*(?:\\\n.*)*)\Z", r"exec \1", lines.rstrip("\n"))
        super().__init__(node, "example", "sh", "-x", lab.file(
            f"example-{len(lab.started)}", f"set -eu\nPATH={path}\n{lines}\n"), **more)


def daemon(node, program):
    """The daemon that an example has left, when it has written its process id."""
    path = node.dir / "run" / f"{program}.pid"
    return int(until(lambda: path.exists() and path.read_text().strip(), f"{path.name} is there"))


@pytest.fixture
def ends(lab):
    """Daemons that are asked to end when the test has, and must."""
    pids = []
    yield pids.append
    for pid in pids:
        end_quietly(pid, signal.SIGTERM)
    until(lambda: not [pid for pid in pids if alive(pid)], "the daemons have ended")


def name_servers(node, address=SERVER):
    hosts = node.dir / "hosts"
    hosts.write_text(hosts.read_text() + "".join(f"{address} {name}\n" for name in NAMES))


def ready(lab, *words, nat=(), lan=False, address=SERVER, **settings):
    """A server for the client's examples, and a site that knows it by its name."""
    lab.internet(nat=nat, lan=lan)
    lab.users.add_alice()
    name_servers(lab.site, address)
    write_auth(lab.site, "".join(f"{name}:alice:{PASSWORD}\n" for name in NAMES))
    return lab.dtcps(*words, set=settings)


def reaches(node):
    until(lambda: node.command("ping", "-6", "-c", "1", "-W", "1", SIX, check=False).returncode == 0,
          f"{node.name} reaches a host with IPv6")


def at_home(lab, node):
    until(lambda: node.addresses("eth0"), f"{node.name} has an address", 30)
    reaches(node)


def test_each_example_is_tried():
    assert set(tried) == set(EXAMPLES)


def connects(node, address, port):
    with node.inside():
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            return False
    return True


# --- dtcpclient(8)

@example("dtcpclient.8", "Connect a site in three commands")
def test_site(lab, ends, lines):
    ready(lab, lan=True)
    lab.site.rename("lan0", "eth1")
    (lab.site.dir / "etc" / "dtcpclient.auth").unlink()
    lab.users.passwd("alice", "correct horse battery staple")
    assert Shell(lab, lab.site, lines).wait() == 0
    ends(daemon(lab.site, "dtcpclient"))
    at_home(lab, lab.lan)


@example("dtcpclient.8", "The same for two networks")
def test_two_networks(lab, ends, lines):
    ready(lab, lan=True)
    lab.site.rename("lan0", "eth1")
    other = lab.node("other")
    lab.wire(lab.site, "wlan0", other, "eth0")
    assert Shell(lab, lab.site, lines).wait() == 0
    ends(daemon(lab.site, "dtcpclient"))
    for node in (lab.lan, other):
        at_home(lab, node)
    assert lab.lan.addresses("eth0") != other.addresses("eth0")
    Process(other, "web", "python3", "-m", "http.server", "--bind", "::", 80)
    Process(other, "hidden", "python3", "-m", "http.server", "--bind", "::", 8080)
    address = other.addresses("eth0")[0].split("/")[0]

    until(lambda: connects(lab.six, address, 80), "the web server is reached from outside")
    until(lambda: connects(other, "::1", 8080), "the other one runs")
    assert not connects(lab.six, address, 8080)


@example("dtcpclient.8", "Give this one machine an IPv6 address")
def test_machine(lab, lines):
    ready(lab)
    (lab.site.dir / "etc" / "dtcpclient.auth").unlink()
    master, slave = pty.openpty()
    client = Shell(lab, lab.site, lines, terminal=slave)
    os.close(slave)
    shown = b""
    while b"assword" not in shown:
        shown += os.read(master, 1000)
    os.write(master, f"{PASSWORD}\n".encode())
    client.wait_log("tunnel up")
    assert re.search(r"server: \+OK", client.log())
    reaches(lab.site)
    assert client.stop() == 0
    os.close(master)


@example("dtcpclient.8", "Behind a NAT that forwards UDP port 5000 to port 4028 of this machine")
def test_forwarded_port(lab, lines):
    ready(lab, "-U", nat=True)
    lab.nat.forward_port(5000, "203.0.113.2", 4028)
    client = Shell(lab, lab.site, lines)
    client.wait_log("tunnel up")
    reaches(lab.site)
    assert client.stop() == 0


@example("dtcpclient.8", "Use the tunnel for two prefixes only")
def test_routes(lab, lines):
    ready(lab)
    client = Shell(lab, lab.site, lines)
    client.wait_log("tunnel up")
    routes = lab.site.ip("-6", "route", "show", "table", "all")
    for prefix in ("2001:db8:1::/48", "fd00::/8"):
        assert re.search(rf"^{prefix} dev dtcp0", routes, re.MULTILINE), routes
    assert not re.search(r"^default", lab.site.ip("-6", "route", "show")), routes
    assert client.stop() == 0


@example("dtcpclient.8", "Have two servers")
def test_two_servers(lab, lines):
    ready(lab)
    hosts = lab.site.dir / "hosts"
    # Nobody is at the first one.
    hosts.write_text(hosts.read_text().replace(f"{SERVER} tunnel1", f"{SITE_NET} tunnel1"))
    client = Shell(lab, lab.site, lines)
    client.wait_log("tunnel up")
    reaches(lab.site)
    assert client.stop() == 0


@example("dtcpclient.8", "Keep all of it in a file and start it by a name")
def test_named(lab, ends, lines):
    ready(lab, lan=True)
    lab.site.rename("lan0", "eth1")
    assert Shell(lab, lab.site, lines).wait() == 0
    ends(daemon(lab.site, "dtcpclient-home"))
    at_home(lab, lab.lan)


@example("dtcpclient.8", "Find out whether it would work")
def test_check(lab, lines):
    ready(lab, "-U")
    (lab.site.dir / "etc" / "dtcp").mkdir(exist_ok=True)
    (lab.site.dir / "etc" / "dtcp" / "home.conf").write_text(
        f"server = {NAMES[0]}\nlogin = alice\ntype = host\n")
    # A root name server.
    lab.six.ip("addr", "add", "2001:7fd::1/128", "dev", "up0", "nodad")
    lab.server.ip("-6", "route", "add", "2001:7fd::1", "via", SIX)
    shell = Shell(lab, lab.site, lines)
    assert shell.wait() == 0, shell.log()
    assert shell.log().count("2001:7fd::1 answers") == 2


@example("dtcpclient.8", "See how a running daemon is")
def test_signals(lab, lines):
    server = ready(lab)
    Shell(lab, lab.site, "dtcpclient -D -l -t host -u alice tunnel.example.net\n").wait()
    pid = daemon(lab.site, "dtcpclient")
    server.wait_log("session up user=alice")
    since = server.mark()
    show, again, end = lines.splitlines()
    assert Shell(lab, lab.site, f"{show}\n{again}\n").wait() == 0
    server.wait_log("session up user=alice", since=since)
    assert Shell(lab, lab.site, f"{end}\n").wait() == 0
    until(lambda: not alive(pid), "the daemon ends")


# --- dtcps(8)

# The machine of an operator: its /etc and /var/lib are copies of its own.
MACHINE = """mount --bind "$LIB" /var/lib
cp -a /etc/. "$ETC"
for name in passwd group shadow gshadow; do sed -i /^_dtcp:/d "$ETC/$name"; done
mount --bind "$ETC" /etc
"""
USERADD = script(EXAMPLES["dtcps.8", "Make the unprivileged user that the server needs"])


def operator(lab, nat=()):
    """Returns what makes the machine, for a shell."""
    lab.internet(nat=nat)
    lab.server.sysctl("net.ipv6.conf.all.forwarding", 0)
    return machine(lab)


def machine(lab):
    for variable, name in (("LIB", "lib"), ("ETC", "etc")):
        (lab.dir / name).mkdir()
        lab.variables[variable] = str(lab.dir / name)
    return MACHINE + USERADD


def serve(lab, lines):
    """What is asked for is a password."""
    with open(lab.file("password", f"{PASSWORD}\n"), "rb") as stdin:
        shell = Shell(lab, lab.server, lines, stdin=stdin)
    assert shell.wait(30) == 0, shell.log()
    return daemon(lab.server, "dtcps")


def connect(lab, *words, **more):
    client = lab.dtcpclient(*words, **more)
    client.wait_up()
    reaches(lab.site)
    assert client.stop() == 0


@example("dtcps.8", "A server for sites")
def test_server(lab, ends, lines):
    ends(serve(lab, operator(lab, nat=True) + lines))
    connect(lab, "-n", "-U")


@example("dtcps.8", "The same with host tunnels and numbered links")
def test_mapped_server(lab, ends, lines):
    made = operator(lab)
    lab.net.nft(f"table ip mapped {{ chain in {{ type nat hook prerouting priority -100;"
                f" iifname site0 ip daddr {SITE_NET} dnat to {SERVER}; }}; }}")
    lab.server.sysctl("net.ipv6.conf.all.forwarding", 1)
    ends(serve(lab, made + "dtcpauth add alice\n" + lines))
    client = lab.dtcpclient(type="host", server=SITE_NET)
    assert ipaddress.ip_address(client.wait_up()["address"]) in HOST_PREFIX
    reaches(lab.site)
    assert client.stop() == 0


@example("dtcps.8", "On a rented machine whose only prefix is on-link")
def test_rented(lab, ends, lines):
    far = rented(lab)
    ends(serve(lab, machine(lab) + lines))
    client = lab.dtcpclient("-U", type="host")
    ping(far, client.wait_up()["address"])
    assert client.stop() == 0


@example("dtcps.8", "Make the unprivileged user that the server needs")
def test_user(lab, lines):
    operator(lab)
    shell = Shell(lab, lab.server,
                  f"{MACHINE}! getent passwd _dtcp\n{lines}getent passwd _dtcp\n")
    assert shell.wait() == 0, shell.log()
    assert re.search(r"^_dtcp:x:\d+:\d+:.*:/usr/sbin/nologin$", shell.log(), re.MULTILINE)


@example("dtcps.8", "Show the counters in the log of a running daemon")
def test_server_signals(lab, lines):
    pid = serve(lab, operator(lab) + script(EXAMPLES["dtcps.8", "A server for sites"]))
    assert Shell(lab, lab.server, lines).wait() == 0
    until(lambda: not alive(pid), "the daemon ends")
