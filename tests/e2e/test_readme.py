# SPDX-License-Identifier: BSD-2-Clause
"""The commands of README, as they stand there: from a checkout to a page fetched over IPv6.

They run on the nodes of the lab, each with a /usr/local, an /etc, a /var/lib and a /var/run of its
own. sudo and apt are played: who runs the tests is root, and has what apt would bring.
"""

import os
import re
import signal
import urllib.request

import pytest

from lab.node import command
from lab.process import Process
from lab.topology import SERVER, SIX
from lab.wait import BUILD, REPO, until

TEXT = (REPO / "README.md").read_text()
PASSWORD = "PASSWORD"  # as README has it
SUDO = '#!/bin/sh\nexec "$@"\n'
APT = """#!/bin/sh
[ "$1" = install ] || exit 1
shift
for package; do
    case $package in
    nftables) command -v nft ;;
    *) command -v "$package" ;;
    esac || exit 1
done
"""
# In the mount namespace of the shell: what it starts has it as well, and it goes with the last.
MACHINE = """set -eu
mount --bind "$MACHINE/local" /usr/local
mount --bind "$MACHINE/lib" /var/lib
cp -a /etc/. "$MACHINE/etc"
mount --bind "$MACHINE/etc" /etc
cd "$CHECKOUT"
"""


def blocks():
    """The commands of the section, block by block."""
    section = TEXT[TEXT.index("## Set it up\n"):]
    section = section[:section.index("\n## ", 3)]
    return re.findall(r"(?ms)^```sh\n(.*?)^```$", section)


BOTH, AT_SERVER, AT_HOME, BEHIND, BOOT_SERVER, BOOT_HOME = blocks()


def machine(lab, node):
    folder = lab.dir / f"machine-{node.name}"
    for name in ("local/bin", "local/etc", "lib", "etc"):
        (folder / name).mkdir(parents=True)
    for name, text in (("sudo", SUDO), ("apt", APT)):
        (folder / "local" / "bin" / name).write_text(text)
        (folder / "local" / "bin" / name).chmod(0o755)
    return folder


def run(lab, node, *parts):
    """At most a minute; what is asked for is the password."""
    folder = machine(lab, node)
    script = lab.file(f"readme-{node.name}", MACHINE + "".join(parts))
    password = lab.file(f"password-{node.name}", f"{PASSWORD}\n")
    # All is built already, and other tests use it: make only looks whether something is missing.
    lab.variables.update(MACHINE=str(folder), CHECKOUT=str(REPO), BUILD=str(BUILD), NINJA="ninja -n")
    with open(password, "rb") as stdin:
        shell = Process(node, "readme", "sh", "-x", script, stdin=stdin)
    assert shell.wait(60) == 0, shell.log()
    return folder


def end(node, program):
    """As the manual pages say."""
    pid = int((node.dir / "run" / f"{program}.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    until(lambda: not [title for title in node.processes().values() if title.startswith(program)],
          f"{program} ends")


def test_three_commands_each():
    assert [len(block.splitlines()) for block in (BOTH, AT_SERVER, AT_HOME)] == [1, 3, 3]


@pytest.mark.once
@pytest.mark.slow(20)
@pytest.mark.skipif('"/usr/local/etc"' not in (BUILD / "config.h").read_text(),
                    reason="built for another prefix than README's")
def test_from_the_checkout_to_a_page(lab):
    lab.internet(nat=True, lan=True)
    lab.site.rename("lan0", "eth1")
    lab.server.sysctl("net.ipv6.conf.all.forwarding", 0)
    hosts = lab.site.dir / "hosts"
    hosts.write_text(f"{hosts.read_text()}{SERVER} tunnel.example.net\n")
    before = lab.site.ip("-6", "rule", "show")
    run(lab, lab.server, BOTH, AT_SERVER)
    home = run(lab, lab.site, BOTH, AT_HOME)
    try:
        assert oct((home / "local" / "etc" / "dtcpclient.auth").stat().st_mode & 0o777) == "0o600"
        until(lambda: lab.lan.addresses("eth0"), "a machine at home has an address", 30)
        behind = lab.file("behind", BEHIND)
        until(lambda: lab.lan.run("sh", "-e", behind, check=False).returncode == 0,
              "the server's own end answers")
        page = lab.dir / "page"
        page.mkdir()
        (page / "index.html").write_text("six\n")
        Process(lab.six, "web", "python3", "-m", "http.server", "--bind", SIX, "--directory", page, 8080)
        assert until(lambda: fetched(lab.lan), "a page is fetched") == b"six\n"
    finally:
        end(lab.site, "dtcpclient")
        end(lab.server, "dtcps")
    assert "dtcp0" not in lab.site.links()
    assert lab.site.ip("-6", "rule", "show") == before


def fetched(node):
    with node.inside():
        try:
            with urllib.request.urlopen(f"http://[{SIX}]:8080/", timeout=5) as answer:
                return answer.read()
        except OSError:
            return None


def test_commands_in_the_text(tmp_path):
    """What the text names besides is understood."""
    helps = {program: command(BUILD / "src" / folder / program, "--help").stdout
             for program, folder in (("dtcps", "server"), ("dtcpclient", "client"),
                                     ("dtcpauth", "tools"))}
    everything = "".join(helps.values())
    named = set()
    for span in re.findall(r"`([^`\n]+)`", TEXT):
        words = span.split()
        words = words[1:] if words[0] == "sudo" else words
        where = helps.get(words[0], everything)
        for option in [word for word in words if re.fullmatch(r"--?[a-zA-Z][a-z-]*", word)]:
            assert re.search(rf"(?<![-\w]){option}\b", where), span
            named.add(option)
    assert {"--check", "--suggest", "--lan", "--lan-open", "-l", "-D", "-U"} <= named | set(
        "".join(blocks()).split())
