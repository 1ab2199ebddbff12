# SPDX-License-Identifier: BSD-2-Clause
"""Guessing passwords: slow, soon refused, in the log; and others do not notice."""

import configparser
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from lab.node import alive
from lab.process import Process, end_quietly
from lab.programs import DTCPS, SERVICE
from lab.topology import SITE
from lab.wait import REPO, slow, until
from lab.wire import Wire

OTHER = "192.0.2.3"
THIRD = "192.0.2.4"
DENIED = "-ERR authentication failed."
REFUSED = "-ERR too many failed logins, try again later"
FILTER = REPO / "etc" / "fail2ban" / "filter.d" / "dtcps.conf"


@pytest.fixture
def addresses(internet):
    """The site has three addresses."""
    internet.users.add("bob")
    for address in (OTHER, THIRD):
        internet.site.ip("addr", "add", f"{address}/24", "dev", "up0")
    return internet


def timed(action):
    started = time.monotonic()
    result = action()
    return result, time.monotonic() - started


def miss(lab, source, user="alice"):
    """A wrong password. Returns the answer and how long it took."""
    with Wire(lab.site, source=source) as wire:
        line = wire.request(user, password="wrong")
        return timed(lambda: wire.ask(line))


def test_guessing_takes_no_session(addresses):
    """What is looked into for somebody without a password leaves the only session to the others."""
    server = addresses.dtcps(set={"limit.sessions": 1})
    monitor = server.rooms()["monitor"]
    with Wire(addresses.site, source=OTHER) as attacker, Wire(addresses.site) as alice:
        os.kill(monitor, signal.SIGSTOP)
        attacker.send(attacker.request("mallory", password="wrong") + "\r\n")
        # control has read it when it greets one who came later.
        Wire(addresses.site, source=THIRD).close()
        alice.send(alice.request() + "\r\n")
        os.kill(monitor, signal.SIGCONT)
        assert alice.line().startswith("+OK ")
        assert attacker.line() == DENIED


def test_answers_wait(addresses):
    """Longer each time, for one who exists and one who does not; and the connection with them."""
    addresses.dtcps()
    for source, user in ((SITE, "alice"), (OTHER, "mallory")):
        with Wire(addresses.site, source=source) as wire:
            for least in (0.1, 0.2, 0.4):
                line = wire.request(user, password="wrong") + "\r\nping"
                answer, took = timed(lambda line=line: wire.ask(line))
                assert answer == DENIED
                assert least - 0.01 < took < least + 0.5 * slow(), f"{user}: {took:.2f} s"
                if least < 0.4:
                    assert wire.line().startswith("+OK hi")
            assert wire.closed()


def test_right_one_from_elsewhere(addresses):
    """Guesses at alice's password use up an address, and alice logs in from another at once."""
    server = addresses.dtcps(set={"limit.source.failures": 5, "limit.delay": 0})
    asked = [miss(addresses, OTHER) for _ in range(7)]
    assert [answer for answer, _ in asked] == [DENIED] * 5 + [REFUSED] * 2
    # The same for who does not exist, and with the right password.
    assert miss(addresses, OTHER, "mallory")[0] == REFUSED
    with Wire(addresses.site, source=OTHER) as wire:
        assert wire.ask(wire.request()) == REFUSED
    with Wire(addresses.site, source=THIRD) as wire:
        _, took = timed(wire.login)
        assert took < 0.7 * slow()
    server.wait_log(rf"{OTHER}: login refused: too many failed logins, try again later$")
    assert server.log().count('authentication failed for user "alice"') == 5
    assert "mallory" not in server.log()


def test_known_behind_the_same_address(addresses):
    """Who was logged in from an address before is let in, whatever its neighbours do."""
    addresses.dtcps(set={"limit.source.failures": 3, "limit.delay": 0})
    with Wire(addresses.site, source=OTHER) as wire:
        wire.login("bob")
    for _ in range(3):
        assert miss(addresses, OTHER)[0] == DENIED
    assert miss(addresses, OTHER)[0] == REFUSED
    with Wire(addresses.site, source=OTHER) as wire:
        wire.login("bob")


def test_monitor_is_left_alone(addresses):
    """Refused logins do not reach root: it can even be stopped meanwhile."""
    server = addresses.dtcps(set={"limit.source.failures": 2, "limit.delay": 0})
    for _ in range(2):
        assert miss(addresses, OTHER)[0] == DENIED
    monitor = server.rooms()["monitor"]
    os.kill(monitor, signal.SIGSTOP)
    try:
        for _ in range(20):
            assert miss(addresses, OTHER)[0] == REFUSED
    finally:
        os.kill(monitor, signal.SIGCONT)
    with Wire(addresses.site) as wire:
        wire.login()


@pytest.mark.parametrize("kind, limit", [("host", 60), ("tunnelonly", 10)])
def test_too_many_good_logins(internet, kind, limit):
    """They cost root's time as well, so one user has only so many; fewer of those that may need an
    interface of their own. Others log in as always."""
    internet.users.add("bob")
    server = internet.dtcps(set={"limit.delay": 0})
    answers = []
    while not answers or answers[-1].startswith("+OK"):
        with Wire(internet.site) as wire:
            answers.append(wire.ask(wire.request(type=kind)))
    assert limit <= len(answers) - 1 < 3 * limit
    assert answers[-1] == "-ERR too many logins, try again later"
    server.wait_log(r"login refused: too many logins, try again later")
    with Wire(internet.site) as wire:
        wire.login("bob", kind)


def test_log_is_not_filled(addresses):
    """The log is rate limited, and counts suppressed lines."""
    server = addresses.dtcps(set={"limit.log": 2, "limit.delay": 0, "limit.source.failures": 1000})
    started = time.monotonic()
    for _ in range(100):
        assert miss(addresses, OTHER)[0] == DENIED
    took = time.monotonic() - started
    assert server.stop() == 0
    lines = server.log().count("authentication failed for user")
    assert 2 <= lines <= 2 + 2 * took + 1
    left_out = sum(int(number) for number in
                   re.findall(r'lines left out about="failed logins" count=(\d+)', server.log()))
    assert lines + left_out == 100


# --- fail2ban ----------------------------------------------------------------------------------


def patterns():
    """The filter's expressions, with fail2ban's word for an address written out."""
    parser = configparser.RawConfigParser()
    parser.read(FILTER)
    texts = parser["Definition"]["failregex"].split("\n")
    return [re.compile(text.strip().replace("<ADDR>", r"(?P<ip>\d+\.\d+\.\d+\.\d+)"))
            for text in texts]


def found(lines):
    """The addresses that fail2ban would count."""
    matches = [match for line in lines for pattern in patterns() if (match := pattern.search(line))]
    return [match["ip"] for match in matches]


# User names as an attacker would write them.
NAMES = ["alice", "x", '"', 'x"', '1.2.3.4', "\\x22", "a\\", "%s%n", "<HOST>",
         '"authentication', "9" * 64]
# More than a name, on one line: what comes behind it is the response.
REQUESTS = [b'tunnel x from 1.2.3.4 ' + b"0" * 32 + b" host",
            b"tunnel \x1b[2K1.2.3.4 " + b"0" * 32 + b" host",
            b"tunnel 1.2.3.4:\xa0x " + b"0" * 32 + b" host"]


def attack(lab):
    """Returns how many lines are to come."""
    for name in NAMES:
        with Wire(lab.site) as wire:
            assert wire.ask(f"tunnel {name} {'0' * 32} host") == DENIED
    for request in REQUESTS:
        with Wire(lab.site) as wire:
            wire.send(request + b"\r\n")
            assert wire.line().startswith("-ERR ")
    return len(NAMES)


def fail2ban_regex(path, expected):
    """Where fail2ban is there, it says the same. It wants a time, which standard error lacks."""
    if shutil.which("fail2ban-regex"):
        result = subprocess.run(["fail2ban-regex", str(path), str(FILTER)], capture_output=True,
                                text=True)
        assert f"Failregex: {expected} total" in result.stdout, result.stdout


def test_fail2ban_believes_the_journal_only():
    """Fields whose names do not begin with "_" are the sender's choice."""
    parser = configparser.RawConfigParser()
    parser.read(FILTER)
    for word in parser["Definition"]["journalmatch"].split():
        assert word == "+" or word.startswith("_")


@pytest.mark.parametrize("form", ["text", "json"])
def test_fail2ban(internet, form):
    """In the lines that the server writes to standard error."""
    server = internet.dtcps(set={"limit.delay": 0, "limit.source.failures": len(NAMES) + 1,
                                 "log.format": form})
    expected = attack(internet)
    assert miss(internet, SITE, "bob")[0] == DENIED
    assert miss(internet, SITE, "bob")[0] == REFUSED
    server.wait_log("login refused")
    server.stop()
    lines = server.log().splitlines()
    assert found(lines) == [SITE] * (expected + 2), server.log()
    # Each of them is one line, and nothing else has the look of one.
    assert sum("authentication failed" in line for line in lines) == expected + 1
    fail2ban_regex(server.path, expected + 2)


# A daemon with a system log of its own in place of /dev/log.
DAEMON = """#!/bin/sh
set -e
mkdir -p "$1/dev/net"
for file in null zero random urandom net/tun; do
    : >"$1/dev/$file"
    mount --bind "/dev/$file" "$1/dev/$file"
done
ln -s "$1/log" "$1/dev/log"
mount --rbind "$1/dev" /dev
shift
exec "$@"
"""


def read_log(log, lines):
    """Until it is closed; as a syslog daemon writes it: the priority goes, the machine comes."""
    while text := log.recv(4096).decode():
        match = re.fullmatch(r"<\d+>(\w+ +\d+ [\d:]+) (.*?)\n?", text, re.DOTALL)
        lines.append(f"{match[1]} broker {match[2]}" if match else text)


def test_fail2ban_syslog(internet):
    """In the lines that a daemon writes."""
    folder = internet.dir / "system"
    folder.mkdir(mode=0o755)
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(str(folder / "log"))
    (folder / "log").chmod(0o666)
    lines = []
    threading.Thread(target=read_log, args=(log, lines), daemon=True).start()
    pidfile = Path(folder / "pid")
    Process(internet.server, "daemon", internet.file("daemon", DAEMON, 0o755), folder, DTCPS, "-D",
            "-f", pidfile, "-o", f"database={internet.users.path}", "-o", "limit.delay=0",
            "-o", f"user={SERVICE}").wait()
    pid = int(until(lambda: pidfile.exists() and pidfile.read_text().strip(), "it has a pid file"))
    try:
        until(lambda: ":20200" in internet.server.run("ss", "-Hltn").stdout, "it listens")
        expected = attack(internet)
        until(lambda: sum("authentication failed" in line for line in lines) >= expected,
              lambda: f"all failures are logged: {lines}")
        # fail2ban looks for the time first, and takes it off.
        bare = [re.sub(r"^\w+ +\d+ [\d:]+ ", "", line) for line in lines]
        assert found(bare) == [SITE] * expected, lines
        fail2ban_regex(internet.file("syslog", "\n".join(lines) + "\n"), expected)
        os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), "the daemon ends")
    finally:
        end_quietly(pid)
        log.shutdown(socket.SHUT_RDWR)
        log.close()
