# SPDX-License-Identifier: BSD-2-Clause
"""The units under a real systemd: the boot, start and stop, what is missing or wrong."""

import json

import pytest

from lab.machine import Machine
from lab.node import _config
from lab.programs import DTCPAUTH, DTCPCLIENT, DTCPS, PASSWORD
from lab.topology import SERVER, SIX
from lab.traffic import ping
from lab.wait import REPO, pass_time, until
from test_readme import BOOT_HOME, BOOT_SERVER, SUDO

pytestmark = [pytest.mark.long, pytest.mark.slow(300)]

ETC = _config("DTCP_SYSCONFDIR")
SBIN = ("env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin")
HOME = "dtcpclient@home.service"
WORK = "dtcpclient@work.service"


@pytest.fixture
def machine(internet):
    made = Machine(internet, internet.site, DTCPCLIENT)
    made.boot()
    yield made
    made.crash()


@pytest.fixture
def server(lab):
    """A machine with a server that has one user, and nothing of it started; the site has a LAN."""
    lab.internet(nat=True, lan=True)
    made = Machine(lab, lab.server, DTCPS, DTCPAUTH)
    made.boot()
    made.run("sh", "-s", input=(REPO / "scripts" / "add-user").read_text())
    made.run(*SBIN, "dtcpauth", "add", "alice", input=f"{PASSWORD}\n")
    made.write(f"{ETC}/dtcps.conf", "network.pool = 2001:db8:100::/40\nudp.enable = yes\n")
    yield made
    made.crash()


def configure(machine, name="home", login="alice", more=""):
    machine.write(f"{ETC}/dtcp/{name}.conf", f"server = {SERVER}\nlogin = {login}\ntype = network\n{more}")


def passwords(machine, password=PASSWORD):
    machine.write(f"{ETC}/dtcpclient.auth", f"{SERVER}:alice:{password}\n{SERVER}:bob:{password}\n", 0o600)


def as_readme(machine, block):
    machine.write("/usr/local/bin/sudo", SUDO, 0o755)
    machine.run(*SBIN, "sh", "-e", input=block)


def starts(machine, unit, ok=True):
    """Starting it is over at once, one way or the other."""
    result = machine.systemctl("start", unit, check=False, timeout=60)
    assert (result.returncode == 0) == ok, (result.stderr, machine.journal(unit))


def up(machine, unit):
    return until(lambda: (text := machine.show(unit, "StatusText")).startswith("up: ") and text,
                 lambda: f"{machine.show(unit, 'StatusText')} {machine.journal(unit)}", 30)


def test_what_is_missing(machine):
    """One line each says what, and nothing is tried again."""
    starts(machine, HOME, ok=False)
    path = f"{ETC}/dtcp/home.conf"
    said = [f"{path}: there is no such file; dtcpclient.conf(5) says what belongs there"]
    assert machine.journal(HOME) == said
    assert machine.show(HOME, "ActiveState") == "failed"
    assert machine.show(HOME, "ExecMainStatus") == "2"
    configure(machine, more="mtu = 9000\n")
    starts(machine, HOME, ok=False)
    said.append(f'{path}:4: mtu: "9000": a number from 1280 to 1480 is needed')
    assert machine.journal(HOME) == said
    configure(machine)
    starts(machine, HOME, ok=False)
    said += [f"the settings are those of {path}",
             f"no password: there is no {ETC}/dtcpclient.auth, and no terminal to ask at"]
    assert machine.journal(HOME) == said
    assert machine.show(HOME, "ActiveState") == "failed"
    assert machine.show(HOME, "NRestarts") == "0"


def test_a_life(internet, machine):
    """From a server that is away to the end, with what an administrator does in between."""
    configure(machine)
    passwords(machine)
    starts(machine, HOME)
    until(lambda: "connection refused" in machine.show(HOME, "StatusText"), "it says what it waits for")
    assert machine.show(HOME, "ActiveState") == "active"
    server = internet.dtcps()
    starts(machine, "dtcpclient-online@home.service")
    assert f"up: alice at {SERVER}" in up(machine, HOME)
    ping(internet.site, SIX)
    [before] = internet.site.ip_json("link", "show", "dev", "dtcp-home")
    since = server.mark()
    machine.systemctl("reload", HOME)
    server.wait_log("session up user=alice peer=.* .*type=network", since=since)
    up(machine, HOME)
    [after] = internet.site.ip_json("link", "show", "dev", "dtcp-home")
    assert after["ifindex"] == before["ifindex"]
    ping(internet.site, SIX)
    # The journal has fields, which nobody else can write for the unit.
    told = machine.run("journalctl", "--quiet", "--output=json", f"_SYSTEMD_UNIT={HOME}",
                       "DTCP_EVENT=tunnel-up").stdout.splitlines()
    entry = json.loads(told[0])
    assert entry["DTCP_SERVER"] == SERVER and entry["DTCP_INTERFACE"] == "dtcp-home"
    assert entry["MESSAGE"].startswith("tunnel up server=") and entry["PRIORITY"] == "6"
    assert entry["SYSLOG_IDENTIFIER"] == "dtcpclient" and entry["_UID"] == "0"
    # Its other parts clear up, and it is started again.
    machine.kill(HOME)
    until(lambda: machine.show(HOME, "NRestarts") == "1", "it is started again", 30)
    up(machine, HOME)
    ping(internet.site, SIX)
    machine.systemctl("stop", HOME)
    assert machine.show(HOME, "Result") == "success"
    assert "dtcp-home" not in internet.site.links()
    assert machine.show("dtcpclient-online@home.service", "ActiveState") == "inactive"


def test_wrong_password(internet, machine):
    """It says so, and goes on trying as slowly as -l does."""
    internet.dtcps()
    configure(machine)
    passwords(machine, "wrong")
    starts(machine, HOME)
    until(lambda: "wrong user name or password" in machine.show(HOME, "StatusText"), "it says so")
    assert machine.show(HOME, "ActiveState") == "active" and machine.show(HOME, "NRestarts") == "0"


def test_one_of_two_is_stopped(internet, machine):
    """Nobody else's processes are touched: those of the other tunnel, and what the script left."""
    internet.users.add("bob")
    internet.dtcps("-U")
    passwords(machine)
    machine.write("/usr/local/sbin/leave", "#!/bin/sh\n[ $state = down ] || sleep 7777 &\n", 0o755)
    configure(machine, "home", more="script = /usr/local/sbin/leave\ntransport = udp\nudp-port = 0\n")
    configure(machine, "work", "bob", "transport = udp\nudp-port = 0\nroute = none\n")
    for unit in (HOME, WORK):
        starts(machine, unit)
        up(machine, unit)
    main = machine.show(WORK, "MainPID")
    machine.systemctl("stop", HOME)
    assert "dtcp-home" not in internet.site.links() and "dtcp-work" in internet.site.links()
    assert machine.show(WORK, "MainPID") == main and machine.show(WORK, "NRestarts") == "0"
    assert machine.run("pgrep", "-f", "^sleep 7777").stdout.split()
    up(machine, WORK)


def test_the_boot_waits_for_nothing(internet, machine):
    """A machine that has no server, and no way to one, is up as soon as any."""
    configure(machine)
    passwords(machine)
    machine.systemctl("enable", HOME)
    machine.crash()
    internet.site.ip("link", "set", "up0", "down")
    machine.boot()
    assert machine.show("multi-user.target", "ActiveState") == "active"
    assert machine.show(HOME, "ActiveState") == "active"
    assert not machine.show(HOME, "StatusText").startswith("up")
    assert machine.jobs().strip() == "No jobs running."
    # The network comes later, and the tunnel with it.
    internet.dtcps()
    internet.site.ip("link", "set", "up0", "up")
    internet.site.ip("route", "replace", "default", "via", "192.0.2.1")
    up(machine, HOME)
    # Whoever wants the boot to wait can have it; and it has an end.
    machine.systemctl("enable", "dtcpclient-online@home.service")
    wanted = machine.run("systemctl", "show", "--property=Wants", "network-online.target").stdout
    assert "dtcpclient-online@home.service" in wanted
    pass_time(1, lambda: machine.show(HOME, "ActiveState") == "active", "it goes on")


DTCPS_UNIT = "dtcps.service"


def test_a_server(lab, server):
    """From the first start to the last; a reload and a look beside it leave it what it has."""
    starts(server, DTCPS_UNIT)
    assert server.show(DTCPS_UNIT, "StatusText") == "20200: 0 sessions"

    def logs_in():
        client = lab.dtcpclient("--transport", "auto")
        client.wait_up()
        ping(lab.site, SIX)
        assert client.stop() == 0

    logs_in()
    server.systemctl("reload", DTCPS_UNIT)
    logs_in()
    result = server.run(*SBIN, "dtcps", "--check", check=False)
    assert (result.returncode, "in order" in result.stdout) == (0, True), result.stderr
    # For the first time a user who has no lease yet: the database is written.
    server.run(*SBIN, "dtcpauth", "add", "bob", input=f"{PASSWORD}\n")
    client = lab.dtcpclient("--transport", "auto", user="bob")
    client.wait_up()
    # A mistake in the file stops nothing, and is told to whoever reloads.
    server.write(f"{ETC}/dtcps.conf", "network.pool = 2001:db8:100::/40\nnonsense = 1\n")
    assert server.systemctl("reload", DTCPS_UNIT, check=False).returncode != 0
    said = f"{ETC}/dtcps.conf:2: nonsense: no such setting; dtcps.conf(5) lists them"
    until(lambda: server.everything().count(said) == 1, server.everything)
    ping(lab.site, SIX)
    assert client.stop() == 0
    server.systemctl("stop", DTCPS_UNIT)
    assert server.show(DTCPS_UNIT, "Result") == "success"
    starts(server, DTCPS_UNIT, ok=False)
    assert server.show(DTCPS_UNIT, "ExecMainStatus") == "2"
    assert server.show(DTCPS_UNIT, "ActiveState") == "failed"
    until(lambda: server.everything().count(said) == 2, server.everything)
    assert "Permission denied" not in server.everything()
    # Killed with all that it has: what was left is no obstacle.
    server.write(f"{ETC}/dtcps.conf", "network.pool = 2001:db8:100::/40\nudp.enable = yes\n")
    starts(server, DTCPS_UNIT)
    server.systemctl("kill", "--signal=KILL", DTCPS_UNIT)
    until(lambda: server.show(DTCPS_UNIT, "NRestarts") == "1" and
          server.show(DTCPS_UNIT, "ActiveState") == "active", "it is started again", 30)
    logs_in()
    # At a boot, by what README says.
    server.systemctl("stop", DTCPS_UNIT)
    server.run("rm", f"{ETC}/dtcps.conf")
    as_readme(server, BOOT_SERVER)
    server.crash()
    lab.server.sysctl("net.ipv6.conf.all.forwarding", 0)
    server.boot()
    until(lambda: server.show(DTCPS_UNIT, "ActiveState") == "active", "it is started at the boot")
    logs_in()


def test_a_network_at_home(lab, server):
    """At a boot, as README says; radvd and nft have what they need in the unit, which leaves nothing
    behind."""
    starts(server, DTCPS_UNIT)
    lab.site.rename("lan0", "eth1")
    home = Machine(lab, lab.site, DTCPCLIENT)
    home.boot()
    home.write("/etc/hosts", f"{SERVER} tunnel.example.net\n")
    home.write(f"{ETC}/dtcpclient.auth", f"tunnel.example.net:alice:{PASSWORD}\n", 0o600)
    as_readme(home, BOOT_HOME)
    home.crash()
    home.boot()
    up(home, HOME)
    until(lambda: lab.lan.addresses("eth0"), "a machine at home has an address", 30)
    ping(lab.lan, SIX)
    assert "dtcpclient-dtcp-home" in lab.site.command("nft", "list", "tables").stdout
    # All of its processes at once, and radvd.
    home.systemctl("kill", "--signal=KILL", HOME)
    until(lambda: home.show(HOME, "NRestarts") == "1", "it is started again", 30)
    up(home, HOME)
    ping(lab.lan, SIX)
    home.systemctl("stop", HOME)
    assert lab.site.command("nft", "list", "tables").stdout == ""
    assert lab.site.addresses("eth1") == []
    assert home.run("pgrep", "radvd", check=False).stdout == ""
