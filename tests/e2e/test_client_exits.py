# SPDX-License-Identifier: BSD-2-Clause
"""Every way in which dtcpclient can fail: one line that says why, and a status of its own."""

import os
import pty
import signal
import socket
import struct

import pytest

from lab.programs import PASSWORD, Client, write_auth
from lab.topology import HIDDEN_SITE, SERVER, SITE
from lab.wire import FakeServer

OK = f"+OK {SITE} {SERVER}"


def ends(client, status, *texts, seconds=15):
    """It ends with this status and says each of texts, in one line."""
    assert client.wait(seconds) == status, client.log()
    lines = client.log().splitlines()
    assert any(all(text in line for text in texts) for line in lines), client.log()
    assert "tunnel up" not in client.log()


def test_usage(internet):
    """Status 2, and one line that names what is wrong."""
    for words, text in [
            ((), "server"), (tuple("abcdefghi"), "8 servers"), (("a", "A"), "twice"),
            (("-m", "1279", SERVER), "1279"),
            (("-m", "1481", SERVER), "1481"), (("-m", "x", SERVER), "x"),
            (("-p", "0", SERVER), "-p"), (("-p", "65536", SERVER), "65536"),
            (("-t", "ether", SERVER), "ether"), (("-u", "a b", SERVER), "a b"),
            (("-u", "a:b", SERVER), "a:b"), (("-Z", SERVER), "-Z"),
            (("--interface", "a/b", SERVER), "a/b"),
            (("--interface", "sixteen-letters!", SERVER), "sixteen-letters!"),
            (("--address", "::1", SERVER), "::1"), (("--address", "192.0.2.1", SERVER), "192.0.2.1"),
            (("--route", "2001:db8::1/32", SERVER), "2001:db8::1/32"),
            (("--route", "2000::/3,2000::/3", SERVER), "2000::/3"),
            (("--route", "nowhere", SERVER), "nowhere"), (("--metric", "-1", SERVER), "-1"),
            (("--tunnel", "gre", SERVER), "gre"), (("--keepalive", "0", SERVER), "keepalive"),
            (("--user", "no-such-user", SERVER), "no-such-user"),
            (("-B", "4028", SERVER), "only with UDP"), (("-b", "65536", SERVER), "65536"),
            (("-U", "-m", "1473", SERVER), "1472"), (("--transport", "tcp", SERVER), "tcp"),
            (("--hold", "3601", SERVER), "3601"), (("", ), "server"), (("-m",), "-m")]:
        from lab.process import Process
        from lab.programs import DTCPCLIENT
        client = Process(internet.site, "dtcpclient", DTCPCLIENT, *words)
        assert client.wait() == 2, (words, client.log())
        assert text in client.log(), (words, client.log())
        assert len(client.log().splitlines()) == 1, (words, client.log())


def test_help_and_version(internet):
    for word, text in (("--help", "usage: dtcpclient"), ("--version", "dtcpclient ")):
        client = internet.dtcpclient(word)
        assert client.wait() == 0
        assert text in client.log()


def test_not_root(internet):
    """What needs root is said to need root, before anything is asked or sent."""
    from lab.programs import DTCPCLIENT
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n", 0o644)
    result = internet.site.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                               DTCPCLIENT, "-u", "alice", SERVER, check=False)
    if "Permission denied" in result.stderr and "setpriv" in result.stderr:
        pytest.skip("the build folder cannot be read by others")
    assert result.returncode == 1
    assert "root" in result.stderr


def test_name_not_found(internet):
    ends(internet.dtcpclient(server="nowhere.invalid"), 3, "nowhere.invalid", seconds=35)


def test_unreachable(internet):
    internet.site.ip("route", "del", "default")
    ends(internet.dtcpclient(), 4, SERVER)


def test_unreachable_says_a_router(internet):
    internet.net.nft("table ip f { chain f { type filter hook forward priority 0;"
                     " ip saddr 192.0.2.0/24 reject with icmp type host-unreachable; }; }")
    ends(internet.dtcpclient(), 4, SERVER, seconds=35)


def test_refused(internet):
    ends(internet.dtcpclient(), 5, SERVER, "refused")


@pytest.mark.slow(30)
def test_connection_times_out(internet):
    internet.net.nft("table ip f { chain f { type filter hook forward priority 0;"
                     " tcp dport 20200 drop; }; }")
    ends(internet.dtcpclient(), 6, SERVER, "timed out", seconds=45)


@pytest.mark.slow(10)
def test_silent_server(internet):
    FakeServer(internet.server, lambda peer: peer.line())
    ends(internet.dtcpclient(), 6, SERVER, "no answer within 10 s", seconds=25)


@pytest.mark.parametrize("greeting", [
    b"SSH-2.0-OpenSSH_9.2p1\r\n", b"220 mail.example.net ESMTP\r\n", b"+OK\r\n", b"\r\n",
    b"+OK " + b"x" * 600 + b"\r\n", b"\0\0\0\r\n", b"y" * 5000],
    ids=["ssh", "smtp", "no challenge", "empty", "long", "NUL", "endless"])
def test_greeting_not_understood(internet, greeting):
    def talk(peer):
        peer.send(greeting)
        peer.line()

    FakeServer(internet.server, talk)
    client = internet.dtcpclient()
    ends(client, 7, SERVER)


@pytest.mark.parametrize("reply", [
    "+OK", f"+OK {SITE}", f"{OK} 2001:db8::/0", f"{OK} 2001:db8::1/129", f"{OK} ::1/x",
    "+OK 1.2.3 4.5.6", "hello", f"{OK} 2001:db8::/48 2001:db8::/48",
    f"{OK} 2001:db8::1 2001:db8::2 2001:db8::3 2001:db8:1::/48"])
def test_reply_not_understood(internet, reply):
    FakeServer(internet.server, lambda peer: peer.serve(reply))
    before = internet.site.state()["interfaces"]
    ends(internet.dtcpclient(), 7, SERVER)
    assert internet.site.state()["interfaces"] == before


def test_dangerous_replies(internet):
    """Prefixes and addresses that no server can rightly give are not put on an interface."""
    for reply in (f"{OK} ff00::/8", f"{OK} fe80::/64", f"{OK} ::/96", f"+OK {SITE} 224.0.0.1 2001:db8::/48",
                  f"+OK {SITE} 127.0.0.1 2001:db8::/48", f"+OK {SITE} 0.0.0.0 2001:db8::/48",
                  f"+OK {SITE} 255.255.255.255 2001:db8::/48", f"+OK {SITE} {SITE} 2001:db8::/48"):
        fake = FakeServer(internet.server, lambda peer, reply=reply: peer.serve(reply))
        client = internet.dtcpclient()
        assert client.wait() not in (0, None), reply
        assert "tunnel up" not in client.log(), reply
        fake.close()
        # Only then is the port free for the next.
        fake.thread.join(5)


def test_wrong_password(internet):
    server = internet.dtcps()
    client = internet.dtcpclient(password="wrong")
    ends(client, 8, SERVER, "alice", "password")
    server.wait_log("authentication failed")
    ends(internet.dtcpclient(user="mallory"), 8, SERVER, "mallory")


def test_type_refused(internet):
    internet.dtcps(set={"host.prefix": None})
    ends(internet.dtcpclient(type="host"), 9, SERVER, "host")


def test_nat(lab):
    lab.internet(nat=True)
    lab.users.add_alice()
    lab.dtcps()
    ends(lab.dtcpclient(), 10, SITE, HIDDEN_SITE, "-n")


@pytest.mark.parametrize("where", ["greeting", "reply"])
def test_other_errors(internet, where):
    def talk(peer):
        if where == "greeting":
            peer.send("-ERR too many connections")
        else:
            peer.serve("-ERR tunnel interface sold out")

    FakeServer(internet.server, talk)
    ends(internet.dtcpclient(), 11, SERVER,
         "too many connections" if where == "greeting" else "tunnel interface sold out")


def test_server_on_loopback(internet):
    """No tunnel can end there, and both sides say so."""
    server = internet.dtcps()
    ends(Client(internet.server, server="127.0.0.1"), 11, "127.0.0.1 cannot be the end of a tunnel")
    server.wait_log("127.0.0.1: login refused: address cannot be the end of a tunnel")


def test_closed_by_the_server(internet):
    def talk(peer):
        peer.greet()
        peer.line()
        peer.close()

    FakeServer(internet.server, talk)
    ends(internet.dtcpclient(), 12, SERVER)


def test_no_password(internet):
    """No file, no entry in it, or none that can be read; and no terminal to ask at."""
    ends(internet.dtcpclient("--auth-file", "/run/nosuch", password=None), 13,
         "there is no /run/nosuch, ")
    write_auth(internet.site, f"{SERVER}:somebody:else\nother.example:alice:x\n")
    ends(internet.dtcpclient(password=None), 13, f'no line "{SERVER}:alice:..." in ')
    client = internet.dtcpclient("--auth-file", "/run", password=None)
    assert client.wait() == 13
    assert "cannot read /run: Is a directory" in client.log()
    assert "no password: /run cannot be read, " in client.log()


def test_interface_exists(internet):
    """A device of that name that is not ours is left alone: status 1."""
    internet.dtcps()
    internet.site.ip("link", "add", "dtcp0", "type", "veth", "peer", "name", "dtcp1")
    client = internet.dtcpclient()
    ends(client, 1, "dtcp0")
    assert {"dtcp0", "dtcp1"} <= internet.site.links()


def test_answers_that_a_terminal_would_obey(internet):
    """What a server says is shown, but escaped."""
    FakeServer(internet.server, lambda peer: peer.serve(b"-ERR \x1b[31mred\x07\r\n"))
    client = internet.dtcpclient("-d")
    assert client.wait() in (7, 11)
    assert "\x1b" not in client.log() and "\x07" not in client.log()


def test_dead_connection(internet):
    """No answer to a ping: the tunnel goes, and the status says that time ran out."""
    def talk(peer):
        peer.greet()
        peer.line()
        peer.send(f"{OK} 2001:db8:100:100::/56")
        while peer.line() is not None:
            pass

    FakeServer(internet.server, talk)
    client = internet.dtcpclient("--keepalive", "1,1")
    client.wait_up()
    assert client.wait() == 6
    assert "tunnel down: " in client.log() and "ping" in client.log()
    assert "dtcp0" not in internet.site.links()


def test_server_says_goodbye(internet):
    """An -ERR while the tunnel is up ends it, and its words are in the message."""
    def talk(peer):
        peer.greet()
        peer.line()
        peer.send(f"{OK} 2001:db8:100:100::/56")
        peer.line()
        peer.send("-ERR connection timed out, disconnecting")

    FakeServer(internet.server, talk)
    client = internet.dtcpclient("--keepalive", "1")
    client.wait_up()
    assert client.wait() == 11
    client.wait_log("tunnel down: .*connection timed out, disconnecting")


def test_reset_connection(internet):
    """A connection that stood and is reset is lost: no other address of the name takes its place
    in the middle of the conversation."""
    def talk(peer):
        peer.greet()
        peer.line()
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.file.close()
        peer.socket.close()

    internet.server.ip("addr", "add", "198.51.100.3/24", "dev", "up0")
    (internet.site.dir / "hosts").write_text("198.51.100.2 broker.example.net\n"
                                             "198.51.100.3 broker.example.net\n")
    servers = [FakeServer(internet.server, talk, address) for address in
               ("198.51.100.2", "198.51.100.3")]
    client = internet.dtcpclient(server="broker.example.net")
    ends(client, 12, "reset")
    assert sum(len(server.peers) for server in servers) == 1


def test_server_goes_away(internet):
    server = internet.dtcps()
    client = internet.dtcpclient()
    client.wait_up()
    # That control answers shows that it, too, knows by now that the tunnel is up.
    client.counters()
    assert server.stop() == 0
    assert client.wait() in (11, 12)
    assert "tunnel down: " in client.log()


def test_terminal_prompt(internet):
    """Asked for without echo, where the file has no entry; never shown in debug mode."""
    internet.dtcps()
    master, slave = pty.openpty()
    client = internet.dtcpclient("-d", password=None, terminal=slave)
    os.close(slave)
    shown = b""
    while b"assword" not in shown:
        shown += os.read(master, 1000)
    os.write(master, PASSWORD.encode() + b"\n")
    client.wait_up()
    os.set_blocking(master, False)
    try:
        shown += os.read(master, 10000)
    except BlockingIOError:
        pass
    assert PASSWORD.encode() not in shown
    assert PASSWORD not in client.log()
    client.send_signal(signal.SIGTERM)
    assert client.wait() == 0
    os.close(master)


@pytest.mark.parametrize("typed", [b"", b"x" * 257], ids=["empty", "too long"])
def test_prompt_given_up(internet, typed):
    """What can be no password is not sent, nor a part of it."""
    server = FakeServer(internet.server, lambda peer: peer.serve(OK))
    master, slave = pty.openpty()
    client = internet.dtcpclient(password=None, terminal=slave)
    os.close(slave)
    shown = b""
    while b"assword" not in shown:
        shown += os.read(master, 1000)
    os.write(master, typed + b"\n")
    ends(client, 13, "what was typed is empty, too long or has control characters")
    assert not server.peers
    os.close(master)
