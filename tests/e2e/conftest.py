# SPDX-License-Identifier: BSD-2-Clause
"""Every test asks for "internet" (or "lab") and gets namespaces of its own."""

import os
import signal
import time

import pytest

from lab.node import sweep
from lab.programs import DTCPAUTH, DTCPCLIENT, DTCPCTL, DTCPS, DTCPWEB
from lab.topology import Lab
from lab.wait import slow


def pytest_configure(config):
    if os.environ.get("DTCP_OFFLOADS") not in (None, "", "on", "off"):
        pytest.exit("DTCP_OFFLOADS is neither on nor off", returncode=3)
    if os.environ.get("DTCP_FAST") not in (None, "", "auto", "on", "off"):
        pytest.exit("DTCP_FAST is neither auto, on nor off", returncode=3)
    if os.geteuid() != 0:
        pytest.exit("network namespaces need root", returncode=3)
    for program in (DTCPS, DTCPCLIENT, DTCPAUTH, DTCPCTL, DTCPWEB):
        if not os.access(program, os.X_OK):
            pytest.exit(f"{program} is not there; build first, or set DTCP_BUILD", returncode=3)
    # A shell starts its background jobs with ^C ignored, and all of our programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    sweep()


def pytest_collection_modifyitems(items):
    """Tests that mostly wait go first, spread over the workers: pytest-xdist begins by giving each
    worker a row of consecutive tests, and the others run meanwhile."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    row = max(len(items) // workers // 4, 2)
    loads = [0] * workers
    fronts = [[] for _ in range(workers)]
    rest = []
    waiting = []
    for item in items:
        marker = item.get_closest_marker("slow")
        (waiting if marker else rest).append((marker.args[0] if marker else 0, item))
    for seconds, item in sorted(waiting, key=lambda pair: -pair[0]):
        least = loads.index(min(loads))
        loads[least] += seconds
        fronts[least].append(item)
    others = [item for _, item in rest]
    items[:] = []
    for front in fronts:
        missing = max(row - len(front), 0)
        items.extend(front + others[:missing])
        others = others[missing:]
    items.extend(others)


def pytest_terminal_summary(terminalreporter):
    """Prints measurements, whether or not anything failed."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", []):
                terminalreporter.write_line(f"measured: {name}: {value}")


@pytest.fixture
def measured(record_property):
    """measured(name, value): shown at the end of the run."""
    return record_property


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """No test can hang: whatever it waits for, it ends."""
    marker = item.get_closest_marker("slow")
    begun = time.monotonic()

    def limit():
        return 120 * slow() + 2 * (marker.args[0] if marker else 0)

    def on_alarm(_number, _frame):
        took = time.monotonic() - begun
        # The machine may have become busy meanwhile.
        if took < limit():
            signal.setitimer(signal.ITIMER_REAL, limit() - took + 1)
            return
        raise AssertionError(f"not over within {took:.0f} s")

    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, limit())
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.failed = report.failed
        lab = item.funcargs.get("lab") or item.funcargs.get("internet") or \
            item.funcargs.get("masked")
        if report.failed and lab is not None:
            report.sections += lab.messages()
            for node in lab.nodes:
                if node.name in ("site", "server", "lan", "site2"):
                    text = node.ip("addr") + node.ip("-6", "route", "show", "table", "all")
                    report.sections.append((f"{node.name}: addresses and routes", text))
            for nat in [*lab.nats, lab.mobile]:
                if nat is not None:
                    text = "\n".join(map(str, nat.mappings()))
                    report.sections.append((f"{nat.name}: UDP mappings", text))


@pytest.fixture
def lab(request):
    made = Lab()
    problems = []
    try:
        yield made
    finally:
        problems = made.close(gently=not getattr(request.node, "failed", True))
    for title, text in made.ended:
        if problems:
            print(f"--- {title}\n{text}")
    assert not problems, "\n".join(problems)


@pytest.fixture
def masked(lab):
    """alice behind a NAT that changes every port, the hardest kind to traverse."""
    lab.internet(nat=["masquerade fully-random"])
    lab.users.add_alice()
    return lab


@pytest.fixture
def internet(lab):
    """The base picture with the user alice."""
    lab.internet()
    lab.users.add_alice()
    return lab
