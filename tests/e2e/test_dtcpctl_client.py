# SPDX-License-Identifier: BSD-2-Clause
"""dtcpctl and a real client."""

import json
import re

import pytest

from lab.programs import DTCPCTL, POOL, write_auth
from lab.terminal import Terminal
from lab.topology import SERVER
from lab.wait import REPO, until


def run(node, *words):
    return node.run(DTCPCTL, *words, check=False)


def good(node, *words, status=0):
    done = run(node, *words)
    assert (done.returncode, done.stderr) == (status, ""), done
    return done.stdout


@pytest.fixture
def client(internet):
    internet.dtcps("-U")
    client = internet.dtcpclient("-l")
    client.wait_up()
    until(lambda: run(internet.site, "status").returncode == 0, "it says that it is up")
    return client


def test_what_it_got_and_down_and_up(internet, client):
    site = internet.site
    text = good(site, "status")
    assert re.match(r"dtcp0: dtcpclient \S+, up for \d+s \(since ", text)
    assert re.search(rf"\n  server +{SERVER}, port 20200, as alice\n", text)
    assert re.search(r"\n  tunnel +network over protocol 41", text)
    assert re.search(rf"\n  prefix +{str(POOL)[:13]}", text)
    said = json.loads(good(site, "--json", "status"))["status"]
    assert said["state"] == "up" and said["prefixes"] == [str(client.prefix())]
    # One look, then another: what came meanwhile.
    assert re.search(r"received +.* packets, [\d.]+ \w*B/s\n", good(site, "status", "--every", "1"))
    assert good(site, "down") == ""
    until(lambda: run(site, "status").returncode == 5, "it is down")
    text = good(site, "status", status=5)
    assert re.match(r"dtcp0: dtcpclient \S+, down for ", text)
    assert "dtcp0" not in site.links()
    done = run(site, "reconnect")
    assert done.returncode == 1 and "it is down on request" in done.stderr
    since = client.mark()
    assert good(site, "up") == ""
    client.wait_up(since=since)
    until(lambda: run(site, "status").returncode == 0, "it is up again")
    since = client.mark()
    assert good(site, "reconnect") == ""
    client.wait_log("tunnel down: reconnecting on request", since=since)
    client.wait_up(since=since)
    until(lambda: run(site, "status").returncode == 0, "it is up once more")


def test_its_log_and_what_it_does_not_have(internet, client):
    site = internet.site
    since = client.mark()
    assert good(site, "log", "debug") == ""
    assert good(site, "reconnect") == ""
    client.wait_log("client: tunnel alice <response>", since=since)
    assert good(site, "-i", "dtcp0", "log", "info") == ""
    done = run(site, "-i", "dtcp0", "kick", "alice")
    assert done.returncode == 2
    assert done.stderr == ("dtcpctl: kick: dtcp0 (dtcpclient) has no such command; only dtcps has\n")
    done = run(site, "sessions")
    assert done.returncode == 3 and "only dtcps has this command, and none runs here" in done.stderr


def test_watch(internet, client, tmp_path):
    terminal = Terminal(tmp_path, *internet.site.words(DTCPCTL, "watch", "--every", "1"))
    try:
        terminal.shows(lambda lines: lines and re.match(r"dtcp0: dtcpclient .* up for ", lines[0]) and
                       re.search(r"receives +[\d.]+ \w*B/s", "\n".join(lines)), "its status, live")
        terminal.keys("q")
        terminal.is_over(0)
    finally:
        terminal.close()


def test_examples_of_the_manual_page(internet, client):
    """Those of a client, as they stand there; only jq is played, as not every machine has it."""
    page = (REPO / "man" / "dtcpctl.8").read_text()
    section = re.search(r"(?s)^\.Sh EXAMPLES\n(.*?)^\.Sh ", page, re.MULTILINE).group(1)
    lines = [line for line in re.findall(r"(?m)^\.Dl # (.*)$", section)
             if "until" in line or "jq" in line]
    assert len(lines) == 2
    folder = internet.dir / "bin"
    folder.mkdir()
    (folder / "jq").write_text("#!/usr/bin/python3\nimport json, sys\n"
                               "assert sys.argv[1:] == ['-r', '.status.prefixes[0]']\n"
                               "print(json.load(sys.stdin)['status']['prefixes'][0])\n")
    (folder / "jq").chmod(0o755)
    path = f"PATH={folder}:{DTCPCTL.parent}:/usr/bin:/bin"
    for line in lines:
        done = internet.site.run("env", path, "sh", "-c", line)
        if "jq" in line:
            assert done.stdout == f"{client.prefix()}\n"


def test_a_configuration_by_its_name(internet):
    internet.dtcps("-U")
    site = internet.site
    folder = site.dir / "etc" / "dtcp"
    folder.mkdir()
    (folder / "home.conf").write_text(f"server = {SERVER}\nlogin = alice\ntype = network\n")
    write_auth(site, f"{SERVER}:alice:the quick brown fox\n")
    internet.dtcpclient("-l", server="home", type=None, user=None, password=None)
    until(lambda: run(site, "-i", "home", "status").returncode == 0, "it is up")
    assert re.match(r"dtcp-home: dtcpclient \S+ of home, up for ", good(site, "-i", "home", "status"))
