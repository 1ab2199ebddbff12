# SPDX-License-Identifier: BSD-2-Clause
"""dtcpctl and a real server."""

import json
import re

import pytest

from lab.ctl import socket_path
from lab.programs import DTCPCTL, HOST_PREFIX, PASSWORD, POOL, Users
from lab.terminal import Terminal
from lab.topology import SITE
from lab.wait import REPO, until
from lab.wire import Wire


def run(lab, *words):
    return lab.server.run(DTCPCTL, *words, check=False)


def good(lab, *words):
    done = run(lab, *words)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def fails(lab, status, line, *words):
    done = run(lab, *words)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert re.fullmatch(f"dtcpctl: {line}\n", done.stderr), done.stderr


@pytest.fixture
def server(internet):
    return internet.dtcps("-U")


@pytest.fixture
def alice(internet, server):
    """A session of hers, with an address and a prefix."""
    with Wire(internet.site) as session:
        session.login("alice", "network")
        yield session


def test_each_command_that_looks(internet, server, alice):
    text = good(internet, "status")
    assert re.match(r"dtcps0: dtcps \S+, ready, runs for \d+s \(since ", text)
    assert re.search(r"sessions +1 of at most 16384: 1 network; 1 over protocol 41\n", text)
    assert re.search(r"logins +1 granted, answered in [\d.]+ ms on average\n", text)
    assert f"{internet.users.path}, 1 user, answers" in text
    assert f"network {POOL}: 1 of 65535 /56 taken" in text and f"host {HOST_PREFIX}: " in text
    table = good(internet, "sessions").splitlines()
    assert len(table) == 2 and table[1].split()[:3] == ["alice", "network", "ipv6"]
    assert SITE in table[1] and "2001:db8:100:" in table[1]
    page = good(internet, "session", "alice")
    assert re.match(r"alice: network over protocol 41, for \d+s", page) and SITE in page
    fails(internet, 1, r"dtcps0 \(dtcps\): bob has no session", "session", "bob")
    assert good(internet, "drops").splitlines()[0].startswith("DROPPED")
    # As other programs have it.
    for command in ("status", "sessions", "drops"):
        said = [json.loads(line) for line in good(internet, "--json", command).splitlines()]
        assert said[-1]["ok"] is True and len(said) == (2 if command == "sessions" else 1)
    assert json.loads(good(internet, "--json", "session", "alice").splitlines()[0])["session"][
        "user"] == "alice"


def test_which_sessions(internet, server, alice):
    internet.users.add("bob")
    internet.users.add("carol", prefix="2001:db8:100:4200::/56")
    with Wire(internet.site) as two, Wire(internet.site) as three:
        two.login("bob", "host", PASSWORD, "udp=4028")
        three.login("carol", "network", PASSWORD, "udp")

        def users(*words):
            return [line.split()[0] for line in good(internet, "sessions", *words).splitlines()[1:]]

        assert users() == users("--sort", "age") == ["alice", "bob", "carol"]
        assert users("--transport", "udp") == ["bob", "carol"]
        assert users("--transport", "ipv6") == users("--user", "alice") == ["alice"]
        assert users("--address", SITE, "--sort", "user") == ["alice", "bob", "carol"]
        assert users("--address", "2001:db8:100:42ff::1") == ["carol"]
        assert users("--prefix", HOST_PREFIX) == ["bob"]
        assert users("--prefix", "2001:db8:ff00::/40") == users("--user", "nobody") == []
    # The server's own words for what only it can tell.
    fails(internet, 1, r"dtcps0 \(dtcps\): .*not both.*", "sessions", "--address", SITE, "--prefix",
          POOL)


def test_each_command_that_changes_something(internet, server, alice):
    assert good(internet, "log", "debug") == ""
    since = server.mark()
    alice.ask("ping")
    server.wait_log("client: ping", since=since)
    assert good(internet, "log", "info") == ""
    assert good(internet, "reload") == ""
    assert good(internet, "kick", "alice", "--for", "10m") == \
        "1 session ended; logins are refused for 10m 0s\n"
    assert alice.line() == "-ERR ended by the administrator, try again later"
    with Wire(internet.site) as again:
        assert again.ask(again.request()).startswith("-ERR ended by the administrator")
    assert re.search(r"refused: 1 kicked before", good(internet, "status"))
    assert "not refused any more" in good(internet, "kick", "alice", "--for", "0")
    fails(internet, 1, r"dtcps0 \(dtcps\): alice has no session", "kick", "alice")
    done = run(internet, "--json", "kick", "alice")
    assert json.loads(done.stdout)["code"] == "missing" and done.returncode == 1


def test_two_servers_on_one_machine(internet, server):
    users = Users(internet)
    users.path = internet.dir / "other.db"
    users.add("bob")
    internet.dtcps(set={"database": users.path, "port": 20300, "interface": "tun7",
                        "network.pool": "2001:db8:800::/40", "host.prefix": None})
    table = good(internet, "status").splitlines()
    assert [line.split()[:3] for line in table[1:]] == [["dtcps0", "dtcps", "ready"],
                                                       ["tun7", "dtcps", "ready"]]
    fails(internet, 2, "several daemons run here; choose one with -i: .*", "sessions")
    assert good(internet, "-i", "tun7", "status").startswith("tun7: dtcps ")
    assert good(internet, "--socket", f"/var/run/dtcp/{socket_path(internet.server).name}",
                "status").startswith("dtcps0: dtcps ")


def test_who_may_what(internet, server):
    socket_path(internet.server).chmod(0o666)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", DTCPCTL)
    done = internet.server.run(*nobody, "status", check=False)
    assert done.returncode == 0 and done.stdout.startswith("dtcps0: ")
    for words in (["kick", "alice"], ["reload"], ["log", "debug"]):
        done = internet.server.run(*nobody, *words, check=False)
        assert done.returncode == 4 and re.fullmatch(r"dtcpctl: dtcps0 \(dtcps\): .+\n", done.stderr)
    socket_path(internet.server).chmod(0o660)
    done = internet.server.run(*nobody, "status", check=False)
    assert done.returncode == 4
    assert done.stderr == ("dtcpctl: dtcps0 (dtcps): permission denied; this takes root, or for "
                           "looking the group dtcp\n")


def test_a_server_that_has_ended(internet, server):
    assert good(internet, "status")
    assert server.stop() == 0
    fails(internet, 3, "no daemon runs here .*", "status")


def test_watch(internet, server, alice, tmp_path):
    terminal = Terminal(tmp_path, *internet.server.words(DTCPCTL, "watch", "--every", "1"))
    try:
        terminal.shows(lambda lines: any(re.match(r"alice .* 192\.0\.2\.2 .*2001:db8:100:", line)
                                         for line in lines), "the session is there")
        terminal.shows("1 of 16384 sessions", "and the totals")
        alice.ask("quit")
        terminal.shows("0 of 16384 sessions", "it has ended")
        terminal.keys("q")
        terminal.is_over(0)
    finally:
        terminal.close()


def examples():
    """The commands in EXAMPLES of dtcpctl(8) that are for a server."""
    page = (REPO / "man" / "dtcpctl.8").read_text()
    section = re.search(r"(?s)^\.Sh EXAMPLES\n(.*?)^\.Sh ", page, re.MULTILINE).group(1)
    return re.findall(r"(?m)^\.Dl # (.*)$", section)


def test_examples_of_the_manual_page(internet, server):
    """As they stand there."""
    internet.users.add("mallory")
    found = examples()
    assert len(found) == 7
    path = f"PATH={DTCPCTL.parent}:/usr/bin:/bin"
    with Wire(internet.site) as session:
        session.login("mallory", "network")
        ran = 0
        for line in found:
            # There is no client here.
            if "watch" in line or "jq" in line or "until" in line:
                continue
            line = line.replace("--every 5", "--every 1")
            done = internet.server.run("env", path, "sh", "-c", line, check=False)
            assert (done.returncode, done.stderr) == (0, ""), (line, done)
            ran += 1
            if "--sort in" in line:
                assert "mallory" in done.stdout
        assert ran == 4
        assert session.line() == "-ERR ended by the administrator, try again later"
    with Wire(internet.site) as session:
        assert session.ask(session.request("mallory", password=PASSWORD)).startswith("-ERR ended")
    until(lambda: "0 of at most" in good(internet, "status"), "the session is over")
