# SPDX-License-Identifier: BSD-2-Clause
"""A bad line: every fifth packet is lost, in either direction."""

import re

import pytest

from lab.nat import lose
from lab.process import Process
from lab.probe import until_learned
from lab.programs import router_address
from lab.topology import SIX
from lab.traffic import ping, transfer
from lab.wait import pass_time

PERCENT = 20


@pytest.mark.parametrize("seconds", [
    pytest.param(30, marks=pytest.mark.slow(35)),
    pytest.param(300, marks=[pytest.mark.slow(310), pytest.mark.long]),
])
def test_loss(masked, seconds, measured):
    """Tunnel and control connection stay up, and what comes through is what the line lets."""
    server = masked.dtcps("-U")
    client = masked.dtcpclient("-U", "-n", *(["--keepalive", "10,15"] if seconds < 60 else []))
    inside = str(router_address(client.wait_up()["prefix"]))
    until_learned(server, "alice")
    since, server_since = client.mark(), server.mark()
    lose(masked.net, PERCENT)
    pings = Process(masked.six, "ping", "ping", "-6", "-n", "-q", "-i", "0.2", "-w", seconds - 2,
                    inside)

    def quiet():
        return client.running() and not client.log()[since:] and "down" not in \
            server.log()[server_since:]

    pass_time(seconds, quiet, "neither side says anything")
    pings.wait()
    lost = float(re.search(r"([\d.]+)% packet loss", pings.log()).group(1))
    measured(f"pings lost in {seconds} s of {PERCENT} % loss either way", f"{lost} %")
    # 36 % is to be expected: both ways, and no more than the line itself takes.
    assert 15 < lost < 60
    assert server.log().count("packets come from") == 1
    transfer(masked.site, masked.six, SIX, 1 << 16, source=inside, seconds=60)
    assert quiet()


def test_login_over_a_bad_line(masked):
    """The first hellos are repeated until one is answered."""
    masked.dtcps("-U")
    lose(masked.net, 30)
    client = masked.dtcpclient("-U", "-n", "-l")
    client.wait_up(60)
    ping(masked.site, SIX)
