#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the seeds of the fuzz targets: real lines, packets and sequences of events.

The files are kept, so that nobody needs this to run the targets; it is here to say what is in
them, and to make them anew when a target reads its input in another way.
"""
import ipaddress
import json
import pathlib
import random
import struct

HERE = pathlib.Path(__file__).resolve().parent / "seeds"

RESPONSE = b"DAC487C8DFBBF9EE5C7F8CDCC37B62A3"
CHALLENGE = b"0B1517C87D516A5FA65BED722D51A04F"
ADDRESSES = b"+OK 198.51.100.2 192.0.2.1"
UDP = b" udp=4028 session=0123456789abcdef"


def seed(target, name, *parts):
    folder = HERE / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"".join(parts))


def piece(data):
    """What fuzz_piece() reads."""
    return struct.pack("!H", len(data)) + data


# --- text -----------------------------------------------------------------------------------

def lines():
    seed("lines", "stream", b"0\x02", b"ping\r\nquit\nhelp\r\n", b"x" * 511, b"\r\n", b"x" * 513)
    seed("lines", "words", b"1", b" tunnel\tfoo  UDP=1 udp=2 a b c d e ")
    seed("lines", "request", b"2tunnel foo ", RESPONSE, b" network")
    seed("lines", "request-udp", b"2TUNNEL foo ", RESPONSE, b" tunnelonly udp=4028 other=1")
    seed("lines", "request-nat", b"2tunnel a ", RESPONSE.lower(), b" host udp")
    seed("lines", "bare", b"2PING\r")
    seed("lines", "greeting", b"3\0+OK ", CHALLENGE, b" FBDC TunnelBroker Ready. <870363>")
    seed("lines", "reply", b"3\0", ADDRESSES)
    seed("lines", "reply-host", b"3\1", ADDRESSES, b" 2001:db8::2 2001:db8::1", UDP)
    seed("lines", "reply-network", b"3\2", ADDRESSES,
         b" 2001:03e0:03c3::/48,fd00:1::/64 2001:db8::1 unknown=1 session")
    seed("lines", "error", b"3\0-ERR  unsupported tunnel type host")
    seed("lines", "prefixes", b"4", b"2001:db8::/32\n2001:db8:1::/48\n::/0\n1::1/64\n"
         b"4028\n0123456789abcdef\nfoo\n::ffff:1.2.3.4/128\n", RESPONSE)


def line(text):
    return b" " + text + b"\n"


def conn():
    def verdict(result):
        return b"v" + bytes([2 * (result - 1)]) + b"\0\0\0\1"

    login = b"tunnel foo " + RESPONSE + b" "
    granted = verdict(1)
    seed("conn", "network", b"\x7c", line(login + b"network"), granted, b"a", line(b"ping"),
         line(b"help"), b"t\x10\0", line(b"quit"))
    seed("conn", "udp", b"\x7d", line(login + b"host udp=4028"), granted, b"a",
         line(b"tunnel again"), b"f")
    seed("conn", "denied", b"\xbc", (line(login + b"host") + verdict(2)) * 3)
    # Held back for 300 ms.
    seed("conn", "held", b"\xbc", line(login + b"host"), b"v\x0a\0\0\0\0", line(b"ping"), b"t\0\x20",
         line(login + b"host"), b"s\2", b"t\1\0")
    seed("conn", "refused", b"\x7c", line(login + b"other"), verdict(4),
         line(login + b"tunnelonly"), b"s\0", line(login + b"tunnelonly udp"), granted, b"r")
    seed("conn", "bare", b"\x7c", line(b"ping\\"), line(b"nonsense"), line(b"x\\"),
         line(b"a" * 600))
    seed("conn", "silent", b"\x08", b"t\xff\xff")


def control():
    def new(i):
        return b"n" + bytes([i, i])

    def login(i, kind):
        return b"L" + bytes([i, kind])

    def said(i, text):
        return b"l" + bytes([i]) + text + b"\n"

    granted, added = b"v%c\0", b"f%c\3"
    seed("control", "life", new(0), login(0, 2), granted % 0, added % 0, said(0, b"ping"), b"d\0",
         b"m\0\0m\0\1", said(0, b"quit"), b"d\0")
    # A new session of the same user takes the place of the older one.
    seed("control", "superseded", new(0), login(0, 0), granted % 0, added % 0, new(1),
         login(1, 0), granted % 1, added % 1, b"d\0d\1w\1\0")
    # The same address over protocol 41, by two users, and then over UDP.
    seed("control", "shared", new(0), login(0, 0), granted % 0, added % 0, new(2), login(2, 0),
         b"v\1\x10", login(2, 4), b"v\2\x10", added % 2, b"f\2\0\x0f\xbc", b"m\2\2")
    seed("control", "gone", new(0), login(0, 1), b"x\0", granted % 0, new(0), login(0, 3),
         b"v\1\1v\1\7", said(0, b"ping\\"), b"w\1\0", b"s\0", b"d\0")
    seed("control", "refused", new(3), login(3, 8), granted % 0, b"f\0\2", b"v\0\3", b"d\3",
         said(3, b"\0"), b"w\x10\0")
    def asked(i, root=True, **members):
        return b"C" + bytes([i, root]) + json.dumps(members).encode() + b"\n"

    # At the control socket: root and somebody else, answers in time, late and too many.
    up = new(0) + login(0, 2) + granted % 0 + added % 0
    seed("control", "asked", up, b"P", asked(0, command="status"), b"A\0", b"A\1", b"H\0",
         asked(0, command="sessions", limit=7), b"H\0", asked(1, False, command="drops"), b"H\1",
         asked(1, False, command="kick", user="user0"), b"H\1", b"m\0")
    seed("control", "steered", up, asked(0, command="log", level="debug"),
         asked(1, command="reload"), b"H\1", b"A\2", b"H\0", asked(1, command="reload"), b"A\x0a",
         b"H\1", asked(1, command="kick", user="user0", seconds=60), b"H\1", b"d\0", new(1),
         login(1, 2), b"d\1")
    seed("control", "unasked", b"A\0A\1A\2", asked(0, command="status"), b"w\2\0", b"H\0", b"A\x10",
         b"A\x11", asked(0, command="status"), b"X\0", b"A\0")
    # Never reads what it is answered.
    seed("control", "deaf", new(1), said(1, b"ping") * 40, b"w\x40\0")


def session():
    def start(kind, flags):
        return bytes([kind, flags])

    come_up = b"cgG\0p\1p\0m"
    network, auto, loop = 2, 6, 0x80
    seed("session", "plain", start(network, 3), come_up, b"ddd", line(b"+OK pong"), b"h")
    seed("session", "udp", start(network + 3, 15), b"cgG\2p\3m", b"d", b"p\1", b"n\2")
    seed("session", "auto", start(auto + loop, 7), b"cgG\1", line(b"+OK good bye"), b"cgG\2p\3mp\1",
         b"dcgG\2p\3mn\3m")
    seed("session", "kept", start(network + loop, 7), come_up, b"x\1d", come_up, b"x\0d\x74\xff\xff",
         b"x\0dx\0dx\0dm")
    seed("session", "asleep", start(network + 3 + loop, 31), b"cgG\2p\3m", b"w\0\x60", b"cx\0",
         b"cgG\2p\3m", b"n\2cgG\2p\3m")
    # Silence, and another port: before the tunnel, with it, and while it is held.
    seed("session", "ports", start(network + 3 + loop, 7), b"cgG\2p\4p\x08p\3p\x18m", b"mp\x28n\1",
         b"p\x38mmp\4", b"p\x48x\1mp\x58", b"dcgG\2p\3mp\1d", b"p\x68M")
    seed("session", "errors", start(loop, 3), b"x\0dcx\2dc", line(b"-ERR no"), b"dcg",
         line(b"-ERR authentication failed."), b"dcg", line(b"-ERR unsupported transport udp"),
         b"dcg", line(b"-ERR address in use by another tunnel, use udp"), b"dcg",
         line(ADDRESSES + UDP), b"M")
    seed("session", "down", start(network + loop, 7), come_up, b"qd", b"m", b"n\2w\0\x60hdqu", come_up,
         b"x\1", b"q", b"mud", b"x\0quq")
    seed("session", "superseded", start(loop, 3), b"c", line(b"+OK " + CHALLENGE), line(ADDRESSES),
         b"m", line(b"-ERR superseded by a new session"), b"md")


def settings():
    seed("settings", "password", b"a# a comment\r\nOTHER:foo:no\nbroker.example:foo:pass:word\r\n")
    seed("settings", "password-bad", b"a\nbroken\n:foo:x\nx:a b:x\nx:y:\nBROKER.example:foo:\xc3\xbc")
    seed("settings", "server", b"s-dU\n-g\n192.0.2.1\n-i\nsix7\n-p\n20200\n-o\nnetwork.pool=2001:db8:100::/40\n"
         b"-onetwork.length=56\n-omtu=1480\n-a\n2001:db8:1::")
    seed("settings", "server-keys", b"s-o\naddress=192.0.2.1\n-o\ndatabase=/x\n-o\nlimit.attempts=3\n"
         b"-o\nlimit.icmp6=0\n-o\nlimit.sessions=65536\n-o\nlisten=0.0.0.0\n-o\nudp.enable=yes\n"
         b"-o\nudp.port=1\n-o\ntimeout.word=2\n-o\nuser=nobody\n-o\ninterface=x\n--user=a\n")
    seed("settings", "configuration", b"f# one\nlisten = 192.0.2.1 // two\nnetwork {\n pool = \"2001:db8:100::/40\"\n"
         b" length = 56\n}\nlimit { attempts = 3 source.pending = 7 }\n/* three */ udp.enable = yes\n")
    seed("settings", "configuration-bad", b"fport = 0\nnone = 1\nhost { prefix = 2001:db8:: }\nmtu = 1400 mtu = 1300\n"
         b"timeout {\n idle = \"x\n")
    seed("settings", "client-configuration", b"g# one\nserver = \"a,b\"\nlogin = foo\nlan = eth1\n"
         b"lan-open = 'tcp/1,udp/2-3'\nroute = \"2000::/3,fd00::/8\"\nkeepalive = \"5,6\"\n"
         b"transport = auto\nudp-port = 0\nmtu = 1400\nreconnect = yes\ntable = 7\n")
    seed("settings", "client-configuration-bad", b"gserver = \"a,a\"\nuser = nobody9\ntype = x\n"
         b"address = \"fd00::1,fd00::/8\"\nscript = ' '\nmtu = 1 mtu = 2\n")
    seed("settings", "client", b"c-dDlnU\n-b\n0\n-B\n4028\n-m\n1400\n-p\n1\n-thost\n-u\nfoo\n"
         b"--keepalive\n60,15\n--metric=9\n--route=2000::/3,fd00::/8\n--hold=0\nbroker")
    seed("settings", "client-words", b"c--address=2001:db8::1\n--transport\nauto\n--tunnel=none\n"
         b"--route=default\n--interface=x\n--auth-file=x\n--user=x\n-f\nx\n-s\n./x\n192.0.2.1")


# --- packets --------------------------------------------------------------------------------

ECHO = bytes.fromhex("8000 0000 0001 0001")
# The identifier is what room.c has for a random number.
# Of forward's own: a request, and the answer to its first one, which has a fixed id and cookie here.
REQUEST = bytes.fromhex("8000 0000 4321 0001") + b"dtcpecho" + bytes(8)
ANSWER = bytes.fromhex("8100 0000 1234 0001") + b"dtcpecho" + b"\1" * 8
SOLICIT = bytes.fromhex("8700 0000 0000 0000") + bytes(16)
ADVERT = bytes.fromhex("8600 0000") + bytes(12)
UNREACHABLE = bytes.fromhex("0100 0000 0000 0000") + bytes(40)
TCP = bytes.fromhex("1f90 0050 00000001 00000001 5010 ffff 0000 0000")
UDP_HEADER = bytes.fromhex("1f90 0035 0010 0000") + bytes(8)
HOP_BY_HOP = bytes.fromhex("3a00 0104 0000 0000")
ROUTING = bytes.fromhex("3a02 0001 0000 0000") + bytes(16)
FRAGMENT = bytes.fromhex("1100 0001 0000 0001")

# Addresses by their place in packets.c.
HOST, SITE, NOBODY, ASSIGNED, LINK_LOCAL, ALL_NODES, NONE = 1, 2, 4, 5, 6, 8, 9
LOOP = 10


def packet(body, protocol, source, destination, *, extra=0, flags=0, traffic=0):
    """What packets_make() reads: a header with these addresses, and zeros behind the body."""
    kind = 1 | flags | (2 if extra else 0)
    return (bytes([kind]) + piece(body) + (struct.pack("!H", extra) if extra else b"") +
            bytes([traffic, protocol, source, destination]))


def samples(own, far):
    """Packets of all kinds between two addresses."""
    whole, bare, last_hop = 16, 8, 4
    yield "echo", packet(ECHO, 58, own, far, flags=whole)
    yield "ecn", packet(ECHO, 58, own, far, traffic=0x20)
    yield "tcp", packet(TCP, 6, own, far, extra=3000, flags=bare)
    yield "tcp-small", packet(TCP, 6, own, far, extra=100, flags=bare)
    yield "udp", packet(UDP_HEADER, 17, own, far)
    yield "solicit", packet(SOLICIT, 58, NONE, ALL_NODES, flags=whole | last_hop)
    yield "advert", packet(ADVERT, 58, own, ALL_NODES, flags=whole | last_hop)
    yield "error", packet(UNREACHABLE, 58, own, far, flags=whole)
    yield "hop-by-hop", packet(HOP_BY_HOP + ECHO, 0, own, far)
    yield "routing", packet(ROUTING + ECHO, 43, own, far)
    yield "fragment", packet(FRAGMENT + UDP_HEADER, 44, own, far)
    yield "loop", packet(ECHO, 58, own, LOOP)
    yield "large", packet(ECHO, 58, own, far, extra=1400)
    yield "short", b"\0" + piece(bytes.fromhex("6000 0000 0010 3b40") + bytes(32))


def decap():
    """Behind each packet what its socket tells: the outer header, or peer and control messages."""
    raw = bytes([0, 0, 0])
    tos = struct.pack("<QiiB", 17, 0, 1, 3) + bytes(7)
    info = struct.pack("<QiiI4s4s", 28, 0, 8, 1, bytes(4), bytes([192, 0, 2, 1])) + bytes(4)
    datagram = struct.pack("!H", 4028) + b"\1" + piece(tos + info) + b"\1"
    many = [p for _, p in samples(HOST, NOBODY)]
    seed("decap", "raw", b"\2", *(p + raw for p in many))
    seed("decap", "raw-client", b"\0", *(p + raw for p in many))
    seed("decap", "raw-options", b"\2", many[0], b"\1\3\0\0", many[0], b"\2\0\0", many[0],
         b"\4\0\0" + b"\x45" + bytes(11) + bytes([198, 51, 100, 2, 192, 0, 2, 1]), many[0],
         b"\x18\0\0")
    many = [p for _, p in samples(SITE, NOBODY)]
    seed("decap", "udp", b"\3", *(p + datagram for p in many))
    seed("decap", "udp-client", b"\1", *(p + datagram for p in many))
    # SOL_IP, IP_RECVERR: a sock_extended_err from ICMP, EMSGSIZE, 1400 octets.
    error = struct.pack("<QiiIBBBBII", 48, 0, 11, 90, 2, 3, 4, 0, 1400, 0) + bytes(16)
    seed("decap", "errors", b"\4", piece(error), struct.pack("!HH", 2, 0),
         bytes([198, 51, 100, 2]) + bytes(8), piece(bytes(16)), bytes(16))


def encap():
    """Before each packet: what becomes known of a path, and which device it is from."""
    shared, own = b"\0\2", b"\0\1"
    for name, source, destination in (("site", NOBODY, SITE), ("host", NOBODY, HOST),
                                      ("assigned", NOBODY, ASSIGNED), ("nobody", HOST, NOBODY)):
        seed("encap", name, b"\0", *(shared + p for _, p in samples(source, destination)))
    seed("encap", "own-device", b"\1", *(own + p for _, p in samples(LINK_LOCAL, NOBODY)))
    seed("encap", "path", b"\0", b"\x81\x05\x78\2", packet(ECHO, 58, NOBODY, SITE, extra=1380),
         b"\x81\x02\x00\2", packet(ECHO, 58, NOBODY, SITE, extra=1300),
         b"\x41\0\1\0\0\2", packet(ECHO, 58, NOBODY, SITE, extra=1300))
    # A checksum that is still to be completed: virtio_net_hdr, needs-csum at 40 + 16.
    seed("encap", "offload", b"\0\0\6", struct.pack("<BBHHHH", 1, 0, 0, 0, 40, 16),
         packet(TCP, 6, NOBODY, HOST), b"\0\6", struct.pack("<BBHHHH", 0, 4, 60, 512, 40, 16),
         packet(TCP, 6, NOBODY, HOST))


def offload():
    """Whatever comes: the same random numbers each time, and a few of the common kinds."""
    numbers = random.Random(41)
    for i in range(8):
        seed("offload", f"random-{i}", numbers.randbytes(600))
    tcp, udp = b"\1\x0f", b"\0"
    size = struct.pack("!HH", 1219, 24000)
    seed("offload", "tcp", b"\1", *(b"\x34" + tcp + size + b"\0" for _ in range(20)), bytes(9))
    # Small ones of one size, of which each third differs in something.
    small = [bytes([0x28 | 1, 1, what if i == 1 else 15]) + struct.pack("!H", 100)
             for what in range(0, 256) if what & 15 < 6 for i in range(3)]
    for part in range(4):
        seed("offload", f"small-{part}", b"\1", *small[part::4], bytes(9))
        seed("offload", f"in-turn-{part}", b"\1", *small[part * 72:part * 72 + 72], bytes(9))
    seed("offload", "udp", b"\1", *(b"\x34" + udp + size for _ in range(20)), bytes(9))


def neighbour():
    def asked(source, destination, target, *options):
        addresses = [ipaddress.ip_address(text).packed for text in (source, destination, target)]
        message = bytes([135]) + bytes(7) + addresses[2] + b"".join(options)
        return (struct.pack("!IHBB", 6 << 28, len(message), 58, 255) + addresses[0] + addresses[1]
                + message)

    address, group = "2001:db8:a:0:8000::5", "ff02::1:ff00:5"
    solicitation = asked("fe80::1", group, address, bytes([1, 1, 2, 0, 0, 0, 0, 1]))
    again = asked("2001:db8:a::1", address, address)
    duplicate = asked("::", group, address, bytes([14, 1, 1, 2, 3, 4, 5, 6]))
    start, stop, wait = b"\4", b"\3", b"\7\0\1"
    add, remove, never = b"\0", b"\1", b"\2"
    ask, repair = b"\5", b"\6"
    plain = piece(solicitation)
    seed("neighbour", "life", start, add, b"\1", ask, plain, repair, plain, wait, repair, plain,
         remove, b"\1", repair, plain)
    seed("neighbour", "never", add, b"\0", repair, plain, never, b"\2", start, repair, plain, stop,
         start, repair, plain)
    seed("neighbour", "kinds", start, add, b"\0", repair, piece(again), repair, piece(duplicate),
         *(ask + piece(bytes([octet]) * 72) for octet in (0, 58, 135, 255)))


def request():
    def asked(text, root=True):
        return bytes([root]), text.encode() + b"\n"

    seed("request", "good",
         *asked('{"command":"status"}', False), *asked('{"v":1,"command":"drops"}'),
         *asked('{"command":"sessions","user":"alice","address":"192.0.2.1","transport":"udp"}'),
         *asked('{"command":"sessions","prefix":"2001:db8::/32","after":7,"limit":100}'),
         *asked('{"command":"session","user":"al\\u0069ce"}', False),
         *asked('{"command":"kick","user":"alice","seconds":3600}'),
         *asked('{"command":"reload"}'), *asked('{"command":"log","level":"debug"}'))
    seed("request", "bad",
         *asked(""), *asked("[]"), *asked('{"command":1}'), *asked('{"command":"kick"}', False),
         *asked('{"command":"kick"}'), *asked('{"command":"status","command":"drops"}'),
         *asked('{"command":"sessions","limit":-1}'), *asked('{"command":"log","level":""}'),
         *asked('{"command":"\\n"}'), *asked('{"command":"drops","x\\u00e9":[{}]}'),
         *asked('{"command":"status","v":1.0}'), *asked("[" * 3000))


def probe():
    def hello(place, session, what, counter, *spoilt):
        return bytes([1 | place, session, what, counter, *spoilt])

    first, second = 0x40 | 0x00, 0x80 | 0x10
    add = [bytes([0, i]) for i in range(3)]
    wait = b"\3\x20\0"
    seed("probe", "octets", b"o", bytes(range(32)), b"\0\x47",
         piece(b"\xd0" + bytes(15) + b"\0" * 24))
    seed("probe", "server", b"s", *add, hello(first, 0, 0, 1), hello(second, 0, 0, 2),
         hello(second, 0, 0, 2), hello(second, 1, 0, 1), hello(first, 2, 1, 1),
         hello(first, 2, 8, 1, 0, 0, 1), hello(first, 1, 4, 0), hello(0, 1, 4, 0))
    # From another address: a wrong number, the right one too soon and in time, a large packet.
    away = 0x50
    seed("probe", "proof", b"s", *add, hello(first, 0, 0, 1), hello(away, 0, 0x80, 2),
         hello(away, 0, 0xe0, 3), hello(away, 0, 0x20, 4), b"\3\x04\0", hello(away, 0, 0x20, 5),
         hello(away, 0, 0x80, 200), hello(0x60, 0, 0x20, 201), hello(first, 0, 0x40, 202))
    seed("probe", "stray", b"s", *add, wait, bytes([2 | first, 0]), hello(first, 0, 0, 9),
         bytes([2 | first, 2]), add[0], add[0], bytes([2 | second, 1]))
    seed("probe", "client", b"c\3\0\5\5\5\1\4\x13\x88\2\5\3\1\5\5\0\5\4\xff\xff\3\0\4\xff\xff\5")


def room():
    def device(i):
        return b"m" + bytes([i, 4])

    raw, udp, errors_from = b"m\0\0", b"m\0\1", b"m\0\2\0"
    server, client = b"\1", b"\0"
    echo = packet(ECHO, 58, HOST, NOBODY, flags=16)

    def into(p, what=0):
        """A packet from outside, of the session whose number is the low bits of what."""
        return b"r" + bytes([what]) + p

    def datagram(p, who):
        return b"u\0" + p + bytes([who])

    def hello(session, what, counter, who, *spoilt):
        return b"u\1" + bytes([session | what, counter, *spoilt, who])

    def reached(what):
        """The test of the seeds fails unless all of these have happened: room.c has the letters."""
        return b"".join(b"=" + bytes([letter]) for letter in what)

    seed("room", "server-raw", server, raw, device(0), b"a\0a\1", errors_from,
         *(into(p) for _, p in samples(HOST, NOBODY)),
         *(b"t\0" + p + b"\0" for _, p in samples(NOBODY, SITE)),
         b"t\0", packet(ECHO, 58, HOST, NOBODY), b"\0", reached(b"iws"), b"c\0\0",
         b"m\0\3\0m\0\6")
    seed("room", "server-udp", server, udp, device(0), b"a\4a\5", hello(0, 0, 1, 8),
         reached(b"hl"), datagram(echo, 8), reached(b"w"), hello(0, 0, 1, 8), hello(0, 0, 2, 4),
         reached(b"hl"), hello(0, 0, 3, 0), hello(1, 0x10, 1, 9, 0, 30, 1),
         datagram(echo, 4), b"t\0", packet(ECHO, 58, NOBODY, HOST),
         b"\0", b"w\x20\0", b"c\1\0")
    seed("room", "own-device", server, raw, device(2), b"a\2", b"t\2",
         packet(ECHO, 58, LINK_LOCAL, NOBODY), b"\0", into(packet(ECHO, 58, LINK_LOCAL, NOBODY), 2),
         reached(b"sw"), b"m\2\5", b"c\2\0")
    seed("room", "client", client, udp, device(0), b"a\5", b"w\1\0w\2\0", hello(1, 0, 1, 9),
         reached(b"hp"), hello(1, 8, 2, 9), b"t\0", packet(ECHO, 58, SITE, NOBODY), b"\0",
         reached(b"s"), b"w\xff\xff" * 2,
         # In steps that are none of a machine that was asleep, until the path is dead; and alive.
         b"w\x0f\xa0" * 16, reached(b"p"), hello(1, 0, 3, 9), reached(b"hp"), b"c\1\1", b"c\1\0")
    request = into(packet(REQUEST, 58, NOBODY, ALL_NODES, flags=20))
    seed("room", "client-echo", client, raw, b"a\0", b"w\0\x40", reached(b"s"), device(0),
         into(packet(ECHO, 58, NOBODY, HOST)), into(packet(ANSWER, 58, NOBODY, HOST, flags=16)),
         reached(b"hpw"), b"w\x0f\xa0" * 16, reached(b"p"), request, reached(b"hs"),
         into(echo), reached(b"pw"), b"c\0\1c\0\0")
    here = ipaddress.ip_address("2001:db8:1::1").packed
    # Whatever address the other end has on the link.
    seed("room", "server-echo", server, raw, device(0), b"a\0", into(echo), reached(b"w"),
         b"w\0\x40", reached(b"s"), into(packet(ANSWER, 58, NOBODY, 0, flags=16) + here),
         reached(b"hp"), into(packet(REQUEST, 58, HOST, 7, flags=20)), reached(b"hs"),
         b"w\x0f\xa0" * 16, reached(b"p"), into(echo), reached(b"pw"))
    # Nothing is answered for 10 s; of another port, the old one is answered, and then the other.
    def other(session, what, counter, who):
        return b"v" + hello(session, what, counter, who)[1:]

    seed("room", "client-ports", client, udp, device(0), b"a\5", b"w\x0f\xa0" * 3, reached(b"z"),
         b"m\0\7", b"w\x0f\xa0" * 2, hello(1, 0, 1, 9), reached(b"hp"), b"m\0\7", b"c\1\1",
         b"m\0\7", b"w\x0f\xa0", b"m\0\7", datagram(echo, 9), reached(b"w"), other(1, 0, 2, 9),
         reached(b"hn"), b"t\0", packet(ECHO, 58, SITE, NOBODY), b"\0", reached(b"s"),
         b"c\1\0", b"m\0\7")
    # What is sent fails while there is a 1 behind the packet for it, and its checksum is complete.
    def tun(*fails, to=SITE, extra=1380):
        return b"t\0" + packet(ECHO, 58, NOBODY, to, extra=extra) + bytes([0, *fails])

    # The path to this place takes 1400 octets: from the network, or the kernel itself.
    def too_big(who, network=True):
        return (b"q" + bytes([who]) + piece(struct.pack("<QiiIBBBBII", 48, 0, 11, 90, 1 + network, 3,
                                                        4, 0, 1400, 0) + bytes(16)))

    again, too_large, refused, full, interrupted = b"e\0", b"e\1", b"e\2", b"e\x45", b"e\x82"
    small = {"to": HOST, "extra": 0}
    seed("room", "trouble", server, raw, device(0), b"a\0a\1", errors_from,
         too_large, tun(1, 0), reached(b"s"), tun(1, 1), reached(b"r"), too_big(1, False), tun(1),
         reached(b"i"), tun(1, 1, **small), reached(b"r"),
         refused, tun(1, 0, **small), reached(b"s"), tun(1, 1, **small), reached(b"r"),
         full, tun(1, **small), reached(b"r"), again, tun(1, **small), reached(b"r"),
         interrupted, tun(1, 0, **small), reached(b"s"), b"o")
    seed("room", "reports", server, raw, udp, device(0), b"a\0a\5", errors_from, tun(),
         reached(b"s"),
         # Over UDP of a port that nobody has; then of session 1; and of nothing known.
         too_big(0x41), tun(), reached(b"sx"), too_big(0x49), b"w\0\1", reached(b"x"), tun(),
         reached(b"i"), b"q\0" + piece(b""), b"w\0\1")


# --- monitor's messages ---------------------------------------------------------------------

def answers():
    def line(**members):
        return json.dumps(members).encode() + b"\n"

    traffic = {"in_packets": 1, "in_octets": 1000, "out_packets": 2, "out_octets": 1 << 40}
    seconds = {"count": 4, "sum": 0.012, "le": [[0.001, 1], ["+Inf", 4]]}
    drops = [{"reason": "loop", "count": 3, "text": "from the tunnel\x1b[2J\u009b\u202e into it"}]
    server = {"program": "dtcps", "interface": "dtcps0", "started": 1e9, "ready": True,
              "transports": ["ipv6", "udp"], "listen": ["0.0.0.0"], "port": 20200,
              "sessions": {"now": 2, "limit": 2, "host": 1, "network": 1, "udp": 2, "dead_paths": 1},
              "logins": {"granted": 9, "auth": 2}, "login_seconds": seconds,
              "database": {"path": "/users.db", "users": 12, "error": "locked"},
              "limits": {"log_lines_left_out": 7}, "traffic": {"user": traffic, "kernel": traffic},
              "pools": [{"kind": "host", "prefix": "2001:db8::/64", "length": 128, "used": 1,
                         "size": 18446744073709551614.0}],
              "drops": drops, "fast": {"mode": "auto", "active": True},
              "last_error": {"time": 1, "text": "a warning"}}
    client = {"program": "dtcpclient", "interface": "gif0", "name": "home", "state": "waiting",
              "since": 1e9, "user": "alice", "servers": ["a", "b"], "type": "network",
              "server": {"name": "a", "address": "192.0.2.1", "port": 20200}, "transport": "udp",
              "why": "a NAT", "carried": "kernel", "address": "2001:db8::2", "prefixes": ["::/64"],
              "peer_address": "2001:db8::1", "lan": [{"interface": "eth1", "prefix": "::/64"}],
              "mtu": 1280, "rtt": 0.01, "path": "dead", "last_handshake": 1e9, "drops": drops,
              "last_error": {"time": 1, "text": "refused"}, "next_try": 2e9, **traffic}
    row = {"id": 7, "user": "\u7aef\u672b", "type": "network", "transport": "udp", "peer": "192.0.2.1",
           "port": 4028, "prefixes": ["2001:db8::/48", "::/64"], "since": 1e9, "path": "dead",
           "dropped": 3, **traffic}
    seed("answers", "server", line(status=server, v=1), line(status=server), line(drops=drops),
         line(drops=drops))
    seed("answers", "client", line(status=client), line(status=client))
    seed("answers", "sessions", line(session=row, v=1), line(session=row),
         line(session={**row, "id": 8, "in_octets": 0}))
    seed("answers", "others", b"{}\n[]\n{\"session\":7}\n", line(status={"program": 7, "drops": {}}),
         line(session={"prefixes": [7], "since": -1e300, "in_octets": 1e300}))


def grants():
    def login(what, local, user):
        return b"l" + bytes([what, local, user])

    right = 0x80
    every = 0x0f
    seed("grants", "types", bytes([every]), login(right, 0, 0), login(right | 4 | 1, 0, 1),
         login(right | 8 | 2, 1, 2), login(right | 8 | 16 | 3, 2, 3), login(right | 8, 0, 0), b"r",
         b"o\0o\1o\2o\3o\4")
    seed("grants", "numbered", bytes([every | 0x20]), login(right | 8, 0, 0),
         login(right | 8 | 1, 0, 1), login(8 | 2, 0, 1), login(right | 8 | 2, 0, 4))
    seed("grants", "sold-out", bytes([0x1d]), login(right | 8, 0, 0), login(right | 8 | 1, 0, 1),
         login(right | 8 | 2, 0, 2), login(right | 8 | 3, 0, 3))
    seed("grants", "accounts", bytes([every]), login(right | 8, 0, 0), login(right | 8 | 1, 0, 1),
         b"u\0\1r", b"u\1\0r", b"u\0\2", login(right | 8 | 2, 0, 0), b"o\0")
    seed("grants", "forged", bytes([every]), login(0x40, 0, 0), struct.pack("<III", 1, 1, 1),
         bytes([198, 51, 100, 2, 192, 0, 2, 1]), b"user0".ljust(65, b"\0"), b"x" * 129, b"y" * 33)
    # Of what was granted before, accounts says something else.
    def forged(place, change):
        return b"o\0f" + struct.pack("<HB", place, change)

    seed("grants", "taken-over", bytes([every]), login(right | 4, 0, 0), forged(0, 0),
         login(right | 4, 0, 1), forged(4, 2), login(right | 4, 0, 0), forged(47, 1),
         login(right | 8, 0, 2), forged(84, 0x20), login(right, 0, 3), forged(64, 1))
    # The kernel refuses.
    seed("grants", "failing", b"\0", login(right, 0, 0), b"\xff", login(right | 8, 0, 3), b"\xff")


def tunnel():
    for reply in range(5):
        for kind in range(3):
            seed("tunnel", f"reply{reply}-{kind}", bytes([kind | 4, 0, reply, 0]))
    seed("tunnel", "spoilt", bytes([2 | 0x20, 0, 3, 3, 0, 20, 7, 0, 80, 255, 1, 0, 1]))
    seed("tunnel", "raw", b"\0\1", bytes([192, 0, 2, 1, 198, 51, 100, 2, 0, 0, 0, 0]),
         bytes([198, 51, 100, 2, 192, 0, 2, 1, 0, 0]))


def record():
    seed("record", "message", b"\x1e40message\x1fout of memory\x1f")
    seed("record", "fields", b"\x1e60session-up\x1fsession up\x1fuser=a b\x1fpeer=192.0.2.1\x1fbytes:12\x1f")
    seed("record", "told", b"\x1e41login-failed\x1f\"\\x22=\"\x1fuser=\"\\x5c\x1f")
    seed("record", "wrong", b"\x1e60a\x1fm\x1fn:01\x1f")
    seed("record", "text", b"*** stack smashing detected ***: terminated")


def channel():
    def message(kind, body, pad=True):
        return struct.pack("@IIQ", kind, len(body), 0) + body + bytes(-len(body) % 16 if pad else 0)

    seed("packet", "one", message(1, b"body", pad=False))
    seed("packet", "three", message(1, b""), message(2, b"four"), message(3, b"12345678", pad=False))
    seed("packet", "padded", message(1, b"body"))
    seed("packet", "cut", message(1, b"four"), message(2, b"body", pad=False)[:-1])
    seed("packet", "huge", message(1, b"four"), struct.pack("@IIQ", 2, 0xffffffff, 0))


def web():
    def get(path, *headers, host="localhost", method="GET"):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()

    def answers(*objects):
        return b"".join(json.dumps(o).encode() + b"\n" for o in objects) + b"\n"

    turn, other, hang_up, later, gone = (bytes([octet]) for octet in range(255, 250, -1))
    row = {"id": 1, "user": "a<b>", "type": "network", "transport": "udp", "peer": "192.0.2.1",
           "prefixes": ["2001:db8::/48"], "in_packets": 1, "in_octets": 1000, "out_packets": 2,
           "out_octets": 1 << 40}
    server = answers({"ok": True, "v": 1, "status": {
        "program": "dtcps", "interface": "dtcps0", "started": 1e9, "sessions": {"now": 1, "limit": 2},
        "logins": {"granted": 9, "auth": 2}, "login_seconds": {"count": 1, "sum": 0.1, "le": [["+Inf", 1]]},
        "drops": [{"reason": "loop", "count": 3}], "pools": [{"kind": "host", "used": 1, "size": 7}]}})
    client = answers({"ok": True, "status": {"program": "dtcpclient", "state": "up", "rtt": 0.01,
                                             "user": "x\"y\\\n"}})
    rows = answers({"session": row}, {"session": {**row, "id": 2, "peer": 7}}, {"ok": True})
    status = get("/api/status?daemon=dtcps-dtcps0")
    seed("web", "pages", turn, get("/"), get("/me?daemon=x", method="HEAD"), get("/style.css"), turn,
         get("/none"), get("/?x=1"), turn)
    seed("web", "hosts", turn, get("/api/daemons", host="our.example:80"), other,
         get("/api/daemons", host="evil.example"), turn, get("//localhost/", host="[::1]"),
         get("http://evil.example/", host="127.0.0.1"), get("/", "Host: localhost"), turn)
    seed("web", "asked", server, client, rows, turn, get("/api/daemons"), status, turn, later,
         get("/api/sessions?daemon=dtcps-dtcps0&search=a&sort=user&order=down&offset=0&limit=9"), turn,
         get("/api/history?daemon=dtcps-dtcps0"), turn)
    seed("web", "metrics", server, client, rows, turn,
         get("/metrics", "Accept: application/openmetrics-text;q=0.9,text/plain;q=0.1"), turn, later, later,
         get("/metrics"), turn)
    seed("web", "wrong", answers({"ok": False, "code": "busy", "error": "no\u001b[2J"}), b"[]\n\n", turn, status,
         turn, get("/api/status?daemon=dtcpclient-six%3C7%3E"), turn, gone, later, later, status, turn)
    seed("web", "queries", turn, get("/api/sessions"), get("/api/sessions?daemon=%00&a=b&&=;"),
         get("/api/status?daemon=a&daemon=b"), get("/api/sessions?daemon=dtcps-dtcps0&limit=-1"), turn,
         get("/", method="POST"), turn, b"nonsense\r\n\r\n", hang_up)


for make in (channel, web, record, lines, conn, control, session, settings, decap, encap, offload,
             neighbour, request, probe, room, grants, tunnel, answers):
    make()
