# SPDX-License-Identifier: BSD-2-Clause
"""The real dtcpauth, with standard input and at a terminal. Needs no network and no root."""

import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import stat
import subprocess
import termios
import time
from pathlib import Path

import pytest

from lab.auth import PROGRAM, SECRET, TIMEOUT, Auth, auth, shown  # noqa: F401
from lab.wait import until


class Terminal:
    """dtcpauth at a terminal of its own."""

    def __init__(self, argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execv(argv[0], argv)
            finally:
                os._exit(127)
        self.shown = ""
        self.status = None
        self.core = None

    def expect(self, text):
        """Waits until the text has appeared, and forgets all up to it."""
        end = time.monotonic() + TIMEOUT
        while text not in self.shown:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} in {self.shown!r}"
            if not select.select([self.fd], [], [], left)[0]:
                continue
            assert self.read(), f"ended without {text!r}: {self.shown!r}"
        before, _, self.shown = self.shown.partition(text)
        return before

    def read(self):
        try:
            data = os.read(self.fd, 4096)
        except OSError:  # EIO: the program has closed the terminal
            return False
        self.shown += data.decode()
        return bool(data)

    def wait_for_echo(self, wanted):
        """Echo goes off only after the prompt; what is typed before that could show."""
        end = time.monotonic() + TIMEOUT
        while bool(termios.tcgetattr(self.fd)[3] & termios.ECHO) != wanted:
            assert time.monotonic() < end
            time.sleep(0.005)

    def type(self, text):
        self.wait_for_echo(False)
        os.write(self.fd, text.encode())

    def interrupt(self, key=b"\x03"):
        """
        Types ^C or ^\\ until that has worked. Once is nearly always enough; but readpassphrase(3) misses a
        signal that comes after its question and before it waits for the answer.
        """
        end = time.monotonic() + TIMEOUT
        self.wait_for_echo(False)
        while True:
            assert time.monotonic() < end
            os.write(self.fd, key)
            if select.select([self.fd], [], [], 0.2)[0] and not self.read():
                return

    def end(self):
        """Returns what was still shown, and the exit status (negative: the signal)."""
        while self.read():
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        self.status = os.waitstatus_to_exitcode(status)
        self.core = os.WCOREDUMP(status)
        return self.shown.replace("\r\n", "\n"), self.status


# --- commands -------------------------------------------------------------------------------


def test_help_and_version(auth):
    done = auth.run("--help")
    assert (done.returncode, done.stderr) == (0, b"")
    for word in ("add", "passwd", "set", "del", "list", "show", "import", "export", "--database",
                 "--prefix", "--json", "--dry-run", "--passwords"):
        assert word in done.stdout.decode()
    assert re.fullmatch(r"dtcpauth \d+\.\d+\.\d+\n", auth.ok("--version"))


def test_add_show_list(auth):
    auth.add("alice", "--prefix", "2001:0DB8:0100::/48")
    auth.add("bob")
    auth.add("a-rather-long-name-for-a-user")
    auth.lease("bob", 1, bytes.fromhex("20010db8020001000000000000000000"), 56)
    auth.lease("bob", 2, bytes.fromhex("20010db8000100000000000000000002"), 128)
    assert shown(auth, "alice") == {
        "user": "alice", "network": "2001:db8:100::/48", "network-kind": "fixed", "host": "-",
        "state": "ok", "types": "any", "transports": "any", "expires": "never", "disabled": "no",
        "note": "-", "seen": "-"}
    assert shown(auth, "bob") == {
        "user": "bob", "network": "2001:db8:200:100::/56", "network-kind": "leased",
        "host": "2001:db8:1::2", "state": "ok", "types": "any", "transports": "any",
        "expires": "never", "disabled": "no", "note": "-", "seen": "-"}
    lines = auth.ok("list").splitlines()
    assert [line.split()[:5] + line.split()[6:] for line in lines] == [
        ["USER", "NETWORK", "KIND", "HOST", "STATE", "SEEN"],
        ["a-rather-long-name-for-a-user", "-", "-", "-", "ok", "-"],
        ["alice", "2001:db8:100::/48", "fixed", "-", "ok", "-"],
        ["bob", "2001:db8:200:100::/56", "leased", "2001:db8:1::2", "ok", "-"],
    ]
    # Columns begin at the same place in every line.
    for column in range(7):
        places = {[m.start() for m in re.finditer(r"\S+", line)][column] for line in lines}
        assert len(places) == 1
    for output in (auth.ok("list"), auth.ok("show", "bob")):
        assert SECRET not in output


def test_list_of_nobody(auth):
    auth.add("alice")
    auth.ok("del", "alice")
    assert auth.ok("list").split() == ["USER", "NETWORK", "KIND", "HOST", "STATE", "CREATED", "SEEN"]


def leases(auth, *words):
    heading, *lines = [line.split() for line in auth.ok("lease", "list", *words).splitlines()]
    assert heading == ["USER", "LEASE", "KIND", "STATE"]
    return lines


def test_leases(auth):
    auth.add("office", "--prefix", "2001:db8:100::/48")
    auth.add("a-rather-long-name-for-a-user")
    auth.add("bob")
    auth.lease("bob", 1, bytes.fromhex("20010db8020001000000000000000000"), 56, active=0)
    auth.lease("bob", 1, bytes.fromhex("20010db8030001000000000000000000"), 56)
    auth.lease("bob", 2, bytes.fromhex("20010db8000100000000000000000002"), 128)
    network = ["bob", "2001:db8:300:100::/56", "network", "active"]
    dormant = ["bob", "2001:db8:200:100::/56", "network", "dormant"]
    host = ["bob", "2001:db8:1::2", "host", "active"]
    assert leases(auth) == leases(auth, "bob") == [network, dormant, host]
    assert leases(auth, "office") == []
    assert shown(auth, "bob")["network"] == "2001:db8:300:100::/56"
    assert auth.ok("list").count("bob") == 1
    auth.fails(5, "prefix 2001:db8:200::/48 overlaps what user bob has",
               "add", "carol", "--prefix", "2001:db8:200::/48", stdin=b"secret\n")
    assert auth.ok("lease", "drop", "bob", "2001:0db8:200:100::/56") == ""
    assert leases(auth) == [network, host]
    auth.fails(3, "user bob has no lease 2001:db8:200:100::/56",
               "lease", "drop", "bob", "2001:db8:200:100::/56")
    assert auth.ok("lease", "drop", "bob", "2001:db8:1::2") == ""
    assert auth.ok("lease", "drop", "bob") == ""
    assert leases(auth) == []
    auth.fails(3, "user bob has no lease", "lease", "drop", "bob")
    # What an administrator gave goes with its user only.
    auth.fails(3, "user office has no lease", "lease", "drop", "office")
    auth.fails(3, "no user nobody", "lease", "drop", "nobody")
    auth.fails(3, "no user nobody", "lease", "list", "nobody")
    assert shown(auth, "office")["network"] == "2001:db8:100::/48"


def test_passwd(auth):
    auth.add("alice")
    assert auth.ok("passwd", "alice", stdin=b"another one\n") == ""
    assert auth.password("alice") == "another one"


def test_del(auth):
    auth.add("alice", "--prefix", "2001:db8:100::/48")
    assert auth.ok("del", "alice") == ""
    auth.fails(3, "no user alice", "show", "alice")
    auth.add("bob", "--prefix", "2001:db8:100::/48")


@pytest.mark.parametrize("words", [
    ["add", "alice", "--prefix", "2001:db8::/48"],
    ["--prefix", "2001:db8::/48", "add", "alice"],
    ["add", "--prefix=2001:db8::/48", "alice"],
    ["add", "--prefix", "2001:db8:9::/48", "alice", "--prefix", "2001:db8::/48"],
    ["add", "--prefix", "2001:db8::/48", "--", "alice"],
])
def test_options_anywhere(auth, words):
    auth.ok(*words, stdin=b"secret\n")
    assert shown(auth, "alice")["network"] == "2001:db8::/48"


def test_database_option_behind(auth):
    done = subprocess.run([PROGRAM, "add", "alice", "--database", str(auth.path)],
                          input=b"secret\n", capture_output=True, timeout=TIMEOUT, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert auth.password("alice") == "secret"


# --- exit statuses --------------------------------------------------------------------------


@pytest.mark.parametrize("words, line", [
    ([], "no command; see dtcpauth --help"),
    (["remove", "alice"], 'unknown command "remove"; see dtcpauth --help'),
    (["add"], "add: no user given; see dtcpauth --help"),
    (["add", "alice", "secret"], "add: too many words; see dtcpauth --help"),
    (["list", "alice"], "list: too many words; see dtcpauth --help"),
    (["lease"], 'lease: "list" or "drop" comes next; see dtcpauth --help'),
    (["lease", "show"], 'lease: "list" or "drop" comes next; see dtcpauth --help'),
    (["lease list"], 'unknown command "lease list"; see dtcpauth --help'),
    (["lease", "list", "alice", "bob"], "lease list: too many words; see dtcpauth --help"),
    (["lease", "drop"], "lease drop: no user given; see dtcpauth --help"),
    (["lease", "drop", "alice", "2001:db8::2", "x"],
     "lease drop: too many words; see dtcpauth --help"),
    (["lease", "drop", "alice", "all"],
     "lease all is not an IPv6 address, a slash and a number"),
    (["lease", "drop", "alice", "2001:db8::2/48"],
     "lease 2001:db8::2/48 has bits set beyond its length"),
    (["lease", "drop", "alice", "--prefix", "2001:db8::/48"],
     "lease drop takes no --prefix; see dtcpauth --help"),
    (["passwd", "alice", "--prefix", "2001:db8::/48"],
     "passwd takes no --prefix; see dtcpauth --help"),
    (["add", "alice", "--prefix"], "option --prefix needs a value; see dtcpauth --help"),
    (["add", "alice", "--password=x"], "bad option --password=x; see dtcpauth --help"),
    (["list", "--help=me"], "bad option --help=me; see dtcpauth --help"),
    (["add", "-xp", "alice"], "unknown option -x; see dtcpauth --help"),
    # The old program of this name, and qpopauth.
    (["-i"], "unknown option -i; there is: dtcpauth add USER, which makes the database if there is "
             "none"),
    (["--init"], "unknown option --init; there is: dtcpauth add USER, which makes the database if "
                 "there is none"),
    (["-u", "alice", "secret"], "unknown option -u; there is: dtcpauth add USER, or dtcpauth passwd "
                                "USER"),
    (["--delete", "alice"], "unknown option --delete; there is: dtcpauth del USER"),
    (["-l", "ALL"], "unknown option -l; there is: dtcpauth list, or dtcpauth show USER"),
    (["add", "alice", "--prefix", "2001:db8::1/48"],
     "--prefix 2001:db8::1/48 has bits set beyond its length"),
    (["add", "alice", "--prefix", "2001:db8::/129"],
     "--prefix 2001:db8::/129 has a length outside 1 to 128"),
    (["add", "alice", "--prefix", "192.0.2.0/24"],
     "--prefix 192.0.2.0/24 is not an IPv6 address, a slash and a number"),
    (["add", "alice", "--prefix", "ff02::/16"],
     "--prefix ff02::/16 is not in global unicast (2000::/3) or unique local (fc00::/7) space"),
    (["add", "alice", "--prefix", "fd00::/8"],
     "--prefix fd00::/8 is too short: lengths from 16 to 128 are possible"),
    (["add", "alice", "--prefix", "2000::/3"],
     "--prefix 2000::/3 is too short: lengths from 16 to 128 are possible"),
    (["add", "alice", "--prefix", "a\n\x1b[1mb"],
     "--prefix a??[1mb is not an IPv6 address, a slash and a number"),
    (["add", "alice", "--prefix", "fe80::/64"],
     "--prefix fe80::/64 is not in global unicast (2000::/3) or unique local (fc00::/7) space"),
])
def test_usage(auth, words, line):
    auth.fails(2, line, *words, stdin=b"secret\n")
    assert not auth.path.exists()


@pytest.mark.parametrize("name", ["", "two words", "with:colon", "tab\t", "n" * 65, "caf\u00e9"])
def test_impossible_names(auth, name):
    auth.fails(2, "not a possible user name: it has 1 to 64 printable ASCII characters, no blank "
               "and no colon", "add", name, stdin=b"secret\n")
    assert not auth.path.exists()


def test_no_such_user(auth):
    auth.add("alice")
    for command in ("passwd", "del", "show"):
        auth.fails(3, "no user bob", command, "bob", stdin=b"secret\n")
    auth.fails(3, "no user Alice", "show", "Alice")


def test_user_exists(auth):
    auth.add("alice")
    auth.fails(4, "there is a user alice already", "add", "alice", stdin=b"other\n")
    # Also before anything is typed.
    auth.fails(4, "there is a user alice already", "add", "alice", "--prefix", "2001:db8::/48")
    assert auth.password("alice") == SECRET
    assert shown(auth, "alice")["network"] == "-"


def test_overlap(auth):
    auth.add("alice", "--prefix", "2001:db8:100::/48")
    auth.add("bob")
    auth.lease("bob", 1, bytes.fromhex("20010db8020001000000000000000000"), 56)
    for prefix, owner in (("2001:db8:100::/48", "alice"), ("2001:db8:100:7::/64", "alice"),
                          ("2001:db8:100::/40", "alice"), ("2001:db8:200::/48", "bob"),
                          ("2001:db8:200:1ff::/64", "bob")):
        auth.fails(5, f"prefix {prefix} overlaps what user {owner} has",
                   "add", "carol", "--prefix", prefix, stdin=b"secret\n")
    auth.fails(3, "no user carol", "show", "carol")
    auth.add("carol", "--prefix", "2001:db8:101::/48")


def test_no_database(auth):
    for words in (["list"], ["show", "alice"], ["del", "alice"], ["passwd", "alice"],
                  ["lease", "list"], ["lease", "drop", "alice"]):
        auth.fails(1, f"{auth.path}: no such database; add a user with dtcpauth first", *words)
    assert not auth.path.exists()


def test_not_a_database(auth):
    auth.path.write_bytes(b"alice:secret\n" * 100)
    auth.path.chmod(0o600)
    for words in (["list"], ["add", "bob"]):
        auth.fails(1, f"{auth.path}: not a user database", *words, stdin=b"secret\n")
    assert auth.path.read_bytes() == b"alice:secret\n" * 100


def test_newer_database(auth):
    auth.add("alice")
    db = sqlite3.connect(auth.path)
    db.execute("PRAGMA user_version = 9")
    db.close()
    auth.fails(1, f"{auth.path}: made by a newer version of dtcp (schema 9; this program knows 3)",
               "list")


@pytest.mark.parametrize("sql, words", [
    ("UPDATE user SET note = ?", [["list"], ["show", "alice"], ["list", "--json"], ["export"]]),
    ("UPDATE user SET name = ?", [["list"], ["lease", "list"], ["add", "bob", "--prefix", "2001:db8::/32"]]),
    ("INSERT INTO session (user, name, type, udp, peer, began, ended, reason)"
     " VALUES (1, 'alice', 1, 0, x'00000000', 1, 2, ?)", [["history"], ["history", "--json"]])])
def test_what_steers_a_terminal(auth, sql, words):
    """Whoever has the file is not root; what root is shown of it is nothing but text."""
    auth.add("alice", "--prefix", "2001:db8:7::/48")
    for evil in ("a\x1b[2J", "a\u009b2J", "a\x7f"):
        db = sqlite3.connect(auth.path)
        db.execute(sql, (evil,))
        db.commit()
        db.close()
        for each in words:
            auth.fails(1, f"{auth.path}: the database is damaged", *each, stdin=b"secret\n")


def test_directory_missing(auth):
    auth.path = auth.directory / "no" / "such" / "users.db"
    auth.fails(1, f"{auth.path}: No such file or directory", "add", "alice", stdin=b"secret\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_not_permitted(auth):
    auth.add("alice")
    auth.directory.chmod(0o755)
    try:
        subprocess.run([PROGRAM, "--version"], user=65534, stdout=subprocess.DEVNULL, check=True)
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip("the build directory is closed to others")
    auth.fails(1, f"{auth.path}: Permission denied", "list", user=65534)
    auth.path = auth.directory / "other.db"
    auth.fails(1, f"{auth.path}: Permission denied", "add", "alice", stdin=b"secret\n", user=65534)


SERVICE = 20200


@pytest.fixture
def owned(auth):
    """In a folder of the server's user, as after its first start; root's alone around it."""
    auth.directory.chmod(0o700)
    auth.path = auth.directory / "dtcp" / "users.db"
    auth.path.parent.mkdir()
    os.chown(auth.path.parent, SERVICE, 0)
    auth.path.parent.chmod(0o770)
    yield auth
    assert set(os.listdir(auth.path.parent)) <= {"users.db"}
    shutil.rmtree(auth.path.parent)


def test_becomes_the_owner(owned):
    """Nothing is done as root in a folder where that user can put links."""
    owned.add("alice")
    lock = sqlite3.connect(owned.path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with subprocess.Popen(owned.argv("passwd", "alice"), stdin=subprocess.PIPE) as program:
        program.stdin.write(SECRET.encode() + b"\n")
        program.stdin.close()
        proc = Path(f"/proc/{program.pid}")
        until(lambda: os.readlink(proc / "root") == str(owned.path.parent), "it is in there")
        # It waits for the lock.
        until(lambda: "users.db" in {os.path.basename(os.readlink(each))
                                     for each in (proc / "fd").iterdir()}, "it looks into it")
        status = dict(re.findall(r"(?m)^(\w+):\t(.*)$", (proc / "status").read_text()))
        lock.execute("ROLLBACK")
        lock.close()
        assert program.wait(TIMEOUT) == 0
    assert status["Uid"].split() == status["Gid"].split() == [str(SERVICE)] * 4
    assert status["Groups"].strip() == "" and status["NoNewPrivs"] == "1"
    assert {int(status[f"Cap{each}"], 16) for each in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
    info = owned.path.stat()
    assert (info.st_uid, stat.S_IMODE(info.st_mode)) == (SERVICE, 0o600)
    # The whole of it works there, at a terminal, too.
    owned.add("bob", "--prefix", "2001:db8:100::/48")
    terminal = Terminal(owned.argv("passwd", "alice"))
    for prompt in ("New password for alice: ", "The same again: "):
        terminal.expect(prompt)
        terminal.type("another\n")
    assert terminal.end()[1] == 0
    assert owned.password("alice") == "another"
    assert "bob" in owned.ok("list") and "2001:db8:100::/48" in owned.ok("show", "bob")
    assert owned.ok("lease", "list").startswith("USER")
    assert owned.ok("del", "bob") == ""


def test_root_file_in_the_owners_folder(owned):
    """As a copy that was put back by hand is."""
    owned.add("alice")
    os.chown(owned.path, 0, 0)
    command = f"chown {SERVICE} {owned.path}"
    owned.fails(1, f"{owned.path} does not belong to user {SERVICE}, as its folder does; give it "
                   f"to that user with: {command}", "list")
    subprocess.run(command.split(), check=True)
    assert "alice" in owned.ok("list")


def test_others_in_roots_folder(owned):
    """Whoever can make files there could lead root anywhere: a database of theirs is for them, and
    one of root's is not opened."""
    folder = owned.path.parent
    owned.add("alice")
    os.chown(folder, 0, SERVICE)
    assert "alice" in owned.ok("list")
    for mode in (0o770, 0o707, 0o1777, 0o755, 0o775):
        for group in (SERVICE, 0):
            os.chown(owned.path, 0, 0)
            os.chown(folder, 0, group)
            folder.chmod(mode)
            if mode & 0o002 or (mode & 0o020 and group):
                for words in (["list"], ["add", "bob"], ["import", "-"]):
                    owned.fails(1, f"folder {folder}: it is root's, and others can write to it "
                                   f"(mode {mode:04o}), who could lead root anywhere from there; "
                                   "choose a folder of its own for the database, or take that "
                                   "right from them", *words, stdin=b"")
            else:
                assert "alice" in owned.ok("list")
    # Nor is one made there.
    folder.chmod(0o1777)
    owned.path.unlink()
    done = owned.run("add", "alice", stdin=b"secret\n")
    assert done.returncode == 1 and b"others can write to it" in done.stderr
    assert os.listdir(folder) == []


def test_link_in_the_owners_folder(owned):
    secret = owned.directory / "secret"
    secret.write_text("root's\n")
    secret.chmod(0o600)
    owned.path.symlink_to(secret)
    owned.fails(1, f"{owned.path}: a symbolic link; name the file itself", "list")
    owned.path.unlink()
    owned.add("alice")
    link = Path(f"{owned.path}-journal")
    link.symlink_to(secret)
    owned.run("list")
    assert secret.read_text() == "root's\n"
    link.unlink(missing_ok=True)
    secret.unlink()


def test_full_output(auth):
    auth.add("alice")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(auth.argv("list"), stdout=full, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False)
    assert done.stderr == b"dtcpauth: standard output: No space left on device\n"
    assert done.returncode == 1


# --- the password ---------------------------------------------------------------------------


@pytest.mark.parametrize("stdin, password", [
    (b"secret\n", "secret"),
    (b"secret\r\n", "secret"),
    (b"secret", "secret"),
    (b" with blanks \n", " with blanks "),
    ("p\u00e4sswort:\u4e2d\n".encode(), "p\u00e4sswort:\u4e2d"),
    (b"x" * 256 + b"\r\n", "x" * 256),
    (b"first\nsecond\n", "first"),
    (b"\xef\xbb\xbfsecret\r\n", "secret"),
    (b"\xef\xbb\xbf" + b"x" * 256 + b"\r\n", "x" * 256),
], ids=["lf", "crlf", "no-end", "blanks", "utf8", "longest", "two-lines", "mark", "mark-longest"])
def test_standard_input(auth, stdin, password):
    assert auth.ok("add", "alice", stdin=stdin) == ""
    assert auth.password("alice") == password


@pytest.mark.parametrize("stdin, line", [
    (b"", "no password on standard input"),
    (b"\n", "the password is empty"),
    (b"\r\n", "the password is empty"),
    (b"x" * 257 + b"\n", "the password is longer than 256 bytes"),
    (b"x" * 100000, "the password is longer than 256 bytes"),
    (b"se\0cret\n", "the password has a NUL character"),
    (b"se\tcret\n", "the password has a control character"),
    (b"se\rcret\n", "the password has a control character"),
    (b"secret\r\r\n", "the password has a control character"),
    (b"secret\x7f\n", "the password has a control character"),
    (b"\xef\xbb\xbf", "no password on standard input"),
    (b"\xef\xbb\xbf\n", "the password is empty"),
    ("\ufeffsecret\n".encode("utf-16-le"), "the password is in UTF-16; save it as UTF-8"),
], ids=["missing", "lf", "crlf", "long", "very-long", "nul", "tab", "cr", "cr-crlf", "del", "mark",
        "mark-lf", "utf16"])
def test_bad_standard_input(auth, stdin, line):
    auth.fails(1, line, "add", "alice", stdin=stdin)
    # Not even a database comes of it.
    assert not auth.path.exists()
    auth.add("alice")
    auth.fails(1, line, "passwd", "alice", stdin=stdin)
    assert auth.password("alice") == SECRET


def test_closed_standard_input(auth):
    done = subprocess.run(["/bin/sh", "-c", 'exec "$0" "$@" <&-', *auth.argv("add", "alice")],
                          capture_output=True, timeout=TIMEOUT, check=False)
    assert done.stderr == b"dtcpauth: standard input: Bad file descriptor\n"
    assert done.returncode == 1


def test_takes_one_line_only(auth):
    """Two runs can share one input."""
    script = '"$0" --database "$1" add alice && "$0" --database "$1" add bob'
    subprocess.run(["/bin/sh", "-c", script, PROGRAM, str(auth.path)], input=b"one\ntwo\n",
                   timeout=TIMEOUT, check=True)
    assert (auth.password("alice"), auth.password("bob")) == ("one", "two")


def test_password_is_nowhere(auth):
    """While it runs, with the password half given, nothing of it is to be seen from outside."""
    with subprocess.Popen(auth.argv("add", "alice"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(SECRET.encode())
        process.stdin.flush()
        for name in ("cmdline", "environ"):
            assert SECRET.encode() not in Path(f"/proc/{process.pid}/{name}").read_bytes()
        assert not auth.path.exists()
        out, err = process.communicate(b"\n", timeout=TIMEOUT)
    assert (process.returncode, out, err) == (0, b"", b"")
    assert auth.password("alice") == SECRET


def test_terminal(auth):
    terminal = Terminal(auth.argv("add", "alice"))
    terminal.expect("New password for alice: ")
    terminal.type(SECRET + "\n")
    between = terminal.expect("The same again: ")
    terminal.type(SECRET + "\n")
    rest, status = terminal.end()
    assert (rest.strip(), status) == ("", 0)
    assert SECRET not in between
    assert auth.password("alice") == SECRET


def test_terminal_passwd(auth):
    auth.add("alice")
    terminal = Terminal(auth.argv("passwd", "alice"))
    terminal.expect("New password for alice: ")
    terminal.type("new one\n")
    terminal.expect("The same again: ")
    terminal.type("new one\n")
    assert terminal.end()[1] == 0
    assert auth.password("alice") == "new one"


def test_terminal_mismatch(auth):
    terminal = Terminal(auth.argv("add", "alice"))
    terminal.expect("New password for alice: ")
    terminal.type(SECRET + "\n")
    terminal.expect("The same again: ")
    terminal.type(SECRET + "x\n")
    rest, status = terminal.end()
    assert rest.strip() == "dtcpauth: the two passwords are not the same"
    assert status == 1
    assert not auth.path.exists()


@pytest.mark.parametrize("typed, line", [
    ("\n", "the password is empty"),
    ("\x04", "the password is empty"),
    ("x" * 257 + "\n", "the password is longer than 256 bytes"),
], ids=["empty", "end-of-file", "long"])
def test_terminal_bad(auth, typed, line):
    terminal = Terminal(auth.argv("add", "alice"))
    terminal.expect("New password for alice: ")
    terminal.type(typed)
    rest, status = terminal.end()
    assert (rest.strip(), status) == (f"dtcpauth: {line}", 1)
    assert not auth.path.exists()


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("command", ["add", "passwd"])
def test_terminal_interrupt(auth, command, second):
    """^C at either question: the program ends by the signal, with echo back and nothing done."""
    if command == "passwd":
        auth.add("alice")
    terminal = Terminal(auth.argv(command, "alice"))
    terminal.expect("New password for alice: ")
    if second:
        terminal.type("new\n")
        terminal.expect("The same again: ")
    terminal.interrupt()
    assert termios.tcgetattr(terminal.fd)[3] & termios.ECHO
    assert terminal.end()[1] == -signal.SIGINT
    if command == "add":
        assert not auth.path.exists()
    else:
        assert auth.password("alice") == SECRET


def test_terminal_not_asked_for_nothing(auth):
    auth.add("alice")
    rest, status = Terminal(auth.argv("add", "alice")).end()
    assert (rest, status) == ("dtcpauth: there is a user alice already\n", 4)
    rest, status = Terminal(auth.argv("passwd", "bob")).end()
    assert (rest, status) == ("dtcpauth: no user bob\n", 3)


# --- the file -------------------------------------------------------------------------------


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_mode(auth, umask):
    auth.path = auth.directory / "dtcp" / "users.db"
    assert auth.run("add", "alice", stdin=b"secret\n", umask=umask).returncode == 0
    assert mode(auth.path) == 0o600
    assert mode(auth.path.parent) == 0o755
    assert os.listdir(auth.path.parent) == ["users.db"]
    auth.path.unlink()
    auth.path.parent.rmdir()


def test_mode_warning(auth):
    auth.add("alice")
    auth.path.chmod(0o644)
    done = auth.run("show", "alice")
    assert done.returncode == 0
    assert done.stdout.startswith(b"user:          alice\n")
    assert done.stderr.decode() == (f"dtcpauth: warning: {auth.path}: mode 0644 lets others at the "
                                    "passwords; it should be 0600\n")
    # What the administrator chose is not changed behind his back.
    assert mode(auth.path) == 0o644


def test_symlink(auth):
    target = auth.directory / "elsewhere"
    auth.path.symlink_to(target)
    auth.fails(1, f"{auth.path}: a symbolic link; name the file itself",
               "add", "alice", stdin=b"secret\n")
    assert not target.exists()


def test_concurrent(auth):
    """Many processes at once make the database; ten of them want the same prefix."""
    running = []
    for i in range(10):
        for words in ([f"user{i}"], [f"same{i}", "--prefix", "2001:db8:100::/48"]):
            process = subprocess.Popen(auth.argv("add", *words), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            running.append((words[0], process))
    for _, process in running:
        process.stdin.write(b"secret\n")
        process.stdin.flush()
    winners = []
    losers = []
    for name, process in running:
        out, err = process.communicate(timeout=TIMEOUT)
        assert out == b""
        if name.startswith("user"):
            assert (process.returncode, err) == (0, b"")
        elif process.returncode == 0:
            winners.append(name)
        else:
            assert process.returncode == 5
            losers.append(err.decode())
    assert len(winners) == 1
    assert set(losers) == {
        f"dtcpauth: prefix 2001:db8:100::/48 overlaps what user {winners[0]} has\n"}
    names = [line.split()[0] for line in auth.ok("list").splitlines()[1:]]
    assert names == sorted([f"user{i}" for i in range(10)] + winners)


def test_terminal_quit(auth):
    """^\\ is there to make a core file, but not with a password in it."""
    terminal = Terminal(["/usr/bin/env", "-C", auth.directory, "prlimit", "--core=unlimited",
                         *auth.argv("add", "alice")])
    terminal.expect("New password for alice: ")
    terminal.type(SECRET + "\n")
    terminal.expect("The same again: ")
    terminal.interrupt(b"\x1c")
    assert terminal.end()[1] == -signal.SIGQUIT
    assert not terminal.core
