# SPDX-License-Identifier: BSD-2-Clause
"""A small Debian with a systemd of its own, which has a node's network. It sees our programs and
units as they are installed."""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from .node import alive, command
from .process import end_quietly
from .programs import DTCPAUTH, DTCPCLIENT, DTCPS, DTCPWEB
from .wait import BUILD, until

PACKAGES = "systemd,systemd-sysv,iproute2,procps,radvd,nftables"
DEVICES = "null zero full random urandom tty net/tun"

# With the folder of the tree, and one for what is written to it. Nothing of it is seen outside.
START = """
set -eu
base=$1
own=$2
mount --make-rprivate /
mount -t overlay -o "lowerdir=$base,upperdir=$own/upper,workdir=$own/work" overlay "$own/root"
cd "$own/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/net dev/pts dev/shm
for device in $3; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
pivot_root . mnt
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
    sh -c 'umount -l /mnt && exec /lib/systemd/systemd --show-status=no'
"""


def mirror():
    """Where this Debian gets its packages from, and its name."""
    text = Path("/etc/os-release").read_text()
    name = re.search(r"(?m)^VERSION_CODENAME=(\S+)$", text).group(1)
    lines = command("apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)",
                    "Created-By: Packages").stdout.splitlines()
    sites = [line.split()[0] for line in lines if line.endswith(f" {name}")]
    return sites[0], name


def libraries(program):
    """Debian's packages of the libraries that the program is linked with."""
    paths = re.findall(r"=> (/\S+)", command("ldd", program).stdout)
    found = set()
    for path in paths:
        for name in (os.path.realpath(path), path, os.path.realpath(path).removeprefix("/usr")):
            result = command("dpkg", "-S", name, check=False)
            if result.returncode == 0:
                found.add(result.stdout.split(":")[0])
                break
    return found


def tree(*programs):
    """The folder of a Debian which these programs can run in, and all others that tests boot: one
    that is there is not made anew while somebody uses it."""
    needed = map(libraries, {DTCPAUTH, DTCPCLIENT, DTCPS, DTCPWEB, *programs})
    wanted = ",".join([PACKAGES, *sorted(set.union(*needed))])
    path = BUILD / "debian"
    with open(BUILD / "debian.lock", "w") as lock:
        # Tests run beside each other.
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = path / "complete"
        there = complete.read_text() if complete.exists() else ""
        if not set(wanted.split(",")) <= set(there.split(",")):
            wanted = ",".join(sorted({*wanted.split(","), *filter(None, there.split(","))}))
            shutil.rmtree(path, ignore_errors=True)
            site, name = mirror()
            command("debootstrap", "--variant=minbase", f"--include={wanted}", name, path, site)
            complete.write_text(wanted)
    return path


class Machine:
    """On a node of the lab. boot() and crash() it as often as you like: what is written stays."""

    def __init__(self, lab, node, *programs):
        self.base = tree(*programs)
        self.node = node
        self.lab = lab
        self.own = lab.disk("256m")
        for name in ("upper", "work", "root"):
            (self.own / name).mkdir()
        self.installed = self.own / "upper"
        meson = os.environ.get("MESON", "/usr/bin/meson")
        command(meson, "install", "--no-rebuild", "--quiet", "-C", BUILD, "--destdir",
                self.installed)
        self.popen = self.init = self.log = None
        groups = re.search(r"(?m)^\S+ (\S+) cgroup2 ", Path("/proc/mounts").read_text()).group(1)
        self.group = Path(groups) / f"dtcp-{os.getpid()}-{lab.number}-{node.name}"
        lab.closing.append(self.crash)

    def boot(self):
        self.group.mkdir(exist_ok=True)
        self.log = open(self.lab.dir / f"machine-{self.node.name}.log", "ab")
        self.popen = subprocess.Popen(
            ["sh", "-c", f'echo $$ >{self.group}/cgroup.procs && exec "$@"', "sh",
             "nsenter", f"--net=/run/netns/{self.node.ns}",
             "unshare", "--fork", "--kill-child", "--pid", "--mount", "--uts", "--ipc", "--cgroup",
             "sh", "-c", START, "sh", self.base, self.own, DEVICES],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.init = until(self._child, "the machine has its first process")
        until(lambda: self.systemctl("is-system-running", check=False).stdout.strip()
              in ("running", "degraded"), self._state, 60)

    def _child(self):
        text = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children").read_text()
        return int(text.split()[0]) if text.strip() else None

    def _state(self):
        said = (self.lab.dir / f"machine-{self.node.name}.log").read_text(errors="replace")
        return f"the machine has started; {said[-3000:]}{self.jobs()}"

    def jobs(self):
        return self.systemctl("list-jobs", check=False).stdout

    def run(self, *words, **more):
        return command("nsenter", f"--target={self.init}", "--mount", "--uts", "--ipc", "--pid",
                       "--net", "--cgroup", "--root", "--wd", *words, **more)

    def systemctl(self, *words, **more):
        return self.run("systemctl", *words, **more)

    def show(self, unit, name):
        return self.systemctl("show", f"--property={name}", unit).stdout.strip().split("=", 1)[1]

    def journal(self, unit):
        """The lines written by the unit's processes only."""
        return self.run("journalctl", "--quiet", "--output=cat",
                        f"_SYSTEMD_UNIT={unit}").stdout.splitlines()

    def everything(self):
        """What anybody has written to the journal. A process that ends at once may be gone when it
        is asked for its unit."""
        return self.run("journalctl", "--quiet", "--output=cat").stdout

    def write(self, path, text, mode=0o644):
        """A file of the machine."""
        inside = Path(f"/proc/{self.init}/root{path}")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.write_text(text)
        inside.chmod(mode)

    def crash(self):
        """Simulates a power failure."""
        if self.popen is None:
            return
        if self.init:
            end_quietly(self.init)
        end_quietly(self.popen.pid)
        self.popen.wait()
        until(lambda: not self.init or not alive(self.init), "the machine is off")
        self.popen = self.init = None
        self.log.close()
        for folder, _, _ in os.walk(self.group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def kill(self, unit, number=signal.SIGKILL):
        """The main process of a unit, alone."""
        self.run("kill", f"-{int(number)}", self.show(unit, "MainPID"))
