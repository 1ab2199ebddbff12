# SPDX-License-Identifier: BSD-2-Clause
"""What dtcpclient promises its script."""

import ipaddress
import os
import signal

import pytest

from lab.programs import HOST_PREFIX, HOST_SERVER, POOL
from lab.topology import SERVER, SITE, SIX
from lab.traffic import ping
from lab.wait import until

# Exactly these, no more.
NAMES = {"PATH", "state", "server", "server_addr", "myaddr", "tuntype", "me", "her", "me6", "her6", "prefix",
         "tunif", "mtu", "proto", "user", "my_port", "her_port"}

# The environment as it was handed over: a shell adds to it, so "env" would show too much.
RECORD = """#!/bin/sh
cat /proc/$$/environ >{dir}/environ.new
id -u >{dir}/uid.$state
ip -6 addr show dev dtcp0 >{dir}/addresses.$state 2>&1
ip -6 route show dev dtcp0 >{dir}/routes.$state 2>&1
mv {dir}/environ.new {dir}/environ.$state
"""


def recorder(lab, more=""):
    return lab.file("script", RECORD.format(dir=lab.dir) + more, 0o755)


def environment(lab, state):
    """The variables that the script got, once it has run."""
    path = lab.dir / f"environ.{state}"
    until(path.exists, f"the script has run for {state}")
    return dict(item.split("=", 1) for item in path.read_text().split("\0") if item)


@pytest.mark.parametrize("case", ["tunnelonly", "host", "network", "numbered"])
def test_variables(internet, case):
    kind = "network" if case == "numbered" else case
    internet.dtcps(*(["-a"] if case == "numbered" else []))
    client = internet.dtcpclient("-s", recorder(internet), type=kind)
    said = client.wait_up()
    up = environment(internet, "up")
    assert up.keys() == NAMES
    want = {"state": "up", "server": SERVER, "server_addr": SERVER, "myaddr": SITE, "tuntype": kind, "me": SITE,
            "her": SERVER, "tunif": "dtcp0", "mtu": "1280", "proto": "ipv6", "user": "alice",
            "my_port": "", "her_port": ""}
    assert {key: up[key] for key in want} == want
    if case in ("host", "numbered"):
        assert ipaddress.ip_address(up["me6"]) in HOST_PREFIX
        assert up["her6"] == str(HOST_SERVER)
    else:
        assert (up["me6"], up["her6"]) == ("", "")
    if kind == "network":
        assert ipaddress.ip_network(up["prefix"]).subnet_of(POOL)
        assert up["prefix"] == said["prefix"]
    else:
        assert up["prefix"] == ""
    assert (internet.dir / "uid.up").read_text() == "0\n"

    assert client.stop() == 0
    down = environment(internet, "down")
    assert down == {**up, "state": "down"}
    # Both states see the tunnel as it is when it works.
    for state in ("up", "down"):
        assert "fe80::" in (internet.dir / f"addresses.{state}").read_text()
        routes = (internet.dir / f"routes.{state}").read_text()
        assert ("default" in routes) == (kind != "tunnelonly"), routes


def test_server_as_named(internet):
    """server is the word of the command line, letter by letter; server_addr is what it led to."""
    internet.dtcps()
    internet.dtcpclient("-s", recorder(internet), server="Broker.Example.NET").wait_up()
    up = environment(internet, "up")
    assert (up["server"], up["server_addr"]) == ("Broker.Example.NET", SERVER)


def folder_with(lab, name, text):
    """A folder for PATH that has the program site6 in it."""
    folder = lab.dir / name
    folder.mkdir(exist_ok=True)
    (folder / "site6").write_text(text)
    (folder / "site6").chmod(0o755)
    return folder


def test_command(internet):
    """-s is a command: found in PATH once, at the start, with arguments, and without a shell. The
    guard runs the same."""
    calls = internet.dir / "calls"
    folder = folder_with(internet, "a folder", f"""#!/bin/sh
for word in $state "$0" "$@"; do echo "$word"; done >>"{calls}"
""")
    empty = internet.dir / "empty"
    empty.mkdir()
    internet.variables["PATH"] = f".:{empty}:{folder}"
    internet.dtcps()
    client = internet.dtcpclient("-s", "  site6 up\t$HOME  `id` '--one two' ")
    client.wait_up()
    called = [f"{folder}/site6", "up", "$HOME", "`id`", "'--one", "two'"]
    assert calls.read_text().splitlines() == ["up", *called]

    # What would be found now is another one.
    folder_with(internet, "empty", f"#!/bin/sh\necho another >>'{calls}'\n")
    os.kill(client.rooms()["monitor"], signal.SIGKILL)
    assert client.wait() == -signal.SIGKILL
    until(lambda: "down" in calls.read_text(), "the guard runs it")
    until(lambda: len(calls.read_text().splitlines()) == 14, "all is said")
    assert calls.read_text().splitlines()[7:] == ["down", *called]


def test_command_that_is_not_there(internet):
    """Neither a relative folder of PATH nor a folder itself is looked into; what is found and is
    no program does not count."""
    folder_with(internet, "plain", "#!/bin/sh\n").joinpath("site6").chmod(0o644)
    (internet.dir / "folders" / "site6").mkdir(parents=True)
    relative = os.path.relpath(folder_with(internet, "program", "#!/bin/sh\n"))
    internet.variables["PATH"] = f":{relative}:{internet.dir}/plain:{internet.dir}/folders:"
    for word, text in (("site6", "-s site6: no such command in PATH; a file here is named as "
                                 "./site6"),
                       (f"{internet.dir}/none x", f"-s {internet.dir}/none: cannot be run: No such "
                                                  "file or directory"),
                       (" \t ", "-s: a command is needed"), ("", "-s: a command is needed"),
                       ("x" * 1024, "-s: the path is longer than 1023 characters")):
        client = internet.dtcpclient("-s", word)
        assert client.wait() == 2
        assert client.log() == f"dtcpclient: {text}\n"


def test_failing_script(internet):
    """Its status is logged, and the tunnel stays."""
    internet.dtcps()
    client = internet.dtcpclient("-s", internet.file("script", "#!/bin/sh\nexit 37\n", 0o755))
    client.wait_log(r"script.*37")
    client.wait_up()
    ping(internet.site, SIX)
    assert client.running()


def test_script_killed_by_a_signal(internet):
    internet.dtcps()
    client = internet.dtcpclient("-s", internet.file("script", "#!/bin/sh\nkill -9 $$\n", 0o755))
    client.wait_log(r"script.*(signal 9|[Kk]illed)")
    client.wait_up()
    ping(internet.site, SIX)


def test_script_named_but_absent(internet):
    """-s must name a program: known before anything is done."""
    plain = internet.file("plain", "#!/bin/sh\n", 0o644)
    for bad in ("/nonexistent/script", plain, internet.dir):
        client = internet.dtcpclient("-s", bad)
        assert client.wait() == 2
        assert f"-s {bad}" in client.log()
        assert len(client.log().splitlines()) == 1


def test_default_script(internet):
    """Run where it is there; no error where it is not."""
    internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    ping(internet.site, SIX)
    assert "script" not in client.log()
    assert client.stop() == 0

    text = recorder(internet).read_text()
    script = internet.site.dir / "etc" / "dtcpclient.script"
    script.write_text(text)
    script.chmod(0o755)
    client = internet.dtcpclient()
    client.wait_up()
    assert environment(internet, "up")["state"] == "up"
    assert client.stop() == 0
    assert environment(internet, "down")["state"] == "down"


def test_tunnel_none(internet):
    """--tunnel none: the script is told everything and makes the tunnel itself."""
    internet.dtcps()
    before = internet.site.state()
    client = internet.dtcpclient("--tunnel", "none", "-s", recorder(internet))
    client.wait_log("tunnel up")
    up = environment(internet, "up")
    assert up.keys() == NAMES
    assert (up["me"], up["her"], up["proto"]) == (SITE, SERVER, "ipv6")
    assert ipaddress.ip_network(up["prefix"]).subnet_of(POOL)
    now = internet.site.state()
    for what in ("interfaces", "addresses", "routes"):
        assert now[what] == before[what]
    assert client.stop() == 0
    assert environment(internet, "down")["state"] == "down"


def test_environment_holds_no_secret(internet):
    """Not even where the caller's own environment has one."""
    internet.dtcps()
    client = internet.dtcpclient("-s", recorder(internet))
    client.wait_up()
    text = (internet.dir / "environ.up").read_text()
    from lab.programs import PASSWORD
    assert PASSWORD not in text and "LC_ALL" not in text
