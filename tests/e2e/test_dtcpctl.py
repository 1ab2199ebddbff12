# SPDX-License-Identifier: BSD-2-Clause
"""dtcpctl, and simulated daemons that send what a test specifies."""

import fcntl
import json
import os
import pty
import re
import socket
import struct
import subprocess
import termios
import time

import pytest

from lab.fake import FakeDaemon, client_status, no, ok, server_status, session
from lab.process import status_field
from lab.programs import DTCPCTL
from lab.wait import until

ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "PATH": "/usr/bin:/bin"}
STATUS = [], ok(status=server_status())


@pytest.fixture
def fake(tmp_path):
    """fake(answers, name): a daemon; they all end with the test."""
    daemons = []

    def start(answers=(), path=None):
        daemons.append(FakeDaemon(path or tmp_path / f"{len(daemons)}.sock", answers))
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.close()


def ctl(*words, daemon=None, environment=(), **more):
    where = ("--socket", daemon.path) if daemon else ()
    more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.run([str(word) for word in (DTCPCTL, *where, *words)], text=True,
                          timeout=60, env={**ENVIRONMENT, **dict(environment)}, check=False, **more)


def good(done, status=0):
    assert (done.returncode, done.stderr) == (status, ""), done
    return done.stdout


def fails(done, status, pattern):
    """It says one line that matches as a whole, and nothing else."""
    assert done.returncode == status, done
    assert re.fullmatch(f"dtcpctl: {pattern}\n", done.stderr), done.stderr
    assert done.stdout == ""


def fields(text):
    """{label: text} of a page, and its heading under None."""
    lines = text.splitlines()
    found = {None: lines[0]}
    label = ""
    for line in lines[1:]:
        assert line.startswith("  "), line
        label = line[2:14].strip() or label
        found.setdefault(label, []).append(line[16:])
    return {label: rows if label is None else "\n".join(rows) for label, rows in found.items()}


# --- the server's commands


def test_a_server_tells_how_it_is(fake):
    page = fields(good(ctl("status", daemon=fake({"status": STATUS}))))
    assert re.fullmatch(r"dtcps0: dtcps 0\.1\.0, ready, runs for 3d 4h \(since [\d: -]+\)", page[None])
    assert page["listens"] == "0.0.0.0, port 20200; offers ipv6, udp"
    assert page["sessions"] == ("2 of at most 1000: 1 host, 1 network; 1 over protocol 41, "
                                "1 over UDP\n1 does not answer")
    assert page["logins"] == ("9 granted, answered in 3.00 ms on average\n"
                              "refused: 2 wrong user or password, 3 account disabled or expired, "
                              "4 transport not allowed, 5 type not allowed, 6 nothing left to assign, "
                              "10 no tunnel to that address, 7 failed here, 1 too many attempts, "
                              "8 kicked before")
    assert page["database"] == "/var/lib/dtcp/users.db, 12 users, answers in 3.00 ms on average"
    assert page["pools"] == ("network 2001:db8:100::/40: 62000 of 65535 /56 taken (95 %)\n"
                             "host 2001:db8:1::/64: 1 of 2^64 /128 taken (0.00 %)")
    assert page["limits"] == "7 lines of the log left out"
    assert page["from users"] == "2.0 KiB in 2 packets (1000 B by the kernel)"
    assert page["dropped"] == "3: source address is not one of the session's own (src-ingress)"
    assert re.fullmatch(r"\dm \d+s ago: a warning", page["last warning"])


def test_a_server_that_says_little_is_shown_as_well(fake):
    """New members can come, and old ones can be missing."""
    text = good(ctl("status", daemon=fake({"status": ([], ok(status={"program": "dtcps"}))})))
    assert "null" not in text and "nan" not in text
    assert good(ctl("status", daemon=fake({"status": ([], ok())})))
    # A part of it that did not answer the server is not shown as nothing.
    status = server_status(fast={"mode": "auto"})
    for name in ("database", "database_seconds", "pools", "pid", "last_error"):
        del status[name]
    page = fields(good(ctl("status", daemon=fake({"status": ([], ok(status=status))}))))
    assert page["database"] == "not known, as its process does not answer"
    assert not {"pools", "fast path", "last warning"} & page.keys()


def test_json_is_what_the_daemon_said(fake):
    rows = [{"session": session(number, note={"new": [1.5, "ü"]})} for number in (1, 2)]
    daemon = fake({"status": STATUS, "sessions": (rows, ok()), "session": (rows[:1], ok()),
                   "drops": ([], ok(drops=[])), "kick": ([], ok(ended=1)), "reload": ([], ok()),
                   "log": ([], ok())})
    for words, expected in ((["status"], [STATUS[1]]), (["sessions"], [*rows, ok()]),
                            (["session", "user1"], [rows[0], ok()]), (["drops"], [ok(drops=[])]),
                            (["kick", "bob"], [ok(ended=1)]), (["reload"], [ok()]),
                            (["log", "debug"], [ok()])):
        text = good(ctl("--json", *words, daemon=daemon))
        assert [json.loads(line) for line in text.splitlines()] == expected
    # Two looks are two answers.
    text = good(ctl("--json", "drops", "--every", "1", daemon=daemon))
    assert [json.loads(line) for line in text.splitlines()] == 2 * [ok(drops=[])]
    daemon.answers["kick"] = [], no("missing", "no such session")
    done = ctl("kick", "bob", "--json", daemon=daemon)
    assert json.loads(done.stdout) == no("missing", "no such session")
    assert done.returncode == 1 and done.stderr.endswith(": no such session\n")


def test_sessions_are_a_table_that_lines_up(fake):
    rows = [{"session": session(1, user="ann", in_octets=5 << 20)},
            {"session": session(2, user="a-much-longer-name", path="dead", type="host",
                                address="2001:db8:1::7", prefixes=[])},
            {"session": session(3, user="bob", prefixes=["2001:db8:1::/48", "2001:db8:2::/48"])}]
    table = good(ctl("sessions", daemon=fake({"sessions": (rows, ok())}))).splitlines()
    assert table[0].split() == ["USER", "TYPE", "VIA", "PEER", "ADDRESS", "OR", "PREFIX", "AGE", "IN",
                                "OUT", "DROPPED", "PATH"]
    for left in ("TYPE", "VIA", "PEER", "ADDRESS", "PATH"):
        assert all(line[table[0].index(left) - 1] == " " and line[table[0].index(left)] != " "
                   for line in table)
    for right in ("AGE", "IN ", "OUT", "DROPPED"):
        end = table[0].index(right) + len(right.strip())
        assert all(line[end - 1] != " " and line[end] == " " for line in table), right
    assert [line.split()[0] for line in table[1:]] == ["ann", "a-much-longer-name", "bob"]
    assert "2001:db8:1::/48 +1" in table[3] and "2001:db8:1::7" in table[2]
    assert "1h 0m" in table[1] and "5.0 MiB" in table[1]


@pytest.mark.parametrize("key, order", [
    ("id", "1 2 3"), ("user", "3 1 2"), ("peer", "2 1 3"), ("age", "2 1 3"), ("in", "3 2 1"),
    ("out", "1 2 3"), ("dropped", "2 1 3"), ("path", "3 1 2")])
def test_sessions_are_sorted(fake, key, order):
    now = time.time()
    rows = [{"session": session(1, user="m", peer="10.0.0.9", since=now - 50, out_octets=9,
                                in_octets=1)},
            {"session": session(2, user="z", peer="9.0.0.1", since=now - 90, out_octets=8, dropped=4,
                                in_octets=2)},
            {"session": session(3, user="a", peer="10.0.0.10", since=now - 9, out_octets=7,
                                in_octets=3, path="dead")}]
    text = good(ctl("sessions", "--sort", key, daemon=fake({"sessions": (rows, ok())})))
    users = {"m": "1", "z": "2", "a": "3"}
    assert " ".join(users[line.split()[0]] for line in text.splitlines()[1:]) == order


@pytest.mark.parametrize("words, question", [
    (["sessions"], {"command": "sessions"}),
    (["sessions", "--user", "bob", "--address", "203.0.113.7", "--prefix", "2001:db8::/32",
      "--transport", "udp"],
     {"command": "sessions", "user": "bob", "address": "203.0.113.7", "prefix": "2001:db8::/32",
      "transport": "udp"}),
    (["session", "bob"], {"command": "session", "user": "bob"}),
    (["drops"], {"command": "drops"}),
    (["kick", "bob"], {"command": "kick", "user": "bob"}),
    (["kick", "bob", "--for", "10m"], {"command": "kick", "user": "bob", "seconds": 600}),
    (["--for", "2h", "kick", "bob"], {"command": "kick", "user": "bob", "seconds": 7200}),
    (["reload"], {"command": "reload"}),
    (["log", "debug"], {"command": "log", "level": "debug"}),
    (["log", "info"], {"command": "log", "level": "info"}),
    (["reconnect"], {"command": "reconnect"}),
    (["down"], {"command": "down"}),
    (["up"], {"command": "up"}),
    (["status"], {"command": "status"})])
def test_what_a_daemon_is_asked(fake, words, question):
    names = ("sessions", "session", "drops", "kick", "reload", "log", "reconnect", "down", "up")
    daemon = fake({"status": STATUS, **{name: ([], ok()) for name in names}})
    good(ctl(*words, daemon=daemon))
    assert daemon.asked == [question]


def test_one_session(fake):
    daemon = fake({"session": ([{"session": session(3, address="2001:db8:1::2", path="dead")}], ok())})
    page = fields(good(ctl("session", "user3", daemon=daemon)))
    assert page[None].startswith("user3: network over UDP, for 1h 0m (since ")
    assert page["peer"] == "203.0.0.4, port 4003" and page["address"] == "2001:db8:1::2"
    assert page["prefixes"] == "2001:db8:3::/48" and page["from user"] == "2.9 KiB in 3 packets"
    assert page["path"] == "dead"
    daemon.answers["session"] = [], no("missing", "user3 has no session")
    fails(ctl("session", "user3", daemon=daemon), 1, r".*/0\.sock: user3 has no session")


def test_drops_are_told_in_words_and_as_rates(fake):
    counts = iter((3, 5, 9))
    daemon = fake({"drops": lambda request: ([], ok(drops=[
        {"reason": "hop-limit", "count": next(counts), "text": "its hop limit was used up"}]))})
    assert good(ctl("drops", daemon=daemon)).splitlines() == [
        "DROPPED  REASON     WHAT", "      3  hop-limit  its hop limit was used up"]
    table = good(ctl("drops", "--every", "1", daemon=daemon)).splitlines()
    assert table[0].split() == ["DROPPED", "REASON", "WHAT", "A", "SECOND"]
    # Four of them in a second, or in a little more on a busy machine.
    assert table[1].split()[0] == "9" and 0 < float(table[1].split()[-1]) <= 4


def test_traffic_between_two_looks_is_a_rate(fake):
    octets = iter((1 << 20, 3 << 20))
    daemon = fake({"status": lambda request: ([], ok(status=client_status(in_octets=next(octets))))})
    page = fields(good(ctl("status", "--every", "1", daemon=daemon)))
    assert re.fullmatch(r"3\.0 MiB in 3 packets, (2\.0|1\.\d) MiB/s|3\.0 MiB in 3 packets, \d+ KiB/s",
                        page["received"])
    assert page["sent"] == "4.0 MiB in 4 packets, 0 B/s"


def test_kick_says_what_came_of_it(fake):
    daemon = fake({"kick": ([], ok(ended=1))})
    assert good(ctl("kick", "bob", daemon=daemon)) == "1 session ended\n"
    # Nobody has to guess whether the second half was done.
    daemon.answers["kick"] = [], ok(ended=0)
    assert good(ctl("kick", "bob", "--for", "90s", daemon=daemon)) == \
        "0 sessions ended; logins are refused for 1m 30s\n"
    assert good(ctl("kick", "bob", "--for", "0", daemon=daemon)) == \
        "0 sessions ended; logins are not refused any more\n"


# --- the client's


def test_a_client_tells_what_it_got(fake):
    daemon = fake({"status": lambda request: ([], ok(status=client_status()))})
    page = fields(good(ctl("status", daemon=daemon)))
    assert re.match(r"dtcp-home: dtcpclient 0\.1\.0 of home, up for 1m \d+s \(since ", page[None])
    assert page["server"] == ("broker.example.org (203.0.113.9), port 20200, as alice\n"
                              "out of broker.example.org, other.example.org")
    assert page["tunnel"] == "network over UDP: the far end did not answer over protocol 41"
    assert page["carried by"] == "user space"
    assert page["address"] == "2001:db8:1::2, the server has 2001:db8:1::1"
    assert page["prefix"] == "2001:db8:100::/56"
    assert page["networks"] == "eth1 has 2001:db8:100::/64"
    assert re.fullmatch(r"alive, round trip 12\.3 ms, last answer \d+s ago", page["path"])
    assert page["sent"] == "4.0 MiB in 4 packets" and page["mtu"] == "1280"


@pytest.mark.parametrize("state, text", [
    ("held", "held without a session"), ("connecting", "connecting"),
    ("waiting", "waiting for the next try"), ("down", "down"), ("new-state", "new-state")])
def test_a_client_that_is_not_up_has_a_status_of_its_own(fake, state, text):
    status = {key: value for key, value in client_status(state=state).items()
              if key in ("program", "release", "interface", "state", "since", "user", "servers")}
    status["last_error"] = {"time": time.time() - 3, "text": "connection refused"}
    status["next_try"] = time.time() + 90.5
    daemon = fake({"status": ([], ok(status=status))})
    page = fields(good(ctl("status", daemon=daemon), 5))
    assert f", {text} for 1m " in page[None]
    assert page["server"].startswith("none yet, as alice")
    assert re.fullmatch(r"\d+s ago: connection refused", page["last error"])
    assert re.fullmatch(r"in 1m \d+s", page["next try"])
    assert json.loads(good(ctl("--json", "status", daemon=daemon), 5))["status"] == status


# --- the command line


@pytest.mark.parametrize("words, line", [
    ([], "no command; see --help"),
    (["bogus"], 'unknown command "bogus"; see --help'),
    (["status", "x"], 'status: too many words, from "x" on'),
    (["kick"], "kick: USER is missing"),
    (["session"], "session: USER is missing"),
    (["kick", "a", "b"], 'kick: too many words, from "b" on'),
    (["kick", "a:b"], 'kick "a:b": not a possible user name: .*'),
    (["session", ""], 'session "": not a possible user name: .*'),
    (["sessions", "--user", "a b"], '--user "a b": not a possible user name: .*'),
    (["log"], "log: LEVEL is missing"),
    (["log", "loud"], 'log "loud": debug or info'),
    (["sessions", "--sort", "size"], '--sort "size": id, user, .*'),
    (["sessions", "--address", "1.2.3"], '--address "1.2.3": not an IPv4 or IPv6 address'),
    (["sessions", "--prefix", "2001:db8::"], '--prefix "2001:db8::" is not .*'),
    (["sessions", "--transport", "tcp"], '--transport "tcp": ipv6 or udp'),
    (["kick", "a", "--for", "1y"], '--for "1y": a time such as 30s, 10m, 2h or 1d is needed, .*'),
    (["kick", "a", "--for", "31d"], '--for "31d": a time .*, of at most 30d'),
    (["watch", "--every", "0"], '--every: "0": a number from 1 to 3600 is needed'),
    (["drops", "--for", "1m"], "drops: --for is of kick; see --help"),
    (["status", "--user", "bob"], "status: --user, .* choose sessions; see --help"),
    (["reload", "--sort", "id"], "reload: --sort is for sessions; see --help"),
    (["sessions", "--json", "--sort", "in"], "--json shows sessions as they come; leave --sort out"),
    (["up", "--every", "1"], "up: --every is of watch, status and drops; see --help"),
    (["-i"], "-i: its value is missing; see --help"),
    (["--socket"], "--socket: its value is missing; see --help"),
    (["--bogus"], "--bogus: unknown option; see --help"),
    (["-x", "status"], "-x: unknown option; see --help"),
    (["--json=yes", "status"], "--json=yes: unknown option; see --help"),
    (["-i", "a", "--socket", "/b", "status"], "-i and --socket name two daemons; .*"),
    (["--socket", "/" + 200 * "x", "status"], r"--socket: a path has at most 107 octets"),
    (["st\033[31matus"], r'unknown command "st\\x1b\[31matus"; see --help')])
def test_wrong_words_are_one_line(words, line):
    fails(ctl(*words), 2, line)


def test_help_and_version():
    assert good(ctl("--help")).startswith("usage: dtcpctl ")
    assert re.fullmatch(r"dtcpctl \d+\.\d+\.\d+\n", good(ctl("--version")))


def test_an_output_that_cannot_be_written(fake):
    with open("/dev/full", "wb") as full:
        done = ctl("status", daemon=fake({"status": STATUS}), stdout=full)
    assert (done.returncode, done.stderr) == (1, "dtcpctl: standard output: No space left on device\n")


# --- which daemon


@pytest.fixture
def node(lab):
    """A machine of its own; node.fake(name, answers) is a daemon there."""
    made = lab.node("here")
    daemons = []

    def start(name, answers=()):
        daemons.append(FakeDaemon(made.dir / "run" / "dtcp" / f"{name}.sock", answers))
        return daemons[-1]

    made.fake = start
    made.ctl = lambda *words: made.run(DTCPCTL, *words, check=False)
    yield made
    for daemon in daemons:
        daemon.close()


def test_no_daemon_runs(node):
    line = r"no daemon runs here \(none answers in .*/dtcp\); start dtcps\(8\) or .*--socket"
    fails(node.ctl("status"), 3, line)
    fails(node.ctl("sessions"), 3, line)
    # One that was killed has left its socket.
    folder = node.dir / "run" / "dtcp"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "dtcps.sock"))
    fails(node.ctl("status"), 3, line)
    fails(node.ctl("--socket", "/nonexistent", "status"), 3, "/nonexistent: no daemon runs there")


def test_the_only_daemon_is_asked(node):
    node.fake("dtcps", {"status": STATUS})
    assert good(node.ctl("status")).startswith("dtcps0: dtcps 0.1.0, ready")
    fails(node.ctl("up"), 3, r"up: only dtcpclient has this command, and none runs here; there is "
                             r"dtcps0 \(dtcps\)")


def test_several_daemons(node):
    node.fake("dtcps", {"status": STATUS, "sessions": ([], ok()), "log": ([], ok())})
    home = node.fake("dtcpclient-dtcp-home", {
        "status": ([], ok(status=client_status())), "up": ([], ok())})
    # All of them are in the short list.
    table = good(node.ctl("status")).splitlines()
    assert [line.split()[:3] for line in table] == [
        ["INSTANCE", "PROGRAM", "STATE"], ["dtcps0", "dtcps", "ready"],
        ["dtcp-home", "dtcpclient", "up"]]
    assert table[1].endswith("  2 sessions") and table[2].endswith("  network at broker.example.org")
    said = good(node.ctl("--json", "status")).splitlines()
    assert [json.loads(line)["status"]["program"] for line in said] == ["dtcps", "dtcpclient"]
    # A line has no room for rates.
    fails(node.ctl("status", "--every", "1"), 2, "several daemons run here; choose one with -i: .*")
    # Only one of them has such a command.
    assert good(node.ctl("sessions")).startswith("USER ")
    assert good(node.ctl("up")) == ""
    fails(node.ctl("log", "info"), 2, r"several daemons run here; choose one with -i: "
                                      r"dtcps0 \(dtcps\), dtcp-home \(dtcpclient\)")
    # By its interface, or by its configuration.
    assert good(node.ctl("-i", "dtcps0", "log", "info")) == ""
    for name in ("dtcp-home", "home"):
        assert good(node.ctl("--instance", name, "status")).startswith("dtcp-home: dtcpclient")
    fails(node.ctl("-i", "home", "kick", "bob"), 2,
          r"kick: dtcp-home \(dtcpclient\) has no such command; only dtcps has")
    fails(node.ctl("-i", "work", "status"), 3,
          r"-i work: there is no such daemon here; there is dtcps0 \(dtcps\), dtcp-home \(dtcpclient\)")
    home.answers["status"] = [], ok(status=client_status(state="down"))
    assert "down" in good(node.ctl("status"), 5)


def test_a_named_socket_of_the_other_daemon(fake):
    fails(ctl("up", daemon=fake({"status": STATUS})), 2,
          r"up: .*/0\.sock has no such command; only dtcpclient has")


def test_who_may_not_ask(node):
    daemon = node.fake("dtcps", {"status": STATUS, "kick": ([], no("denied", "kick is for root"))})
    node.lab.dir.chmod(0o755)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", DTCPCTL)
    daemon.path.chmod(0o660)
    fails(node.run(*nobody, "status", check=False), 4,
          r"dtcps0 \(dtcps\): permission denied; this takes root, or for looking the group dtcp")
    daemon.path.parent.chmod(0o700)
    fails(node.run(*nobody, "status", check=False), 4,
          r".*/dtcp: permission denied; this takes root, or for looking the group dtcp")
    fails(node.ctl("kick", "bob"), 4, r"dtcps0 \(dtcps\): kick is for root")


# --- what a daemon should not say


@pytest.mark.parametrize("answer, line", [
    (b"hello\n", "the answer is not what a daemon of this protocol says"),
    (b"[1]\n", "the answer is not what a daemon of this protocol says"),
    (70000 * b" ", "a line of the answer is too long"),
    (b'{"ok":false,"code":"busy","error":"too many ask"}\n', "too many ask"),
    (b'{"ok":false}\n', "the daemon refused, and did not say why"),
    (b'{"ok":false,"error":"a\\u001b[2Jb\\nc"}\n', r"a\\x1b\[2Jb\\x0ac")])
def test_a_broken_daemon_is_one_line(fake, answer, line):
    done = ctl("status", daemon=fake({"status": answer}))
    fails(done, 1, rf".*/0\.sock: {line}")


@pytest.mark.parametrize("words", [["status"], ["kick", "bob"], ["--json", "watch"]])
def test_it_has_no_way_out(fake, words):
    """Before it reads what a daemon says, it can do nothing but that, and write."""
    daemon = fake({"status": STATUS})
    daemon.go_on.clear()
    with subprocess.Popen([DTCPCTL, "--socket", daemon.path, *words], env=ENVIRONMENT,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        until(lambda: daemon.asked, "it asks")
        assert status_field(running.pid, "Seccomp") == "2"
        assert status_field(running.pid, "NoNewPrivs") == "1"
        running.kill()


def test_a_daemon_that_goes_away(fake):
    daemon = fake()
    daemon.answers["status"] = lambda request: daemon.close() or b""
    fails(ctl("status", daemon=daemon), 1, r".*: the daemon closed the connection without an answer")


def test_names_do_not_steer_the_terminal(fake):
    """Neither by an escape sequence, nor by the one character of it that UTF-8 has as well."""
    evil = "\x1b[2Ja\u009b31mb\x07\x7f\r\n\u202e"
    status = server_status(interface=evil, last_error={"time": 1, "text": evil}, listen=[evil],
                           drops=[{"reason": evil, "count": 1, "text": evil}])
    daemon = fake({"status": ([], ok(status=status)), "drops": ([], ok(drops=status["drops"])),
                   "sessions": ([{"session": session(1, user=evil, peer=evil, path=evil)}], ok()),
                   "session": ([{"session": session(1, user=evil, peer=evil)}], ok())})
    for words in (["status"], ["drops"], ["sessions"], ["session", "bob"]):
        for more in ([], ["--json"]):
            done = good(ctl(*words, *more, daemon=daemon))
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done), (words, done)
            if more:
                assert json.loads(done.splitlines()[-1])["ok"]
            else:
                assert r"\x1b[2Ja\xc2\x9b31mb\x07\x7f\x0d\x0a\xe2\x80\xae" in done


def test_json_says_the_same(fake):
    """What is not visible is written in another way, between texts as a blank."""
    odd = "Zürich \u202e\u200b\U0001f600\U000e0041\x7f\u0085\u0301 \t"
    text = json.dumps({"ok": True, "status": {"user": odd}}, ensure_ascii=False).replace(" true", "\r\ttrue")
    daemon = fake({"status": text.encode() + b"\n"})
    for locale in ("C.UTF-8", "C"):
        done = good(ctl("--json", "status", daemon=daemon, environment={"LC_ALL": locale}))
        assert json.loads(done)["status"]["user"] == odd
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b\U000e0041]", done)
        assert ("Zürich" in done) == (locale != "C")


@pytest.mark.parametrize("words", [["status"], ["--json", "sessions"]])
def test_an_answer_without_end(fake, words):
    """It costs neither time nor memory without end."""
    row = b'{"session":{"x":"' + 10000 * b"x" + b'"}}\n'
    daemon = fake({words[-1]: row * ((68 << 20) // len(row))})
    fails(ctl(*words, daemon=daemon), 1, r".*\.sock: the answer is too long")


def test_too_many_sessions(fake):
    done = ctl("sessions", daemon=fake({"sessions": 140000 * b'{"session":{}}\n' + b'{"ok":true}\n'}))
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 131073
    assert done.stderr == ("dtcpctl: there are more than 131072 sessions, of which the others are "
                           "not shown\n")


def test_a_slow_reader_does_not_keep_the_daemon_waiting(fake):
    """Such as a pager: the daemon would close the connection."""
    daemon = fake({"sessions": ([{"session": session(number)} for number in range(15000)], ok())})
    for words in (["sessions"], ["--json", "sessions"]):
        before = daemon.answered
        with subprocess.Popen([DTCPCTL, "--socket", daemon.path, *words], env=ENVIRONMENT,
                              stdout=subprocess.PIPE) as running:
            until(lambda before=before: daemon.answered > before, "the whole answer is taken")
            assert len(running.stdout.read().splitlines()) == 15001
            assert running.wait() == 0


# --- terminals


def on_terminal(*words, columns=80, environment=()):
    """The output at a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([str(word) for word in (DTCPCTL, *words)], stdout=theirs, stdin=theirs,
                          env={**ENVIRONMENT, **dict(environment)}) as running:
        os.close(theirs)
        said = b""
        # Reading fails when the other side is closed.
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:
            pass
        assert running.wait() == 0
    os.close(ours)
    return said.decode().replace("\r\n", "\n")


def test_a_table_fits_the_terminal(fake):
    user = 60 * "n"
    rows = [{"session": session(1, user=user, dropped=7)}, {"session": session(2)}]
    daemon = fake({"sessions": (rows, ok())})
    where = ("--socket", daemon.path, "sessions")
    for columns, widest in ((80, 80), (110, 110), (40, 40), (20, 40), (0, 80)):
        lines = re.sub(r"\033\[\d*m", "", on_terminal(*where, columns=columns)).splitlines()
        assert len(lines) == 3 and max(map(len, lines)) <= widest
        assert "nnnn…" in lines[1] and "1000 B" in lines[1]
        assert widest < 80 or "203.0.0.2" in lines[1]
    assert user in on_terminal(*where, columns=200)
    # What others read is never cut.
    assert user in good(ctl("sessions", daemon=daemon))
    assert "DROPPED" in good(ctl("sessions", daemon=daemon))


def test_a_page_fits_the_terminal(fake):
    """What is too long for a line goes on below its beginning, and nothing of it is lost."""
    error = {"time": time.time() - 2 * 86400 - 1800, "text": "a warning of so many words that no terminal here has "
                                               "room for all of them in one line of the page"}
    daemon = fake({"status": ([], ok(status=server_status(last_error=error)))})
    where = ("--socket", daemon.path, "status")
    whole = good(ctl("status", daemon=daemon))
    assert error["text"] in whole
    for columns in (80, 40):
        text = re.sub(r"\033\[\d*m", "", on_terminal(*where, columns=columns))
        assert max(map(len, text.splitlines())) <= columns
        assert error["text"] in " ".join(fields(text)["last warning"].splitlines())
        assert text.split() == whole.split()


def test_colours_are_for_terminals(fake):
    daemon = fake({"status": STATUS, "sessions": ([{"session": session(1, path="dead")}], ok())})
    for command in ("status", "sessions"):
        where = ("--socket", daemon.path, command)
        assert "\033[" in on_terminal(*where)
        assert "\033[" in on_terminal(*where, environment={"NO_COLOR": ""})
        for quiet in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            assert "\033" not in on_terminal(*where, environment=quiet)
        assert "\033" not in good(ctl(command, daemon=daemon))
    assert "\033" not in on_terminal("--json", "--socket", daemon.path, "status")
