# SPDX-License-Identifier: BSD-2-Clause
"""dtcpclient.conf: named tunnels, how a name is told from a server, the sample."""

import os
import re
import signal
from pathlib import Path

import pytest

from lab.node import _config
from lab.programs import PASSWORD, Client, write_auth
from lab.topology import SERVER, SIX
from lab.traffic import ping
from lab.wait import until

SAMPLE = Path(__file__).resolve().parents[2] / "etc" / "dtcpclient.conf"
MANUAL = SAMPLE.parents[1] / "man" / "dtcpclient.conf.5"
TABLE = SAMPLE.parents[1] / "src" / "client" / "settings.c"
NAME = "broker.example.net"


def config(lab, name, text):
    """The settings of a named tunnel, where the client looks for them."""
    folder = lab.site.dir / "etc" / "dtcp"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.conf"
    path.write_text(text)
    return path


def start(lab, *words):
    """With what the words say and nothing else."""
    *options, last = words
    return Client(lab.site, *options, type=None, user=None, password=None, server=last)


def test_two_tunnels(internet):
    """Each has its own; what both leave open does not make them meet."""
    internet.users.add("bob")
    internet.dtcps("-U")
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n{NAME}:bob:{PASSWORD}\n")
    home = config(internet, "home", f"server = {SERVER}\nlogin = alice\ntype = network\n")
    config(internet, "work", f"server = {NAME}\nlogin = bob\ntype = host\ntransport = udp\n"
           "route = none\n")
    clients = [start(internet, name) for name in ("home", "work")]
    up = [client.wait_up() for client in clients]
    assert [line["interface"] for line in up] == ["dtcp-home", "dtcp-work"]
    assert up[0]["type"] == "network" and [each["transport"] for each in up] == ["ipv6", "udp"]
    folder = f"{_config('DTCP_SYSCONFDIR')}/dtcp"
    for client, name in zip(clients, ("home", "work")):
        assert f"dtcpclient: the settings are those of {folder}/{name}.conf\n" in client.log()
    ping(internet.site, SIX)
    # The parts of the program do as the file said, and not as it says by now.
    home.write_text("nonsense\n")
    since = clients[0].mark()
    clients[0].send_signal(signal.SIGHUP)
    clients[0].wait_up(since=since)
    assert [client.stop() for client in clients] == [0, 0]
    assert not {"dtcp-home", "dtcp-work"} & internet.site.links()


def test_name_or_server(internet):
    """A name is a server until there is a file of that name; a slash is always a file."""
    internet.dtcps()
    write_auth(internet.site, f"{NAME}:alice:{PASSWORD}\n{SERVER}:alice:{PASSWORD}\n")
    client = start(internet, "-u", "alice", NAME)
    assert NAME in client.wait_up()["server"]
    assert "the settings are" not in client.log()
    assert client.stop() == 0
    path = config(internet, NAME, f"server = {SERVER}\nlogin = alice\n")
    client = start(internet, NAME)
    assert NAME not in client.wait_up()["server"]
    assert client.stop() == 0
    # Whoever means the server can say so.
    client = start(internet, "-u", "alice", f"--server={NAME}")
    assert NAME in client.wait_up()["server"]
    assert client.stop() == 0
    # From elsewhere; and the command line has the last word.
    moved = internet.file("elsewhere", path.read_text())
    client = start(internet, "--interface", "six", moved)
    assert client.wait_up()["interface"] == "six"


def test_daemons(internet):
    """Each has a pid file of its own."""
    internet.users.add("bob")
    internet.dtcps("-U")
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n{SERVER}:bob:{PASSWORD}\n")
    for name, login in (("home", "alice"), ("work", "bob")):
        config(internet, name, f"server = {SERVER}\nlogin = {login}\ntype = host\n"
               "transport = udp\nudp-port = 0\n")
        assert start(internet, "-D", name).wait() == 0
    files = [internet.site.dir / "run" / f"dtcpclient-{name}.pid" for name in ("home", "work")]
    until(lambda: all(path.read_text() for path in files), "they have written their numbers")
    pids = [int(path.read_text()) for path in files]
    until(lambda: {"dtcp-home", "dtcp-work"} <= internet.site.links(), "both tunnels are there")
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    until(lambda: not any(path.exists() for path in files), "both end")


@pytest.mark.parametrize("text, message", [
    (None, r"etc/dtcp/home\.conf: there is no such file; dtcpclient\.conf\(5\) says what belongs there"),
    ("server = a\nmtu = 9000\n", r"home\.conf:2: mtu: \"9000\": a number from 1280 to 1480 is needed"),
    ("server = a\nscript = /no/such\n", r"/no/such"),
    ("server = a\nauth-file = /no/such\n", r"no password: there is no /no/such, and no terminal")],
    ids=["none", "wrong", "script", "password"])
def test_one_line_says_what_is_wrong(internet, text, message):
    """And its status keeps the unit from starting it again."""
    if text:
        config(internet, "home", text)
    client = start(internet, "-l", f"{_config('DTCP_SYSCONFDIR')}/dtcp/home.conf")
    assert client.wait() in (2, 13)
    *others, line = client.log().splitlines()
    assert re.search(message, line), client.log()
    assert all("the settings are those of" in other for other in others)


def test_a_file_that_cannot_be_looked_at(internet):
    """It is there, so its name is no server's."""
    path = config(internet, "home", "")
    path.unlink()
    path.symlink_to(path.name)
    client = start(internet, "home")
    assert client.wait() == 2
    assert re.fullmatch(r"dtcpclient: \S+/home\.conf: Too many levels of symbolic links\n",
                        client.log()), client.log()


def test_sample_and_manual_have_every_key(internet):
    """The sample with all that it shows switched on is understood, and names what the manual names."""
    text = re.sub(r"(?m)^# ([a-z][\w-]* = )", r"\1", SAMPLE.read_text())
    shown = dict(re.findall(r"(?m)^([a-z][\w-]*) = (\S+)", text))
    # Those that exclude each other, or that this machine does not have.
    for key, value in (("user", "nobody"), ("accept-ra", "no"), ("script", "/bin/true")):
        text = re.sub(rf"(?m)^{key} = \S+", f"{key} = {value}", text)
    path = internet.file("sample.conf", text)
    client = start(internet, "--lan", "nothing0", "--user", "no-such-user", path)
    assert client.wait() == 2
    assert re.fullmatch(r"dtcpclient: --user: no user no-such-user .*\n", client.log()), client.log()
    explained = dict(re.findall(r"(?ms)^\.It Cm (\S+)\n(.*?)(?=^\.It |^\.El)", MANUAL.read_text()))
    table = re.findall(r'(?ms)^\t(?:SETTING|NUMBER|YES_NO|FIELDS)\("([\w-]+)",(.*?)\),\n(?=\t[A-Z]|\})', TABLE.read_text())
    assert set(shown) == set(explained) == {key for key, _ in table}
    for key, rest in table:
        words = " ".join(re.sub(r"(?m)^\.[A-Z][a-z] |[.,;]?$", "", explained[key]).split())
        default = re.search(r'\.initial = "([^"]*)"', rest)
        letter = re.search(r"\.letter = '(\w)'", rest)
        assert key == "interface" or not default or default[1] == "/dtcpclient.auth" \
            or f"Default: {default[1]}" in words, (key, words)
        assert not letter or f"same as {letter[1]}" in words, (key, words)
