# SPDX-License-Identifier: BSD-2-Clause
"""docs/migration.md: what its tables and commands name is there."""

import dbm.ndbm
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from lab.programs import DTCPAUTH, DTCPCLIENT, DTCPS, SERVICE

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "migration.md").read_text()
PROGRAMS = {"dtcpclient": DTCPCLIENT, "dtcps": DTCPS, "dtcpauth": DTCPAUTH}

# The options of the older programs, from their manual pages.
OLD_OPTIONS = {
    "dtcpc": "aAbcdDfFilmnopPrRtuU",
    "dtcps": "abcdDFgiIopU",
    "dtcpauth": "iudl",
}


def tables():
    """[(what it is about, program, rows)] of each table."""
    found = []
    for header, body in re.findall(r"(?m)^(\|.*\|)\n\| --- \| --- \|\n((?:\|.*\|\n)+)", TEXT):
        old, new = [cell.strip() for cell in header.strip("|").split("|")]
        rows = [[cell.strip() for cell in row.strip("|").split(" | ")]
                for row in body.splitlines()]
        assert all(len(row) == 2 for row in rows), rows
        found.append((old, re.fullmatch(r"here, `(\w+)`", new).group(1), rows))
    return found


def options_of(program):
    """What its --help names: {"-d", "--version", ...}."""
    text = subprocess.run([PROGRAMS[program], "--help"], capture_output=True, text=True,
                          check=True).stdout
    letters = "".join(re.findall(r"(?<![-\w])-([A-Za-z]+)", text))
    return {f"-{letter}" for letter in letters} | set(re.findall(r"--[a-z-]+", text))


def keys():
    table = (ROOT / "src" / "server" / "settings.c").read_text()
    return set(re.findall(r'^\t(?:SETTING|YES_NO|NUMBER)\("([a-z.0-9]+)",', table, re.MULTILINE))


def blocks(language):
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", TEXT)


def commands():
    """The command lines of our programs, in tables and in blocks, each as a list of words."""
    found = []
    for line in "".join(blocks("sh")).splitlines():
        # The lists of the old server are another test's.
        words = shlex.split(line) if "$" not in line and "users.txt" not in line else []
        words = words[1:] if words[:1] == ["sudo"] else words
        if words and words[0] in PROGRAMS:
            found.append(words)
    return found


def test_tables_name_what_there_is():
    checked = 0
    for old, program, rows in tables():
        possible = options_of(program)
        for row in rows:
            for span in re.findall(r"`([^`]+)`", row[1]):
                words = span.split()
                whose = program if words[0] not in PROGRAMS else words[0]
                if words[0] in ("ip", "systemctl") or (span.startswith("-P ") and old == "`dtcpc`"):
                    continue
                for word in words:
                    if word.startswith("-"):
                        name = word.split("=")[0]
                        assert name in (options_of(whose) if whose != program else possible), \
                            f"{span} in the table of {old}"
                        checked += 1
                if key := re.fullmatch(r"(?:-o )?([a-z.]+) ?= ?\S.*", span):
                    assert key.group(1) in keys(), f"{span} in the table of {old}"
                    checked += 1
                if words[0] == "dtcpauth" and len(words) > 1:
                    assert f" {words[1]}" in subprocess.run(
                        [DTCPAUTH, "--help"], capture_output=True, text=True, check=True).stdout
    assert checked > 80


@pytest.mark.parametrize("program", OLD_OPTIONS)
def test_every_old_option_has_a_row(program):
    named = set()
    for old, _, rows in tables():
        if old.split(",")[0] == f"`{program}`":
            for row in rows:
                named.update(re.findall(r"(?<![-\w])-([A-Za-z])\b", row[0]))
    assert named == set(OLD_OPTIONS[program])


def test_commands(tmp_path):
    """Each is accepted: a server is asked to check it, and a client that has understood its options
    has only the user to complain about."""
    database = tmp_path / "users.db"
    add = [DTCPAUTH, "--database", database, "add", "alice"]
    subprocess.run(add, input=b"secret\n", check=True)
    more = {"dtcpclient": ["--user", "no-such-user"], "dtcpauth": ["--database", database],
            "dtcps": ["--check", "-c", "/dev/null", "-o", f"database={database}",
                      "-o", f"user={SERVICE}"]}
    ran = []
    for program, *words in commands():
        result = subprocess.run([PROGRAMS[program], *more[program], *words], capture_output=True,
                                text=True, input="secret\n", start_new_session=True)
        if program == "dtcpclient":
            assert "no user no-such-user" in result.stderr, (words, result.stderr)
        else:
            assert result.returncode == 0, (words, result.stderr)
        ran.append(program)
    assert {program: ran.count(program) for program in PROGRAMS} == \
        {"dtcpclient": 5, "dtcps": 2, "dtcpauth": 2}


def test_configuration(tmp_path):
    """What start scripts had in variables, as a file; nothing is wrong with it but the user."""
    [text] = blocks("conf")
    path = tmp_path / "home.conf"
    path.write_text(text)
    result = subprocess.run([DTCPCLIENT, "--user", "no-such-user", path], capture_output=True,
                            text=True)
    assert result.returncode == 2 and len(result.stderr.splitlines()) == 1
    assert "no user no-such-user" in result.stderr


def test_users_come_along(tmp_path):
    """From pop.auth and routetable into the database, with the commands as they are written."""
    users = {"alice": "correct horse: battery", "bob": " \\n$x`'\""}
    with dbm.ndbm.open(str(tmp_path / "pop.auth"), "n") as old:
        for user, password in users.items():
            old[user.encode() + b"\0"] = bytes(byte ^ 0xff for byte in password.encode()) + b"\0"
    (tmp_path / "routetable").write_text("# user prefix\nbob 2001:db8:100::/48\n")
    [program] = blocks("python")
    (tmp_path / "popauth.py").write_text(program)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("sudo", 'exec "$@"'),
                       ("python3", 'exec /usr/bin/python3 "$@"'),
                       ("dtcpauth", f'exec {DTCPAUTH} --database "{tmp_path}/users.db" "$@"')):
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    script = "".join(block for block in blocks("sh") if "users.txt" in block)
    script = script.replace("/usr/local/etc/popper/pop.auth.db", str(tmp_path / "pop.auth.db"))
    assert script.count(str(tmp_path)) == 1
    result = subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True,
                            env={"PATH": f"{tools}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"})
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "users.txt").stat().st_mode & 0o777 == 0o600
    assert sorted((tmp_path / "users.txt").read_text().splitlines()) == \
        [f"{user}:{password}" for user, password in sorted(users.items())]
    rows = {line.split()[0]: line.split()[1:3] for line in result.stdout.splitlines()[2:]}
    assert result.stdout.startswith("2 added, 0 changed, 0 unchanged\n")
    assert rows == {"alice": ["-", "-"], "bob": ["2001:db8:100::/48", "fixed"]}


def test_readme_leads_to_it():
    assert "(docs/migration.md)" in (ROOT / "README.md").read_text()
    for name in re.findall(r"\]\(#([^)]+)\)", TEXT):
        headings = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
                    for heading in re.findall(r"(?m)^## (.*)$", TEXT)]
        assert name in headings
