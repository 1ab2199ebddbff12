# SPDX-License-Identifier: BSD-2-Clause
"""dtcpweb beside a real server, and beside a real client."""

import os

import pytest

from lab import openmetrics
from lab.ctl import socket_path
from lab.process import status_field
from lab.topology import SIX
from lab.traffic import ping
from lab.wait import until
from lab.web import OPENMETRICS, Web

SERVER = "dtcps-dtcps0"
GROUP = 4711
# One of the group, whether this machine has one of that name or not.
MEMBER = ("setpriv", "--reuid=20300", f"--regid={GROUP}", "--clear-groups")


@pytest.fixture
def server(internet):
    started = internet.dtcps()
    os.chown(socket_path(internet.server), 0, GROUP)
    return started


def metrics(web):
    return openmetrics.values(openmetrics.parse(web.get("/metrics", Accept=OPENMETRICS).text))


def test_a_session(internet, server):
    """From the first look to the last, with what it carries in between."""
    web = Web(internet.server, "--per-user", under=MEMBER, user=None)
    web.wait_ids(SERVER)
    assert web.api("sessions", daemon=SERVER).json()["sessions"] == []
    prefix = internet.dtcpclient("-d").prefix()
    until(lambda: metrics(web)["dtcp_server_sessions{interface=dtcps0}"] == 1, "it is counted")
    ping(internet.site, SIX)
    found = until(lambda: (now := metrics(web)) and sum(
        now[f"dtcp_server_traffic_packets_total{{direction=in,interface=dtcps0,path={path}}}"]
        for path in ("user", "kernel")) > 0 and now, "what it carries is counted")
    assert found["dtcp_up{daemon=dtcps,interface=dtcps0}"] == 1
    assert found["dtcp_server_ready{interface=dtcps0}"] == 1
    assert found["dtcp_server_sessions_by_type{interface=dtcps0,type=network}"] == 1
    assert found["dtcp_server_logins_total{interface=dtcps0,result=granted}"] == 1
    assert found["dtcp_server_login_duration_seconds_count{interface=dtcps0}"] == 1
    assert found["dtcp_server_database_duration_seconds_count{interface=dtcps0}"] >= 1
    assert found["dtcp_server_database_users{interface=dtcps0}"] == 1
    assert found["dtcp_server_user_session_start_time_seconds{interface=dtcps0,user=alice}"] > 0
    [row] = web.api("sessions", daemon=SERVER, search=str(prefix[7])).json()["sessions"]
    assert (row["user"], row["type"], row["prefixes"]) == ("alice", "network", [str(prefix)])
    # The server counts from time to time how full its pools are.
    until(lambda: any(number == 1 for name, number in metrics(web).items()
                      if name.startswith("dtcp_server_pool_used{") and "kind=network" in name),
          "a prefix of the pool is used", 60)
    status = web.api("status", daemon=SERVER).json()["status"]
    assert (status["program"], status["interface"], status["port"]) == ("dtcps", "dtcps0", 20200)


def test_a_server_that_stands_still(internet, server):
    """And one that ends: in time, with what is wrong."""
    web = Web(internet.server, under=MEMBER, user=None)
    web.wait_ids(SERVER)
    with server.held("control"):
        reply = until(lambda: (said := web.api("status", daemon=SERVER)).status != 200 and said,
                      "what was known is old")
        assert (reply.status, reply.json()["code"]) == (504, "silent")
        assert metrics(web)["dtcp_up{daemon=dtcps,interface=dtcps0}"] == 0
        assert web.get("/").status == 200
    until(lambda: web.api("status", daemon=SERVER).status == 200, "it answers again")
    server.stop()
    until(lambda: web.api("status", daemon=SERVER).status == 503, "it is gone")
    assert web.api("status", daemon=SERVER).json()["error"] == "the daemon is not running"


def test_the_group(internet):
    """Started by root, it is of the group that may ask, if there is one."""
    file = internet.file("group", f"root:x:0:\ndtcp:x:{GROUP}:\n")
    grouped = ("sh", "-c", 'mount --bind "$0" /etc/group && exec "$@"', file)
    internet.dtcps()
    os.chown(socket_path(internet.server), 0, GROUP)
    stranger = Web(internet.server)
    stranger.wait_ids(SERVER)
    assert stranger.api("status", daemon=SERVER).json()["code"] == "refused"
    stranger.stop()
    web = Web(internet.server, under=grouped)
    web.wait_ids(SERVER)
    assert set(status_field(web.pid, "Gid").split()) == {str(GROUP)}
    assert web.api("status", daemon=SERVER).status == 200


def test_a_client(internet, server):
    """What it has, and that it has no session when its server is gone."""
    internet.dtcpclient("-l", "-t", "network").wait_up()
    [path] = (internet.site.dir / "run" / "dtcp").glob("dtcpclient-*.sock")
    os.chown(path, 0, GROUP)
    name = path.stem
    web = Web(internet.site, under=MEMBER, user=None)
    web.wait_ids(name)
    status = until(lambda: (said := web.api("status", daemon=name).json()["status"])["state"] == "up" and said,
                   "it is up")
    assert (status["user"], status["type"], len(status["prefixes"])) == ("alice", "network", 1)
    ping(internet.site, SIX)
    interface = name.partition("-")[2]
    until(lambda: metrics(web)[f"dtcp_client_traffic_packets_total{{direction=in,interface={interface}}}"] > 0,
          "what it carries is counted")
    found = metrics(web)
    assert found[f"dtcp_client_state{{dtcp_client_state=up,interface={interface}}}"] == 1
    assert found[f"dtcp_client_mtu_bytes{{interface={interface}}}"] >= 1280
    assert web.api("sessions", daemon=name).json()["error"] == f"daemon: {name} is a client"
    server.stop()
    until(lambda: metrics(web)[f"dtcp_client_state{{dtcp_client_state=up,interface={interface}}}"] == 0,
          "it is up no more", 30)
