# SPDX-License-Identifier: BSD-2-Clause
"""Every test asks for "internet" (or "lab") and gets namespaces of its own."""

import os

import pytest

from lab.node import sweep
from lab.programs import DTCPAUTH, DTCPCLIENT, DTCPS
from lab.topology import Lab


def pytest_configure(config):
    if os.geteuid() != 0:
        pytest.exit("network namespaces need root", returncode=3)
    for program in (DTCPS, DTCPCLIENT, DTCPAUTH):
        if not os.access(program, os.X_OK):
            pytest.exit(f"{program} is not there; build first, or set DTCP_BUILD", returncode=3)
    sweep()


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.failed = report.failed
        lab = item.funcargs.get("lab") or item.funcargs.get("internet")
        if report.failed and lab is not None:
            report.sections += lab.messages()
            for node in lab.nodes:
                if node.name in ("site", "server", "lan"):
                    text = node.ip("addr") + node.ip("-6", "route", "show", "table", "all")
                    report.sections.append((f"{node.name}: addresses and routes", text))


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
def internet(lab):
    """The base picture with the user alice."""
    lab.internet()
    lab.users.add("alice")
    return lab
