# SPDX-License-Identifier: BSD-2-Clause
"""Waiting for conditions."""

import json
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
# Sanitizers cost about that much; a machine that is busy otherwise can ask for more.
SLOW = float(os.environ.get("DTCP_SLOW", "3" if SANITIZED else "1"))


def until(condition, what, seconds=15):
    """Waits until condition() is true and returns what it returned."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            detail = what() if callable(what) else what
            raise AssertionError(f"not within {seconds * SLOW:.0f} s: {detail}")
        time.sleep(0.02)


def pass_time(seconds, still, what):
    """For tests whose subject is that time passes. still() must be true all along."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert still(), what
        time.sleep(0.2)
