# SPDX-License-Identifier: BSD-2-Clause
"""The demo: its proofs hold, and nothing stays, also after ^C."""

import os
import re
import signal
from pathlib import Path

import pytest

from lab.node import NETNS, processes_of
from lab.process import Process
from lab.wait import BUILD, REPO, patience, until

pytestmark = pytest.mark.once

BUILDING = "Building a small internet"
LOGGING_IN = "the site router logs in"
PINGING = "it pings the IPv6 host"


class Here:
    """The machine itself: the demo makes namespaces of its own."""

    name = "here"

    def __init__(self, lab):
        self.lab = lab

    def words(self, *words):
        return [str(word) for word in words]


class Demo(Process):
    def __init__(self, lab, *words):
        lab.variables.update(DTCP_BUILD=str(BUILD), DTCP_SLOW=str(patience(1)))
        super().__init__(Here(lab), "demo", REPO / "scripts" / "demo", *words)
        self.prefix = f"dtcp-demo-{self.pid}"
        self.held = []
        lab.closing.append(self.end)

    def hold_namespaces(self):
        """Those that are there now; as long as they are held, no others have their inodes."""
        self.held += [os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                      for path in NETNS.glob(f"{self.prefix}-*")]

    def left(self):
        """What exists of it."""
        found = [*NETNS.glob(f"{self.prefix}-*"),
                 *Path("/tmp").glob(f"{self.prefix}.*")]
        for fd in self.held:
            found += processes_of(os.fstat(fd).st_ino).values()
        return found

    def end(self):
        if self.running():
            self.stop(seconds=60)
        for fd in self.held:
            os.close(fd)


@pytest.mark.slow(20)
@pytest.mark.parametrize("words, proofs", [((), 5), (("--nat",), 7)], ids=["plain", "nat"])
def test_demo(lab, words, proofs):
    demo = Demo(lab, *words)
    demo.wait_log(LOGGING_IN, 30)
    demo.hold_namespaces()
    assert len(demo.left()) > 6
    assert demo.wait(120) == 0
    assert re.findall(r"^  proof (\d+): ", demo.log(), re.MULTILINE) == \
        [str(number + 1) for number in range(proofs)]
    assert f"all {proofs} proofs hold" in demo.log()
    assert demo.left() == []


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
                         ids=["INT", "TERM"])
@pytest.mark.parametrize("where", [BUILDING, LOGGING_IN, PINGING])
def test_interrupted(lab, where, number, status):
    """As ^C does it: all that runs in the foreground gets the signal."""
    demo = Demo(lab)
    demo.wait_log(where, 30)
    demo.hold_namespaces()
    until(demo.left, "something is there")
    os.killpg(demo.pid, number)
    assert demo.wait(60) == status
    assert demo.left() == []


def test_wrong_word(lab):
    demo = Demo(lab, "--nut")
    assert demo.wait() == 2
    assert "usage: demo [--nat]" in demo.log()
