# SPDX-License-Identifier: BSD-2-Clause
"""The live view of dtcpctl, in a terminal whose keys are pressed and whose screen is read."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from lab.fake import FakeDaemon, client_status, ok, server_status, session
from lab.process import command_line, status_field
from lab.programs import DTCPCTL
from lab.terminal import Terminal
from lab.wait import until

HEADINGS = 3  # the line that has them
LAST = 23


class Server(FakeDaemon):
    """It has sessions that carry more with each look: each session's rate is its number times
    that of the first one."""

    def __init__(self, path, count):
        self.since = time.time() - 7200
        self.count = count
        self.looks = 0
        super().__init__(path, {"status": self.status, "sessions": self.sessions})

    def status(self, _request):
        self.looks += 1
        traffic = {"in_packets": 1, "in_octets": self.looks << 20, "out_packets": 1,
                   "out_octets": self.looks << 10}
        none = dict.fromkeys(traffic, 0)
        return [], ok(status=server_status(
            started=self.since, traffic={"user": traffic, "kernel": none},
            sessions={"now": self.count, "limit": 20000, "dead_paths": 1}))

    def sessions(self, _request):
        return [{"session": session(number, since=self.since, out_octets=0, dropped=0,
                                    in_octets=self.looks * 1000 * number,
                                    prefixes=[f"2001:db8:{number:x}::/48"] +
                                             (["2001:db8:beef::/64"] if number == 7 else []),
                                    path="dead" if number == 3 else "alive")}
                for number in range(1, self.count + 1)], ok()


@pytest.fixture
def watch(tmp_path):
    """watch(daemon, words): a terminal in which it is watched; all ends with the test."""
    made = []

    def start(daemon, *words, **more):
        made.append(daemon)
        made.append(Terminal(tmp_path, DTCPCTL, "--socket", daemon.path, "watch", *words, **more))
        return made[-1]

    yield start
    for each in reversed(made):
        each.close()


def users(lines):
    return [line.split()[0] for line in lines[HEADINGS + 1:LAST] if line.strip()]


def test_sessions_with_their_rates(watch, tmp_path):
    terminal = watch(Server(tmp_path / "s", 5), "--every", "1")
    lines = terminal.shows(lambda lines: re.search(r"user5 .* [\d.]+ KiB/s +0 B/s", "\n".join(lines)),
                           "rates are there")
    assert len(lines) == 24 and max(map(len, lines)) <= 80
    assert lines[0] == "dtcps0: dtcps 0.1.0, ready, runs for 2h 0m"
    assert re.fullmatch(r"5 of 20000 sessions, 1 dead   in [\d.]+ [KM]iB/s   out [\d.]+ (Ki)?B/s   "
                        r"dropped 0\.0/s", lines[1])
    assert lines[HEADINGS].split() == ["USER", "VIA", "PEER", "ADDRESS", "OR", "PREFIX", "AGE", "IN",
                                        "OUT"]
    assert users(lines) == ["user1", "user2", "user3", "user4", "user5"]
    assert "\033[31muser3 " in terminal.coloured()
    # The largest rate first, by its own key and by going from order to order.
    terminal.keys("i")
    lines = terminal.shows("sort: in", "it is sorted by what comes in")
    assert users(lines) == ["user5", "user4", "user3", "user2", "user1"]
    terminal.keys("s")
    terminal.shows("sort: out", "the next order")
    terminal.keys("t")
    lines = terminal.shows("sort: path", "dead paths come first")
    assert users(lines)[0] == "user3"
    terminal.keys("q")
    terminal.is_over(0)


def test_the_filter_is_typed(watch, tmp_path):
    terminal = watch(Server(tmp_path / "s", 30))
    terminal.shows("user1 ", "sessions are there")
    # The keys of orders, and that of the end, are letters of it meanwhile.
    terminal.keys("/", "q")
    terminal.shows("filter: q_  (0 of 30)", "the filter is shown")
    terminal.keys("BSpace", *"ser2")
    lines = terminal.shows("filter: ser2_  (11 of 30)", "those that have it in them")
    assert users(lines)[:2] == ["user2", "user20"]
    terminal.keys("Enter")
    terminal.shows("filter: ser2  (11 of 30)", "it stays")
    terminal.keys("/", "Escape")
    terminal.shows("1-19 of 30", "all are there again")
    # What a session has behind what is shown of it.
    terminal.keys("/", *"2001:db8:beef:")
    terminal.shows("(1 of 30)", "the one who has it")
    terminal.keys("Escape")
    terminal.keys("q")
    terminal.is_over(0)


def test_the_terminal_changes_its_size(watch, tmp_path):
    terminal = watch(Server(tmp_path / "s", 30))
    lines = terminal.shows("1-19 of 30", "as many as there is room for")
    assert "DROPPED" not in lines[HEADINGS] or len(lines[HEADINGS]) <= 80
    terminal.resize(130, 50)
    lines = terminal.shows("1-30 of 30", "all of them")
    assert "DROPPED" in lines[HEADINGS] and len(lines) == 50
    terminal.resize(60, 10)
    lines = terminal.shows("1-5 of 30", "few of them")
    assert max(map(len, lines)) <= 60 and "user5" in lines[8]
    terminal.keys("NPage")
    terminal.shows("6-10 of 30", "the next page")
    # On a telephone: who, and what goes through.
    terminal.resize(40, 10)
    lines = terminal.shows(lambda lines: lines[HEADINGS].split() == ["USER", "IN", "OUT"],
                           "what matters most")
    assert max(map(len, lines)) <= 40
    for size in ((20, 3), (5, 1), (80, 24)):
        terminal.resize(*size)
    terminal.shows(lambda lines: len(lines) == 24 and "of 30" in lines[-1], "it is whole again")
    terminal.keys("q")
    terminal.is_over(0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(watch, tmp_path, number):
    terminal = watch(Server(tmp_path / "s", 3))
    terminal.shows("1-3 of 3", "sessions are there")
    if number == signal.SIGINT:
        terminal.keys("C-c")
    else:
        os.kill(terminal.pid("dtcpctl"), number)
    terminal.is_over(0)


def age(lines):
    """In seconds, as the first line has it; 0 if it has none."""
    match = re.search(r"  (?:(\d+)m )?(\d+)s ago", lines[0] if lines else "")
    return 60 * int(match[1] or 0) + int(match[2]) if match else 0


def test_a_slow_daemon_is_not_asked_again(watch, tmp_path):
    server = Server(tmp_path / "s", 3)
    terminal = watch(server, "--every", "1")
    terminal.shows("1-3 of 3", "sessions are there")
    server.go_on.clear()
    asked = len(server.asked)
    terminal.shows(lambda lines: age(lines) >= 3, "it says how old it is")
    # The one question that waits for its answer; there would have been three.
    assert len(server.asked) <= asked + 1
    # Keys are obeyed meanwhile.
    terminal.keys("u")
    terminal.shows("sort: user", "a key does what it does")
    server.go_on.set()
    terminal.shows(lambda lines: lines and not age(lines), "it is as new as it should be")
    terminal.keys("q")
    terminal.is_over(0)


def test_it_is_not_root(watch, tmp_path):
    """It connects to a daemon that begins again, and has no other rights."""
    def is_watch(pid):
        # Others' processes come and go.
        with contextlib.suppress(OSError):
            return command_line(pid).startswith(f"{DTCPCTL} --socket {server.path} watch")
        return False

    def typed():
        # What is typed while the terminal's modes change can be lost.
        terminal.keys("/")
        return any(line.startswith("filter: ") for line in terminal.lines())

    server = Server(tmp_path / "s", 1)
    terminal = watch(server)
    terminal.shows("1-1 of 1", "the session is there")
    [pid] = [int(name) for name in os.listdir("/proc") if name.isdigit() and is_watch(int(name))]
    assert "0" not in status_field(pid, "Uid").split()
    assert status_field(pid, "Groups") == ""
    for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status_field(pid, field), 16) == 0
    assert status_field(pid, "NoNewPrivs") == "1"
    assert status_field(pid, "Seccomp") == "2"
    # This would stop it in a shell that has jobs.
    terminal.keys("C-z")
    until(typed, "it goes on")
    terminal.keys("Escape")
    terminal.keys("q")
    terminal.is_over(0)


@pytest.fixture
def open_folder():
    """For a socket that is found again by one who is not root any more."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_a_daemon_that_ends_and_begins_again(watch, open_folder):
    server = Server(open_folder / "s", 3)
    terminal = watch(server, "--every", "1")
    terminal.shows("1-3 of 3", "sessions are there")
    server.close()
    lines = terminal.shows("not seen any more: ", "it says that the daemon is gone")
    assert users(lines) == ["user1", "user2", "user3"]
    another = Server(open_folder / "s", 4)
    another.path.chmod(0o666)
    try:
        terminal.shows("1-4 of 4", "it has found the next one")
        terminal.shows(lambda lines: "not seen" not in "\n".join(lines), "and says nothing more")
        terminal.keys("q")
        terminal.is_over(0)
    finally:
        another.close()


def test_a_client(watch, tmp_path):
    looks = []

    def status(_request):
        looks.append(1)
        return [], ok(status=client_status(in_octets=len(looks) << 20, out_octets=0))

    terminal = watch(FakeDaemon(tmp_path / "c", {"status": status}), "--every", "1")
    lines = terminal.shows(lambda lines: re.search(r"receives +[\d.]+ \wiB/s +[▁▂▃▄▅▆▇█]{3}",
                                                   "\n".join(lines)), "a history of its rates")
    assert lines[0].startswith("dtcp-home: dtcpclient 0.1.0 of home, up for ")
    assert re.search(r"received +[\d.]+ MiB in 3 packets, [\d.]+ \wiB/s", "\n".join(lines))
    assert re.match(r"  sends +0 B/s", lines[-2])
    terminal.resize(80, 12)
    terminal.shows(lambda lines: len(lines) == 12 and "q quit" in lines[-1], "it is smaller")
    terminal.keys("End")
    terminal.shows("dropped ", "what is below can be seen")
    terminal.keys("q")
    terminal.is_over(0)


def test_fifteen_thousand_sessions(watch, tmp_path):
    terminal = watch(Server(tmp_path / "s", 15000), "--every", "1")
    terminal.shows("1-19 of 15000", "sessions are there")
    terminal.keys("End")
    terminal.shows("14982-15000 of 15000", "the last of them")
    terminal.keys("/", *"r1499")
    terminal.shows("(11 of 15000)", "some of them")
    terminal.keys("Enter", "q")
    terminal.is_over(0)


def test_it_needs_a_terminal_that_it_knows(watch, tmp_path):
    server = Server(tmp_path / "s", 1)
    done = subprocess.run([DTCPCTL, "--socket", server.path, "watch"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dtcpctl: watch: this needs a terminal; there is status, and --json\n"
    terminal = watch(server, environment={"TERM": "no-such"})
    terminal.shows('dtcpctl: watch: the terminal "no-such" cannot do this', "it says so")
    terminal.is_over(1)


def test_what_cannot_be_watched_is_said_as_usual(watch, tmp_path):
    server = FakeDaemon(tmp_path / "s")
    server.close()
    terminal = watch(server)
    terminal.shows("no daemon runs there", "it says so")
    terminal.is_over(3)


def test_looks_as_json_until_nobody_reads(tmp_path):
    server = Server(tmp_path / "s", 2)
    try:
        with subprocess.Popen([DTCPCTL, "--socket", server.path, "--json", "watch", "--every", "1"],
                              stdout=subprocess.PIPE, text=True) as running:
            said = [json.loads(running.stdout.readline()) for _ in range(8)]
            running.stdout.close()
            until(lambda: running.poll() is not None, "it ends")
            assert running.returncode == -signal.SIGPIPE
    finally:
        server.close()
    assert ["status" in line for line in said] == 2 * [True, False, False, False]
    assert ["session" in line for line in said] == 2 * [False, True, True, False]
