# SPDX-License-Identifier: BSD-2-Clause
"""dtcpweb with those for whom it is: a browser, and Prometheus."""

import contextlib
import functools
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.browser import Browser
from lab.fake import FakeDaemon, client_status, ok, server_status, session
from lab.machine import Machine
from lab.node import command
from lab.process import Process
from lab.programs import DTCPWEB
from lab.wait import until
from lab.web import OPENMETRICS, PORT, Web, fake

pytestmark = [pytest.mark.long, pytest.mark.slow(120)]

SERVER = f"http://localhost:{PORT}/"
ME = f"http://localhost:{PORT}/me"
HOSTILE = "<img/src=x/onerror=document.title='bad'>"


@pytest.fixture
def node(lab):
    return lab.node("web")


@pytest.fixture
def daemons(node):
    """A server with 15,000 sessions, and two clients."""
    rows = [{"session": session(number)} for number in range(1, 15001)]
    rows[2]["session"]["user"] = HOSTILE
    # As wide as they get.
    rows[3]["session"].update(transport="ipv6", peer="198.151.100.200", dropped=1234567,
                              prefixes=["2001:db8:1234:5600::/56"])
    status = server_status()
    status["sessions"]["now"] = 15000
    waiting = client_status(interface="dtcp-work", name="work", state="waiting", path="unknown",
                            last_error={"time": 1, "text": "wrong user name or password"})
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(fake(node, name, answers))) for name, answers in (
            ("dtcps", {"status": ([], ok(status=status)), "sessions": (rows, ok())}),
            ("dtcpclient-dtcp-home", {"status": ([], ok(status=client_status()))}),
            ("dtcpclient-dtcp-work", {"status": ([], ok(status=waiting))}))]


@pytest.fixture
def browse(node):
    """browse(...): a browser; it ends with the test, and its console had nothing to say."""
    browsers = []

    def start(**more):
        browsers.append(Browser(node, **more))
        return browsers[-1]

    yield start
    for browser in browsers:
        assert browser.errors() == []
        browser.close()


def users(browser):
    return browser.texts("#rows td.user")


def test_the_page_of_a_server(node, daemons, browse):
    Web(node)
    browser = browse()
    browser.open(SERVER)
    browser.wait_text("#sessions-now", "15,000")
    until(lambda: len(users(browser)) == 25, "there are sessions")
    assert browser.text("#part") == "1–25 of 15,000"
    assert browser.text("#state") == "Ready"
    assert browser.texts("#drops td:first-child") == ["source address is not one of the session's own"]
    assert len(browser.texts(".pool")) == 2
    assert browser.text("#login-time") == "3.0 ms"
    until(lambda: browser.run("return document.querySelectorAll('.chart svg path.line').length") == 3,
          "the graphs are drawn")
    assert browser.text("#banner") is None
    # A name is a name.
    browser.run("document.getElementById('search').focus()")
    browser.keys("onerror")
    until(lambda: users(browser) == [HOSTILE], lambda: f"it is found: {users(browser)}")
    assert "15,000 sessions" in browser.run("return document.title")
    assert browser.run("return document.querySelectorAll('#rows img').length") == 0
    # An address is looked for in prefixes.
    browser.run("document.getElementById('search').select()")
    browser.keys("2001:db8:4d2::7")
    until(lambda: users(browser) == ["user1234"], lambda: f"the one who has it: {users(browser)}")
    assert browser.text("#matched") == "1 of 15,000"


def test_order_and_parts_by_the_keyboard(node, daemons, browse):
    Web(node)
    browser = browse()
    browser.open(SERVER)
    until(lambda: len(users(browser)) == 25, "there are sessions")

    def sorted_by():
        return browser.run("return [...document.querySelectorAll('#heads th[aria-sort]')]"
                           ".map((th) => [th.textContent.trim(), th.getAttribute('aria-sort')])")

    def focus():
        return browser.run("const e = document.activeElement; return e.id || e.textContent.trim()")

    browser.run("document.getElementById('search').focus()")
    browser.keys("Tab")
    while focus() != "User":
        browser.keys("Tab")
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.keys("Enter")
    until(lambda: users(browser)[0] == HOSTILE and users(browser)[1] == "user1", "sorted by user")
    assert sorted_by() == [["User↑", "ascending"]]
    browser.keys("Enter")
    until(lambda: users(browser)[0] == "user9999", "and the other way")
    assert sorted_by() == [["User↓", "descending"]]
    browser.click("#next")
    browser.wait_text("#part", "26–50 of 15,000")
    browser.click("#before")
    browser.wait_text("#part", "1–25 of 15,000")
    assert users(browser)[0] == "user9999"
    # A graph is gone through with the arrows.
    until(lambda: browser.run("return document.querySelectorAll('.chart svg path.line').length") == 3,
          "the graphs are drawn")
    browser.run("document.querySelector('#chart-sessions svg').focus()")
    browser.keys("Left")
    browser.wait_text("#chart-sessions .read", ": 15,000")
    assert browser.run("return document.querySelector('#chart-sessions svg').getAttribute('aria-label')") \
        .startswith("Sessions of the last hour: now 15,000")


def test_a_daemon_that_does_not_answer(node, daemons, browse):
    Web(node)
    browser = browse()
    browser.open(SERVER)
    browser.wait_text("#sessions-now", "15,000")
    daemons[0].go_on.clear()
    browser.wait_text("#banner", "dtcps on dtcps0: the daemon does not answer")
    # What was there stays, and it says of when it is.
    assert browser.text("#sessions-now") == "15,000"
    assert "What is below is from" in browser.text("#banner")
    # Nothing above it says how it was, nor does the name of the page.
    assert browser.text("#summary") == ""
    assert browser.run("return document.title") == "dtcps0: No answer"
    daemons[0].go_on.set()
    until(lambda: browser.text("#banner") is None, "it answers again", 30)
    assert "Up for" in browser.text("#summary")
    daemons[0].close()
    browser.wait_text("#state", "Not running")
    browser.errors()  # answers with an error are told of there as well


def test_the_page_of_a_client(node, daemons, browse):
    Web(node)
    browser = browse(width=390, height=844, dark=True)
    browser.open(ME)
    browser.wait_text("#state", "Up")
    assert browser.text("#name") == "Tunnel home"
    assert browser.text("#rtt") == "12.3 ms"
    assert browser.text("#path") == "alive"
    have = dict(zip(browser.texts("#have dt"), browser.texts("#have dd")))
    assert have["Prefixes"] == "2001:db8:100::/56" and have["User"] == "alice"
    assert have["On eth1"] == "2001:db8:100::/64"
    how = dict(zip(browser.texts("#how dt"), browser.texts("#how dd")))
    assert how["Why that"] == "the far end did not answer over protocol 41"
    # Dark, and nothing is wider than a phone.
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, ground.strip("rgb()").split(","))) < 150, ground
    assert browser.run("return document.documentElement.scrollWidth") == 390
    browser.run("const list = document.getElementById('daemon'); list.value = 'dtcpclient-dtcp-work';"
                "list.dispatchEvent(new Event('change'))")
    browser.wait_text("#state", "Waiting for the next try")
    assert "wrong user name or password" in browser.text("#summary")
    assert browser.run("return location.search") == "?daemon=dtcpclient-dtcp-work"
    browser.open(SERVER)
    until(lambda: len(users(browser)) == 10, "there are sessions")
    assert browser.run("return document.documentElement.scrollWidth") == 390


# What is wider than the place that it has, and whether the last number at the top ends where all of
# them do.
FITS = """
const wide = [document.documentElement, ...document.querySelectorAll("#scroll")]
	.filter((place) => place.scrollWidth > place.clientWidth).map((place) => place.id || "page");
const tiles = document.querySelector(".tiles").getBoundingClientRect();
const last = document.querySelector(".tiles > :last-child").getBoundingClientRect();
return [wide, Math.round(tiles.right - last.right) <= 1];
"""


def test_windows_of_all_widths(node, daemons, browse):
    Web(node)
    browser = browse()
    for path, ready in ((SERVER, "#rows td.user"), (ME, "#have dd")):
        browser.open(path)
        until(lambda ready=ready: browser.texts(ready), "something is there")
        for width in (320, 480, 640, 700, 820, 960, 1024, 1100, 1250, 1280, 1600):
            browser.resize(width, 900)
            assert browser.run(FITS) == [[], True], width


def test_contrast_and_names(node, daemons, browse):
    """Text can be read in light and dark, and everything that is used has a name."""
    Web(node)
    for dark in (False, True):
        browser = Browser(node, dark=dark)
        for url in (SERVER, ME):
            browser.open(url)
            until(lambda: browser.text("#state"), "it is drawn", 30)
            assert browser.run(CONTRAST) == [], (url, dark)
            assert browser.run(NAMES) == [], url
            assert browser.run("return [...document.querySelectorAll('main,header,footer,nav')].length") >= 4
            assert browser.run("return document.querySelectorAll('h1').length") == 1
        browser.close()


# Texts whose contrast to what is behind them is less than 4.5 (WCAG 2.1, 1.4.3).
CONTRAST = """
const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
const light = (color) => {
    const [r, g, b] = numbers(color).slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (e) => {
    for (; e; e = e.parentElement) {
        const color = getComputedStyle(e).backgroundColor;
        if (numbers(color)[3] !== 0)
            return color;
    }
    return "rgb(255,255,255)";
};
return [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && !e.disabled &&
    [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())).map((e) => {
    const style = getComputedStyle(e);
    const [a, b] = [light(e.namespaceURI.endsWith("svg") ? style.fill : style.color), light(behind(e))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.textContent.trim().slice(0, 40)];
}).filter(([ratio]) => ratio < 4.5);
"""

# What can be used, or is a picture, and has no name for who does not see it.
NAMES = """
return [...document.querySelectorAll("a,button,input,select,svg,[role=region],nav,section")].filter((e) =>
    e.checkVisibility() && !e.getAttribute("aria-label") && !e.getAttribute("aria-labelledby") &&
    !(e.labels && e.labels.length) && !(e.textContent.trim() && e.matches("a,button")))
    .map((e) => e.outerHTML.slice(0, 80));
"""


def test_promtool(node, daemons):
    """Prometheus's own tool has nothing to say of the metrics."""
    web = Web(node, "--per-user")
    web.wait_ids("dtcpclient-dtcp-home", "dtcpclient-dtcp-work", "dtcps-dtcps0")
    done = command("promtool", "check", "metrics", input=web.get("/metrics").text, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("per_user", [False, True])
def test_prometheus(node, daemons, per_user):
    """A real one scrapes it, in the format that it likes best, and the dashboard's questions have
    answers."""
    web = Web(node, "-d", *(["--per-user"] if per_user else []))
    web.wait_ids("dtcpclient-dtcp-home", "dtcpclient-dtcp-work", "dtcps-dtcps0")
    data = node.dir / "prometheus"
    config = node.dir / "prometheus.yml"
    config.write_text("global: {scrape_interval: 2s}\nscrape_configs:\n- job_name: dtcp\n"
                      f"  static_configs: [{{targets: ['localhost:{PORT}']}}]\n")
    Process(node, "prometheus", "prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}",
            "--web.listen-address=127.0.0.1:9090")

    def query(expression):
        done = node.command("promtool", "query", "instant", "-o", "json", "http://127.0.0.1:9090",
                            expression, check=False)
        return json.loads(done.stdout or "[]")

    up = until(lambda: query('up{job="dtcp"} == 1'), "Prometheus has scraped", 60)
    assert len(up) == 1
    [found] = query('dtcp_up{daemon="dtcps"}')
    assert found["metric"] == {"__name__": "dtcp_up", "daemon": "dtcps", "interface": "dtcps0",
                               "job": "dtcp", "instance": f"localhost:{PORT}"}
    assert found["value"][1] == "1"
    assert query("dtcp_server_sessions")[0]["value"][1] == "15000"
    until(lambda: query("rate(dtcp_server_traffic_bytes_total[30s])"), "there are rates", 60)
    assert query("histogram_quantile(0.5, dtcp_server_login_duration_seconds_bucket)")

    def users_there():
        found = query("count(dtcp_server_user_dropped_total)")
        return found[0]["value"][1] if found else "0"

    # A scrape that took too long on a busy machine leaves nothing behind.
    if per_user:
        until(lambda: users_there() == "15000", "there is each user", 60)
    else:
        assert users_there() == "0"
    said = web.get("/metrics", Accept=OPENMETRICS)
    assert said.headers["Content-Type"].startswith(OPENMETRICS)


def test_the_unit(lab, node):
    """Under a real systemd: as a user of its own, who may ask because of a group."""
    machine = Machine(lab, node, DTCPWEB)
    machine.boot()
    machine.run("groupadd", "--system", "--gid", "4711", "dtcp")
    # Seen from outside, where the daemon is.
    path = Path(f"/proc/{machine.init}/root/run/dtcp/dtcps.sock")
    with contextlib.closing(FakeDaemon(path, {"status": ([], ok(status=server_status()))})):
        os.chown(path, 0, 4711)
        path.chmod(0o660)
        started = machine.systemctl("start", "dtcpweb.service", check=False, timeout=60)
        assert started.returncode == 0, machine.run("journalctl", "--quiet", "--unit=dtcpweb").stdout
        get = functools.partial(Web.get, SimpleNamespace(node=node))
        reply = get("/api/status?daemon=dtcps-dtcps0")
        assert (reply.status, reply.json()["ok"]) == (200, True), reply.text
        assert get("/metrics").status == 200
        assert machine.show("dtcpweb.service", "ActiveState") == "active"
        assert [line for line in machine.journal("dtcpweb.service") if "listening" not in line] == []
    machine.systemctl("stop", "dtcpweb.service")
    assert machine.show("dtcpweb.service", "Result") == "success"
    machine.crash()
