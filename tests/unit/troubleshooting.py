#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each line of the log that docs/troubleshooting.md quotes is one that the programs can write.

The argument is the folder of the sources. A quoted line, without "..." for what is left out, must be
found in a text of the sources, or its two halves in two, and each conversion of printf(3) in such a
text stands for anything.
"""

import errno
import os
import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1])
PAGE = ROOT / "docs" / "troubleshooting.md"
ANY = None
CONVERSION = re.compile(r"%[-+ 0#]*(?:\d+|\*)?(?:\.(?:\d+|\*)?)?(?:hh|h|ll|l|z|j|t)?[a-zA-Z]")
# So much of a quoted line's own words, which are not examples, must be of the text itself.
LEAST = 0.75
# Each half has so many characters of its own words.
HALF = 8


def texts():
    """The string literals of the sources, joined as the compiler joins them."""
    found = set()
    literal = r'"(?:[^"\\\n]|\\.)*"'
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        source = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)
        macros = dict(re.findall(r'^#define (\w+)\s+((?:%s\s*(?:\\\n\s*)?)+)$' % literal, source, re.M))
        for name, value in macros.items():
            source = re.sub(r"\b%s\b" % name, value.replace("\\", r"\\"), source)
        # Numbers of a width that has a name, such as PRIu32.
        source = re.sub(r'%"\s*PRI\w+', '%d"', source)
        for joined in re.findall(r"%s(?:\s*%s)*" % (literal, literal), source):
            text = "".join(part[1:-1] for part in re.findall(literal, joined))
            found.add(text.replace('\\"', '"').replace("\\\\", "\\"))
    return found


def tokens(text):
    """Its characters, with ANY for each conversion."""
    found, at = [], 0
    for match in CONVERSION.finditer(text.replace("%%", "\0")):
        found += [*text.replace("%%", "\0")[at:match.start()], ANY]
        at = match.end()
    found += text.replace("%%", "\0")[at:]
    return ["%" if token == "\0" else token for token in found]


def matched(pattern, line):
    """How many characters of the line are those of the pattern, at best; -1 if it does not match.
    The pattern may have more before the line and behind it."""
    here = [-1] * (len(line) + 1)
    best = -1
    for token in pattern:
        here[0] = 0
        following = [-1] * len(here)
        most = -1
        for at, score in enumerate(here):
            if token is ANY:
                most = max(most, score)
                following[at] = most
            elif score >= 0 and at < len(line) and line[at] == token:
                following[at + 1] = score + 1
        here = following
        best = max(best, here[-1])
    return best


def grams(text):
    return {text[at:at + 5] for at in range(len(text) - 4)}


def own(text):
    """How many characters its words have; addresses, numbers, files and hosts are examples."""
    return sum(len(word) for word in text.split() if not re.search(r"[\d/@]|\w\.\w", word))


def is_one_text(piece, known):
    """known: {text: its grams}. Only what looks alike is compared."""
    here = grams(piece)
    return any(matched(tokens(text), piece) >= LEAST * own(piece)
               for text, there in known.items() if len(here & there) >= own(piece) / 5)


def is_said(piece, known):
    # Where it was, or whose.
    piece = re.sub(r"^\S*[/.]\S*: ", "", piece)
    words = piece.split()
    # One text is often told behind another, such as "tunnel down:".
    halves = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))
              if words[at - 1][-1] in ":;,"]
    return own(piece) >= HALF and (is_one_text(piece, known) or any(
        min(own(half) for half in pair) >= HALF and all(is_one_text(half, known) for half in pair)
        for pair in halves))


def quoted():
    return re.findall(r"^> (.*)$", PAGE.read_text(), re.M)


def pieces(line):
    """What of a line has to be one text: what "..." leaves, without fields, and their values of
    several words."""
    for piece in line.split("..."):
        yield re.sub(r' \w+=("[^"]*"|\S*)', "", f" {piece}")
        yield from re.findall(r' \w+="([^"]*)"', piece)


def self_test():
    """What the comparison itself must and must not take."""
    known = {text: grams(text) for text in (
        "%s: user %s: wrong user name or password%s (server: %s)", "%s: %s", "up for %d%% of it")}
    for piece, good in (
            ("a.example: user bob: wrong user name or password (server:", True),
            ("user bob: wrong user name or password", True),
            ("user bob: wrong user name or passwort", False),
            ("user bob: wrong name or password", False),
            ("user bob: wrong user name or password: up for 12% of it", True),
            ("user bob: wrong user or password: up for 12% of it", False),
            ("192.0.2.1", False),
            ("a.example: anything at all", False),
            ("up for 12% of it", True)):
        if is_said(piece, known) != good:
            sys.exit(f"this test is wrong about: {piece}")


self_test()
known = {text: grams(text) for text in texts() | set(map(os.strerror, errno.errorcode))}
lines = quoted()
if len(lines) < 40 or len(known) < 1000:
    sys.exit(f"{len(lines)} quoted lines, {len(known)} texts: not what this test is for")
faults = [f"no program says: {piece.strip()}" for line in lines for piece in pieces(line)
          if re.search(r"\w", piece) and not is_said(piece.strip(), known)]
if faults:
    sys.exit("\n".join(faults))
print(f"{len(lines)} quoted lines are in the sources")
