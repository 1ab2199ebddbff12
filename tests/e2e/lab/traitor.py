# SPDX-License-Identifier: BSD-2-Clause
"""The programs with a traitor in each room, who tries what he is told to (tests/traitor)."""

import ctypes
import signal

from .wait import BUILD

DTCPS_TRAITOR = BUILD / "tests" / "traitor" / "dtcps-traitor"
DTCPCLIENT_TRAITOR = BUILD / "tests" / "traitor" / "dtcpclient-traitor"

CALLS = ["open", "execve", "fork", "socket_inet6", "socket_netlink", "socket_packet", "chroot",
         "setuid", "kill", "ptrace", "mprotect", "keyctl", "mount", "unlisten", "fastopen",
         "load_program", "make_map"]
NUMBERS = {name: number for number, name in enumerate(CALLS, 1)}
NUMBERS |= {name: number for number, name in enumerate(
    ["unknown_type", "wrong_size", "with_descriptor", "short", "pong", "ping"], 20)}
NUMBERS |= {name: number for number, name in enumerate(
    ["raise_loopback", "raise_multicast", "raise_bits", "raise_flag", "lower", "lookup_flood",
     "raise_server", "raise_twice", "session"], 30)}
NUMBERS |= {name: number for number, name in enumerate(
    ["lookup_server", "session_up", "port", "port_flood"], 40)}
NUMBERS |= {name: number for number, name in enumerate(
    ["login_id", "login_text", "logout", "login_flood"], 50)}
NUMBERS["server_hello"] = 55
NUMBERS |= {name: number for number, name in enumerate(
    ["grant_id", "grant_prefix", "grant_address", "revoke", "granted_logout"], 60)}
NUMBERS |= {name: number for number, name in enumerate(
    ["added", "refused", "removed", "learned", "path", "refused_far"], 70)}

_libc = ctypes.CDLL(None, use_errno=True)


def betray(pid, treason):
    """Has the room with this process id try it."""
    _libc.sigqueue.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
    assert _libc.sigqueue(pid, signal.SIGRTMIN, NUMBERS[treason]) == 0, ctypes.get_errno()
