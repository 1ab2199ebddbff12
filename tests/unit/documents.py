#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/protocol.md and dtcp(7) say what the code does: words, answers, ports, times and octets.

The arguments are the folder of the sources and a file of sentences (documents.txt). These must be
in the documents, with what the code has for the {names} in them. A quantity of the documents that
is in none of them is an error as well: a new one needs its sentence there.
"""

import hashlib
import hmac
import ipaddress
import re
import socket
import sys
from pathlib import Path

SPELLED = {"a second": 1, "a minute": 60, "ten minutes": 600, "third": 3, "one": 1, "two": 2,
           "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
NUMBER = r"(?<![\w.])(\d+(?:\.\d+)?|%s)(?!\w)" % "|".join(SPELLED)
QUANTITY = NUMBER + r",? (?:(?:s|ms|seconds?|minutes?|octets|bytes|bits?|times)\b|hexadecimal)"

ROOT = Path(sys.argv[1])
DOC = (ROOT / "docs" / "protocol.md").read_text()
MAN = (ROOT / "man" / "dtcp.7").read_text()
SENTENCES = Path(sys.argv[2]).read_text()
faults = []


def same(what, **said):
    """Both, or all three, say the same of it."""
    if any(value != next(iter(said.values())) for value in said.values()):
        faults.append(what + ":" + "".join("\n    %-4s %s" % pair for pair in said.items()))


def find(pattern, text):
    match = re.search(pattern, text, re.M)
    if not match:
        sys.exit("\n".join(faults + ["not found, so it cannot be compared: " + pattern]))
    return match[1] if match.re.groups == 1 else match.groups()


def source(name):
    return (ROOT / "src" / name).read_text()


def constants():
    """{name: value} of the #defines, enumerators and set fields; None where files differ."""
    known = {}
    pattern = (r"(?:^#define[ \t]+(?=\w+[ \t])|^\t+\.|[{ \t](?=[A-Z]))(\w+)(?: = |[ \t]+(?=[\d(U]))"
               r"([\w(][\w()*<+ -]*?)[ \t]*(?:/\*.*|[,;}].*)?$")
    # Headers first: what is computed of other constants comes behind those.
    for path in sorted((ROOT / "src").rglob("*.[ch]"), key=lambda path: (path.suffix, path),
                       reverse=True):
        for name, value in re.findall(pattern, path.read_text(), re.M):
            try:
                number = eval(re.sub(r"UINT\d+_C|(?<=\d)u\b", "", value), {}, dict(known))
            except (NameError, SyntaxError, TypeError):
                continue
            known[name] = number if known.get(name, number) == number else None
    settings = re.findall(r'NUMBER\("[\w.]+", (\w+),\s*"[^"]*",\s*\.initial = "(\d+)"',
                          source("server/settings.c"))
    known.update((name, int(default)) for name, default in settings)
    known["IPPROTO_IPV6"] = socket.IPPROTO_IPV6
    known["keepalive"] = int(find(r'FIELDS\("keepalive",[^;]*?\.initial = "(\d+),',
                                  source("client/settings.c")))
    message = source("proto/message.c")
    known["address_at"] = int(find(r"local\.s6_addr\[(\d+)\], &addr", message))
    known["hash_at"] = int(find(r"i >= (\d+); i--", message))
    known["second"] = int(find(r"second = \{\.tv_sec = (\d+)\}", source("server/root/root.c")))
    gaps = find(r"gaps\[\] = \{(.*)\};", source("forward/hello.c"))
    known["gap1"], known["gap2"], known["gap3"] = (
        int(ms) / 1000 for ms in re.findall(r"(\d+) \* HELLO_MS", gaps))
    return known


def prose_of_man():
    """The words of the page, without the macros, which are a capital and a small letter."""
    lines = re.sub(r'^\.\\".*\n|\\&|(?<=^\.)Xr ', "", MAN, flags=re.M).splitlines()
    lines = [re.sub(r'"|\b[A-Z][a-z]( |$)', "", line[1:]) if line.startswith(".") else line
             for line in lines]
    return re.sub(r" +([,.;:)])(?= )", r"\1", " ".join(" ".join(lines).split()))


def check_sentences(document, prose, known):
    free = list(prose)
    sentences = SENTENCES[SENTENCES.index("[%s]\n" % document):].split("\n\n")[0]
    for sentence in sentences.splitlines()[1:]:
        text = re.split(r"\{(.*?)\}", sentence)
        try:
            values = [float(eval(expression, {}, known)) for expression in text[1::2]]
        except (NameError, TypeError) as error:
            sys.exit("not one value in the code: %s: %s" % (sentence, error))
        found = list(re.finditer(NUMBER.join(map(re.escape, text[::2])), prose))
        if not found:
            faults.append("%s: this is not in it: %s" % (document, sentence))
        for match in found:
            said = [float(SPELLED.get(number, number)) for number in match.groups()]
            same("%s: %s" % (document, sentence), code=values, text=said)
            free[match.start():match.end()] = "~" * len(match[0])
    for match in re.finditer(QUANTITY, "".join(free)):
        around = prose[max(match.start() - 40, 0):match.end() + 40]
        faults.append("%s: no sentence of this test has: ... %s ..." % (document, around))


def check_octets(known):
    """The layouts of the probe and of the echo request, as ["first-last what", ...]."""
    def layout(names, end, add=0):
        starts = [known["AT_" + name] + add for name in names.split()]
        ends = [start - 1 for start in starts[1:]] + [end - 1]
        return ["%d" % a if a == b else "%d-%d" % (a, b) for a, b in zip(starts, ends)]

    tables = [re.findall(r"^\| (\d[\d-]*) \| (.*) \|$", rows.split("\n\n")[0], re.M)
              for rows in DOC.split("| octets | field |\n")[1:]]
    items = find(r'^\.Bl -tag -width "bytes 24-39".*\n((?:.*\n)+?)\.El', MAN)
    listed = re.findall(r"^\.It bytes? ([\d-]+)\n((?:[^.].*\n)+)", items, re.M)
    probe = layout("TYPE PROOF CLOCK SESSION COUNTER CODE", known["PROBE_SIZE"])
    mark = find(r"echo_mark\[\] = \{(.*)\};", source("forward/echo.c"))
    mark = "".join(re.findall(r"'(.)'", mark))
    header = known["INNER_HEADER"]
    echo = ["0-%d" % (header - 1), "%d-%d" % (header, header + known["AT_MARK"] - 1)]
    echo += layout("MARK COOKIE", known["ECHO_SIZE"], header)
    same("octets of a probe", code=probe, doc=[row[0] for row in tables[0]],
         man=[item[0] for item in listed])
    same("octets of an echo request", code=echo, doc=[row[0] for row in tables[1]])
    same("mark of an echo request", code=mark, doc=find(r"the mark: `(\w+)`", DOC),
         man=find(r"whose data are\n\.Ql (\w+)$", MAN))
    kinds = "0x%X.*0x%X" % (known["PROBE_HELLO"], known["PROBE_ANSWER"])
    fields = (kinds, "proof", "clock", "session", "counter", "HMAC-SHA-256",
              "header", "sequence", "mark", "cookie")
    for what, rows in (("protocol.md", tables[0] + tables[1]), ("dtcp(7)", listed)):
        for field, (octets, text) in zip(fields, rows):
            if not re.search(field, text, re.I | re.S):
                faults.append("%s: octets %s: not about %s: %s" % (what, octets, field, text))


def check_reasons():
    """Each with whether the connection is closed after it."""
    code = {text: ".closes = true" in more for text, more in re.findall(
        r'\[REASON_(?!OTHER)\w+\] = \{\.text = "([^"]*)"([^}]*)\}', source("proto/reason.c"))}
    doc, man = {}, {}
    for text, after in re.findall(r"^\| `([^`]*?):?(?: <.*)?` \| .* \| (.*) \|$",
                                  DOC[DOC.index("### 1.6"):], re.M):
        doc[text] = after == "closed"
    for text, meaning in re.findall(r'^\.It Li "(.*?):?".*\n((?:[^.].*\n)+)', MAN, re.M):
        man[text.replace("\\&", "")] = "clos" in meaning
    everything = set(code.items()) | set(doc.items()) | set(man.items())
    for text, closes in sorted(everything):
        same("%s, closed after it: %s" % (text, closes), code=(text, closes) in code.items(),
             doc=(text, closes) in doc.items(), man=(text, closes) in man.items())
    for said in re.findall(r"-ERR ([a-z][^`\n]+)", DOC + MAN.replace("\\&", "")):
        if not any(said.startswith(text) for text in code):
            faults.append("no reason of the code: -ERR " + said)


def check_words():
    request, reply, message, conn = map(source, (
        "proto/request.c", "proto/reply.c", "proto/message.c", "server/control/conn.c"))
    commands = set(re.findall(r'word, "(\w+)"\) == 0\)\s+return COMMAND_', request))
    answers = set(re.findall(r'conn_send\(actions, "\+OK ([^"]*)"', conn))
    greeting = find(r'"\+OK (%s [^"]*)"', conn)
    types = [t.lower() for t in re.findall(r'\{"(\w+)", TUNNEL_\w+\}', message)]
    asked = set(re.findall(r'ncasecmp\(word, "(\w+)="', request))
    granted = re.findall(r'put\(&writer, " (\w+)=", text', reply)

    table = dict(re.findall(r"^\| `(\w+)` \| `\+OK (.*?)`", DOC, re.M))
    helped = set(find(r"valid commands are: (.*)\"", conn).lower().split())
    same("commands", code=commands, help=helped | {"help"}, doc=set(table) | {"tunnel"},
         man=set(re.findall(r"^\.It Ic (\w+)", MAN, re.M)))
    spoken = set(re.findall(r"^S: \+OK (?!\w{32} |198)(.*)", MAN, re.M))
    same("answers", code=answers, doc=set(table.values()), man=spoken)
    sentence = r"type`? is (\w+), (\w+) or (\w+)\W+(\w+) is an old (?:word|synonym) for network"
    same("types", code=types, doc=list(find(sentence, DOC_PROSE)),
         man=list(find(sentence, MAN_PROSE)))
    replies = MAN[MAN.index(".Ss Reply"):MAN.index(".Ss Timeouts")]
    same("types of replies", code=types[:3], doc=re.findall(r"^\| `(\w+)` \|", DOC[
        DOC.index("| type | addresses |"):DOC.index("### 1.5")], re.M),
         man=re.findall(r"^\.It Cm (\w+)", replies, re.M))
    same("words of a request", code=asked, doc=set(re.findall(r"^- `tunnel .* (\w+)=", DOC, re.M)),
         man=set(re.findall(r"^\.It Cm (\w+) Ns = ", MAN, re.M)))
    same("words of a reply", code=granted, doc=re.findall(r"(\w+)=", find(
        "Reply: `(.*)`", DOC)), man=re.findall(r"(\w+)=", find(r"^\.Dl (udp=.*)", MAN)))
    dialogues = [set(re.sub(r"\n {3}(?=session)", " ", text).splitlines()) for text in (
        "\n".join(re.findall(r"^    ([SC]: .*)", DOC, re.M)), MAN)]
    for line in dialogues[0] - dialogues[1]:
        faults.append("protocol.md: dtcp(7) has no such line: " + line)
    for text in re.findall(r"S: \+OK \w{32} (.*)", DOC + MAN):
        same("greeting", code=greeting, text="%s " + text)


def check_addresses():
    """What can be no end, or no assignment; and that over UDP a client has its user's hash."""
    message, prefix = source("proto/message.c"), source("proto/prefix.c")
    ends = ["%d/%d" % (int(number) << int(bits) >> 24, 32 - int(bits))
            for bits, number in re.findall(r"host >> (\d+) != (\d+)", message)]
    inside = ["%s00::/%s" % pair for pair in re.findall(
        r"s6_addr = \{0x(\w+)\}\}, \.len = (\d+)\}", prefix)]
    same("not the end of a tunnel", code=", ".join(ends), doc=find(
        r"no tunnel can end at \((0.*?)\)", DOC_PROSE))
    same("assigned", code=" and ".join(inside), doc=find(r"outside of (.*?), or", DOC_PROSE))
    value, prime = (int(number, 16) for number in (
        find(r"hash = UINT64_C\((.*)\)", message), find(r"\* UINT64_C\((.*)\)", message)))
    for octet in b"foobar":
        value = (value ^ octet) * prime % 2**64
    code = str(ipaddress.IPv6Address(0xFE80 << 112 | value))
    example = r"for the user foobar, (fe80::[\da-f:]*\w)"
    same("link-local address", code=code, doc=find(example, DOC_PROSE),
         man=find(example, MAN_PROSE))
    find(r"udp_port != 0 \? (dtcp_link_local_user)", source("client/tunnel.c"))


def check_vectors():
    """The responses and probes that are written out."""
    label = find(r'key_label\[\] = "(.*)"', source("proto/probe.c"))
    same("label of the key", code=label, doc=find(r'^ +"(dtcp.*?)" ‖ 0x00 ‖ user ‖ 0x00 ‖ ', DOC),
         man=find(r"^\.Dq (dtcp.*) ,$", MAN))
    rows = dict(re.findall(r"^\| (.*?) \| ((?:`\w+` ?)+) \|$", DOC[:DOC.index("**When")], re.M))
    rows = {name: re.sub("[` ]", "", value) for name, value in rows.items()}
    user, challenge, password, session = (
        rows[name].encode() for name in ("user", "challenge", "password", "session"))
    response = hashlib.md5(user + challenge + password).hexdigest().upper()
    same("response", code=response, doc=rows["response"])
    for said in re.findall(r"\b[A-F\d]{32}\b", DOC + MAN):
        if said not in (response, challenge.decode()):
            faults.append("neither the challenge nor the response of the example: " + said)
    key = hmac.digest(password, b"\0".join((label.encode(), user, challenge, session)), "sha256")
    same("key of the probes", code=key.hex(), doc=rows["key"])
    probes = [rows.get("hello, clock 1000, counter 1", "not there")]
    probes += map("".join, re.findall(r"^    (d[01]\w{46}) (\w{32})$", DOC, re.M))
    for probe in probes:
        if not re.fullmatch(r"[\da-f]{80}", probe):
            faults.append("no 40 octets: " + probe)
            continue
        code = hmac.digest(key, bytes.fromhex(probe[:48]), "sha256")[:16]
        same("code of the probe " + probe[:48], code=code.hex(), doc=probe[48:])


DOC_PROSE = " ".join(re.sub(r"[`*]", "", DOC).split())
MAN_PROSE = prose_of_man()
KNOWN = constants()
check_sentences("protocol.md", DOC_PROSE, KNOWN)
check_sentences("dtcp(7)", MAN_PROSE, KNOWN)
check_octets(KNOWN)
check_reasons()
check_words()
check_addresses()
check_vectors()
if faults:
    sys.exit("\n".join(faults))
print("protocol.md, dtcp(7) and the code agree")
