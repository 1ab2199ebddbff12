# SPDX-License-Identifier: BSD-2-Clause
"""The programs with a simulated compromise of each process (tests/traitor), commanded by a test."""

import ctypes
import re
import signal

from .wait import BUILD, REPO

DTCPS_TRAITOR = BUILD / "tests" / "traitor" / "dtcps-traitor"
DTCPCLIENT_TRAITOR = BUILD / "tests" / "traitor" / "dtcpclient-traitor"


def _numbers():
    """{name: number} of all treasons, as enum treason of traitor.h has them: one after the other."""
    text = (REPO / "tests" / "traitor" / "traitor.h").read_text()
    body = re.search(r"(?s)enum treason \{(.*?)\bTREASONS\b", text).group(1)
    return {name.lower(): number
            for number, name in enumerate(re.findall(r"\bTREASON_(\w+)", body), 1)}


NUMBERS = _numbers()

_libc = ctypes.CDLL(None, use_errno=True)


def betray(pid, treason):
    """Has the room with this process id try it."""
    _libc.sigqueue.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
    assert _libc.sigqueue(pid, signal.SIGRTMIN, NUMBERS[treason]) == 0, ctypes.get_errno()
