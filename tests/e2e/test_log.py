# SPDX-License-Identifier: BSD-2-Clause
"""The log of both programs as JSON, and in the journal, with what happens in it as fields."""

import json
import re
import signal
import socket

from lab.process import Process
from lab.programs import PASSWORD
from lab.topology import SERVER, SITE
from lab.wait import until
from lab.wire import Wire

DENIED = "-ERR authentication failed."
# A name that would be a line, a field and an object of its own.
NAME = 'x"},"event"="session-up",\\"user=root'


def events(text):
    """[what each line says], by the names of the fields; a line that is being written is left out."""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def wait_event(process, name, since=0):
    def found():
        return [event for event in events(process.log()[since:]) if event["event"] == name]

    return until(found, lambda: f"{name} in {process.log()}")[0]


def fail(lab, name=NAME):
    with Wire(lab.site) as wire:
        assert wire.ask(f"tunnel {name} {'0' * 32} host") == DENIED


def test_json(internet):
    """Each line of standard error is an object, from the first to the last."""
    server = internet.dtcps("--log-format=json", set={"limit.delay": 0}, wait=False)
    ready = wait_event(server, "ready")
    assert ready["level"] == "info" and ready["program"] == "dtcps"
    assert ready["process"] == "monitor" and ready["port"] == 20200
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", ready["time"])
    client = internet.dtcpclient("--log-format=json")
    up = wait_event(client, "tunnel-up")
    assert up["server"] == SERVER and up["type"] == "network" and up["transport"] == "ipv6"
    begun = wait_event(server, "session-up")
    assert begun["process"] == "control" and begun["message"] == "session up"
    assert begun["user"] == "alice" and begun["peer"] == SITE and begun["prefix"] == up["prefix"]
    fail(internet)
    failed = wait_event(server, "login-failed")
    assert failed["level"] == "warning" and failed["peer"] == SITE
    # What is no plain character is written as \xHH, a backslash as well.
    assert failed["user"] == NAME.replace("\\", "\\x5c")
    client.send_signal(signal.SIGUSR1)
    status = wait_event(client, "status")
    assert status["state"] == "up" and status["prefix"] == up["prefix"]
    counter = wait_event(client, "counter")
    assert counter["name"] == "in-packets" and isinstance(counter["value"], int)
    assert client.stop() == 0
    down = wait_event(server, "session-down")
    assert down["reason"] == "client quit" and down["in_bytes"] >= 0
    assert wait_event(client, "tunnel-down")["message"] == "tunnel down: stopped"
    assert server.stop() == 0
    assert wait_event(server, "stopping")


def test_json_of_a_failure(internet):
    """The status that the client ends with is a field."""
    client = internet.dtcpclient("--log-format=json")
    assert client.wait() == 5
    failed = wait_event(client, "attempt-failed")
    assert failed["status"] == 5 and failed["server"] == SERVER and failed["user"] == "alice"
    assert failed["level"] == "warning"


def test_live(internet):
    """The server's format changes while it runs."""
    path = internet.file("format.conf", "log.format = json\n")
    server = internet.dtcps("-c", path, wait=False)
    wait_event(server, "ready")
    since = server.mark()
    path.write_text("log.format = text\n")
    server.send_signal(signal.SIGHUP)
    # Until all is read, the format is the one of before.
    assert wait_event(server, "settings-read", since)["changed"] == 1
    since = server.mark()
    fail(internet, "bob")
    server.wait_log(rf'^dtcps: control: {SITE}: authentication failed for user "bob"$', since=since)


def test_wrong_format(internet):
    for program in (internet.dtcps, internet.dtcpclient):
        process = program("--log-format=xml", **({"wait": False} if program == internet.dtcps else {}))
        assert process.wait() == 2
        assert 'log-format: "xml": text or json is needed' in process.log()


# $1 is where the journal listens here; standard error is the journal.
JOURNAL = """#!/bin/sh
set -e
mount -t tmpfs none /run
mkdir -p /run/systemd/journal
mount --bind "$1" /run/systemd/journal
JOURNAL_STREAM=$(stat --dereference --format=%d:%i /proc/self/fd/2)
export JOURNAL_STREAM
shift
exec "$@"
"""


def test_journal(internet):
    """The fields are fields there, and the message is the line."""
    folder = internet.dir / "journal"
    folder.mkdir()
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(str(folder / "socket"))
    heard.setblocking(False)
    internet.closing.append(heard.close)
    server = internet.dtcps(set={"limit.delay": 0})  # for its command line only
    words = server.words
    assert server.stop() == 0
    entries = []

    def entry(name):
        try:
            while True:
                text = heard.recv(65536).decode()
                assert text.endswith("\n")
                entries.append(dict(line.split("=", 1) for line in text[:-1].split("\n")))
        except BlockingIOError:
            pass
        return [one for one in entries if one["DTCP_EVENT"] == name]

    server = Process(internet.server, "journal", internet.file("journal.sh", JOURNAL, 0o755), folder,
                     *words)
    until(lambda: entry("ready"), "it is ready")
    with Wire(internet.site) as wire:
        wire.login("alice", "network", PASSWORD)
        [up] = until(lambda: entry("session-up"), "the session is up")
    assert up.items() >= {
        "PRIORITY": "6", "SYSLOG_IDENTIFIER": "dtcps", "DTCP_PROCESS": "control",
        "DTCP_USER": "alice", "DTCP_PEER": SITE, "DTCP_TYPE": "network"}.items()
    assert up["MESSAGE"].startswith(f"control: session up user=alice peer={SITE} transport=ipv6 ")
    fail(internet)
    [failed] = until(lambda: entry("login-failed"), "the login fails")
    assert failed["PRIORITY"] == "4" and failed["DTCP_USER"] == NAME.replace("\\", "\\x5c")
    # As fail2ban wants it.
    shown = NAME.replace("\\", "\\x5c").replace('"', "\\x22")
    assert failed["MESSAGE"] == f'control: {SITE}: authentication failed for user "{shown}"'
    assert server.stop() == 0
    # Each line was an entry.
    assert server.log() == ""
