# SPDX-License-Identifier: BSD-2-Clause
"""dtcpweb, beside daemons that say what a test wants them to."""

import contextlib
import json
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import openmetrics
from lab.fake import client_status, no, ok, server_status, session
from lab.process import status_field
from lab.programs import DTCPWEB
from lab.wait import REPO, until
from lab.web import OPENMETRICS, PORT, Web, fake

SERVER = "dtcps-dtcps0"
CLIENT = "dtcpclient-dtcp-home"
STATUS = [], ok(status=server_status())
CLIENT_STATUS = [], ok(status=client_status())


@pytest.fixture
def node(lab):
    return lab.node("web")


@pytest.fixture
def daemons(node):
    """daemons(name, answers): they end with the test."""
    started = []

    def start(name, answers, **more):
        started.append(fake(node, name, answers, **more))
        return started[-1]

    yield start
    for daemon in started:
        daemon.close()


@pytest.fixture
def both(daemons):
    """A server with three sessions, and a client."""
    rows = [{"session": session(number, in_octets=number * 100)} for number in (1, 2, 3)]
    return (daemons("dtcps", {"status": STATUS, "sessions": (rows, ok())}),
            daemons("dtcpclient-dtcp-home", {"status": CLIENT_STATUS}))


URLS = [("/", "text/html; charset=utf-8"), (f"/?daemon={SERVER}", "text/html; charset=utf-8"),
        ("/me", "text/html; charset=utf-8"), ("/style.css", "text/css; charset=utf-8"),
        ("/common.js", "text/javascript; charset=utf-8"),
        ("/index.js", "text/javascript; charset=utf-8"),
        ("/me.js", "text/javascript; charset=utf-8"), ("/icon.svg", "image/svg+xml"),
        ("/favicon.ico", "image/svg+xml"), ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/api/daemons", "application/json"), (f"/api/status?daemon={SERVER}", "application/json"),
        (f"/api/status?daemon={CLIENT}", "application/json"),
        (f"/api/history?daemon={SERVER}", "application/json"),
        (f"/api/sessions?daemon={SERVER}", "application/json")]


def test_every_page(node, both):
    """Each has its type and what keeps a browser out of trouble, and a head that is the same."""
    web = Web(node)
    for path, kind in URLS:
        reply = web.get(path)
        assert (reply.status, reply.headers["Content-Type"]) == (200, kind), path
        assert reply.headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert reply.body
        head = web.get(path, method="HEAD")
        assert head.status == 200 and head.body == b""
        # What changes with time may be longer by then.
        if "api" not in path:
            assert head.headers["Content-Length"] == str(len(reply.body)), path
    # Nothing comes from elsewhere, and no script or style is in the page itself.
    for path in ("/", "/me"):
        text = web.get(path).text
        assert not re.search(r"https?://|<script(?! type=\"module\" src=)|<style|style=|\son\w+=", text)
        assert "has no login of its own" in text
    # By IPv6 as well.
    assert web.get("/", address="::1").status == 200
    # The page has words for whatever has become of a login.
    words = re.search(r"const LOGINS = {(.*?)};", web.get("/index.js").text, re.DOTALL)[1]
    assert set(re.findall(r"(\w+):", words)) == server_status()["logins"].keys()


WRONG = [("/nothing", 404, "there is no such page"), ("/api/nothing", 404, "there is no such page"),
         ("/api/status", 400, "daemon: which one"), ("/api/history", 400, "daemon: which one"),
         ("/api/sessions", 400, "daemon: which one"),
         ("/api/status?daemon=dtcps-none", 404, "daemon: there is no dtcps-none here"),
         ("/api/status?daemon=../../etc/passwd", 404, "daemon: there is no ../../etc/passwd here"),
         ("/api/status?daemon=" + "x" * 200, 404, "daemon: there is no " + "x" * 64 + " here"),
         (f"/api/status?daemon={SERVER}&x=1", 400, "x: not a word of this query"),
         (f"/api/history?daemon={SERVER}&limit=1", 400, "limit: not a word of this query"),
         (f"/api/status?daemon={SERVER}&daemon={SERVER}", 400, "daemon: there are two of it"),
         ("/api/daemons?daemon=x", 400, "daemon: there is no query here"),
         ("/metrics?x=1", 400, "x: there is no query here"), ("/?x=1", 400, "x: not a word of this query"),
         ("/me?x=1", 400, "x: not a word of this query"),
         ("/style.css?v=1", 400, "v: there is no query here"),
         ("/api/daemons?%00", 400, "the query cannot be read"),
         (f"/api/sessions?daemon={CLIENT}", 400, f"daemon: {CLIENT} is a client"),
         (f"/api/sessions?daemon={SERVER}&limit=1001", 400, "limit: a number from 0 to 1000 is needed"),
         (f"/api/sessions?daemon={SERVER}&offset=-1", 400, "offset: a number from 0 to 131072 is needed"),
         (f"/api/sessions?daemon={SERVER}&sort=password", 400, "sort: password is no member of a session"),
         (f"/api/sessions?daemon={SERVER}&order=sideways", 400, "order: up or down"),
         (f"/api/sessions?daemon={SERVER}&search=" + "x" * 101, 400, "search: longer than 100 characters")]


def test_wrong_requests(node, both):
    """One line says what is wrong, of each that can be."""
    web = Web(node)
    for path, status, text in WRONG:
        reply = web.get(path)
        assert reply.status == status, (path, reply.text)
        if path.startswith("/api/"):
            said = reply.json()
            assert said["ok"] is False and said["v"] == 1 and said["code"]
            assert said["error"].startswith(text), (path, said)
        else:
            assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert reply.text == f"{text}\n", path
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"):
        reply = web.get("/", method=method)
        assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD"), method
    with contextlib.suppress(ConnectionError):
        assert web.get("/", X="x" * 10000).status == 400
    with contextlib.suppress(ConnectionError):
        assert web.get("/" + "x" * 10000).status == 400
    assert web.get("/").status == 200


def test_names_of_other_pages(node, both):
    """Another page's name that leads here is not ours; --host adds one, --listen an address."""
    node.ip("addr", "add", "192.0.2.1/24", "dev", "lo")
    web = Web(node)
    for host in ("localhost:20280", "127.0.0.1", "[::1]:20280", "localhost:8080"):
        assert web.get("/metrics", Host=host).status == 200, host
    for host in ("evil.example", "evil.example:20280", "192.0.2.1", "status.example.net", ""):
        reply = web.get("/metrics", Host=host)
        assert reply.status == 421, host
        assert reply.text.startswith(f"this is not {host};")
    web.stop()
    web = Web(node, "--listen", f"192.0.2.1:{PORT}", "--host", "status.example.net")
    assert "listening on 192.0.2.1:20280; there is no login: whoever gets there sees all" in web.log()
    assert "that is not this machine alone" in web.log()
    for host in ("status.example.net", "STATUS.example.net:443", "192.0.2.1", "localhost"):
        assert web.get("/metrics", address="192.0.2.1", Host=host).status == 200, host
    assert web.get("/metrics", address="192.0.2.1", Host="evil.example").status == 421
    with pytest.raises(ConnectionRefusedError):
        web.get("/")


def test_what_the_daemons_say(node, both):
    """Their own objects, and the sessions in any part and order."""
    web = Web(node)
    assert web.ids() == [CLIENT, SERVER]
    assert web.api("status", daemon=SERVER).json() == STATUS[1]
    assert web.api("status", daemon=CLIENT).json() == CLIENT_STATUS[1]

    def ids(**query):
        said = web.api("sessions", daemon=SERVER, **query).json()
        return [row["id"] for row in said["sessions"]], said["matched"], said["total"]

    assert ids() == ([1, 2, 3], 3, 3)
    assert ids(sort="in_octets", order="down") == ([3, 2, 1], 3, 3)
    assert ids(limit=1, offset=1) == ([2], 3, 3)
    assert ids(search="USER3") == ([3], 1, 3)
    assert ids(search="2001:db8:2:7::1") == ([2], 1, 3)
    assert ids(search="203.0.0.2") == ([1], 1, 3)
    assert ids(search="nobody") == ([], 0, 3)
    [row, *_] = web.api("sessions", daemon=SERVER).json()["sessions"]
    sent = both[0].answers["sessions"][0][0]["session"]
    assert {key: row[key] for key in sent} == sent
    history = web.api("history", daemon=SERVER).json()
    assert history["step"] == 10 and history["count"][0] == 2
    assert len(history["time"]) == len(history["in"]) == len(history["out"]) == len(history["count"])


def test_metrics(node, both):
    """Both formats can be read, and say the same."""
    web = Web(node)
    reply = web.get("/metrics", Accept=f"{OPENMETRICS};q=0.5,text/plain;version=0.0.4;q=0.3")
    assert reply.headers["Content-Type"] == f"{OPENMETRICS}; charset=utf-8"
    families = openmetrics.parse(reply.text)
    found = openmetrics.values(families)
    older = openmetrics.values(openmetrics.parse(web.get("/metrics").text, older=True))
    assert found == older
    assert found["dtcp_up{daemon=dtcps,interface=dtcps0}"] == 1
    assert found["dtcp_up{daemon=dtcpclient,interface=dtcp-home}"] == 1
    assert found["dtcp_server_sessions{interface=dtcps0}"] == 2
    assert found["dtcp_server_logins_total{interface=dtcps0,result=granted}"] == 9
    assert found["dtcp_server_traffic_bytes_total{direction=out,interface=dtcps0,path=kernel}"] == 2048
    assert found["dtcp_server_pool_used{interface=dtcps0,kind=network,length=56,prefix=2001:db8:100::/40}"] == 62000
    assert found["dtcp_server_drops_total{interface=dtcps0,reason=src-ingress}"] == 3
    assert found["dtcp_server_login_duration_seconds_count{interface=dtcps0}"] == 4
    assert found["dtcp_client_state{dtcp_client_state=up,interface=dtcp-home}"] == 1
    assert found["dtcp_client_round_trip_seconds{interface=dtcp-home}"] == 0.0123
    # Users have none of their own, and the server is not asked for them.
    assert not any("user=user" in name for name in found)
    assert "sessions" not in both[0].commands()
    web.stop()
    web = Web(node, "--per-user")
    found = openmetrics.values(openmetrics.parse(web.get("/metrics", Accept=OPENMETRICS).text))
    assert found["dtcp_server_user_traffic_bytes_total{direction=in,interface=dtcps0,user=user3}"] == 300


HOSTILE = ['"} 1\n# EOF\nx{y="', "<script>alert(1)</script>", "a\\", "\u202e\U0001f600\x7f", "'; drop"]


def test_hostile_names(node, daemons):
    """A user's name stays one, in JSON and in metrics."""
    rows = [{"session": session(number, user=name)} for number, name in enumerate(HOSTILE)]
    daemons("dtcps", {"status": STATUS, "sessions": (rows, ok())})
    web = Web(node, "--per-user")
    said = web.api("sessions", daemon=SERVER).json()
    assert [row["user"] for row in said["sessions"]] == HOSTILE
    for older, accept in ((True, "*/*"), (False, OPENMETRICS)):
        families = openmetrics.parse(web.get("/metrics", Accept=accept).text, older=older)
        name = "dtcp_server_user_dropped" + ("_total" if older else "")
        assert {dict(labels)["user"] for _, labels in families[name].samples} == set(HOSTILE)


def test_daemons_that_do_not_answer(node, daemons):
    """Each is told of in a line, and none keeps the answers of others back."""
    silent = daemons("dtcps", {"status": STATUS})
    silent.go_on.clear()
    daemons("dtcps-forbidden", {"status": STATUS}, mode=0o600)
    daemons("dtcps-busy", {"status": ([], no("busy", "too many ask already"))})
    daemons("dtcps-nonsense", {"status": b"<html>\n"})
    daemons("dtcps-half", {"status": b'{"ok":tr'})
    gone = daemons("dtcps-gone", {"status": STATUS})
    daemons("dtcpclient-dtcp-home", {"status": CLIENT_STATUS})
    web = Web(node)
    web.wait_ids(SERVER, *(f"dtcps-{name}" for name in ("forbidden", "busy", "nonsense", "half", "gone")),
                 CLIENT)
    gone.close()
    expected = {SERVER: (504, "silent", "the daemon does not answer: nothing whole came within 2 s"),
                "dtcps-half": (504, "silent", "the daemon does not answer: nothing whole came within 2 s"),
                "dtcps-busy": (503, "busy", "too many ask already"),
                "dtcps-gone": (503, "absent", "the daemon is not running"),
                "dtcps-forbidden": (502, "refused", "dtcpweb may not ask the daemon: it must belong to "
                                    "the group of its control socket"),
                "dtcps-nonsense": (502, "failed", "the answer is not what a daemon of this protocol says")}

    def ask(name):
        reply = web.api("status", daemon=name)
        said = reply.json()
        return name, (reply.status, said.get("code"), said.get("error"))

    # What is asked of gone may have been answered within the last second.
    until(lambda: ask("dtcps-gone")[1] == expected["dtcps-gone"], "it is gone")
    for name in expected:
        assert ask(name) == (name, expected[name])
    assert web.api("status", daemon=CLIENT).status == 200
    found = openmetrics.values(openmetrics.parse(web.get("/metrics").text, older=True))
    assert {name: number for name, number in found.items() if name.startswith("dtcp_up")} == {
        f"dtcp_up{{daemon=dtcps,interface={name}}}": 0
        for name in ("dtcps0", "busy", "forbidden", "gone", "half", "nonsense")} | {
            "dtcp_up{daemon=dtcpclient,interface=dtcp-home}": 1}
    silent.go_on.set()
    until(lambda: web.api("status", daemon=SERVER).status == 200, "it answers again")


def test_they_come_and_go(node, daemons):
    """No folder, then a daemon, then none, then it again."""
    web = Web(node)
    assert web.ids() == []
    assert web.get("/metrics").status == 200
    daemon = daemons("dtcps", {"status": STATUS})
    daemon.go_on.clear()
    web.wait_ids(SERVER)
    other = daemons("dtcpclient-dtcp-home", {"status": CLIENT_STATUS})
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(web.api, "status", daemon=SERVER)
        web.wait_ids(CLIENT, SERVER)
        daemon.go_on.set()
        assert reply.result().status == 200
    daemon.close()
    # Its answer is younger than the last look for daemons, and not shown once it is found gone.
    web.wait_ids(CLIENT)
    assert web.api("status", daemon=SERVER).status == 503
    # Its hour is still there.
    assert web.api("history", daemon=SERVER).status == 200
    other.close()
    web.wait_ids()
    daemon.path.parent.rmdir()
    assert web.api("status", daemon=SERVER).status == 503
    daemons("dtcps", {"status": STATUS})
    web.wait_ids(SERVER)
    until(lambda: web.api("status", daemon=SERVER).status == 200, "it is asked again")


def test_many_ask(node, daemons):
    """However many do, a daemon is asked once, and one who asks slowly keeps nobody back."""
    daemon = daemons("dtcps", {"status": STATUS, "sessions": ([], ok())})
    web = Web(node)
    web.wait_ids(SERVER)
    until(lambda: daemon.answered >= 1, "it was asked for the first sample")
    daemon.go_on.clear()
    before = len(daemon.asked)
    with ThreadPoolExecutor(20) as pool:
        asking = [pool.submit(web.api, "sessions", daemon=SERVER) for _ in range(20)]
        until(lambda: len(daemon.asked) > before, "it is asked")
        daemon.go_on.set()
        assert [reply.result().status for reply in asking] == [200] * 20
    assert daemon.commands()[before:].count("sessions") <= 2
    # Those who never finish a request take all places, and somebody who asks gets one.
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            with node.inside():
                idle = stack.enter_context(socket.create_connection(("127.0.0.1", PORT)))
            idle.sendall(b"GET / HTTP/1.1\r\n")
        assert web.get("/").status == 200


def test_fifteen_thousand_sessions(node, daemons):
    """Searched, sorted and shown in parts; and all of them as metrics."""
    rows = [{"session": session(number)} for number in range(15000)]
    daemons("dtcps", {"status": STATUS, "sessions": (rows, ok())})
    web = Web(node, "--per-user")
    said = web.api("sessions", daemon=SERVER, sort="in_octets", order="down", limit=25).json()
    assert said["total"] == said["matched"] == 15000
    assert [row["id"] for row in said["sessions"]] == list(range(14999, 14974, -1))
    said = web.api("sessions", daemon=SERVER, offset=14990).json()
    assert [row["id"] for row in said["sessions"]] == list(range(14990, 15000))
    said = web.api("sessions", daemon=SERVER, search="user1499").json()
    assert [row["id"] for row in said["sessions"]] == [1499, *range(14990, 15000)]
    reply = web.get("/metrics")
    families = openmetrics.parse(reply.text, older=True)
    assert len(families["dtcp_server_user_dropped_total"].samples) == 15000
    # Many who read slowly do not have a copy each. If they come over seconds, there are several.
    before = int(status_field(web.pid, "VmHWM").split()[0])
    with contextlib.ExitStack() as stack:
        with node.inside():
            slow = [stack.enter_context(socket.socket()) for _ in range(50)]
        for reader in slow:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(60)
            reader.connect(("127.0.0.1", PORT))
            reader.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert all(reader.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 503") for reader in slow)
        grown = int(status_field(web.pid, "VmHWM").split()[0]) - before
        assert grown * 1024 < 15 * len(reply.body)
        assert web.get("/").status == 200


@pytest.mark.parametrize("under", [(), ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")])
def test_it_has_no_privileges(node, both, under):
    """Started by root or not."""
    web = Web(node, under=under, user=None if under else 20200)
    pid = web.pid
    assert set(status_field(pid, "Uid").split()) == {"65534" if under else "20200"}
    assert "0" not in status_field(pid, "Gid").split()
    assert status_field(pid, "Groups") == ""
    for field in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status_field(pid, field), 16) == 0
    assert status_field(pid, "NoNewPrivs") == "1"
    assert status_field(pid, "Seccomp") == "2"
    assert web.api("status", daemon=SERVER).status == 200


def fails(node, status, line, *words):
    web = Web(node, *words, user=None, wait=False)
    assert web.wait() == status
    assert web.log() == f"dtcpweb: {line}\n"


def test_it_does_not_start(node):
    """One line says why."""
    fails(node, 2, '--listen "20280": not an address and a port, such as 127.0.0.1:20280 or [::1]:20280',
          "--listen", "20280")
    fails(node, 2, "--port: unknown option; see --help", "--port", "80")
    fails(node, 1, "cannot run as user root: that is root", "--user", "root")
    fails(node, 1, "no user nobody-like-that to run as; name one with --user", "--user", "nobody-like-that")
    fails(node, 1, "cannot listen on 192.0.2.77:80: Cannot assign requested address", "--listen",
          "192.0.2.77:80")
    first = Web(node)
    fails(node, 1, "cannot listen on 127.0.0.1:20280: Address already in use")
    assert first.stop() == 0
    # A machine without IPv6 has one address less.
    node.sysctl("net.ipv6.conf.lo.disable_ipv6", 1)
    second = Web(node)
    assert "listening on 127.0.0.1:20280; there is" in second.log()
    assert second.stop(signal.SIGINT) == 0


def test_it_says_what_it_shows(node):
    """--help and --version; and -d logs requests, in which nobody writes lines of his own."""
    assert node.run(DTCPWEB, "--version").stdout.startswith("dtcpweb ")
    assert "It has no login of its own" in node.run(DTCPWEB, "--help").stdout
    web = Web(node, "-d")
    with node.inside():
        raw = socket.create_connection(("127.0.0.1", PORT))
    with raw:
        raw.sendall(b"GET /a\x1b[31m HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"404" in raw.recv(4096)
    web.wait_log(r"^dtcpweb: /a\\x1b\[31m: 404$")


def test_the_dashboard(node, both):
    """What it asks Prometheus for is there, with labels that there are."""
    web = Web(node, "--per-user")
    families = openmetrics.parse(web.get("/metrics").text, older=True)
    labels = {name: {label for label, _ in pairs} | {"job", "instance"}
              for family in families.values() for name, pairs in family.samples}
    dashboard = json.loads((REPO / "etc" / "grafana" / "dtcp.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    asked += [variable["definition"] for variable in dashboard["templating"]["list"]
              if variable["type"] == "query"]
    assert len(asked) > 20
    seen = set()
    for expression in asked:
        names = re.findall(r"\bdtcp_\w+(?=[{,)])", expression)
        assert names and set(names) <= labels.keys(), (expression, set(names) - labels.keys())
        seen.update(names)
        # In selectors, in "by (...)", and in legends.
        used = re.findall(r"(\w+)(?:=~|=)\"", expression)
        used += [name for group in re.findall(r"by \(([^)]*)\)", expression) for name in group.split(", ")]
        assert set(used) <= set.union(*(labels[name] for name in names)), expression
    assert {name.rpartition("_")[0] for name in seen} > {"dtcp_server_logins", "dtcp_server_drops"}
