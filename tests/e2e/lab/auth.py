# SPDX-License-Identifier: BSD-2-Clause
"""dtcpauth with a database in a directory of its own. Needs no network and no root."""

import os
import re
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pytest

from lab.programs import DTCPAUTH

PROGRAM = str(DTCPAUTH)
SECRET = "Geheim-4711"
TIMEOUT = 30
WHEN = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class Auth:
    """One database, and the ways to run dtcpauth on it."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.path = self.directory / "users.db"

    def argv(self, *words):
        return [PROGRAM, "--database", str(self.path), *words]

    def run(self, *words, stdin=b"", **options):
        return subprocess.run(self.argv(*words), input=stdin, capture_output=True,
                              timeout=TIMEOUT, check=False, **options)

    def ok(self, *words, stdin=b""):
        done = self.run(*words, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, b""), done
        return done.stdout.decode()

    def add(self, user, *words, password=SECRET):
        assert self.ok("add", user, *words, stdin=password.encode() + b"\n") == ""

    def fails(self, status, line, *words, stdin=b"", **options):
        """It says exactly this one line, with this exit status, and nothing on standard output."""
        done = self.run(*words, stdin=stdin, **options)
        assert done.stderr.decode() == f"dtcpauth: {line}\n"
        assert (done.returncode, done.stdout) == (status, b"")

    def password(self, user):
        with sqlite3.connect(self.path) as db:
            row = db.execute("SELECT password FROM user WHERE name = ?", (user,)).fetchone()
        db.close()
        return row and row[0]

    def lease(self, user, kind, first, bits, active=1):
        """Does what dtcps does at a login."""
        value = int.from_bytes(first, "big")
        last = (value | ((1 << (128 - bits)) - 1)).to_bytes(16, "big")
        db = sqlite3.connect(self.path)
        db.execute("INSERT INTO block (user, kind, fixed, first, last, bits, active)"
                   " SELECT id, ?, 0, ?, ?, ?, ? FROM user WHERE name = ?",
                   (kind, first, last, bits, active, user))
        db.commit()
        db.close()


@pytest.fixture
def auth():
    # Not tmp_path: that is closed to the unprivileged user of one test.
    with tempfile.TemporaryDirectory(prefix="dtcpauth-") as directory:
        yield Auth(directory)
        # Nothing may stay behind but the database.
        assert set(os.listdir(directory)) <= {"users.db"}


def shown(auth, user):
    """What "show" says but for the time, whose values begin at the same place in every line."""
    lines = auth.ok("show", user).splitlines()
    assert {re.match(r"\S+ +", line).end() for line in lines} == {15}
    values = {line[:15].strip().rstrip(":"): line[15:] for line in lines}
    assert re.fullmatch(WHEN, values.pop("created"))
    return values
