# SPDX-License-Identifier: BSD-2-Clause
"""Random faults among a Crowd and its server, with a supervisor that starts again what falls,
as a service manager would (Restart=on-failure)."""

import collections
import contextlib
import heapq
import itertools
import os
import random
import re
import signal
import statistics
import time

from .node import alive
from .wait import slow

RESTART_AFTER = 0.5  # seconds between a fall and the next start
CLIENT_ROOMS = ("monitor", "control", "forward", "guard")
SERVER_ROOMS = ("monitor", "control", "forward", "accounts", "ndp")
# A site finds out for itself that its server does not answer; the default of a minute is for those
# who have time.
KEEPALIVE = ("--keepalive", "5,5")


class Ward:
    """A program that is to run."""

    def __init__(self, name, start):
        self.name = name
        self._start = start
        self.wanted = True
        self.hurt = False  # something was done to it since it was started
        self.fallen_at = None
        self.starts = 0
        self.ending = set()  # processes that will have to be gone before it is started again
        self.left = 0  # processes that had not gone by themselves when it was started again
        self.process = None
        self.start()

    def start(self):
        self.process = self._start()
        self.fallen_at = None
        self.hurt = False
        self.starts += 1

    def running(self):
        return self.process.running()

    def signal(self, number, *rooms):
        """Sends a signal to rooms; the process itself is its monitor."""
        there = self.process.rooms()
        for room in rooms:
            if room in there:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(there[room], number)

    def kill(self, *rooms):
        self.hurt = True
        self.ending |= set(self.process.rooms().values())
        # At once, so that none can clear away after another.
        self.signal(signal.SIGSTOP, *rooms)
        self.signal(signal.SIGKILL, *rooms)

    def stop(self):
        """Asks it to end, and does not wait; it is not started again."""
        self.wanted = False
        self.ending |= set(self.process.rooms().values())
        if self.running():
            self.process.send_signal(signal.SIGTERM)

    def look(self, now):
        """Restarts it if that is due. Returns an error, if any."""
        if self.running() or not self.wanted:
            return None
        if self.fallen_at is None:
            self.fallen_at = now
            status = self.process.popen.returncode
            if status == 0:
                return f"{self.name} ended by itself"
            if not self.hurt:
                return f"{self.name} fell by itself, status {status}: {self.last_words()}"
        elif now >= self.fallen_at + RESTART_AFTER and self.clear():
            self.start()
        return None

    def clear(self):
        """A service manager ends what is left of a service, such as rooms that were stopped, and
        waits until all of it is gone. A process that ends closes its descriptors, TUN devices
        among them, when it has neither title nor namespace any more."""
        for pid, title in self.process.node.processes().items():
            self.ending.add(pid)
            if title:
                self.left += 1
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.ending = set(filter(alive, self.ending))
        return not self.ending

    def last_words(self):
        return self.process.log().strip().rpartition("\n")[2]


class Chaos:
    """run() causes faults, and records them in counts."""

    def __init__(self, crowd, seed, say):
        self.crowd = crowd
        self.lab = crowd.lab
        self.random = random.Random(seed)
        self.say = say
        self.counts = collections.Counter()
        self.problems = []
        self.undo = []
        self.order = itertools.count()
        self.cut = set()
        self.before = {}
        self.server = None
        self.clients = []
        self.client_mischief = [
            (self.kill_room, 4), (self.kill_client, 2), (self.restart_client, 2),
            (self.hang_client, 1), (self.hup_client, 1), (self.readdress, 4), (self.cut_link, 4),
            (self.restart_nat, 2), (self.readdress_nat, 1), (self.change_password, 1)]
        self.server_mischief = [
            (self.restart_server, 3), (self.kill_server_room, 3), (self.kill_server, 2),
            (self.hang_server, 1), (self.hup_server, 2)]

    # --- start and end

    def begin(self, seconds=60):
        """Starts the server and all clients; returns after how many seconds each could ping."""
        for node in [self.lab.server, *[site.node for site in self.crowd.sites]]:
            self.before[node.name] = node.state()
        self.crowd.watch()
        self.server = Ward("server", lambda: self.crowd.server(wait=False))
        self.server.process.wait_ready()
        self.crowd.mark()
        self.clients = [Ward(site.user, lambda site=site: site.start(*KEEPALIVE))
                        for site in self.crowd.sites]
        return self.wait_all(seconds)

    def wait_all(self, seconds):
        """As the crowd's, while whatever falls is started again."""
        deadline = time.monotonic() + seconds * slow()
        while self.crowd.missing() and time.monotonic() < deadline:
            self.supervise()
            time.sleep(0.02)
        return self.crowd.wait_all(0)

    def supervise(self):
        now = time.monotonic()
        for ward in [self.server, *self.clients]:
            problem = ward.look(now)
            if problem:
                self.problems.append(problem)
        while self.undo and self.undo[0][0] <= now:
            heapq.heappop(self.undo)[2]()

    def later(self, seconds, action):
        heapq.heappush(self.undo, (time.monotonic() + seconds, next(self.order), action))

    def run(self, seconds):
        """Mischief for so long; at its end everything is mended."""
        end = time.monotonic() + seconds
        pace = min(max(len(self.clients) / 16, 2), 4)  # each second
        long = max(seconds / 10, 8)
        next_client = time.monotonic()
        next_server = time.monotonic() + self.random.uniform(0.2, 0.4) * long
        while (now := time.monotonic()) < end:
            self.supervise()
            if now >= next_client:
                self.do(self.client_mischief)
                next_client = now + self.random.expovariate(pace)
            if now >= next_server:
                self.do(self.server_mischief)
                next_server = now + self.random.uniform(0.3, 0.6) * long
            time.sleep(0.02)
        while self.undo:
            heapq.heappop(self.undo)[2]()
            time.sleep(0.01)

    def waits(self):
        """Why clients waited for long before an attempt: the words, and how often."""
        reasons = collections.Counter()
        for process in self.lab.started:
            for line in process.log().splitlines():
                match = re.search(r": (?:.*; )?([^:;]*); next attempt in about (\d+) s", line)
                if match and int(match.group(2)) >= 20:
                    reasons[match.group(1).strip()] += 1
        return reasons

    def do(self, choices):
        [action] = self.random.choices([action for action, _ in choices],
                                       [weight for _, weight in choices])
        if action():
            self.counts[action.__name__.replace("_", " ")] += 1

    def finish(self):
        """Ends all in order; nothing may be left, on either side."""
        for ward in self.clients:
            ward.stop()
        for ward in self.clients:
            if ward.process.wait(20) != 0 and not ward.hurt:
                self.problems.append(f"{ward.name} did not end in order: {ward.last_words()}")
        self.server.stop()
        if self.server.process.wait(20) != 0:
            self.problems.append(f"the server did not end in order: {self.server.last_words()}")
        for site in self.crowd.sites:
            before = self.before[site.node.name]
            before["files"] = sorted([*before["files"], "etc/dtcpclient.auth"])
            site.host = 10
            site.readdress()
            site.node.back_to(before)
        self.lab.server.back_to(self.before[self.lab.server.name])

    # --- what is done to a client

    def client(self):
        """One that runs."""
        return self.random.choice([*filter(Ward.running, self.clients)] or self.clients)

    def site(self, ward):
        return self.crowd.sites[self.clients.index(ward)]

    def kill_room(self):
        self.client().kill(self.random.choice(CLIENT_ROOMS))
        return True

    def kill_client(self):
        self.client().kill(*CLIENT_ROOMS)
        return True

    def restart_client(self):
        """As an administrator does it."""
        ward = self.client()
        ward.stop()
        self._start_when_ended(ward)
        return True

    def _start_when_ended(self, ward):
        process = ward.process
        deadline = time.monotonic() + 20 * slow()

        def look():
            if ward.process is not process:
                return  # more than one thing was done to it, and it has been started again since
            if ward.running() or not ward.clear():
                assert time.monotonic() < deadline, f"{ward.name} does not end"
                self.later(0.1, look)
                return
            ward.wanted = True
            ward.start()

        look()

    def hang_client(self):
        ward = self.client()
        ward.signal(signal.SIGSTOP, *CLIENT_ROOMS)
        self.later(self.random.uniform(0.5, 5),
                   lambda: ward.signal(signal.SIGCONT, *CLIENT_ROOMS))
        return True

    def hup_client(self):
        ward = self.client()
        if ward.running():
            ward.process.send_signal(signal.SIGHUP)
        return True

    def change_password(self):
        """The user's old session ends; the client is told the new password and started anew."""
        ward = self.client()
        site = self.site(ward)
        site.password = f"password {self.random.random()}"
        self.lab.users.passwd(site.user, site.password)
        ward.stop()
        self._start_when_ended(ward)
        return True

    # --- what is done to its network

    def readdress(self):
        site = self.random.choice(self.crowd.sites)
        site.readdress()
        return True

    def cut_link(self):
        site = self.random.choice(self.crowd.sites)
        if site in self.cut:
            return False
        self.cut.add(site)
        site.router.ip("link", "set", site.interface, "down")

        def mend():
            self.cut.discard(site)
            site.router.ip("link", "set", site.interface, "up")

        self.later(self.random.uniform(0.1, 4), mend)
        return True

    def restart_nat(self):
        """It forgets everything."""
        if not self.crowd.nats:
            return False
        self.random.choice(self.crowd.nats).forget(everything=True)
        return True

    def readdress_nat(self):
        """It gets another address, and so do the clients behind it."""
        if not self.crowd.nats:
            return False
        self.crowd.readdress_nat(self.random.choice(self.crowd.nats))
        return True

    # --- what is done to the server

    def restart_server(self):
        self.server.stop()
        self._start_when_ended(self.server)
        return True

    def kill_server_room(self):
        self.server.kill(self.random.choice(SERVER_ROOMS))
        return True

    def kill_server(self):
        self.server.kill(*SERVER_ROOMS)
        return True

    def hang_server(self):
        ward, process = self.server, self.server.process
        ward.signal(signal.SIGSTOP, *SERVER_ROOMS)

        def go_on():
            if ward.process is process:
                ward.signal(signal.SIGCONT, *SERVER_ROOMS)

        self.later(self.random.uniform(0.5, 3), go_on)
        return True

    def hup_server(self):
        if self.server.running():
            self.server.process.send_signal(signal.SIGHUP)
        return True

    # --- figures

    def memory(self):
        """{room: resident KiB} of the server."""
        found = {}
        for room, pid in self.server.process.rooms().items():
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                found[room] = next(int(line.split()[1]) for line in status
                                   if line.startswith("VmRSS"))
        return found

    def outages(self):
        """How many seconds those that are over have lasted, the shortest first."""
        return sorted(outage for site in self.crowd.sites for outage in site.outages)

    def report(self):
        """The faults, and how long the pings of a site were interrupted."""
        self.say("done: " + ", ".join(f"{name} {count}"
                                      for name, count in sorted(self.counts.items())))
        starts = sum(ward.starts for ward in self.clients)
        left = sum(ward.left for ward in [self.server, *self.clients])
        self.say(f"started: clients {starts}, server {self.server.starts}; "
                 f"processes still there when it was time to start again: {left}")
        if waits := self.waits():
            self.say("waits of 20 s and more: " + ", ".join(
                f"{words!r} {count}" for words, count in waits.most_common()))
        outages = self.outages()
        if outages:
            self.say(f"outages of a site, longer than a second: {len(outages)}, median "
                     f"{statistics.median(outages):.1f} s, worst {outages[-1]:.1f} s")


def spread(times):
    """The first, the middle and the last of sorted times, as text."""
    return (f"first {times[0]:.1f} s, half of them {times[(len(times) - 1) // 2]:.1f} s, "
            f"all {times[-1]:.1f} s")
