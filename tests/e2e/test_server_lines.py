# SPDX-License-Identifier: BSD-2-Clause
"""What the server answers to bytes on its port."""

import re
import statistics
import time

import pytest

from lab.topology import SERVER, SITE
from lab.wait import pass_time, patience, slow
from lab.wire import Wire, response

PING = "+OK hi, happy to hear from you"
QUIT = "+OK good bye"
HELP = "+OK valid commands are: TUNNEL PING QUIT"
INVALID = "-ERR invalid command"
REFUSED = "-ERR authentication failed."


def test_greeting(internet):
    """A new challenge for every connection: 32 upper-case hex digits."""
    internet.dtcps()
    challenges = set()
    for _ in range(10):
        with Wire(internet.site) as wire:
            assert re.match(r"\+OK [0-9A-F]{32} \S", wire.greeting)
            challenges.add(wire.challenge)
    assert len(challenges) == 10


def test_commands(internet):
    """Case, spacing and line ends do not matter; what is no command is said to be none."""
    internet.dtcps()
    with Wire(internet.site) as wire:
        for sent, answer in [
                (b"ping\r\n", PING), (b"PING\r\n", PING), (b"PiNg\n", PING), (b"  ping \t \n", PING),
                (b"help\r\n", HELP), (b"HELP\n", HELP), (b"\thelp\r\n", HELP),
                (b"hello\r\n", INVALID), (b"\r\n", INVALID), (b"\n", INVALID), (b" \t \n", INVALID),
                (b"pingping\r\n", INVALID), (b"tunnels a b c\r\n", INVALID),
                (b"p\xc3\xafng\r\n", INVALID), (b"\x1b[2J\r\n", INVALID),
                (b"pi\rng\r\n", INVALID)]:
            wire.send(sent)
            assert wire.line() == answer, sent
        wire.send(b"quit\r\n")
        assert wire.line() == QUIT
        assert wire.closed()
    with Wire(internet.site) as wire:
        wire.send(b"QUIT\n")
        assert wire.line() == QUIT
        assert wire.closed()


def test_login_spellings(internet):
    """Runs of blanks, either case of command, type and digest; user names keep their case."""
    internet.dtcps()

    def login(line_for):
        with Wire(internet.site) as wire:
            digest = response("alice", wire.challenge, "the quick brown fox")
            wire.send(line_for(digest))
            answer = wire.line()
            wire.ask("quit")
            return answer

    for form in (lambda d: f"tunnel alice {d} network\r\n", lambda d: f"TUNNEL alice {d} NETWORK\n",
                 lambda d: f"  Tunnel\talice   {d.lower()} \t network  \r\n",
                 lambda d: f"tunnel alice {d} network futureword other=1\r\n"):
        assert re.match(rf"\+OK {SITE} {SERVER} 2001:db8:1\S+/56$", login(form)), form("D")
    assert login(lambda d: f"tunnel Alice {d} network\r\n") == REFUSED


def test_bare_words(internet):
    """Some clients send ping and quit without a line end and wait."""
    internet.dtcps()
    with Wire(internet.site) as wire:
        for word in (b"ping", b"PING"):
            started = time.monotonic()
            wire.send(word)
            assert wire.line() == PING
            assert 0.8 < time.monotonic() - started < 3 * slow()
        # With a line end soon after, it is one line and no more.
        wire.send(b"ping")
        wire.send(b"\r\n")
        assert wire.line() == PING
        # Part of something longer is not such a word.
        wire.send(b"pin")
        with pytest.raises(AssertionError, match="no line"):
            wire.line(2 / slow())
        wire.send(b"g\r\n")
        assert wire.line() == PING
        wire.send(b"quit")
        assert wire.line() == QUIT
        assert wire.closed()


def test_single_bytes(internet):
    internet.dtcps()
    with Wire(internet.site) as wire:
        for byte in wire.request() + "\r\n":
            wire.send(byte)
            time.sleep(0.002)
        assert wire.line().startswith(f"+OK {SITE} {SERVER} ")
        for byte in "ping\r\n":
            wire.send(byte)
            time.sleep(0.002)
        assert wire.line() == PING


def test_pipelined(internet):
    """Answers come in the order of the questions, the login's too."""
    internet.dtcps()
    with Wire(internet.site) as wire:
        wire.send(f"ping\r\nhelp\n{wire.request()}\r\nping\nnonsense\r\nquit\r\nping\r\n")
        assert wire.line() == PING
        assert wire.line() == HELP
        assert wire.line().startswith(f"+OK {SITE} {SERVER} ")
        assert wire.line() == PING
        assert wire.line() == INVALID
        assert wire.line() == QUIT
        assert wire.closed()


def test_failed_login_can_be_repeated(internet):
    """The same challenge stays valid, as with the old servers."""
    server = internet.dtcps()
    with Wire(internet.site) as wire:
        assert wire.ask(wire.request(password="wrong")) == REFUSED
        assert wire.ask(wire.request(user="mallory")) == REFUSED
        assert wire.ask("ping") == PING
        wire.login()
    server.wait_log(rf'{SITE}: authentication failed for user "alice"')
    server.wait_log(rf'{SITE}: authentication failed for user "mallory"')


def test_unknown_user_looks_like_a_wrong_password(internet):
    """The same answer, in about the same time, also without the delay that would hide it."""
    internet.dtcps(set={"limit.delay": 0, "limit.source.failures": 1000})
    took = {"alice": [], "nobody": []}
    for _ in range(30):
        for user, times in took.items():
            # Their own connections: no server needs to take any number of attempts on one.
            with Wire(internet.site) as wire:
                line = wire.request(user, password="wrong")
                started = time.perf_counter()
                answer = wire.ask(line)
                times.append(time.perf_counter() - started)
                assert answer == REFUSED
    known, unknown = (statistics.median(times) for times in took.values())
    # Machines that run tests are noisy: a difference in kind is what is looked for.
    assert abs(known - unknown) < max(0.003, 0.6 * max(known, unknown)), (known, unknown)


def test_log_lines_cannot_be_forged(internet):
    """What a client sends as its name shows up escaped."""
    server = internet.dtcps()
    with Wire(internet.site) as wire:
        digest = "0" * 32
        assert wire.ask(f"tunnel \x1b[31mred {digest} network") in (REFUSED, INVALID)
        wire.send(b"tunnel a\x07\xff " + digest.encode() + b" network\r\n")
        assert wire.line() in (REFUSED, INVALID)
        wire.ask("quit")
    with Wire(internet.site) as wire:
        wire.login()
    server.wait_log("session up user=alice ")
    assert "\x1b" not in server.log() and "\x07" not in server.log()


def test_debug_shows_requests(internet):
    """With all that helps to understand them, and without what helps to guess the password."""
    server = internet.dtcps("-d")
    with Wire(internet.site) as wire:
        for words in (("network", "udp=5000"), ("ether",)):
            line = wire.request("alice", words[0], "the quick brown fox", *words[1:])
            assert wire.ask(line).startswith("-ERR unsupported")
            server.wait_log(f"{SITE}: client: tunnel alice <response> {' '.join(words)}$")
        wire.send(line.encode() + b" \xff\r\n")
        assert wire.line() == INVALID
        server.wait_log(r"client: tunnel alice <response> ether \\xff$")
        wire.login()
        assert response("alice", wire.challenge, "the quick brown fox") not in server.log()


def test_word_counts(internet):
    """Too few words are answered as the old server did; so is what cannot be a digest."""
    internet.dtcps()
    with Wire(internet.site) as wire:
        digest = response("alice", wire.challenge, "the quick brown fox")
        for line in ("tunnel", "tunnel alice", f"tunnel alice {digest}", "tunnel alice x network",
                     f"tunnel alice {digest}0 network", f"tunnel alice {digest[:-1]} network",
                     f"tunnel {'a' * 65} {digest} network"):
            assert wire.ask(line) == REFUSED, line
        wire.login()


def test_types(internet):
    internet.dtcps()
    with Wire(internet.site) as wire:
        assert wire.ask(wire.request(type="ether")) == "-ERR unsupported tunnel type ether"
        # Who cannot log in is not told about types.
        assert wire.ask(wire.request(type="ether", password="x")) == REFUSED
        assert wire.ask(wire.request("alice", "network", "the quick brown fox", "udp")) == \
            "-ERR unsupported transport udp"
        assert wire.ask(wire.request("alice", "network", "the quick brown fox", "udp=4028")) == \
            "-ERR unsupported transport udp"
        wire.login()
        assert wire.ask(wire.request()) == "-ERR tunnel already established"
        assert wire.ask("ping") == PING


def test_types_without_addresses(internet):
    """No prefix for hosts, no pool: the types say so."""
    internet.dtcps(set={"host.prefix": None, "network.pool": None})
    internet.users.add("fixed", prefix="2001:db8:f00::/48")
    with Wire(internet.site) as wire:
        assert wire.ask(wire.request(type="host")) == "-ERR unsupported tunnel type host"
        assert wire.ask(wire.request(type="network")).startswith("-ERR ")
        assert wire.login(type="tunnelonly") == [SITE, SERVER]
        wire.ask("quit")
    with Wire(internet.site) as wire:
        assert wire.login("fixed", "network")[2] == "2001:db8:f00::/48"


def test_sold_out(internet):
    """The second of a pool's two prefixes is the only one to give."""
    internet.users.add("bob")
    internet.dtcps(set={"network.pool": "2001:db8:100::/55"})
    with Wire(internet.site) as first:
        assert first.login()[2] == "2001:db8:100:100::/56"
        with Wire(internet.site) as second:
            assert second.ask(second.request("bob")) == "-ERR tunnel interface sold out"


def test_long_lines(internet):
    """512 bytes are a line, 513 are an error, also before their end has come."""
    internet.dtcps()
    with Wire(internet.site) as wire:
        wire.send(b"x" * 512 + b"\r\n")
        assert wire.line() == INVALID
        wire.send(b"ping" + b" " * 508 + b"\n")
        assert wire.line() == PING
    for data in (b"x" * 513 + b"\r\n", b"x" * 513, b"y" * 20000):
        with Wire(internet.site) as wire:
            wire.send(data)
            assert wire.line().startswith("-ERR ")
            assert wire.closed()


def test_nul(internet):
    internet.dtcps()
    for data in (b"pi\0ng\r\n", b"\0", b"ping\0\r\n"):
        with Wire(internet.site) as wire:
            wire.send(data)
            assert wire.line().startswith("-ERR "), data
            assert wire.closed()
    with Wire(internet.site) as wire:
        assert wire.ask("ping") == PING


def test_many_words(internet):
    internet.dtcps()
    with Wire(internet.site) as wire:
        assert wire.ask("a " * 40) == INVALID
        assert wire.ask("tunnel " + "a " * 40).startswith("-ERR ")
        wire.login()


def test_timeouts(internet):
    """Nobody logs in; nobody says anything any more."""
    idle = 2 + patience(1)
    server = internet.dtcps(set={"timeout.login": patience(1), "timeout.idle": idle})
    late = "-ERR connection timed out, disconnecting"
    with Wire(internet.site) as wire:
        assert wire.line() == late
        assert wire.closed()
    with Wire(internet.site) as wire:
        # Talking does not put off the time to log in.
        started = time.monotonic()
        while (answer := wire.ask("ping")) == PING:
            time.sleep(0.1)
            assert time.monotonic() - started < 10 * slow()
        assert answer == late
    with Wire(internet.site) as wire:
        wire.login()
        pass_time(idle + 1, lambda: wire.ask("ping") == PING, "it is not idle", every=0.5)
        assert wire.line() == late
        assert wire.closed()
    server.wait_log(r"session down user=alice peer=192\.0\.2\.2 ")


def test_closed_halfway(internet):
    """Clients that go away in the middle of anything cost nothing."""
    server = internet.dtcps()
    for data in (b"", b"tunnel", b"ping", b"tunnel alice "):
        wire = Wire(internet.site)
        wire.send(data)
        wire.close()
    wire = Wire(internet.site)
    wire.login()
    wire.close()
    server.wait_log(r"session down user=alice peer=192\.0\.2\.2 ")
    with Wire(internet.site) as wire:
        wire.login()
