# SPDX-License-Identifier: BSD-2-Clause
"""dtcpclient --check: each step with what it shows, or why it fails and what to do; and the machine
and its tunnels stay as they were."""

import itertools
import json
import os
import pty
import re
import subprocess

import pytest

from lab.clock import Clocks
from lab.dns import NameServer
from lab.nat import drop
from lab.process import Process
from lab.programs import DTCPCLIENT, PASSWORD, write_auth
from lab.topology import HIDDEN_SITE, SERVER, SITE, SIX, narrow
from lab.traffic import ping
from lab.wait import until
from lab.wire import FakeServer

STEPS = ["name", "port", "greeting", "login", "type", "nat", "protocol41", "udp", "mtu", "beyond"]
PASSED, FAILED, SKIPPED = "ok", "fail", "skip"
NAME = "broker.example.org"
FASTER = 5


def check(internet, *words, status=0, **more):
    """{step: object} of a check, which ends with this status."""
    client = internet.dtcpclient("--check", "--json", "--check-target", SIX, *words, **more)
    assert client.wait(40) == status, client.log()
    steps = [json.loads(line) for line in client.log().splitlines() if line.startswith("{")]
    assert [step.pop("step") for step in steps] == STEPS, client.log()
    for step in steps:
        assert set(step) == {"result", "text", "advice", "milliseconds", "data"}, step
        assert step["text"] and (step["advice"] or step["result"] != FAILED), step
    return dict(zip(STEPS, steps))


def goes(steps, *, good=None, bad=(), rest=SKIPPED):
    """Those up to good pass, those that are bad fail, and all others have the rest."""
    passed = STEPS[:STEPS.index(good) + 1] if good else []
    assert {name: step["result"] for name, step in steps.items()} == {
        name: FAILED if name in bad else PASSED if name in passed else rest for name in STEPS}, steps


def narrower(internet, mtu):
    narrow(internet.net, "server0", internet.server, "up0", mtu)


# --- what passes


def test_all_is_well(internet):
    """A step is a line, and its data are in it."""
    (internet.site.dir / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    NameServer(internet.site, [SERVER])
    internet.dtcps("-U")
    steps = check(internet, server=NAME)
    goes(steps, good="beyond")
    data = {name: step["data"] for name, step in steps.items()}
    assert data["name"] == {"address": SERVER}
    assert data["port"] == {"address": SERVER, "port": 20200, "here": SITE}
    assert data["type"]["prefix"] == "2001:db8:100:100::/56"
    assert data["nat"] == {"here": SITE, "seen": SITE}
    assert data["udp"]["port"] == 4028 and data["udp"]["rtt_ms"] > 0
    assert (data["mtu"]["path_mtu"], data["mtu"]["mtu"]) == (1500, 1480)
    assert data["beyond"]["own"] == "2001:db8:100:1ff::1" and data["beyond"]["target"] == SIX
    client = internet.dtcpclient("--check", "--check-target", SIX, server=NAME)
    assert client.wait() == 0
    lines = client.log().splitlines()
    assert lines[0] == f"ok    name         {NAME} is {SERVER}"
    assert [line[:19] for line in lines[6:8]] == ["ok    protocol 41  ", "ok    UDP          "]


@pytest.mark.parametrize("words", [("-U",), ("--transport", "auto"), ("-m", "1400")], ids=" ".join)
def test_settings(internet, words):
    internet.dtcps("-U")
    steps = check(internet, *words, type="host")
    goes(steps, good="beyond")
    assert steps["type"]["data"] == {"own": "2001:db8:1::2"}
    assert steps["mtu"]["data"]["mtu"] == (1472 if words == ("-U",) else 1480)


def test_bare_link(internet):
    """It has no address, unless somebody knows one."""
    internet.dtcps("-U")
    steps = check(internet, type="tunnelonly")
    goes(steps, good="mtu")
    assert "--address" in steps["beyond"]["advice"]


def test_configuration(internet):
    internet.dtcps("-U")
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n")
    folder = internet.site.dir / "etc" / "dtcp"
    folder.mkdir(exist_ok=True)
    (folder / "home.conf").write_text(f"server = {SERVER}\nlogin = alice\ntype = network\n")
    client = Process(internet.site, "dtcpclient", DTCPCLIENT, "--check", "--check-target", SIX,
                     "home")
    assert client.wait() == 0, client.log()
    assert len(re.findall("^ok  ", client.log(), re.MULTILINE)) == len(STEPS)


# --- what fails


def test_name(internet):
    (internet.site.dir / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    NameServer(internet.site, [SERVER], name="else.example.org")
    steps = check(internet, status=3, server=NAME)
    goes(steps, bad=["name"])
    assert "there is no such name" in steps["name"]["text"]
    assert {steps[name]["text"] for name in STEPS[1:]} == {"needs the server's address"}


def test_port(internet):
    steps = check(internet, status=5)
    goes(steps, good="name", bad=["port"])
    assert "Connection refused" in steps["port"]["text"] and "-p" in steps["port"]["advice"]
    assert {steps[name]["text"] for name in STEPS[2:]} == {"needs a connection"}
    internet.site.ip("route", "del", "default")
    goes(check(internet, status=4), good="name", bad=["port"])


@pytest.mark.slow(5)
def test_filtered_port(internet):
    Clocks(internet, FASTER)
    drop(internet.net, "tcp dport 20200")
    steps = check(internet, status=6)
    goes(steps, good="name", bad=["port"])
    assert "TCP port 20200" in steps["port"]["advice"]


def test_no_tunnel_server(internet):
    def talk(peer):
        peer.send("220 mail.example.org ESMTP\r\n")
        peer.line()

    FakeServer(internet.server, talk)
    steps = check(internet, status=7)
    goes(steps, good="port", bad=["greeting"])
    assert {steps[name]["text"] for name in STEPS[3:]} == {"needs a tunnel server"}


def test_wrong_password(internet):
    internet.dtcps("-U")
    steps = check(internet, status=8, password="else")
    goes(steps, good="greeting", bad=["login"])
    assert "case counts" in steps["login"]["advice"]
    assert {steps[name]["text"] for name in STEPS[4:]} == {"needs a login"}


def test_no_password(internet):
    internet.dtcps("-U")
    write_auth(internet.site, "")
    steps = check(internet, status=13, password=None)
    goes(steps, good="greeting", bad=["login"])


@pytest.mark.parametrize("type, status, advice", [("host", 9, "-t"), ("network", 11, "operator")])
def test_type(internet, type, status, advice):
    """Not offered; offered, and nothing is left of it."""
    internet.dtcps("-U", set={"network.pool": None, "host.prefix": None, "network.fixed": "fc00::/7"})
    steps = check(internet, status=status, type=type)
    goes(steps, good="login", bad=["type"])
    assert advice in steps["type"]["advice"]


def test_address_outside_the_prefix(internet):
    internet.dtcps("-U")
    steps = check(internet, "--address", "2001:db8:dead::1", status=1)
    assert steps["type"]["result"] == FAILED and "--address" in steps["type"]["advice"]


@pytest.mark.slow(5)
@pytest.mark.parametrize("words, status, bad", [
    ((), 10, ["nat", "protocol41"]),
    (("-n",), 6, ["protocol41"]),
    (("--transport", "auto"), 0, ["protocol41"]),
    (("-U", "-n"), 0, [])], ids=str)
def test_nat(masked, words, status, bad):
    """A NAT that passes UDP and no protocol 41 is no matter for who has chosen UDP, or auto."""
    masked.dtcps("-U")
    drop(masked.nat, "ip protocol 41")
    steps = check(masked, *words, status=status)
    assert [name for name, step in steps.items() if step["result"] == FAILED] == bad, steps
    assert steps["nat"]["data"] == {"here": HIDDEN_SITE, "seen": SITE}
    assert steps["udp"]["result"] == steps["beyond"]["result"] == PASSED
    assert steps["protocol41"]["result"] == (SKIPPED if "-U" in words else FAILED)


@pytest.mark.slow(5)
@pytest.mark.parametrize("lost", ["ip protocol 41", f"ip daddr {SITE} ip protocol 41"],
                         ids=["there", "back"])
def test_protocol_41(internet, lost):
    internet.dtcps("-U")
    drop(internet.net, lost)
    steps = check(internet, status=6)
    assert steps["protocol41"]["result"] == FAILED and "-U" in steps["protocol41"]["advice"]
    # So the rest goes over UDP.
    assert steps["mtu"]["data"]["mtu"] == 1472 and steps["beyond"]["result"] == PASSED


@pytest.mark.slow(10)
def test_udp(internet):
    """It matters to whom it is the way."""
    server = internet.dtcps("-U")
    drop(internet.net, "udp dport 4028")
    steps = check(internet)
    assert steps["udp"]["result"] == SKIPPED and "not needed" in steps["udp"]["text"]
    assert steps["beyond"]["result"] == PASSED
    steps = check(internet, "-U", status=6)
    assert steps["udp"]["result"] == FAILED and "UDP port 4028" in steps["udp"]["advice"]
    server.stop()
    internet.dtcps()
    steps = check(internet, "-U", status=9)
    assert steps["udp"]["result"] == FAILED and "does not offer" in steps["udp"]["text"]


@pytest.mark.slow(10)
def test_nothing_passes(internet):
    internet.dtcps("-U")
    drop(internet.net, "ip protocol { 41, udp }")
    goes(check(internet, "--transport", "auto", status=6), good="nat", bad=["protocol41", "udp"])


def test_small_path(internet):
    """Found out to the octet, and what it means for the tunnel's MTU."""
    internet.dtcps("-U")
    narrower(internet, 1400)
    assert check(internet)["mtu"]["data"] == {"path_mtu": 1400, "mtu": 1380}
    steps = check(internet, "-m", "1440", status=6)
    assert steps["mtu"]["result"] == FAILED and steps["mtu"]["advice"] == "use -m 1380"


def test_small_link_here(internet):
    """This machine says so itself."""
    internet.dtcps("-U")
    narrow(internet.site, "up0", internet.net, "site0", 1000)
    assert check(internet)["mtu"]["data"] == {"path_mtu": 1000, "mtu": 980}


@pytest.mark.slow(20)
def test_silent_small_path(internet):
    """Without ICMP errors about packets that are too large."""
    internet.dtcps("-U")
    drop(internet.net, "ip length > 1333 ip protocol 41")
    assert check(internet)["mtu"]["data"] == {"path_mtu": 1333, "mtu": 1313}


@pytest.mark.slow(10)
def test_fragments(internet):
    """A path that takes less than a tunnel needs has to take fragments."""
    internet.dtcps("-U")
    narrower(internet, 1000)
    steps = check(internet)
    assert steps["mtu"]["result"] == PASSED and steps["mtu"]["data"]["path_mtu"] == 1000
    drop(internet.server, "ip frag-off & 0x1fff != 0 counter", hook="prerouting")
    steps = check(internet, status=6)
    assert steps["mtu"]["result"] == FAILED and "fragments" in steps["mtu"]["advice"]


@pytest.mark.slow(5)
def test_nothing_beyond(internet):
    """With ICMP errors, and without."""
    internet.dtcps("-U")
    internet.six.nft("table ip6 deaf { chain c { type filter hook input priority 0;"
                     " icmpv6 type echo-request drop; }; }")
    steps = check(internet, status=6)
    goes(steps, good="mtu", bad=["beyond"])
    internet.server.ip("link", "set", "six0", "down")
    steps = check(internet, status=4)
    goes(steps, good="mtu", bad=["beyond"])
    assert "no route" in steps["beyond"]["text"]


# --- what stays


def test_the_machine_stays_as_it_was(internet):
    """Not for a moment is there an interface, an address, a route or a rule; nor a pid file."""
    internet.dtcps("-U")
    site = internet.site
    write_auth(site, f"{SERVER}:alice:{PASSWORD}\n")

    def sysctls():
        return site.command("sysctl", "-a", "-r", r"^net\.ipv[46]\.conf").stdout

    before, settings = site.state(), sysctls()
    watched = Process(site, "ip", "ip", "monitor", "link", "address", "route", "rule")

    def mark(mtu):
        site.ip("link", "set", "lo", "mtu", mtu)
        return watched.log()

    numbers = itertools.count(60000)
    until(lambda: mark(next(numbers)), "changes are seen")
    check(internet, "-D", "-l", "-f", "/var/run/check.pid", password=None)
    mark(65536)
    watched.wait_log("mtu 65536 ")
    lines = re.findall(r"^\S.*", watched.log(), re.MULTILINE)
    assert [line for line in lines if not re.match(r"\d+: lo:", line)] == [], lines
    watched.kill()
    site.back_to(before)
    assert sysctls() == settings


def test_a_tunnel_survives(internet):
    """Without a login nothing ends it; with --force, the newer session takes its place."""
    server = internet.dtcps("-U")
    client = internet.dtcpclient("-l")
    client.wait_up()
    steps = check(internet)
    goes(steps, good="greeting")
    assert "dtcp0 is up" in steps["login"]["text"] and "--force" in steps["login"]["advice"]
    ping(internet.site, SIX)
    assert len(re.findall(r"session up user=alice", server.log())) == 1
    assert "lost" not in client.log()
    goes(check(internet, "--force"), good="beyond")
    client.wait_log("superseded")


@pytest.mark.slow(2)
def test_broken_off(internet):
    """The server's session ends with it."""
    server = internet.dtcps("-U")
    drop(internet.net, "ip protocol 41")
    client = internet.dtcpclient("--check")
    client.wait_log("^ok    NAT")
    assert client.stop() == 1
    server.wait_log(r"session down user=alice .*client quit")


# --- how it is shown


@pytest.mark.parametrize("locale, good, bad", [("C.UTF-8", "\u2713", "\u2717"), ("C", "ok", "FAIL")])
def test_terminal(internet, locale, good, bad):
    """Signs where there is a terminal that can show them."""
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        internet.site.words(DTCPCLIENT, "--check", "-u", "alice", SERVER), stdout=slave,
        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True,
        env={**internet.environment(), "LC_ALL": locale})
    os.close(slave)
    shown = b""
    while shown.count(b"\n") < len(STEPS):
        shown += os.read(master, 10000)
    assert process.wait() == 5
    os.close(master)
    lines = shown.decode().splitlines()
    assert [line.split()[0] for line in lines[:2]] == [good, bad], lines
    # Whatever is in front, the steps stand below each other.
    assert len({line.index(name) for line, name in zip(lines, ("name", "port", "greeting"))}) == 1
