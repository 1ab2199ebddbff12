# SPDX-License-Identifier: BSD-2-Clause
"""A daemon's side of a control socket: it sends what a test specifies."""

import contextlib
import json
import os
import socket
import threading
import time
from pathlib import Path


def session(number, **members):
    """A session as a server tells of it."""
    return {"id": number, "user": f"user{number}", "type": "network", "transport": "udp",
            "peer": f"203.0.{number // 250}.{number % 250 + 1}", "port": 4000 + number % 1000,
            "prefixes": [f"2001:db8:{number:x}::/48"], "since": time.time() - 3600,
            "in_packets": number, "in_octets": 1000 * number, "out_packets": number,
            "out_octets": 10 * number, "dropped": 0, "kernel_octets": 0, "path": "alive", **members}


def server_status(**members):
    traffic = {"in_packets": 1, "in_octets": 1000, "out_packets": 2, "out_octets": 2048}
    seconds = {"count": 4, "sum": 0.012, "le": [[0.001, 1], ["+Inf", 4]]}
    return {"program": "dtcps", "release": "0.1.0", "pid": 4711, "interface": "dtcps0",
            "started": time.time() - 3 * 86400 - 4 * 3600 - 1800, "ready": True,
            "transports": ["ipv6", "udp"], "listen": ["0.0.0.0"], "port": 20200,
            "sessions": {"now": 2, "limit": 1000, "tunnelonly": 0, "host": 1, "network": 1,
                         "ipv6": 1, "udp": 1, "dead_paths": 1},
            "connections": {"now": 3, "limit": 2000},
            "logins": {"granted": 9, "auth": 2, "disabled": 3, "transport": 4, "type": 5,
                       "sold_out": 6, "failed": 7, "limited": 1, "kicked": 8, "address": 10},
            "login_seconds": seconds,
            "database_seconds": seconds, "database": {"path": "/var/lib/dtcp/users.db", "users": 12},
            "limits": {"connections_dropped": 0, "log_lines_left_out": 7},
            "pools": [{"kind": "network", "prefix": "2001:db8:100::/40", "length": 56,
                       "size": 65535, "used": 62000},
                      {"kind": "host", "prefix": "2001:db8:1::/64", "length": 128,
                       "size": 18446744073709551614.0, "used": 1}],
            "traffic": {"user": traffic, "kernel": traffic},
            "drops": [{"reason": "src-ingress", "count": 3,
                       "text": "source address is not one of the session's own"}],
            "icmp_errors": 0, "icmp6_sent": 0, "fast": {"mode": "auto", "active": True},
            "last_error": {"time": time.time() - 60, "text": "a warning"}, **members}


def client_status(**members):
    return {"program": "dtcpclient", "release": "0.1.0", "pid": 815, "interface": "dtcp-home",
            "name": "home", "state": "up", "since": time.time() - 90, "user": "alice",
            "server": {"name": "broker.example.org", "address": "203.0.113.9", "port": 20200},
            "servers": ["broker.example.org", "other.example.org"], "type": "network",
            "transport": "udp", "why": "the far end did not answer over protocol 41",
            "carried": "user", "address": "2001:db8:1::2", "peer_address": "2001:db8:1::1",
            "prefixes": ["2001:db8:100::/56"],
            "lan": [{"interface": "eth1", "prefix": "2001:db8:100::/64"}], "mtu": 1280,
            "rtt": 0.0123, "path": "alive", "last_handshake": time.time() - 5, "in_packets": 3,
            "in_octets": 3000, "out_packets": 4, "out_octets": 4 << 20, "dropped": 0, "drops": [],
            **members}


class FakeDaemon:
    """Listens at a path. answers has for each command a list of rows and the last line, or a
    function that makes these of the request, or octets that are sent as they are."""

    def __init__(self, path, answers=()):
        self.path = Path(path)
        self.answers = dict(answers)
        self.asked = []
        self.answered = 0  # how many of them have been taken whole by who asked
        self.go_on = threading.Event()  # answers wait until this is set
        self.go_on.set()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(16)
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, ValueError):
            for line in connection.makefile("rb"):
                request = json.loads(line)
                self.asked.append(request)
                self.go_on.wait()
                answer = self.answers.get(request["command"], ([], no("unknown", "no such command")))
                if callable(answer):
                    answer = answer(request)
                if not isinstance(answer, bytes):
                    rows, last = answer
                    answer = "".join(json.dumps(row) + "\n" for row in [*rows, last]).encode()
                connection.sendall(answer)
                self.answered += 1

    def commands(self):
        return [request["command"] for request in self.asked]

    def close(self):
        """It is gone, its socket with it."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.go_on.set()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)


def ok(**members):
    return {"ok": True, "v": 1, **members}


def no(code, error):
    return {"ok": False, "v": 1, "code": code, "error": error}
