# SPDX-License-Identifier: BSD-2-Clause
"""The units as they are installed. That systemd understands them is checked by scripts/lint-units."""

import os
import re
import shlex
import stat

import pytest

from lab.manager import Manager
from lab.node import _config, command
from lab.process import Process
from lab.programs import DTCPCLIENT, DTCPS, PASSWORD
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
    assert found.keys() == {"dtcps.service", "dtcpclient@.service"}
    return found


def words(unit, **variables):
    """The words of a unit's command line, as systemd makes them."""
    [line] = unit["ExecStart"]
    text = re.sub(r"\$\{(\w+)\}", lambda match: shlex.quote(variables[match[1]]), line)
    text = re.sub(r"\$(\w+)", lambda match: variables[match[1]], text)
    return shlex.split(text)


def test_what_they_start_is_installed(units):
    for unit in units.values():
        program = words(unit, DTCPS_ARGS="", DTCPCLIENT_ARGS="", CREDENTIALS_DIRECTORY="/x")[0]
        assert os.access(unit["root"] / program[1:], os.X_OK)
        assert unit["Type"] == ["notify"]


def test_server(internet, units):
    """The command line of the unit works, and what it is given is taken from one variable."""
    args = f"-o network.pool=2001:db8:100::/40 -o database={internet.users.path}"
    line = words(units["dtcps.service"], DTCPS_ARGS=args)
    with Manager(internet) as manager:
        server = Process(internet.server, "dtcps", DTCPS, *line[1:])
    manager.wait("READY", "1")
    client = internet.dtcpclient()
    client.wait_up()
    assert client.stop() == 0
    assert server.stop() == 0


def test_client(internet, units):
    """The password comes as a credential: a file of root's in a folder of root's, nothing to warn
    of."""
    folder = internet.dir / "credentials"
    folder.mkdir(mode=0o500)
    internet.file("credentials/auth", f"{SERVER}:alice:{PASSWORD}\n", 0o400)
    line = words(units["dtcpclient@.service"], CREDENTIALS_DIRECTORY=str(folder),
                 DTCPCLIENT_ARGS=f"-t network -u alice {SERVER}")
    internet.dtcps()
    with Manager(internet, CREDENTIALS_DIRECTORY=str(folder)) as manager:
        client = Process(internet.site, "dtcpclient", DTCPCLIENT, *line[1:])
    manager.wait("READY", "1")
    ping(internet.site, SIX)
    assert client.stop() == 0
    assert "others can read" not in client.log()


def test_exit_statuses(units):
    """What nobody but a person can mend is not tried again: usage; with the client also account,
    type, NAT, password."""
    assert units["dtcps.service"]["RestartPreventExitStatus"] == ["2"]
    assert units["dtcpclient@.service"]["RestartPreventExitStatus"] == ["2 8 9 10 13"]
    for unit in units.values():
        assert unit["Restart"] == ["on-failure"]


def test_paths(units):
    """Those of this build."""
    client = units["dtcpclient@.service"]
    folder = _config("DTCP_SYSCONFDIR")
    assert client["EnvironmentFile"] == [f"{folder}/dtcp/client-%i.conf"]
    assert client["LoadCredential"] == [f"auth:{folder}/dtcpclient.auth"]
    server = units["dtcps.service"]
    assert server["EnvironmentFile"] == [f"-{folder}/dtcp/dtcps.env"]
