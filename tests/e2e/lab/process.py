# SPDX-License-Identifier: BSD-2-Clause
"""Programs that run on a node. All of their messages are kept and shown when a test fails."""

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import termios
from pathlib import Path

from .node import alive, command, command_line
from .wait import until

# Numbers of epoll_wait, epoll_pwait and epoll_pwait2 on x86-64, and of epoll_pwait on ARM.
EPOLL_WAIT = {"232", "281", "441", "22"}


def _own_terminal():
    """Makes standard input the terminal of the new session (for password prompts)."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Process:
    def __init__(self, node, name, *words, stdin=None, terminal=None):
        self.node = node
        self.name = name
        self.words = [str(word) for word in words]
        self.path = node.lab.dir / f"{node.name}-{name}-{len(node.lab.started)}.log"
        with open(self.path, "wb") as log:
            self.popen = subprocess.Popen(
                node.words(*words), stdout=log, stderr=log,
                stdin=terminal if terminal is not None else stdin or subprocess.DEVNULL,
                start_new_session=True, env=node.lab.environment(),
                preexec_fn=_own_terminal if terminal is not None else None)
        node.lab.started.append(self)

    @property
    def pid(self):
        return self.popen.pid

    def log(self):
        return self.path.read_text(errors="replace")

    def mark(self):
        """The position in the messages at which the next one will begin."""
        return len(self.log())

    def wait_log(self, pattern, seconds=15, since=0):
        """Waits for a message and returns the match."""

        def found():
            match = re.search(pattern, self.log()[since:], re.MULTILINE)
            if not match and not self.running():
                # It may have written between the look and its end.
                match = re.search(pattern, self.log()[since:], re.MULTILINE)
                if not match:
                    raise AssertionError(f"{self.name} ended with status {self.popen.returncode} "
                                         f"before it said {pattern!r}")
            return match

        return until(found, f"{self.name} says {pattern!r}", seconds)

    def running(self):
        return self.popen.poll() is None

    def wait(self, seconds=15):
        """Waits for the end and returns the exit status."""
        until(lambda: not self.running(), f"{self.name} ends", seconds)
        return self.popen.returncode

    def send_signal(self, number):
        self.popen.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=15):
        """Asks it to end; returns the exit status."""
        if self.running():
            self.send_signal(number)
        return self.wait(seconds)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait()

    def rooms(self):
        """{title: pid} of its processes: {"monitor": 12, "control": 13, "forward": 14}."""
        found = {}
        program = Path(self.words[0]).name
        # A room has a child with its title for a moment at its start, which is younger.
        for pid in sorted(_family(self.pid)):
            with contextlib.suppress(OSError):
                match = re.match(rf"{program}: (\w+)", command_line(pid))
                if match:
                    found.setdefault(match.group(1), pid)
        return found

    @contextlib.contextmanager
    def held(self, *rooms):
        """Rooms stand still meanwhile, in their loops, so that they see all that is done as one."""
        pids = [self.rooms()[room] for room in rooms]
        try:
            for pid in pids:
                until(lambda pid=pid: _stop_in_loop(pid), f"{self.name} waits in its loop")
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def kill_all(self):
        """kill -9 of all its processes at the same moment, so that none can clear away after
        another. Returns when they have closed what they had open, a while after they left their
        namespaces."""
        stopped = set()
        while found := set(_family(self.pid)) - stopped:
            for pid in found:
                end_quietly(pid, signal.SIGSTOP)
            stopped |= found
        for pid in stopped:
            end_quietly(pid)
        assert self.wait() == -signal.SIGKILL
        until(lambda: not any(alive(pid) for pid in stopped), f"all of {self.name} ends")


def _stop_in_loop(pid):
    """Stops a process if it waits for events; in the middle of something it would be stopped between
    a look at the machine and what follows from it."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "T", "it stops")
    if Path(f"/proc/{pid}/syscall").read_text().split()[0] in EPOLL_WAIT:
        return True
    os.kill(pid, signal.SIGCONT)
    return False


def _family(pid):
    """The process and its descendants, except orphans."""
    found = [pid]
    for member in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{member}/task"):
                text = Path(f"/proc/{member}/task/{task}/children").read_text()
                found += map(int, text.split())
    return found


def status_field(pid, field):
    """A line of /proc/PID/status: "Uid", "CapEff"."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value.strip()
    raise KeyError(field)


def limit_descriptors(pid, number):
    """Sets the soft limit. Not every root may do so to another user's process; that user may."""
    user, group = (status_field(pid, field).split()[0] for field in ("Uid", "Gid"))
    command("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups",
            "prlimit", f"--pid={pid}", f"--nofile={number}:")


def end_quietly(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
