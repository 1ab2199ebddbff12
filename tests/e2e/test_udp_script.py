# SPDX-License-Identifier: BSD-2-Clause
"""What the script is told about a tunnel over UDP."""

import pytest

from lab.nat import drop
from lab.topology import HIDDEN_SITE, SERVER, SITE
from test_script import NAMES, environment, recorder


# name: (boxes, options, wanted: my_port, her_port; None: any port)
CASES = {
    "no NAT": ([], ["-U"], "4028", "4028"),
    "-b": ([], ["-U", "-b", "5000"], "5000", "4028"),
    "-b 0": ([], ["-U", "-b", "0"], None, "4028"),
    "behind a NAT": (["masquerade fully-random"], ["-U", "-n"], "4028", "4028"),
    "-B": (["masquerade"], ["-U", "-n", "-B", "5000"], "5000", "4028"),
    "auto": (["masquerade"], ["--transport", "auto"], None, "4028"),
    "server's port": ([], ["-U"], "4028", "14028"),
}


@pytest.mark.parametrize("case", CASES)
def test_variables(lab, case):
    styles, words, my_port, her_port = CASES[case]
    lab.internet(nat=styles)
    lab.users.add_alice()
    if "-B" in words:
        lab.nat.forward_port(5000, HIDDEN_SITE, 4028)
    lab.dtcps("-U", "-b", her_port)
    client = lab.dtcpclient("-s", recorder(lab), *words)
    client.wait_up()
    up = environment(lab, "up")
    assert up.keys() == NAMES
    want = {"state": "up", "server": SERVER, "myaddr": HIDDEN_SITE if styles else SITE, "me": SITE,
            "her": SERVER, "proto": "udp", "her_port": her_port, "mtu": "1280", "tunif": "dtcp0"}
    assert {key: up[key] for key in want} == want
    if my_port is None:
        assert 1024 <= int(up["my_port"]) <= 65535
    else:
        assert up["my_port"] == my_port
    assert client.stop() == 0
    assert environment(lab, "down") == {**up, "state": "down"}


def test_auto_over_protocol_41(internet):
    """No ports where there are none."""
    internet.dtcps("-U")
    internet.dtcpclient("-s", recorder(internet), "--transport", "auto").wait_up()
    up = environment(internet, "up")
    assert (up["proto"], up["my_port"], up["her_port"]) == ("ipv6", "", "")


def test_not_run_for_what_did_not_work(internet):
    """auto tries protocol 41 in vain: the script hears of UDP only."""
    drop(internet.net, "ip protocol 41")
    internet.dtcps("-U")
    calls = internet.dir / "calls"
    script = internet.file("script", f"#!/bin/sh\necho $state $proto >>{calls}\n", 0o755)
    client = internet.dtcpclient("-s", script, "--transport", "auto")
    client.wait_up(15)
    assert client.stop() == 0
    assert calls.read_text().splitlines() == ["up udp", "down udp"]


def test_tunnel_none(internet):
    """--tunnel none: whatever the script makes of it, both ports are known to it."""
    internet.dtcps("-U")
    before = internet.site.state()
    client = internet.dtcpclient("-U", "--tunnel", "none", "-s", recorder(internet))
    client.wait_log("tunnel up")
    up = environment(internet, "up")
    assert (up["proto"], up["my_port"], up["her_port"]) == ("udp", "4028", "4028")
    assert internet.site.state()["interfaces"] == before["interfaces"]
    assert client.stop() == 0
    assert environment(internet, "down")["state"] == "down"
