# SPDX-License-Identifier: BSD-2-Clause
"""What dtcpauth does with the limits of users, and with many users at once."""

import csv
import io
import json
import os
import re
import subprocess

import pytest

from lab.auth import PROGRAM, SECRET, TIMEOUT, auth, shown  # noqa: F401
from lab.wait import REPO

NO_FORM = ("neither user:password nor a user and a prefix, nor the header of a table: names of columns, "
           "user among them, with commas between them")
HASH = "which the login's digest needs as it is"


@pytest.fixture
def folder(tmp_path):
    """For files, as none may stay behind beside the database."""
    return tmp_path


def write(folder, text, name="users"):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def users(auth):
    return {user.pop("user"): user for user in json.loads(auth.ok("list", "--json"))}


def fails(auth, status, lines, *words, stdin=b""):
    """It says exactly these lines, and changes nothing."""
    before = auth.path.exists() and auth.ok("export", "--passwords")
    done = auth.run(*words, stdin=stdin)
    assert done.stderr.decode().splitlines() == [f"dtcpauth: {line}" for line in lines]
    assert (done.returncode, done.stdout) == (status, b"")
    assert (auth.path.exists() and auth.ok("export", "--passwords")) == before


# --- set ------------------------------------------------------------------------------------


def test_set(auth):
    auth.add("alice")
    assert auth.ok("set", "alice", "types=host,network", "transports=udp", "expires=2999-12-31",
                   "disabled=yes", 'note=Z\u00fcrich, "HQ"\\', "prefix=2001:db8:7::/48") == ""
    assert {"network": "2001:db8:7::/48", "network-kind": "fixed", "state": "disabled",
            "types": "host,network", "transports": "udp", "expires": "2999-12-31",
            "disabled": "yes", "note": 'Z\u00fcrich, "HQ"\\'}.items() <= shown(auth, "alice").items()
    user = json.loads(auth.ok("show", "alice", "--json"))
    assert users(auth)["alice"] == {key: user[key] for key in user if key != "user"}
    user.pop("created")
    assert user == {"user": "alice", "networks": ["2001:db8:7::/48"], "network_kind": "fixed",
                    "host": None, "state": "disabled", "types": ["host", "network"],
                    "transports": ["udp"], "expires": "3000-01-01T00:00:00Z", "disabled": True,
                    "note": 'Z\u00fcrich, "HQ"\\', "seen": None}
    # Each alone, and back to nothing.
    auth.ok("set", "alice", "disabled=no")
    assert shown(auth, "alice")["state"] == "ok"
    auth.ok("set", "alice", "types=any", "transports=", "expires=never", "note=", "prefix=")
    assert {"network": "-", "state": "ok", "types": "any", "transports": "any", "expires": "never",
            "note": "-"}.items() <= shown(auth, "alice").items()
    assert auth.password("alice") == SECRET


@pytest.mark.parametrize("value, text, moment, state", [
    ("2024-02-29", "2024-02-29", "2024-03-01T00:00:00Z", "expired"),
    ("2999-06-01T12:30", "2999-06-01T12:30:00Z", "2999-06-01T12:30:00Z", "ok"),
    ("2999-06-01 12:30:05Z", "2999-06-01T12:30:05Z", "2999-06-01T12:30:05Z", "ok"),
    ("2999-06-01T12:30+02:00", "2999-06-01T10:30:00Z", "2999-06-01T10:30:00Z", "ok"),
    ("2999-06-01T22:30-0230", "2999-06-02T01:00:00Z", "2999-06-02T01:00:00Z", "ok"),
    ("2999-06-01T00:00Z", "2999-05-31", "2999-06-01T00:00:00Z", "ok"),
])
def test_expires(auth, value, text, moment, state):
    auth.add("alice")
    auth.ok("set", "alice", f"expires={value}")
    assert shown(auth, "alice")["expires"] == text
    assert shown(auth, "alice")["state"] == users(auth)["alice"]["state"] == state
    assert users(auth)["alice"]["expires"] == moment
    # What is shown can be set.
    auth.ok("set", "alice", f"expires={text}")
    assert users(auth)["alice"]["expires"] == moment


DATE = "is not a date such as 2027-12-31, nor a time such as 2027-12-31T18:00:00Z, nor never"


@pytest.mark.parametrize("words, line", [
    ([], "set: no KEY=VALUE given; see dtcpauth --help"),
    (["note"], '"note": a key, = and a value are needed'),
    (["colour=blue"], 'no key "colour"; there are prefix, types, transports, expires, disabled and '
                      "note"),
    (["password=x"], "everybody could see a password here; there is dtcpauth passwd USER"),
    (["note=a", "note=b"], "note is there twice"),
    (["note=a", "types=host,hosts"],
     'types: "hosts" is no tunnel type; there are tunnelonly,host,network, and any'),
    (["types=host,"], 'types: "" is no tunnel type; there are tunnelonly,host,network, and any'),
    (["transports=tcp"], 'transports: "tcp" is no transport; there are ipv6,udp, and any'),
    (["disabled=true"], 'disabled: "true" is neither yes nor no'),
    (["prefix=2001:db8::1/48"], "prefix: 2001:db8::1/48 has bits set beyond its length"),
    (["prefix=2001:db8::/48,"], "prefix:  is not an IPv6 address, a slash and a number"),
    (["prefix=2001:db8:1::/48,2001:db8:1:2::/64"], "prefix: 2001:db8:1:2::/64 overlaps one before it"),
    (["prefix=" + ",".join(f"2001:db8:{number}::/48" for number in range(9))],
     "prefix: more than 8"),
    (["note=" + 201 * "x"], "note: longer than 200 bytes"),
    (["note=a\nb"], "note: it has a control character, or is not UTF-8"),
    (["note=\udcff"], "note: it has a control character, or is not UTF-8"),
    *[([f"expires={value}"], f'expires: "{value}" {DATE}') for value in (
        "tomorrow", "2027-02-29", "2027-13-01", "2027-1-1", "2027-01-01x", "2027-01-01T24:00",
        "2027-01-01T12", "2027-01-01T12:60", "2027-01-01T12:00+1", "1969-12-31", "99999-01-01")],
    # That number is for those who never expire.
    *[([f"expires={value}"], f'expires: "{value}" is not after the beginning of 1970 in UTC') for value in (
        "1970-01-01T00:00Z", "1970-01-01T01:00+01:00", "1970-01-01T00:00+12:00")],
    # What is quoted steers no terminal.
    (["types=\x1b[2J"], 'types: "?[2J" is no tunnel type; there are tunnelonly,host,network, and any'),
    (["types=\u009b2J\u00fc"],
     'types: "??2J??" is no tunnel type; there are tunnelonly,host,network, and any'),
    (["types=\u00fc"], 'types: "\u00fc" is no tunnel type; there are tunnelonly,host,network, and any'),
])
def test_set_wrong(auth, words, line):
    auth.add("alice")
    fails(auth, 2, [line], "set", "alice", *words)


def test_set_conflicts(auth):
    auth.add("alice")
    auth.add("bob", "--prefix", "2001:db8:7::/48")
    fails(auth, 5, ["prefix 2001:db8::/32 overlaps what user bob has"],
          "set", "alice", "prefix=2001:db8::/32", "note=x")
    fails(auth, 5, ["prefix 2001:db8:7:8::/64 overlaps what user bob has"],
          "set", "alice", "prefix=2001:db8:1::/48,2001:db8:7:8::/64,2001:db8:9::/48")
    fails(auth, 3, ["no user carol"], "set", "carol", "note=x")


def test_several_prefixes(auth):
    """Set, shown, exported and imported as one value; in the old lists, each on a line."""
    prefixes = ["2001:db8:7::/48", "2001:db8:100:4200::/56"]
    auth.add("alice")
    auth.ok("set", "alice", "prefix=" + ",".join(reversed(prefixes)))
    assert shown(auth, "alice")["network"] == ",".join(prefixes)
    assert users(auth)["alice"]["networks"] == prefixes
    assert auth.ok("list").splitlines()[1].split()[1] == ",".join(prefixes)
    text = auth.ok("export")
    assert f'alice,"{",".join(prefixes)}",' in text
    assert auth.ok("import", "-", stdin=text.encode()) == "0 added, 0 changed, 1 unchanged\n"
    lines = "".join(f"alice {prefix}\n" for prefix in prefixes).encode()
    assert auth.ok("import", "-", stdin=lines) == "0 added, 0 changed, 1 unchanged\n"
    assert auth.ok("import", "-", stdin=lines + b"alice 2001:db8:9::/48\n") == \
        "0 added, 1 changed, 0 unchanged\n"
    assert users(auth)["alice"]["networks"] == ["2001:db8:7::/48", "2001:db8:9::/48", prefixes[1]]
    fails(auth, 6, ["-:3: user alice: the prefix overlaps another one, or is one more than 8",
                    "1 bad line: nothing is imported"], "import", "-",
          stdin=lines + b"alice 2001:db8:7:1::/64\n")
    auth.ok("set", "alice", "prefix=2001:db8:9::/48")
    assert shown(auth, "alice")["network"] == "2001:db8:9::/48"


# --- import ---------------------------------------------------------------------------------

LIST = "alice:correct horse: battery\nbob: \\n$x`'\"\n"
ROUTES = "# user prefix\n\nbob\t 2001:db8:7::/48 \r\n"


def test_old_lists(auth, folder):
    """Together, in either order, and once more."""
    passwords, routes = write(folder, LIST), write(folder, ROUTES, "routetable")
    assert auth.ok("import", "--dry-run", routes, passwords) == \
        "nothing is imported; it would be: 2 added, 0 changed, 0 unchanged\n"
    assert not auth.path.exists()
    assert auth.ok("import", routes, passwords) == "2 added, 0 changed, 0 unchanged\n"
    assert auth.password("alice") == "correct horse: battery"
    assert auth.password("bob") == " \\n$x`'\""
    assert shown(auth, "bob")["network"] == "2001:db8:7::/48"
    assert auth.ok("import", passwords, routes) == "0 added, 0 changed, 2 unchanged\n"
    other = write(folder, ROUTES.replace("7::", "8::"), "other")
    assert auth.ok("import", "--dry-run", other) == \
        "nothing is imported; it would be: 0 added, 1 changed, 0 unchanged\n"
    assert shown(auth, "bob")["network"] == "2001:db8:7::/48"
    assert auth.ok("import", other) == "0 added, 1 changed, 0 unchanged\n"
    assert shown(auth, "bob")["network"] == "2001:db8:8::/48"
    assert auth.password("bob") == " \\n$x`'\""


TABLE = ("\ufeffnote,user,expires,password\r\n"
         '"a ""b"", c",alice,2999-12-31,"x,""y"\r\n'
         "\r\n"
         "plain,bob,,secret")


def test_table(auth):
    assert auth.ok("import", "-", stdin=TABLE.encode()) == "2 added, 0 changed, 0 unchanged\n"
    assert auth.password("alice") == 'x,"y'
    assert shown(auth, "alice")["note"] == 'a "b", c'
    assert shown(auth, "alice")["expires"] == "2999-12-31"
    assert shown(auth, "bob")["expires"] == "never"
    # What a table has no column for, and passwords that it does not have, stay.
    assert auth.ok("import", "-", stdin=b"user,note,password\nalice,,\nbob,plain,secret\n") == \
        "0 added, 1 changed, 1 unchanged\n"
    assert auth.password("alice") == 'x,"y'
    assert shown(auth, "alice")["note"] == "-" and shown(auth, "alice")["expires"] == "2999-12-31"


def test_export(auth, folder):
    assert auth.ok("import", "-", stdin=TABLE.encode())
    auth.ok("set", "bob", "types=host,network", "transports=ipv6", "disabled=yes",
            "prefix=2001:db8:7::/48")
    text = auth.ok("export")
    assert "secret" not in text and 'x,""y' not in text
    assert text.count("\n") == text.count("\r\n") == 3
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == [
        {"user": "alice", "prefix": "", "types": "any", "transports": "any",
         "expires": "2999-12-31", "disabled": "no", "note": 'a "b", c'},
        {"user": "bob", "prefix": "2001:db8:7::/48", "types": "host,network", "transports": "ipv6",
         "expires": "never", "disabled": "yes", "note": "plain"}]
    whole = auth.ok("export", "--passwords")
    for unchanged in (text, whole):
        assert auth.ok("import", write(folder, unchanged)) == "0 added, 0 changed, 2 unchanged\n"
    before = users(auth)
    auth.ok("del", "alice")
    auth.ok("del", "bob")
    fails(auth, 6, [f"{folder}/users:2: there is no user alice, and no password to add one",
                    f"{folder}/users:3: there is no user bob, and no password to add one",
                    "2 bad lines: nothing is imported"], "import", write(folder, text))
    assert auth.ok("import", write(folder, whole)) == "2 added, 0 changed, 0 unchanged\n"
    for user in (*before.values(), *(after := users(auth)).values()):
        user.pop("created")
    assert after == before
    assert auth.password("alice") == 'x,"y'


def test_prefixes_change_hands(auth):
    auth.add("alice", "--prefix", "2001:db8:7::/48")
    auth.add("bob", "--prefix", "2001:db8:8::/48")
    assert auth.ok("import", "-", stdin=b"bob 2001:db8:7::/48\nalice 2001:db8:8::/48\n") == \
        "0 added, 2 changed, 0 unchanged\n"
    assert shown(auth, "alice")["network"] == "2001:db8:8::/48"


@pytest.mark.parametrize("text, lines", [
    ("alice:$apr1$x$y\nbob:{SHA}abc=\ncarol:$2y$05$x\ndave:$6$x\nerin:good\n",
     [f"1: user alice has a hash ($apr1$) in place of the password, {HASH}",
      f"2: user bob has a hash ({{SHA}}) in place of the password, {HASH}",
      f"3: user carol has a hash ($2y$) in place of the password, {HASH}",
      f"4: user dave has a hash ($6$) in place of the password, {HASH}"]),
    ("alice:realm:0123456789abcdef0123456789abcdef\n",
     [f"1: user alice has a hash (htdigest) in place of the password, {HASH}"]),
    ("user,password\nalice,$5$x$y\n",
     [f"2: user alice has a hash ($5$) in place of the password, {HASH}"]),
    ("alice:secret\nnothing\na b c\n bob:x\n:x\ncaf\u00e9:x\nbob 2001:db8::\nbob:\n",
     ["2: neither user:password nor a user and a prefix",
      "3: user a: more than a prefix behind the user",
      "4: not a possible user name: it has 1 to 64 printable ASCII characters, no blank and no "
      "colon",
      "5: not a possible user name: it has 1 to 64 printable ASCII characters, no blank and no "
      "colon",
      "6: not a possible user name: it has 1 to 64 printable ASCII characters, no blank and no "
      "colon",
      "7: user bob: prefix: 2001:db8:: is not an IPv6 address, a slash and a number",
      "8: user bob: a password has 1 to 256 bytes and no control characters"]),
    ("password,note\nx,y\nz,u\n", [f"1: {NO_FORM}"]),
    ("\r\nuser;password\r\nalice;a\r\n", [f"2: {NO_FORM}"]),
    ("user\tpassword\nalice\ta\n", [f"1: {NO_FORM}"]),
    ("alice:a\nbob:b\nalice:c\n", ["3: user alice is in {}:1 already"]),
    ("alice:a\nbob:b\nalice 2001:db8:7::/48\nbob 2001:db8:7:8::/64\n",
     ["2: user bob: prefix 2001:db8:7:8::/64 overlaps what user alice has"]),
    ("alice 2001:db8:7::/48\n", ["1: there is no user alice, and no password to add one"]),
    ("user,colour,note,note\nalice,,,\n",
     ['1: no column "colour"; there are user, password, prefix, types, transports, expires, '
      "disabled and note", '1: two columns "note"']),
    ('user,password\nalice,"a\nb,c\n', ["2: a quoted cell has no end"]),
    ('user,password\nalice,a"b"\nbob,"a"b\ncarol,c,\ndave\nerin,e\n',
     ["2: a quote in a cell without quotes around it", "3: something behind the end of a cell",
      "4: 3 cells, and the header has 2", "5: 1 cells, and the header has 2"]),
    ('user,password,note\nalice,a,"two\nlines"\nbob,b,x\ncarol,,c\n',
     ["2: user alice: note: it has a control character, or is not UTF-8",
      "5: there is no user carol, and no password to add one"]),
    ("user,password,types\nalice,a,hosts\n",
     ['2: user alice: types: "hosts" is no tunnel type; there are tunnelonly,host,network, and '
      "any"]),
    ("user," + 20 * "x," + "\n", ["1: too many cells"]),
    ("alice:a\0b\n", ["1: the file has a NUL character"]),
    ("\ufeffalice:a\n".encode("utf-16-le"), ["1: the file is in UTF-16; save it as UTF-8"]),
])
def test_bad_lines(auth, folder, text, lines):
    """Each is named, and nothing of the others is kept; nor is a database made."""
    path = write(folder, text)
    lines = [path + ":" + line.replace("{}", path) for line in lines]
    count = f"{len(lines)} bad line{'s' if len(lines) > 1 else ''}: nothing is imported"
    for words in (["--dry-run"], []):
        fails(auth, 6, [*lines, count], "import", *words, path)
        assert not auth.path.exists()
    auth.add("zoe")
    fails(auth, 6, [*lines, count], "import", path)


def test_files_that_cannot_be_read(auth, folder):
    auth.fails(1, f"{folder}/no: No such file or directory", "import", str(folder / "no"))
    auth.fails(1, f"{folder}: Is a directory", "import", str(folder))
    auth.fails(2, "import: no FILE given; see dtcpauth --help", "import")
    for words, option in ((["import", "x"], "passwords"), (["export"], "dry-run"),
                          (["set", "alice", "note="], "json")):
        auth.fails(2, f"{words[0]} takes no --{option}; see dtcpauth --help", *words,
                   f"--{option}")
    assert not os.path.exists(auth.path)


def test_nothing_to_import(auth):
    for text in (b"", b"\n\n", b"# nobody\n", b"user,password\n"):
        assert auth.ok("import", "-", stdin=text) == "0 added, 0 changed, 0 unchanged\n"


def test_thousands(auth):
    count = 10000
    text = "".join(f"user{number}:secret {number}\n" for number in range(count)).encode()
    assert auth.ok("import", "-", stdin=text) == f"{count} added, 0 changed, 0 unchanged\n"
    assert auth.ok("import", "-", stdin=text + b"last:x\n") == \
        f"1 added, 0 changed, {count} unchanged\n"
    assert len(users(auth)) == count + 1


def examples():
    """The commands in EXAMPLES of dtcpauth(8) as a script, and what one of them shows."""
    page = (REPO / "man" / "dtcpauth.8").read_text()
    section = re.search(r"(?s)^\.Sh EXAMPLES\n(.*?)^\.Sh ", page, re.MULTILINE).group(1)
    blocks = re.findall(r"(?ms)^\.Dl (.*?)$|^\.Bd .*?\n(.*?)^\.Ed$", section)
    lines = "".join(line + "\n" if line else block for line, block in blocks).replace("\\e\n", "\\\n")
    return (re.sub(r"(?m)^# ", "", re.sub(r"(?m)^[\w-]+: .*\n", "", lines)),
            re.findall(r"(?m)^([\w-]+): ", lines))


def test_examples_of_the_manual_page(auth, folder):
    """As they stand there, one after the other."""
    script, keys = examples()
    assert script.count("dtcpauth ") == 12
    write(folder, f'#!/bin/sh\nexec {PROGRAM} --database {auth.path} "$@"\n', "dtcpauth")
    (folder / "dtcpauth").chmod(0o755)
    write(folder, "carol:secret\n", "users.txt")
    write(folder, "carol 2001:db8:101::/48\ncarol 2001:db8:102::/48\n", "routetable")
    auth.add("bob")
    auth.lease("bob", 1, bytes.fromhex("20010db8020001000000000000000000"), 56, active=0)
    done = subprocess.run(["sh", "-e", "-c", script], cwd=folder, input=b"secret\nsecret\n", timeout=TIMEOUT,
                          env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
                          capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b""), done
    assert "nothing is imported; it would be: 1 added" in done.stdout.decode()
    assert list(shown(auth, "alice")) == [key for key in keys if key != "created"]
    assert shown(auth, "carol")["network"] == "2001:db8:101::/48,2001:db8:102::/48"
    assert shown(auth, "office")["network"] == "2001:db8:100::/48"
    assert auth.password("office") == (folder / "office.password").read_text().strip()
    assert shown(auth, "alice")["note"] == "has not paid since May"
    assert "bob" not in auth.ok("lease", "list")
    assert len((folder / "users.csv").read_text().splitlines()) == 5
