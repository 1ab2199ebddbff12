# SPDX-License-Identifier: BSD-2-Clause
"""SIGHUP: settings change under a server that runs, and nobody notices who should not."""

import signal
import socket

from lab.outside import echo_request
from lab.programs import POOL, PORT
from lab.topology import SIX
from lab.wait import patience, until
from lab.wire import Wire

PLAIN = {"database": None, "host.prefix": None, "network.pool": None}


def start(lab, text=""):
    """A server whose settings are all in a file; returns it and a function that changes the file
    and tells the server."""
    base = f"database = {lab.users.path}\nnetwork.pool = {POOL}\n"
    path = lab.file("dtcps.conf", base + text)
    server = lab.dtcps("-c", path, set=PLAIN)

    def change(more, wanted):
        since = server.mark()
        path.write_text(base + more)
        server.send_signal(signal.SIGHUP)
        server.wait_log(wanted, since=since)
        return server.log()[since:]

    return server, change


def test_what_can_change_does(internet):
    server, change = start(internet, "timeout { idle = 100 }\n")
    with Wire(internet.site) as session:
        session.login()
        login = patience(1)
        said = change(f"timeout {{ login = {login} }}\nlimit {{ attempts = 1 }}\ndebug = yes\n",
                      f"setting changed setting=timeout.login from=60 to={login} effect=now$")
        # What is in the file no more has its default again.
        assert "dtcps: setting changed setting=timeout.idle from=100 to=300 effect=now\n" in said
        assert "dtcps: setting changed setting=limit.attempts from=3 to=1 effect=now\n" in said
        assert "dtcps: setting changed setting=debug from=no to=yes effect=now\n" in said
        with Wire(internet.site) as late:
            assert late.line() == "-ERR connection timed out, disconnecting"
        # The limit is asked at each failure, the debug lines are control's.
        with Wire(internet.site) as guesser:
            assert guesser.ask(guesser.request(password="wrong")).startswith("-ERR auth")
            assert guesser.closed()
        assert session.ask("ping") == "+OK hi, happy to hear from you"
        server.wait_log(r"control: 192\.0\.2\.2: client: ping$")
        change("", "setting changed setting=debug from=yes to=no effect=now$")
        since = server.mark()
        assert session.ask("ping").startswith("+OK")
        assert "client: ping" not in server.log()[since:]


def test_type_is_not_offered_any_more(internet):
    """From the next login on; who is there stays."""
    server, change = start(internet)
    with Wire(internet.site) as session:
        session.login(type="tunnelonly")
        change("tunnelonly { enable = no }\n",
               "setting changed setting=tunnelonly.enable from=yes to=no effect=now$")
        with Wire(internet.site) as late:
            refused = late.ask(late.request("alice", "tunnelonly"))
            assert refused == "-ERR unsupported tunnel type tunnelonly"
            server.wait_log(r'tunnel refused user=alice peer=192\.0\.2\.2 reason="asks for tunnel '
                            'type tunnelonly, and tunnelonly.enable is off"$')
        assert session.ask("ping") == "+OK hi, happy to hear from you"
        change("tunnelonly { enable = yes }\n",
               "setting changed setting=tunnelonly.enable from=no to=yes effect=now$")
        with Wire(internet.site) as late:
            late.login(type="tunnelonly")
    assert server.stop() == 0
    server = internet.dtcps(set={"tunnelonly.enable": "no"})
    assert "tunnelonly" not in server.log()


def test_forward_hears_of_it(internet):
    """The rate of ICMPv6 errors. All packets go to a prefix that nobody has."""
    server, change = start(internet, "limit.icmp6 = 0\n")
    nobody = POOL[-1]

    def send(number):
        with internet.six.inside():
            with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
                out.sendto(echo_request(SIX, nobody, number), (str(nobody), 0))

    send(1)
    until(lambda: server.counters().get("no-route") == 1, "the packet is counted")
    assert "icmp6-sent" not in server.counters()
    change("limit.icmp6 = 50\n", "setting changed setting=limit.icmp6 from=0 to=50 effect=now$")

    def answered():
        send(2)
        return server.counters().get("icmp6-sent")

    until(answered, "packets are answered")


def test_what_cannot_change_is_said(internet):
    server, change = start(internet)
    said = change(f"port = {PORT + 1}\nmtu = 1400\nhost.prefix = '2001:db8:1::/64'\n"
                  "pidfile = '/run/x.pid'\nudp { enable = yes }\n",
                  'setting changed setting=udp.enable from=no to=yes effect="at the next start"$')
    for name, was, new in [("port", PORT, PORT + 1), ("mtu", 1280, 1400),
                           ("host.prefix", "none", "2001:db8:1::/64"),
                           ("pidfile", "none", "/run/x.pid")]:
        assert f'setting changed setting={name} from={was} to={new} ' \
            'effect="at the next start"\n' in said
    with Wire(internet.site) as wire:
        wire.login()
        assert wire.ask("quit").startswith("+OK")
    change("", "settings read again changed=0$")


def test_a_file_with_errors_changes_nothing(internet):
    server, change = start(internet, "timeout.login = 50\n")
    said = change("timeout.login = 1\nmtu = 9000\nlisten = nowhere\n",
                  "all settings stay as they were, since there are errors in the new ones$")
    assert '/dtcps.conf:4: mtu: "9000": a number from 1280 to 1480 is needed\n' in said
    assert '/dtcps.conf:5: listen: "nowhere" is not an IPv4 address\n' in said
    assert "setting changed" not in said
    # Nothing of it was kept: it is still 50, and changes from there.
    change("timeout.login = 49\n", "setting changed setting=timeout.login from=50 to=49 effect=now$")
    assert server.running()


def test_the_command_line_has_the_last_word_again(internet):
    server, change = start(internet)
    server.stop()
    path = internet.file("other.conf", "timeout.idle = 100\n")
    server = internet.dtcps("-c", path, "-o", "timeout.idle=90")
    since = server.mark()
    path.write_text("timeout.idle = 80\ntimeout.word = 2\n")
    server.send_signal(signal.SIGHUP)
    server.wait_log("setting changed setting=timeout.word from=1 to=2 effect=now$", since=since)
    assert "timeout.idle" not in server.log()[since:]
