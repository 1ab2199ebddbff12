# SPDX-License-Identifier: BSD-2-Clause
"""What the programs find when they are started, and signals before they are ready."""

import os
import pty
import signal

import pytest

from lab.node import alive
from lab.process import Process, end_quietly, status_field
from lab.programs import DTCPCLIENT, DTCPS, PASSWORD, POOL, SERVICE, write_auth
from lab.topology import SERVER, SIX
from lab.traffic import ping
from lab.wait import until


def client_words(*words):
    return (DTCPCLIENT, "-l", "-t", "network", "-u", "alice", *words, SERVER)


def server_words(internet, *words):
    return (DTCPS, "-o", f"database={internet.users.path}", "-o", f"network.pool={POOL}",
            "-o", f"user={SERVICE}", *words)


def test_all_signals_blocked(internet):
    """By whatever started us: children are noticed all the same, and so is a request to end."""
    script = internet.file("script", "#!/bin/sh\necho called $state\n", 0o755)
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n")
    blocked = ("env", "--block-signal")
    server = Process(internet.server, "dtcps", *blocked, *server_words(internet))
    server.wait_log("ready for logins port=")
    client = Process(internet.site, "dtcpclient", *blocked, *client_words("-s", script))
    client.wait_log("tunnel up ")
    for process in (client, server):
        assert int(status_field(process.pid, "SigBlk"), 16) == 0
        assert process.stop() == 0
    assert client.log().count("called down") == 1


def waits_for_a_file(path):
    """Somebody has the FIFO open for reading, or is about to: returns its other end."""
    def there():
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None

    return until(there, f"{path} is read")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_during_the_start(internet, number):
    """It waits until there is somebody to take it."""
    internet.dtcps()
    path = internet.site.dir / "etc" / "dtcpclient.auth"
    os.mkfifo(path, 0o600)
    client = internet.dtcpclient("-f", "/run/c.pid", password=None)
    file = waits_for_a_file(path)
    client.send_signal(number)
    os.write(file, f"{SERVER}:alice:{PASSWORD}\n".encode())
    os.close(file)
    if number == signal.SIGHUP:
        client.wait_log("tunnel up ")
        ping(internet.site, SIX)
    assert (client.stop() if number == signal.SIGHUP else client.wait()) == 0
    assert not (internet.site.dir / "run" / "c.pid").exists()


def test_end_at_the_prompt(internet):
    """^C there is the end, and leaves nothing."""
    before = internet.site.state()
    master, slave = pty.openpty()
    client = internet.dtcpclient("-f", "/run/c.pid", password=None, terminal=slave)
    os.close(slave)
    shown = b""
    while b"assword" not in shown:
        shown += os.read(master, 1000)
    # The library that asks overlooks one that comes right before it reads.
    until(lambda: os.write(master, b"\x03") and not client.running(), "it ends")
    assert client.wait() == -signal.SIGINT
    os.close(master)
    internet.site.back_to(before)


@pytest.mark.parametrize("program", ["dtcps", "dtcpclient"])
def test_daemon_without_standard_descriptors(internet, program):
    """Its own files do not take their places, where daemon(3) would replace them."""
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n")
    node = internet.server if program == "dtcps" else internet.site
    words = server_words(internet) if program == "dtcps" else client_words()
    node.run("sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", words[0], "-D", "-f", "/run/x.pid",
             *words[1:])
    path = node.dir / "run" / "x.pid"
    until(lambda: path.read_text().strip().isdigit(), "the pid file is written", 5)
    pid = int(path.read_text())
    try:
        until(lambda: node.processes()[pid].startswith(f"{program}: monitor"), "it has its title")
        os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), "the daemon ends")
    finally:
        end_quietly(pid)
    assert not path.exists()
