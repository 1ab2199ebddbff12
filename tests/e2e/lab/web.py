# SPDX-License-Identifier: BSD-2-Clause
"""dtcpweb, and what a browser or Prometheus gets from it."""

import http.client
import json
import urllib.parse

from .ctl import socket_path
from .fake import FakeDaemon
from .process import Process
from .programs import DTCPWEB, SERVICE
from .wait import until

PORT = 20280
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body
        self.text = body.decode()

    def json(self):
        assert self.headers["Content-Type"] == "application/json", self.headers
        return json.loads(self.text)


class Web(Process):
    """dtcpweb on a node. under: a command that starts it."""

    def __init__(self, node, *words, under=(), user=SERVICE, wait=True, program=DTCPWEB):
        user = ("--user", user) if user is not None else ()
        super().__init__(node, "dtcpweb", *under, program, *user, *words)
        if wait:
            self.wait_log("listening on")

    def get(self, path, method="GET", address="127.0.0.1", port=PORT, **headers):
        """headers: Host and Accept, with _ in place of -."""
        connection = http.client.HTTPConnection(address, port, timeout=60)
        with self.node.inside():
            connection.connect()
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value
                                                      for name, value in headers.items()})
            reply = connection.getresponse()
            return Reply(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    def api(self, what, **query):
        return self.get(f"/api/{what}?{urllib.parse.urlencode(query)}".rstrip("?"))

    def ids(self):
        return [daemon["id"] for daemon in self.api("daemons").json()["daemons"] if daemon["there"]]

    def wait_ids(self, *wanted):
        until(lambda: self.ids() == sorted(wanted), f"{wanted} can be asked")


def fake(node, name, answers, mode=0o666):
    """A daemon whose control socket dtcpweb on that node finds."""
    path = socket_path(node, name)
    daemon = FakeDaemon(path, answers)
    path.chmod(mode)
    return daemon
