# SPDX-License-Identifier: BSD-2-Clause
"""Waiting for conditions."""

import json
import math
import os
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("DTCP_BUILD", REPO / "build")).resolve()


def _sanitized():
    options = BUILD / "meson-info" / "intro-buildoptions.json"
    if not options.exists():
        return False
    for option in json.loads(options.read_text()):
        if option["name"] == "b_sanitize":
            return "address" in option["value"]
    return False


SANITIZED = _sanitized()
# Sanitizers cost about that much; DTCP_SLOW is for a machine that is slow by itself.
SLOW = float(os.environ.get("DTCP_SLOW", "3" if SANITIZED else "1"))


def slow():
    """How many times as long as on an idle machine things may take now: where a processor has
    several who want to run, each of them waits for its turn. For upper bounds only."""
    average, _, _, running, _ = Path("/proc/loadavg").read_text().replace("/", " ").split()[:5]
    return SLOW * max(1, max(float(average), int(running) - 1) / os.cpu_count())


def patience(seconds):
    """For a program that is told in whole seconds for how long it waits: enough for what it waits
    for to come in time. No test is to take for ever because of it."""
    return math.ceil(seconds * min(slow(), 10))


def until(condition, what, seconds=15):
    """Waits until condition() is true and returns what it returned."""
    begun = time.monotonic()
    while True:
        result = condition()
        if result:
            return result
        waited = time.monotonic() - begun
        if waited > seconds * SLOW and waited > seconds * slow():
            detail = what() if callable(what) else what
            raise AssertionError(f"not within {waited:.0f} s: {detail}")
        # Who waits for long already is in no hurry, and leaves the processor to the others.
        time.sleep(min(max(0.02, waited / 50), 0.2))


def pass_time(seconds, still, what, every=0.2):
    """For tests whose subject is that time passes. still() must be true all along."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert still(), what
        time.sleep(every)
