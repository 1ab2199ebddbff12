# SPDX-License-Identifier: BSD-2-Clause
"""What each process may still do, as the kernel sees it; and that a room which tries more, or tells
monitor what cannot be, ends the program without harm."""

import contextlib
import os
import pwd
import re
import signal
import socket
import stat
from pathlib import Path

import pytest

from lab.dns import ANSWERS, SILENT, NameServer
from lab.node import alive
from lab.probe import UDP_PORT
from lab.process import Process, status_field
from lab.programs import DTCPCLIENT, PASSWORD, SERVICE, Users, write_auth
from lab.sockets import udp_ports
from lab.topology import SERVER, SIX
from lab.traffic import ping
from lab.traitor import DTCPCLIENT_TRAITOR, DTCPS_TRAITOR, betray
from lab.wait import SANITIZED, until
from lab.wire import Wire

NET_ADMIN = 1 << 12
KILL = 1 << 5
SETGID, SETUID, SETPCAP = 1 << 6, 1 << 7, 1 << 8
SANDBOXED = ["control", "forward"]
SERVER_SANDBOXED = [*SANDBOXED, "accounts", "ndp"]


def unprivileged():
    """Whom the client's processes run as, {"Uid": ..., "Gid": ...}: src/process/user.h."""
    try:
        user = pwd.getpwnam("_dtcp")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return {"Uid": user.pw_uid, "Gid": user.pw_gid}


def capabilities(pid):
    return {field: int(status_field(pid, field), 16)
            for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}


def limits(pid):
    """{what: (soft, hard)}"""
    found = {}
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]:
        words = re.split(r"\s{2,}", line.strip())
        found[words[0]] = tuple(words[1:3])
    return found


def descriptors(pid):
    """What each open descriptor is, sorted, with sockets and pipes by their kind only."""
    links = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        # Another one may have been closed meanwhile.
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return sorted(re.sub(r":\[\d+\]$", "", link) for link in links)


@pytest.fixture
def running(internet):
    """Both programs with a tunnel that is up, with pid files and so with guards."""
    server = internet.dtcps("-U", "-f", "/run/dtcps.pid")
    client = internet.dtcpclient("--transport", "auto")
    client.wait_up()
    return server, client


def rooms(running):
    for process in running:
        for room, pid in process.rooms().items():
            yield f"{process.name}: {room}", room, pid


def test_sandboxed_rooms(running):
    users = {"dtcps": {"Uid": SERVICE, "Gid": SERVICE}, "dtcpclient": unprivileged()}
    for name, room, pid in rooms(running):
        if room not in SERVER_SANDBOXED:
            continue
        assert name.startswith(status_field(pid, "Name") + ":"), name
        for field, number in users[name.split(":")[0]].items():
            assert set(status_field(pid, field).split()) == {str(number)}, name
        assert status_field(pid, "Groups") == "", name
        assert set(capabilities(pid).values()) == {0}, name
        assert status_field(pid, "NoNewPrivs") == "1", name
        assert status_field(pid, "Seccomp") == "2", name
        # The kernel gives what belongs to a process that nobody may look into to root.
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0, name
        have = limits(pid)
        for what in ("Max core file size", "Max processes", "Max locked memory",
                     "Max msgqueue size"):
            assert have[what] == ("0", "0"), (name, what)
        if name.startswith("dtcpclient"):
            assert have["Max open files"] == ("64", "64"), name
        if not SANITIZED and room != "accounts":
            assert have["Max file size"] == ("0", "0"), name


@pytest.mark.skipif(SANITIZED, reason="sanitizers write reports")
def test_empty_root(running):
    """What /proc had for a process that has ended: nothing is in it, and nothing can be made."""
    for name, room, pid in rooms(running):
        root = os.readlink(f"/proc/{pid}/root")
        if room not in {*SANDBOXED, "ndp"}:
            # The database and what else is in its folder is all that there is for accounts.
            folder = str(running[0].node.lab.users.path.parent) if room == "accounts" else "/"
            assert root == folder, name
            continue
        assert re.fullmatch(r"/proc/\d+/fdinfo", root), (name, root)
        assert os.readlink(f"/proc/{pid}/cwd") == root, name
        for path in ("", "etc", "..", "proc", "dev/null"):
            with pytest.raises(ProcessLookupError):
                os.listdir(f"/proc/{pid}/root/{path}")
        with pytest.raises(ProcessLookupError):
            Path(f"/proc/{pid}/root/file").touch()


def test_descriptors(internet):
    """Channels and what the work needs; of the machine's files there are none."""
    common = ["/dev/null", "/dev/null", "anon_inode:[eventpoll]"]
    # Standard error, and the pair that libevent keeps for signals.
    pipes = ["pipe"] * 3
    want = {"dtcps: control": ["socket"] * 5,             # three channels, two that listen
            "dtcps: forward": ["/dev/net/tun"] + ["socket"] * 5,   # two, protocol 41, UDP, routes
            "dtcps: ndp": ["socket"] * 2,                   # one, the packet socket
            # Two; the database, with what SQLite keeps beside it.
            "dtcps: accounts": ["socket"] * 2 + [f"{internet.users.path}{suffix}"
                                                 for suffix in ("", "-wal", "-shm")],
            "dtcpclient: control": ["socket"] * 4,    # two, the connection, one that listens
            "dtcpclient: forward": ["/dev/net/tun"] + ["socket"] * 3}
    server = internet.dtcps("-U")

    def differ(process):
        found = {}
        for name in want:
            program, room = name.split(": ")
            if program != process.name:
                continue
            have = descriptors(process.rooms()[room])
            # Of the fast path's maps, those that cannot be mapped: peers and routes.
            fast = room == "forward" and "fast path: on" in process.log()
            maps = ["anon_inode:bpf-map"] * 2 if fast else []
            if have != sorted(common + pipes + want[name] + maps):
                found[name] = have
        return found

    until(lambda: not differ(server), lambda: f"only what is meant is open: {differ(server)}")
    client = internet.dtcpclient()
    client.wait_up()
    until(lambda: not differ(client), lambda: f"only what is meant is open: {differ(client)}")


def test_root_processes(running):
    """Those that stay root have what they need, and nothing to get more with."""
    want = {"dtcps: monitor": (NET_ADMIN, NET_ADMIN | KILL), "dtcps: guard": (NET_ADMIN, NET_ADMIN),
            "dtcpclient: monitor": (NET_ADMIN, NET_ADMIN | KILL),
            "dtcpclient: guard": (NET_ADMIN, NET_ADMIN)}
    seen = set()
    for name, room, pid in rooms(running):
        if room in SERVER_SANDBOXED:
            continue
        effective, permitted = want[name]
        have = capabilities(pid)
        assert name.startswith(status_field(pid, "Name") + ":"), name
        assert have["CapEff"] == effective, name
        assert have["CapPrm"] == permitted, name
        assert have["CapBnd"] == permitted, name
        assert (have["CapInh"], have["CapAmb"]) == (0, 0), name
        assert status_field(pid, "NoNewPrivs") == "1", name
        seen.add(name)
    assert seen == want.keys()


@pytest.mark.parametrize("under", [[], ["setpriv", "--no-new-privs"]])
def test_script_has_the_powers_of_root(internet, under):
    """monitor uses few itself; what it runs gets what root usually has, under systemd's
    NoNewPrivileges as well."""
    internet.dtcps()
    script = internet.file("script", f"#!/bin/sh\ngrep Cap /proc/self/status >{internet.dir}/caps\n",
                           0o755)
    write_auth(internet.site, f"{SERVER}:alice:{PASSWORD}\n")
    client = Process(internet.site, "dtcpclient", *under, DTCPCLIENT, "-u", "alice", "-t", "network",
                     "-s", script, SERVER)
    client.wait_log("tunnel up")
    text = (internet.dir / "caps").read_text()
    full = capabilities(os.getpid())["CapBnd"]
    assert int(re.search(r"CapEff:\s*(\w+)", text).group(1), 16) == full
    assert int(re.search(r"CapPrm:\s*(\w+)", text).group(1), 16) == full
    own = {title.split()[1]: pid for pid, title in internet.site.processes().items()
           if title.startswith("dtcpclient: ")}
    for room in ("monitor", "guard"):
        have = capabilities(own[room])
        assert have["CapEff"] == NET_ADMIN, room
        assert have["CapBnd"] == full, room


def test_default_script_that_comes_late(internet):
    """The power to run it is gone by then: a line says so."""
    internet.dtcps()
    client = internet.dtcpclient("-l", "--hold", "0")
    client.wait_up()
    path = internet.site.dir / "etc" / "dtcpclient.script"
    path.write_text(f"#!/bin/sh\ntouch {internet.dir}/ran\n")
    path.chmod(0o755)
    client.send_signal(signal.SIGHUP)
    client.wait_log(r"dtcpclient\.script was not there at the start, so it is not run")
    client.wait_log(r"(?s)tunnel up.*tunnel up")
    assert not (internet.dir / "ran").exists()


def test_room_that_does_not_end(internet):
    """monitor can end it, though it belongs to another user."""
    before = internet.server.state()
    server = internet.dtcps()
    forward = server.rooms()["forward"]
    os.kill(forward, signal.SIGSTOP)
    assert server.stop() == 0
    assert "room forward does not end, killed" in server.log()
    assert not alive(forward)
    internet.server.back_to(before)


def owners(folder):
    """{name: (user, permissions)} of the folder and of all that is in it."""
    return {path.name: (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode))
            for path in (folder, *folder.iterdir())}


def roots_database(lab, name="roots"):
    """A database as dtcpauth makes it before the first start, in a folder of its own."""
    users = Users(lab)
    users.path = lab.dir / name / "users.db"
    users.add("alice")
    assert owners(users.path.parent) == {name: (0, 0o755), "users.db": (0, 0o600)}
    return users


def test_database_is_taken_over(internet):
    """Once; then it is the user's, whatever dtcpauth and the server do with it."""
    internet.users = roots_database(internet)
    folder = internet.users.path.parent
    server = internet.dtcps()
    said = f"{internet.users.path} belongs to user {SERVICE} from now on, no longer to root"
    assert server.log().count(said) == 1
    internet.users.add("bob")
    with Wire(internet.site) as wire:
        wire.login("bob")
    assert owners(folder) == {"roots": (SERVICE, 0o775), "users.db": (SERVICE, 0o600),
                              "users.db-wal": (SERVICE, 0o600), "users.db-shm": (SERVICE, 0o600),
                              "users.db.lock": (0, 0o600)}
    assert server.stop() == 0
    assert set(owners(folder)) == {"roots", "users.db"}
    internet.users.passwd("bob", "another")
    assert owners(folder)["users.db"] == (SERVICE, 0o600)
    server = internet.dtcps()
    server.wait_log("ready for logins port=")
    assert "belongs to" not in server.log()
    # A new one in its place is that user's at once, as the server goes on with it.
    for path in folder.glob("users.db*"):
        if not path.name.endswith(".lock"):
            path.unlink()
    internet.users.add("alice")
    assert owners(folder)["users.db"] == (SERVICE, 0o600)
    with Wire(internet.site) as wire:
        wire.login("alice")


def test_database_that_is_not_taken_over(internet):
    """What is somebody else's stays so, and the line says what to do about it."""
    users = roots_database(internet)
    folder = users.path.parent

    def refused(text):
        before = owners(folder)
        server = internet.dtcps(set={"database": users.path}, wait=False)
        assert server.wait() == 1
        [line] = server.log().splitlines()
        assert text in line, line
        assert owners(folder) == before

    # A folder with files that root trusts is not to be anybody else's.
    (folder / "dtcps.conf").write_text("")
    refused(f"{folder} does not let user {SERVICE}, whom the server runs as, make files beside "
            f"the database; move that to a folder of its own, such as ")
    (folder / "dtcps.conf").unlink()
    # Nor is a file that has another name elsewhere.
    os.link(users.path, internet.dir / "another-name")
    refused(f"{users.path}, which has other names as well, does not belong to user {SERVICE}")
    (internet.dir / "another-name").unlink()
    os.chown(users.path, 65534, 65534)
    refused(f"{users.path} does not belong to user {SERVICE}, whom the server runs as; give it to "
            f"that user with: chown {SERVICE} {users.path}")
    os.chown(users.path, 0, 0)
    # A folder is no database, and what that is in is not its folder.
    for name in (folder, f"{folder}/"):
        before = folder.stat(), folder.parent.stat()
        server = internet.dtcps(set={"database": name}, wait=False)
        assert server.wait() == 1
        for old, new in zip(before, (folder.stat(), folder.parent.stat())):
            assert (old.st_uid, old.st_gid, old.st_mode) == (new.st_uid, new.st_gid, new.st_mode)
    # What was left beside it as a link leads nowhere.
    target = internet.file("precious", "precious", 0o644)
    os.symlink(target, folder / "users.db-journal")
    os.symlink(target, folder / "users.db.lock")
    server = internet.dtcps(set={"database": users.path}, wait=False)
    assert server.wait() == 1
    assert f"cannot lock the database with {users.path}.lock" in server.log()
    assert target.read_text() == "precious" and target.stat().st_uid == 0


def test_lock_of_another_file(internet):
    """Where the database leads by the time of the end, nothing is removed beside it."""
    server = internet.dtcps()
    server.wait_log("ready for logins port=")
    other = internet.file("other", "", 0o600)
    lock = internet.file("other.lock", "", 0o600)
    path = internet.users.path
    path.rename(path.with_name("away"))
    os.symlink(other, path)
    assert server.stop() == 0
    assert lock.exists()


def test_no_user_for_the_database(internet):
    """None is made up: nobody's files are everybody's."""
    for user in ("nobody", "65534"):
        server = internet.dtcps(set={"user": user}, wait=False)
        assert server.wait() == 2
        [line] = server.log().splitlines()
        assert line.endswith("make one with: useradd --system --no-create-home "
                             "--shell /usr/sbin/nologin _dtcp"), line
    assert internet.users.path.stat().st_uid == SERVICE


# --- the log ----------------------------------------------------------------------------------

# A /dev of its own, with the devices that the programs use and the test's own log socket.
OWN_DEV = """
for device in null urandom random net/tun; do
    mkdir -p "$(dirname "$1/$device")"
    : >"$1/$device"
    mount --bind "/dev/$device" "$1/$device"
done
mount --rbind "$1" /dev
shift
exec "$@"
"""


class Syslog:
    """syslogd's socket; start() after close() is a restart."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        self.start()

    def start(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)

    def close(self):
        self.socket.close()
        self.path.unlink()

    def has(self, pattern):
        try:
            while True:
                self.lines.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            pass
        return any(re.search(pattern, line) for line in self.lines)

    def wait(self, pattern):
        until(lambda: self.has(pattern), lambda: f"{pattern!r} is in {self.lines}")


def test_syslog_restarts(internet):
    """Rooms have no file system: what they log goes through monitor, which finds a new syslogd."""
    dev = internet.dir / "dev"
    dev.mkdir()
    syslog = Syslog(dev / "log")
    server = internet.dtcps()  # for its command line only
    words = server.words
    assert server.stop() == 0

    daemon = Process(internet.server, "dtcps", "sh", "-c", OWN_DEV, "sh", dev, *words, "-D")
    syslog.wait(r"<30>.*dtcps\[\d+\]: ready for logins port=")
    assert daemon.wait() == 0
    client = internet.dtcpclient()
    client.wait_up()
    # The room's name is in it, and the priority of the room's own choice.
    syslog.wait(r"<30>.*dtcps\[\d+\]: control: session up user=alice peer=192\.0\.2\.2 ")
    syslog.close()
    syslog.start()
    assert client.stop() == 0
    syslog.wait(r"dtcps\[\d+\]: control: session down user=alice peer=192\.0\.2\.2 ")
    [monitor] = [pid for pid, title in internet.server.processes().items()
                 if title.startswith("dtcps: monitor")]
    os.kill(monitor, signal.SIGTERM)
    syslog.wait(r"stopping")
    until(lambda: not alive(monitor), "dtcps ends")


# --- names ------------------------------------------------------------------------------------

def looking_up(internet, **more):
    """A client whose look-up is not answered: (client, name server, process id of the resolver)."""
    internet.site.dir.joinpath("resolv.conf").write_text("nameserver 127.0.0.1\n"
                                                         "options timeout:40 attempts:1\n")
    names = NameServer(internet.site, [SERVER], SILENT)
    client = internet.dtcpclient("-l", server="broker.example.org", **more)
    until(lambda: names.asked, "a name server is asked")
    return client, names, client.rooms()["resolver"]


def test_resolver(internet):
    """It has the machine's files, as modules of the system's resolver need them, and nothing else
    that the other rooms have not."""
    client, _, pid = looking_up(internet)
    for field, number in unprivileged().items():
        assert set(status_field(pid, field).split()) == {str(number)}
    assert status_field(pid, "Groups") == ""
    assert set(capabilities(pid).values()) == {0}
    assert status_field(pid, "NoNewPrivs") == "1"
    assert status_field(pid, "Seccomp") == "2"
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    have = limits(pid)
    for what in ("Max core file size", "Max processes", "Max locked memory", "Max msgqueue size"):
        assert have[what] == ("0", "0"), what
    assert have["Max open files"] == ("64", "64")
    if not SANITIZED:
        assert have["Max file size"] == ("0", "0")
    # Standard error, the channel to control, and the name server.
    assert descriptors(pid) == ["/dev/null", "/dev/null", "pipe", "socket", "socket"]
    # To start it, monitor keeps what lets it change users.
    have = capabilities(client.rooms()["monitor"])
    assert have["CapEff"] == NET_ADMIN
    assert have["CapPrm"] == have["CapBnd"] == NET_ADMIN | KILL | SETGID | SETUID | SETPCAP


@pytest.mark.parametrize("treason, said", [
    ("unknown_type", "unexpected message 4711 from resolver"),
    ("wrong_size", "unexpected message 33 from resolver"),
    ("short", "malformed message from resolver")])
def test_resolver_that_was_taken_over(internet, treason, said):
    """What it tells control counts for nothing; the next look-up is another process."""
    internet.dtcps()
    client, names, pid = looking_up(internet, program=DTCPCLIENT_TRAITOR)
    betray(pid, treason)
    client.wait_log(said)
    client.wait_log("server name not found: the look-up was broken off; next attempt")
    names.mode = ANSWERS
    client.wait_up()
    until(lambda: not alive(pid), "it was ended")


# --- traitors ---------------------------------------------------------------------------------

def betrayed(process, room, treason, *patterns):
    """The room's treason ends the program, with a line that says what it was."""
    pids = process.rooms()
    betray(pids[room], treason)
    assert process.wait() == 1
    until(lambda: not any(alive(pid) for pid in pids.values()), "all of its processes end")
    log = process.log()
    for pattern in patterns:
        assert re.search(pattern, log), (pattern, log)
    return log


def wait_rooms(process, names):
    until(lambda: set(names) <= process.rooms().keys(), "the rooms are there")
    # A process has its title before it is locked in.
    until(lambda: all(status_field(process.rooms()[room], "Seccomp") == "2" for room in names),
          "the rooms are locked in")


CALLS = ["execve", "fork", "socket_inet6", "socket_netlink", "socket_packet", "chroot", "setuid",
         "kill", "ptrace", "keyctl", "mount", "unlisten", "fastopen", "load_program", "make_map"]
if not SANITIZED:
    CALLS += ["open", "mprotect"]
# Which have files of their own to open, and no other ones.
ALLOWED = {"accounts": {"open"}}


@pytest.mark.parametrize("room", SANDBOXED)
@pytest.mark.parametrize("treason", ["open" if not SANITIZED else "chroot", "execve", "kill"])
def test_forbidden_call_while_serving(internet, room, treason):
    """Both programs are in the middle of their work; each is left as if it had never run."""
    server_before, site_before = internet.server.state(), internet.site.state()
    server = internet.dtcps(program=DTCPS_TRAITOR)
    client = internet.dtcpclient(program=DTCPCLIENT_TRAITOR)
    client.wait_up()
    site_before["files"] = sorted([*site_before["files"], "etc/dtcpclient.auth"])
    ping(internet.site, SIX)
    # In the client control can be the first to be noticed, which leaves when forward is gone.
    unexpectedly = {client: "( ended unexpectedly)?", server: " ended unexpectedly"}
    for process in (client, server):
        log = betrayed(process, room, treason, rf"room {room}{unexpectedly[process]}: "
                       r"killed by its sandbox \(signal 31, SIGSYS\)")
        assert "survived" not in log
    internet.site.back_to(site_before)
    internet.server.back_to(server_before)


@pytest.mark.once
@pytest.mark.parametrize("room", SERVER_SANDBOXED)
def test_forbidden_calls(internet, room):
    """All the others, on a server that has just been started."""
    for treason in set(CALLS) - ALLOWED.get(room, set()):
        server = internet.dtcps(program=DTCPS_TRAITOR)
        wait_rooms(server, SERVER_SANDBOXED)
        log = betrayed(server, room, treason,
                       rf"room {room} ended unexpectedly: killed by its sandbox")
        assert "survived" not in log, treason


SHAPES = [("unknown_type", r"unexpected message 4711 from {room}"),
          ("wrong_size", r"message 33 from {room} has the wrong form|unexpected message 33"),
          ("with_descriptor", r"message 33 from {room} has the wrong form|unexpected message 33"),
          ("short", r"malformed message from {room}"),
          ("pong", r"{room} answered what it was not asked"),
          ("ping", r"unexpected message \d+ from {room}")]


def try_messages(start, room, cases):
    for treason, pattern in cases:
        process = start()
        wait_rooms(process, {*SANDBOXED, room})
        betrayed(process, room, treason, pattern.format(room=room))


@pytest.mark.parametrize("room", SERVER_SANDBOXED)
def test_forged_messages_to_the_servers_monitor(internet, room):
    before = internet.server.state()
    cases = list(SHAPES)
    if room == "accounts":
        cases += [("grant_id", "accounts granted a login that cannot be"),
                  ("grant_prefix", "accounts granted a login that cannot be"),
                  ("grant_address", "accounts granted a login that cannot be"),
                  ("revoke", "accounts revoked a login that is not there"),
                  ("granted_logout", "accounts ended a login that is not there")]
    if room == "control":
        cases += [("login_id", "control asked for a login that cannot be"),
                  ("login_text", "control asked for a login that cannot be"),
                  ("logout", "control ended a session that is not there"),
                  # Whoever of accounts and root's process notices first.
                  ("login_flood", "control asks (and does not take the answers|for more than can)"),
                  ("state_flood", "control asks and does not take the answers"),
                  ("reload_flood", "control asks and does not take the answers"),
                  ("level", "control asked for a level that the log has not"),
                  ("usage_flood", "control asks and does not take the answers"),
                  ("began", "control began a session that cannot be"),
                  ("ended", "control ended a session that is not up"),
                  ("hello", "unexpected message 34 from control")]
    limits = {"limit.sessions": 4, "limit.pending": 4}
    try_messages(lambda: internet.dtcps(program=DTCPS_TRAITOR, set=limits), room, cases)
    internet.server.back_to(before)


@pytest.mark.parametrize("room", SANDBOXED)
def test_forged_messages_to_the_clients_monitor(internet, room):
    before = internet.site.state()
    cases = list(SHAPES)
    if room == "control":
        cannot = "control asked for a tunnel that cannot be: "
        no_name = "control asked for the address of a server that has no name"
        cases += [("raise_loopback", cannot + "IPv6 addresses"),
                  ("raise_multicast", cannot + "prefixes"),
                  ("raise_bits", cannot + "prefixes"),
                  ("raise_flag", cannot + "flags"),
                  ("raise_server", cannot + "IPv4 addresses"),
                  ("raise_twice", cannot + "another one is being made"),
                  ("session", "control told of a session that cannot be"),
                  ("session_up", "control told of a session that cannot be"),
                  ("lower", "control asked to remove a tunnel that is not there"),
                  ("ask_flood", "control asks and does not take the answers"),
                  ("log", "control asked for a log that cannot be"),
                  ("step", "unexpected message 37 from control"),
                  ("trial", "unexpected message 35 from control"),
                  ("lookup_flood", no_name), ("lookup_server", no_name),
                  ("port", "control asked for another UDP port, which is not to be")]
    # The first of two tunnels is not made before the script is through.
    script = internet.file("script", "#!/bin/sh\n[ $state = down ] || sleep 2\n", 0o755)
    # Nobody answers there, so the client goes on trying.
    try_messages(lambda: internet.dtcpclient("-l", "-s", script, server="192.0.2.77",
                                             program=DTCPCLIENT_TRAITOR), room, cases)
    before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
    internet.site.back_to(before)


def lie(process, treason, name, number, state):
    """Forward says it to control, which does not believe it."""
    said = rf'control: forward said "{name}"{number} in state {state}.*: not believed'
    count = len(re.findall(said, process.log()))
    betray(process.rooms()["forward"], treason)
    until(lambda: len(re.findall(said, process.log())) > count, f"{name} in state {state}")


def test_lies_of_the_servers_forward(internet):
    """Of a session that there is not yet, and of one that is up: both come up and stay so."""
    server = internet.dtcps(program=DTCPS_TRAITOR)
    wait_rooms(server, SANDBOXED)
    lies = ("added", "refused", "removed", "learned", "path")
    for treason in lies:
        lie(server, treason, treason, " of session 0", "none")
    client = internet.dtcpclient()
    client.wait_up()
    for treason in lies:
        lie(server, treason, treason, " of session 0", "up")
    lie(server, "refused_far", "refused", " of session 4711", "none")
    ping(internet.site, SIX)
    assert server.counters()["sessions"] == 1
    assert client.stop() == 0
    assert server.stop() == 0


@pytest.mark.parametrize("transport", ["ipv6", "udp"])
def test_lies_of_the_clients_forward(internet, transport):
    internet.dtcps("-U")
    client = internet.dtcpclient("--transport", transport, program=DTCPCLIENT_TRAITOR)
    client.wait_up()
    # Packets pass, so this is not what forward still has to say.
    ping(internet.site, SIX)
    lies = ["added", "refused", "removed", "path", "result"]
    # Over UDP that would be news.
    if transport == "ipv6":
        lies.append("silent")
    for treason in lies:
        lie(client, treason, treason, "", "up")
    lie(client, "other_port", "port", "", "up")
    lie(client, "refused_far", "refused", "", "up")
    ping(internet.site, SIX)
    assert client.stop() == 0


def survived(process, room, treason):
    since = process.mark()
    betray(process.rooms()[room], treason)
    process.wait_log("the traitor has survived", 30, since=since)


def test_what_nobody_has_asked_accounts(internet):
    """Nothing comes of it, or one line."""
    server = internet.dtcps(program=DTCPS_TRAITOR)
    wait_rooms(server, SERVER_SANDBOXED)
    for treason in ("ready", "assigned", "usage"):
        survived(server, "accounts", treason)
    server.wait_log("accounts answered a request that there was not: not believed")
    internet.dtcpclient().wait_up()
    ping(internet.site, SIX)


@pytest.mark.parametrize("program", ["dtcps", "dtcpclient"])
def test_what_forward_does_not_do_for_control(internet, program):
    """It refuses what no session is, and has none of the others; those that it has go on."""
    server = internet.dtcps(program=DTCPS_TRAITOR)
    client = internet.dtcpclient(program=DTCPCLIENT_TRAITOR)
    client.wait_up()
    process = server if program == "dtcps" else client
    betray(process.rooms()["control"], "add")
    process.wait_log("forward: session 0 refused: ")
    betray(process.rooms()["control"], "remove")
    process.wait_log('forward said "removed"( of session 4711)? in state')
    if process is client:
        survived(client, "control", "hello")
    ping(internet.site, SIX)
    assert client.stop() == 0
    assert server.stop() == 0


def test_step_of_a_check(internet):
    """One that there is not."""
    client = internet.dtcpclient("--check", server="192.0.2.77", program=DTCPCLIENT_TRAITOR)
    wait_rooms(client, SANDBOXED)
    betray(client.rooms()["control"], "step")
    client.wait_log("control told of a step that cannot be")
    assert client.wait() != 0


def test_addresses_that_cannot_be(internet):
    """The resolver answers with more than there is room for."""
    internet.dtcps()
    client, names, pid = looking_up(internet, program=DTCPCLIENT_TRAITOR)
    names.mode = ANSWERS
    betray(pid, "addresses")
    client.wait_log("server name not found: the answer makes no sense; next attempt")
    client.wait_up()


def test_sockets_that_pile_up(internet):
    """Control asks for one UDP port after the other, while forward takes none: only a few are had,
    and the program goes on."""
    internet.dtcps("-U")
    client = internet.dtcpclient("-U", program=DTCPCLIENT_TRAITOR)
    client.wait_up()
    rooms = client.rooms()
    os.kill(rooms["forward"], signal.SIGSTOP)
    betray(rooms["control"], "port_flood")
    client.wait_log("the traitor has survived", 30)
    assert 1 < len(udp_ports(internet.site)) < 20
    os.kill(rooms["forward"], signal.SIGCONT)
    until(lambda: udp_ports(internet.site) == [UDP_PORT], "the one that works is enough")
    ping(internet.site, SIX)
    assert client.stop() == 0
