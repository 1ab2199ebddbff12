#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares the C code's keys and probes with those computed here.

Written from docs/protocol.md, section 2.2, and not from the C code. The one argument is the program
that prints the key and the probe of the C code (probe_print.c).
"""

import hashlib
import hmac
import random
import struct
import subprocess
import sys

HELLO, ANSWER = 0xD0, 0xD1
BLOCK = 64  # octets of a SHA-256 block


def hmac_sha256(key, message):
    """RFC 2104, section 2, written out; Python's own must agree."""
    padded = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in padded) + message).digest()
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in padded) + inner).digest()
    assert outer == hmac.new(key, message, hashlib.sha256).digest()
    return outer


def expected(password, user, challenge, session, kind, clock, counter, proof):
    label = b"dtcp probe 1\0" + user + b"\0" + challenge + b"\0" + b"%016x" % session
    key = hmac_sha256(password, label)
    head = struct.pack("!LLQQ", kind << 24 | proof, clock, session, counter)
    return key, head + hmac_sha256(key, head)[:16]


def cases():
    top24, top32, top64 = 2**24 - 1, 2**32 - 1, 2**64 - 1
    challenge = b"0B1517C87D516A5FA65BED722D51A04F"
    yield b"bar", b"foo", challenge, 0x0123456789ABCDEF, HELLO, 0x11223344, 1, 0
    yield b"bar", b"foo", challenge, 0x0123456789ABCDEF, ANSWER, 0x11223344, 1, 0
    yield b"bar", b"foo", challenge, 0x0123456789ABCDEF, ANSWER, 0x11223344, 1, 0xA50180
    yield b"bar", b"foo", challenge, 1, HELLO, 0, 0, 0
    yield b"bar", b"foo", challenge, 1, HELLO, 0, 0, 1
    yield b"bar", b"foo", challenge, top64, ANSWER, top32, top64, top24
    # Where one text ends and the next begins.
    yield b"bar", b"fo", b"o" + challenge, 1, HELLO, 1, 1, 0
    yield "pässwörd with blanks".encode(), b"foo", b"<870363>", 2, HELLO, 2, 2, 0
    # A key of one block is used as it is, a longer one is hashed first (RFC 2104, section 2).
    for length in (1, 63, 64, 65, 256):
        yield b"p" * length, b"u" * 64, b"c" * 128, 3, HELLO, 3, 3, 0
    # Always the same ones, so that a failure can be seen again.
    numbers = random.Random(4028)
    for _ in range(24):
        yield (
            bytes(numbers.choices(range(0x20, 0x7F), k=numbers.randint(1, 100))),
            bytes(numbers.choices(b"abcXYZ019-_.@", k=numbers.randint(1, 64))),
            bytes(numbers.choices(b"0123456789abcdef", k=32)),
            numbers.randint(1, top64),
            numbers.choice((HELLO, ANSWER)),
            numbers.randint(0, top32),
            numbers.randint(0, top64),
            numbers.choice((0, numbers.randint(1, top24))),
        )


def main():
    count = 0
    for case in cases():
        words = [sys.argv[1]] + [w if isinstance(w, bytes) else b"%d" % w for w in case]
        said = subprocess.run(words, check=True, stdout=subprocess.PIPE, timeout=20).stdout
        key, probe = expected(*case)
        want = "%s %s\n" % (key.hex(), probe.hex())
        if said.decode() != want:
            sys.exit("%r:\nexpected %sgot      %s" % (case, want, said.decode()))
        count += 1
    print("%d probes agree" % count)


main()
