# SPDX-License-Identifier: BSD-2-Clause
"""The ways from one host to the other that bench/dataplane compares.

Each is a function that starts what it needs on two nodes, home (the client) and hub (the server),
and returns the addresses of home and of hub inside. What it started ends with the lab. All tunnels
of others carry packets as they come with what they offer for speed, and without encryption, but
for WireGuard, which has none without.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE / "tests" / "e2e"))
os.environ.setdefault("DTCP_BUILD", str(HERE / "build"))

from lab.node import command  # noqa: E402
from lab.process import Process  # noqa: E402
from lab.programs import HOST_SERVER, Client, Server  # noqa: E402
from lab.wait import until  # noqa: E402

HOME, HUB = "192.0.2.2", "192.0.2.1"  # outside
HOME6, HUB6 = "fd00:77::2", "fd00:77::1"  # inside, where we choose
PC6, FAR6 = "fd00:78::2", "fd00:79::2"  # behind home and behind hub
PORT = 5555


def number(node, interface, address, mtu=None):
    """Gives the interface of a tunnel its address, once it is there."""
    until(lambda: interface in node.links(), f"{interface} is there")
    if mtu:
        node.ip("link", "set", interface, "mtu", mtu)
    node.ip("link", "set", interface, "up")
    node.ip("addr", "add", f"{address}/64", "dev", interface, "nodad")


def no_tunnel(home, hub):
    home.ip("addr", "add", f"{HOME6}/64", "dev", "up0", "nodad")
    hub.ip("addr", "add", f"{HUB6}/64", "dev", "up0", "nodad")
    return HOME6, HUB6


def vxlan(home, hub):
    for node, here, there, inside in ((home, HOME, HUB, HOME6), (hub, HUB, HOME, HUB6)):
        node.ip("link", "add", "vx0", "type", "vxlan", "id", 7, "local", here, "remote", there,
                "dstport", 4789, "dev", "up0")
        number(node, "vx0", inside)
    return HOME6, HUB6


def wireguard_go(home, hub):
    keys = {}
    for node in (home, hub):
        secret = command("wg", "genkey").stdout
        keys[node] = secret, command("wg", "pubkey", input=secret).stdout.strip()
    for node, other, there, inside in ((home, hub, HUB, HOME6), (hub, home, HOME, HUB6)):
        name = f"w{node.lab.number}{node.name}"
        process = Process(node, "wireguard-go", "/usr/bin/env", "LOG_LEVEL=error",
                          "wireguard-go", "--foreground", name)
        secret = node.dir / "wg.key"
        secret.write_text(keys[node][0])
        # Its control socket is in the node's own /run.
        words = ("nsenter", "-t", process.pid, "-m", "-n", "wg", "set", name, "private-key", secret,
                 "listen-port", PORT, "peer", keys[other][1], "endpoint", f"{there}:{PORT}",
                 "allowed-ips", "::/0")
        until(lambda words=words: command(*words, check=False).returncode == 0,
              "wireguard-go takes its configuration")
        number(node, name, inside)
    return HOME6, HUB6


def openvpn(home, hub):
    for node, here, there, inside, other in ((home, HOME, HUB, HOME6, HUB6),
                                             (hub, HUB, HOME, HUB6, HOME6)):
        Process(node, "openvpn", "openvpn", "--dev", "tun0", "--dev-type", "tun", "--proto", "udp",
                "--local", here, "--remote", there, "--port", PORT, "--cipher", "none", "--auth",
                "none", "--ifconfig-ipv6", f"{inside}/64", other, "--fast-io", "--sndbuf", 0,
                "--rcvbuf", 0)
        until(lambda node=node: node.addresses("tun0"), "openvpn numbers its interface")
    return HOME6, HUB6


def fastd(home, hub):
    keys = {}
    for node in (home, hub):
        lines = command("fastd", "--generate-key", "--machine-readable").stdout.strip()
        keys[node] = lines, command("fastd", "--show-key", "--machine-readable", "--config", "-",
                                    input=f'secret "{lines}";\n').stdout.strip()
    for node, other, there, inside in ((home, hub, HUB, HOME6), (hub, home, HOME, HUB6)):
        config = node.dir / "fastd.conf"
        config.write_text(f'secret "{keys[node][0]}";\nmethod "null";\nmode tun;\nmtu 1400;\n'
                          f'interface "fast0";\nbind any:{PORT};\n'
                          f'peer "other" {{ key "{keys[other][1]}"; remote {there}:{PORT}; }}\n')
        Process(node, "fastd", "fastd", "--config", config)
        number(node, "fast0", inside)
    return HOME6, HUB6


def tinc(home, hub):
    names = {home: "home", hub: "hub"}
    for node in names:
        folder = node.dir / "tinc"
        (folder / "hosts").mkdir(parents=True)
        more = "ConnectTo = hub\n" if node is home else ""
        (folder / "tinc.conf").write_text(f"Name = {names[node]}\nDeviceType = tun\n"
                                          f"Interface = tinc0\n{more}")
        for name, outside, inside in (("home", HOME, HOME6), ("hub", HUB, HUB6)):
            (folder / "hosts" / name).write_text(f"Address = {outside}\nSubnet = {inside}\n"
                                                 "Cipher = none\nDigest = none\nPMTU = 1400\n")
        command("tincd", "-c", folder, "-K", "2048", input="\n\n")
    for node, other in ((home, hub), (hub, home)):
        own = (node.dir / "tinc" / "hosts" / names[node]).read_text()
        (other.dir / "tinc" / "hosts" / names[node]).write_text(own)
    for node, inside in ((hub, HUB6), (home, HOME6)):
        Process(node, "tinc", "tincd", "-D", "-c", node.dir / "tinc", "--pidfile",
                node.dir / "tinc.pid")
        number(node, "tinc0", inside, 1400)
    return HOME6, HUB6


def vtun(home, hub):
    for node, words, here, there in ((hub, ("-s",), "10.77.0.1", "10.77.0.2"),
                                     (home, ("bench", HUB), "10.77.0.2", "10.77.0.1")):
        config = node.dir / "vtund.conf"
        config.write_text(f"""options {{ port {PORT}; ip /sbin/ip; }}
bench {{
  passwd bench; type tun; device tun0; proto udp; compress no; encrypt no; keepalive yes; persist yes;
  up {{
    ip "link set %% up mtu 1400";
    ip "addr add {here} peer {there} dev %%";
  }};
}}
""")
        Process(node, "vtun", "vtund", "-n", "-f", config, "-P", PORT, *words)
    return "10.77.0.2", "10.77.0.1"


def socat(home, hub):
    for node, here, there, inside in ((home, HOME, HUB, HOME6), (hub, HUB, HOME, HUB6)):
        Process(node, "socat", "socat", f"UDP-DATAGRAM:{there}:{PORT},bind={here}:{PORT}",
                "TUN,tun-type=tun,tun-name=tun0,iff-no-pi,up")
        number(node, "tun0", inside, 1400)
    return HOME6, HUB6


def dtcp(*options, mtu=1280, fast="off"):
    """Ours, with these options of the client. fast: who carries packets, "on" is the kernel."""

    def start(home, hub):
        lab = home.lab
        lab.users.add("alice")
        Server(hub, lab.users, "-U", set={"mtu": mtu, "fast": fast})
        Client(home, "-m", mtu, "--fast", fast, *options, type="host", server=HUB).wait_up()
        [here] = home.addresses("dtcp0")
        return here, str(HOST_SERVER)

    return start


def behind(router, name, address, gateway):
    """A host with this address behind router, which gets the one of a gateway."""
    host = router.lab.node(name)
    router.lab.wire(router, "lan0", host, "eth0")
    router.ip("addr", "add", f"{gateway}/64", "dev", "lan0", "nodad")
    router.sysctl("net.ipv6.conf.all.forwarding", 1)
    host.ip("addr", "add", f"{address}/64", "dev", "eth0", "nodad")
    host.ip("route", "add", "default", "via", gateway)
    return host


def routed(start):
    """Between a host behind home and one behind hub: what comes is forwarded at both ends."""

    def start_routed(home, hub):
        here, there = start(home, hub)
        pc = behind(home, "pc", PC6, "fd00:78::1")
        far = behind(hub, "far", FAR6, "fd00:79::1")
        home.ip("route", "add", "fd00:79::/64", "via", there)
        hub.ip("route", "add", "fd00:78::/64", "via", here)
        return PC6, FAR6, pc, far

    return start_routed


def dtcp_routed(*options, mtu=1280, fast="off"):
    """Ours with a prefix for the network behind home."""

    def start(home, hub):
        hub.lab.users.add("alice")
        Server(hub, hub.lab.users, "-U", set={"mtu": mtu, "fast": fast})
        client = Client(home, "-m", mtu, "--fast", fast, *options, type="network", server=HUB)
        client.wait_up()
        lan = next(client.prefix().subnets(new_prefix=64))
        pc = behind(home, "pc", lan[2], lan[1])
        far = behind(hub, "far", FAR6, "fd00:79::1")
        return str(lan[2]), FAR6, pc, far

    return start


OTHERS = {
    "kernel VXLAN": vxlan,
    "wireguard-go": wireguard_go,
    "OpenVPN, no cipher": openvpn,
    "fastd, null": fastd,
    "tinc, no cipher": tinc,
    "vtun": vtun,
    "socat": socat,
}
OURS = {
    "dtcp, protocol 41, 1280": dtcp("--transport", "ipv6"),
    "dtcp, protocol 41, 1480": dtcp("--transport", "ipv6", mtu=1480),
    "dtcp, UDP, 1280": dtcp("-U"),
    "dtcp, UDP, 1472": dtcp("-U", mtu=1472),
    "kernel path, protocol 41, 1280": dtcp("--transport", "ipv6", fast="on"),
    "kernel path, protocol 41, 1480": dtcp("--transport", "ipv6", mtu=1480, fast="on"),
    "kernel path, UDP, 1280": dtcp("-U", fast="on"),
    "kernel path, UDP, 1472": dtcp("-U", mtu=1472, fast="on"),
}
ROUTED = {
    "kernel VXLAN": routed(vxlan),
    "dtcp, protocol 41, 1280": dtcp_routed("--transport", "ipv6"),
    "dtcp, UDP, 1280": dtcp_routed("-U"),
    "kernel path, protocol 41, 1280": dtcp_routed("--transport", "ipv6", fast="on"),
    "kernel path, UDP, 1280": dtcp_routed("-U", fast="on"),
}
