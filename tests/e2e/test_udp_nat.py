# SPDX-License-Identifier: BSD-2-Clause
"""Boxes that forget, or that were not meant: what the client finds out, and how soon."""

import pytest

from lab.capture import IP, Capture
from lab.nat import drop
from lab.probe import UdpClient, until_learned
from lab.programs import router_address
from lab.topology import HIDDEN_SITE, SERVER, SITE
from lab.traffic import no_ping, ping, ping_once, stream
from lab.wait import pass_time, slow


def tunnel(lab, *words):
    """(server, client, address of the site, where the server sees it)"""
    server = lab.dtcps("-U")
    client = lab.dtcpclient("-U", "-n", *words)
    up = client.wait_up()
    return server, client, str(router_address(up["prefix"])), until_learned(server, "alice")


@pytest.mark.slow(15)
@pytest.mark.parametrize("direction", ["to the host", "to the site"])
def test_rebinding(masked, direction, measured):
    """The box forgets the mapping in the middle of a transfer; the next packet gets another port.
    The client notices that nothing comes any more, a hello teaches the server the new port, and
    the transfer goes on."""
    server, client, inside, before = tunnel(masked)
    flow = stream(masked, direction, inside)
    flow.flows()
    since = server.mark()
    flow.measure_gap()
    masked.nat.forget()
    after = until_learned(server, "alice", since, 30)
    flow.flows(30)
    flow.finish()
    assert after[0] == before[0] == SITE and after[1] != before[1]
    measured(f"gap when a NAT forgets, transfer {direction}", f"{flow.gap:.1f} s")
    # 5 s until the client asks, and TCP's own patience, which doubles, on top.
    assert flow.gap < 15 * slow()
    assert client.log().count("tunnel up") == 1 and "lost" not in client.log()


@pytest.mark.slow(25)
@pytest.mark.parametrize("direction", ["to the host", "to the site"])
def test_box_restarts(masked, direction, measured):
    """The box forgets everything, the control connection as well. The client's next word over it
    is answered with a reset; a new session follows, behind a tunnel that stays."""
    server, client, inside, _ = tunnel(masked, "-l", "--keepalive", "3,3")
    flow = stream(masked, direction, inside)
    flow.flows()
    since, server_since = client.mark(), server.mark()
    [link] = masked.site.ip_json("link", "show", "dev", "dtcp0")
    flow.measure_gap()
    masked.nat.forget(everything=True)
    client.wait_log("session lost", 30, since=since)
    server.wait_log(r"session up user=alice peer=\S+ ", 30, since=server_since)
    until_learned(server, "alice", server_since, 30)
    flow.flows(40)
    flow.finish()
    measured(f"gap when a NAT restarts, transfer {direction}", f"{flow.gap:.1f} s")
    assert masked.site.ip_json("link", "show", "dev", "dtcp0")[0]["ifindex"] == link["ifindex"]
    assert "tunnel down" not in client.log()


@pytest.mark.slow(125)
def test_idle_behind_a_short_memory(masked):
    """The box keeps a mapping for 30 s. After two minutes without any traffic a ping from the
    IPv6 host arrives at once, over the mapping that was there from the beginning."""
    masked.nat.timeouts(30)
    server, client, inside, before = tunnel(masked, "--keepalive", "3600")
    [first] = masked.nat.mappings()
    assert first.outside_port == before[1]
    ping(masked.six, inside)

    def mapped():
        return [mapping._replace(seconds=0) for mapping in masked.nat.mappings()]

    # Another one in its place would have another port.
    pass_time(120, lambda: mapped() == [first._replace(seconds=0)], "the mapping stays", every=2)
    assert masked.nat.mappings()[0].seconds <= 30
    result = ping_once(masked.six, inside)
    assert result.returncode == 0, result.stdout
    assert client.running() and server.log().count("packets come from") == 1


def test_refused_without_n(masked):
    """-U alone names its port, which is right without a NAT only: with one, said and ended."""
    masked.dtcps("-U")
    before = masked.site.state()["interfaces"]
    client = masked.dtcpclient("-U")
    assert client.wait() == 10
    [line] = [line for line in client.log().splitlines() if "NAT" in line]
    assert HIDDEN_SITE in line and SITE in line and "-n" in line
    assert "tunnel up" not in client.log()
    assert masked.site.state()["interfaces"] == before


def test_refused_with_b_without_n(masked):
    """-B does not skip the check."""
    masked.dtcps("-U")
    client = masked.dtcpclient("-U", "-B", "5000")
    assert client.wait() == 10


def test_forwarded_port(masked):
    """-B names the port: the server sends there before it has heard a hello."""
    masked.nat.forward_port(5000, HIDDEN_SITE, 5001)
    let_out = drop(masked.nat, f"ip daddr {SERVER} ip protocol udp")
    server = masked.dtcps("-U")
    client = masked.dtcpclient("-d", "-U", "-n", "-b", "5001", "-B", "5000")
    client.wait_log("client: tunnel alice <response> network udp=5000$")
    prefix = client.wait_log(r"server: \+OK \S+ \S+ (\S+/\d+)").group(1)
    server.wait_log("session up user=alice peer=.* ")
    with Capture(masked.server, "up0", "udp", "out") as sent, \
            Capture(masked.site, "up0", "udp dst port 5001", "in") as arrived:
        no_ping(masked.six, router_address(prefix))
        packet = sent.wait_for(lambda packet: IP in packet, "the server's first packet")
        assert (packet[IP].dst, packet[IP].dport) == (SITE, 5000)
        arrived.wait_for(lambda packet: IP in packet, "it comes through")
    let_out()
    client.wait_up()
    ping(masked.six, router_address(prefix))


def test_hello_before_the_forwarded_port_is_used(masked):
    """The box gives the hello a port of its own choice, and the server goes on with that one."""
    masked.nat.forward_port(5000, HIDDEN_SITE, 5001)
    _, _, inside, (_, port) = tunnel(masked, "-b", "5001", "-B", "5000")
    assert port != 5000
    ping(masked.six, inside)


def test_port_taken_at_the_box(lab):
    """The box keeps ports where it can; another machine behind it has port 4028 already."""
    lab.internet(nat=["masquerade"])
    lab.users.add_alice()
    lab.add_site2()
    lab.users.add("bob")
    server = lab.dtcps("-U")
    with UdpClient(lab.site2, "bob", port=4028) as bob:
        bob.learn()
        client = lab.dtcpclient("-U", "-n")
        inside = str(router_address(client.wait_up()["prefix"]))
        assert until_learned(server, "alice") != until_learned(server, "bob")
        ping(lab.six, inside)
        bob.works()


@pytest.mark.slow(25)
def test_blocked(masked):
    """A firewall in front of the box drops UDP: said within a minute, with the port."""
    drop(masked.net, "ip protocol udp")
    masked.dtcps("-U")
    client = masked.dtcpclient("-U", "-n")
    match = client.wait_log(r".*(UDP|udp).*", 60)
    assert "4028" in match.group(0) and "firewall" in match.group(0), match.group(0)
    assert client.wait() == 6
    assert "-b" not in client.log()
    assert "tunnel up" not in client.log()


@pytest.mark.slow(25)
def test_blocked_one_way(masked):
    """The same where only what comes back is lost. A port that the user has chosen stays; that
    another one may help is said, once."""
    drop(masked.net, f"ip saddr {SERVER} ip protocol udp")
    masked.dtcps("-U")
    client = masked.dtcpclient("-U", "-n", "-b", "5001")
    client.wait_log("firewall", 60)
    assert client.wait() == 6
    assert client.log().count(r"another port (-b) may help") == 1
    assert {mapping.port for mapping in masked.nat.mappings()} == {5001}


@pytest.mark.slow(75)
def test_path_dies(masked):
    """UDP is blocked while the tunnel is up, the control connection stays: after a minute without
    an answer the client says so; with -l it goes on trying, and comes back when the way is free."""
    server, client, inside, _ = tunnel(masked, "-l")
    since = client.mark()
    unblock = drop(masked.net, "ip protocol udp")
    pass_time(40, lambda: "lost" not in client.log()[since:], "not given up too early")
    client.wait_log(r"lost: .*UDP", 40, since=since)
    unblock()
    client.wait_log("tunnel (up|goes on)", 60, since=since)
    ping(masked.six, inside)
