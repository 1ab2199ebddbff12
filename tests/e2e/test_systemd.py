# SPDX-License-Identifier: BSD-2-Clause
"""The units as they are installed. That systemd understands them is checked by scripts/lint-units."""

import os
import re
import shlex
import signal
import stat

import pytest

from lab.manager import Manager
from lab.node import _config, command
from lab.process import Process
from lab.programs import DTCPCLIENT, DTCPS, PASSWORD, SERVICE, write_auth
from lab.topology import SERVER, SIX
from lab.traffic import ping
from lab.wait import BUILD


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """{name: {key: [values]}} of the installed units."""
    root = tmp_path_factory.mktemp("root")
    meson = os.environ.get("MESON", "/usr/bin/meson")
    command(meson if os.access(meson, os.X_OK) else "meson", "install", "--no-rebuild", "--quiet",
            "-C", BUILD, "--destdir", root)
    found = {}
    for path in root.rglob("*.service"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert path.parent.relative_to(root).match("*/lib/systemd/system")
        keys = found[path.name] = {"root": root}
        for line in path.read_text().splitlines():
            if line and line[0] not in "#[":
                key, _, value = line.partition("=")
                keys.setdefault(key, []).append(value)
    assert found.keys() == {"dtcps.service", "dtcpclient@.service", "dtcpclient-online@.service",
                            "dtcpweb.service"}
    return found


def words(unit, **variables):
    """The words of a unit's command line, as systemd makes them."""
    [line] = unit["ExecStart"]
    text = re.sub(r"\$(\w+)", lambda match: variables[match[1]], line.replace("%i", "home"))
    return shlex.split(text)


def confined(unit, *words):
    """As the unit has it: root without most of its capabilities."""
    kept = " ".join(unit["CapabilityBoundingSet"]).lower().replace("cap_", "+").split()
    return ["setpriv", "--no-new-privs", "--bounding-set", ",".join(["-all", *kept]), *words]


def test_what_they_start_is_installed(units):
    for name in ("dtcps.service", "dtcpclient@.service"):
        program = words(units[name], DTCPS_ARGS="")[0]
        assert os.access(units[name]["root"] / program[1:], os.X_OK)
        assert units[name]["Type"] == ["notify"]


def test_server(internet, units):
    """The command line of the unit works, and what it is given is taken from one variable."""
    args = (f"-o network.pool=2001:db8:100::/40 -o database={internet.users.path} "
            f"--user {SERVICE}")
    line = words(units["dtcps.service"], DTCPS_ARGS=args)
    with Manager(internet) as manager:
        server = Process(internet.server, "dtcps", *confined(units["dtcps.service"], DTCPS, *line[1:]))
    manager.wait("READY", "1")
    client = internet.dtcpclient()
    client.wait_up()
    assert client.stop() == 0
    assert server.stop() == 0


def test_server_without_capabilities(internet, units):
    """Whatever the service manager, dtcpauth or an earlier run has left, it starts with those of
    its unit."""
    folder = internet.dir / "lib"
    folder.mkdir()
    path = folder / "users.db"
    line = confined(units["dtcps.service"], DTCPS, "-o", f"database={path}", "-o", f"user={SERVICE}",
                    "-o", "network.pool=2001:db8:100::/40")
    for owner, group, mode in ((0, 0, 0o755), (0, 0, 0o770), (0, SERVICE, 0o700), (SERVICE, 0, 0o770)):
        path.write_bytes(internet.users.path.read_bytes())
        os.chown(path, 0, 0)
        os.chown(folder, owner, group)
        folder.chmod(mode)
        server = Process(internet.server, "dtcps", *line)
        server.wait_log("ready for logins")
        assert server.stop() == 0
        assert (folder.stat().st_uid, folder.stat().st_gid) == (SERVICE, 0)
        assert folder.stat().st_mode & 0o7777 == mode | 0o770
        assert path.stat().st_uid == SERVICE


def fast_path(process):
    return process.wait_log(r"^\S+: (fast path: .*)$").group(1)


def test_fast_path_with_the_capabilities_of_the_units(internet, units):
    """It is as with all that root has."""
    words = ("-o", f"database={internet.users.path}", "-o", f"user={SERVICE}", "-o",
             "network.pool=2001:db8:100::/40")
    with_all = Process(internet.server, "dtcps", DTCPS, *words)
    expected = fast_path(with_all)
    assert with_all.stop() == 0
    server = Process(internet.server, "dtcps", *confined(units["dtcps.service"], DTCPS, *words))
    assert fast_path(server) == expected
    server.wait_log("ready for logins")
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n")
    client = Process(internet.site, "dtcpclient", *confined(units["dtcpclient@.service"], DTCPCLIENT,
                                                            "-u", "alice", "-t", "network", SERVER))
    assert fast_path(client) == expected
    client.wait_log("tunnel up")
    assert client.stop() == 0
    assert server.stop() == 0


def configure(lab, text):
    folder = lab.site.dir / "etc" / "dtcp"
    folder.mkdir()
    (folder / "home.conf").write_text(text)
    write_auth(lab.site, f"{SERVER}:alice:{PASSWORD}\n")


def test_client(internet, units):
    """It is there as soon as it runs, whatever becomes of the tunnel; reloading keeps that."""
    configure(internet, f"server = {SERVER}\nlogin = alice\ntype = network\n")
    unit = units["dtcpclient@.service"]
    line = words(unit)
    with Manager(internet) as manager:
        client = Process(internet.site, "dtcpclient", *confined(unit, DTCPCLIENT, *line[1:]))
    assert manager.wait("READY", "1").what["STATUS"] == f"connecting to {SERVER}"
    internet.dtcps()
    up = manager.wait("STATUS", lambda text: text.startswith("up: ")).what["STATUS"]
    assert waited_for(units["dtcpclient-online@.service"], up)
    ping(internet.site, SIX)
    [before] = internet.site.ip_json("link", "show", "dev", "dtcp-home")
    since, server_since = client.mark(), internet.started[-1].mark()
    assert unit["ExecReload"] == ["/bin/kill -USR2 $MAINPID"]
    client.send_signal(signal.SIGUSR2)
    client.wait_log("logging in again on request", since=since)
    client.wait_log("tunnel goes on ", since=since)
    internet.started[-1].wait_log("session up user=alice peer=.* .*type=network", since=server_since)
    [after] = internet.site.ip_json("link", "show", "dev", "dtcp-home")
    assert after["ifindex"] == before["ifindex"]
    ping(internet.site, SIX)
    assert client.stop() == 0


def waited_for(unit, status):
    """What the unit looks for in the status."""
    [line] = unit["ExecStart"]
    [wanted] = re.findall(r"\| (grep .*?); do", line)
    return command("sh", "-c", wanted, input=f"StatusText={status}\n", check=False).returncode == 0


def test_nothing_waits_for_a_tunnel(units):
    """Not the boot, unless somebody asks for it; and then not for ever."""
    client, online = units["dtcpclient@.service"], units["dtcpclient-online@.service"]
    assert client["WantedBy"] == ["multi-user.target"]
    assert "network-online.target" not in " ".join(client["After"] + client.get("Wants", []))
    assert not client.keys() & {"TimeoutStartSec", "Before", "EnvironmentFile", "LoadCredential"}
    assert online["WantedBy"] == online["Before"] == ["network-online.target"]
    assert online["BindsTo"] == online["After"] == ["dtcpclient@%i.service"]
    assert int(online["TimeoutStartSec"][0]) <= 120
    assert not waited_for(online, f"connecting to {SERVER}")
    assert waited_for(online, "up: alice at a (192.0.2.1), over UDP")
    assert not waited_for(online, "up: alice at a (192.0.2.1), but nothing comes through it")


def test_exit_statuses(units):
    """What nobody but a person can mend is not tried again: usage; with the client also account,
    type, NAT, password."""
    for name, statuses in (("dtcps.service", "2"), ("dtcpclient@.service", "2 8 9 10 13")):
        assert units[name]["RestartPreventExitStatus"] == [statuses]
        assert units[name]["Restart"] == ["on-failure"]


def test_paths(units):
    """Those of this build."""
    folder = _config("DTCP_SYSCONFDIR")
    assert words(units["dtcpclient@.service"])[-1] == f"{folder}/dtcp/home.conf"
    server = units["dtcps.service"]
    assert server["EnvironmentFile"] == [f"-{folder}/dtcp/dtcps.env"]
