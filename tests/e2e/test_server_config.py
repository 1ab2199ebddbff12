# SPDX-License-Identifier: BSD-2-Clause
"""dtcps.conf: where it is read from, what beats it, the sample, --check."""

import re
from pathlib import Path

from lab.programs import POOL, SERVICE

SAMPLE = Path(__file__).resolve().parents[2] / "etc" / "dtcps.conf"
MANUAL = SAMPLE.parents[1] / "man" / "dtcps.conf.5"
PLAIN = {"database": None, "host.prefix": None, "network.pool": None}


def config(lab, text, name="dtcps.conf"):
    """A file in the place where the server looks for it by itself."""
    path = lab.server.dir / "etc" / name
    path.write_text(text)
    return path


def test_the_default_file_is_read(internet):
    config(internet, f"""
        # the one of the node
        database = "{internet.users.path}"
        network {{ pool = {POOL} }}
        port = 20300
    """)
    server = internet.dtcps("-p", "20301", set={**PLAIN, "port": None}, wait=False)
    server.wait_log(rf"ready for logins port=20301 types=tunnelonly,network pool={POOL} transports=ipv6$")


def test_another_file_is_named(internet):
    config(internet, "nonsense")
    path = internet.file("other.conf", f"""
        database = {internet.users.path}
        host {{ prefix = "2001:db8:1::/64" }}
    """)
    server = internet.dtcps("-c", path, set=PLAIN)
    server.wait_log("ready for logins port=20200 types=tunnelonly,host host_prefix=2001:db8:1::/64 "
                    "transports=ipv6$")


def test_an_error_in_the_default_file_ends_the_start(internet):
    config(internet, "port = 20200\nmtu = 9000\nnothing = 1\n")
    server = internet.dtcps(wait=False)
    assert server.wait() == 2
    assert re.search(r'etc/dtcps\.conf:2: mtu: "9000": a number from 1280 to 1480', server.log())
    assert re.search(r"etc/dtcps\.conf:3: nothing: no such setting", server.log())


def test_check(internet):
    path = internet.file("a.conf", f"database = {internet.users.path}\n")

    def check(*words):
        server = internet.dtcps("--check", *words, set=PLAIN, wait=False)
        return server.wait(), server.log()

    assert check("-c", path) == (0, "dtcps: settings and database are in order\n")
    # Beside a server that runs, which it does not disturb.
    server = internet.dtcps()
    assert check("-c", path)[0] == 0
    assert server.running() and server.stop() == 0
    assert check("-c", path, "-p", "0")[0] == 2
    status, log = check("-c", path, "-o", f"database={internet.dir}/none.db")
    assert status == 2 and "no such database" in log
    status, log = check("-c", path, "--user", "nosuchuser")
    assert status == 2 and "no user nosuchuser" in log
    # A page in the middle is not what it was.
    with open(internet.users.path, "r+b") as file:
        file.seek(4096)
        file.write(b"\x55" * 4096)
    status, log = check("-c", path)
    assert status == 2 and re.search(r"users\.db: \S.*$", log.strip()), log


def test_sample_and_manual_have_every_key(internet):
    """The sample with all that it shows switched on is right, and names what the manual names."""
    text = re.sub(r"(?m)^(\s*)# ([a-z][\w.]* = )", r"\1\2", SAMPLE.read_text())
    text = re.sub(r"(?m)^database = .*$", f"database = {internet.users.path}", text)
    text = re.sub(r"(?m)^user = .*$", f"user = {SERVICE}", text)
    path = internet.file("sample.conf", text)
    server = internet.dtcps("--check", "-c", path, set=PLAIN, wait=False)
    assert server.wait() == 0, server.log()
    shown = set()
    section = ""
    for line in text.splitlines():
        if begins := re.match(r"(\w+) \{", line):
            section = begins.group(1) + "."
        elif line.startswith("}"):
            section = ""
        elif key := re.match(r"\s*([a-z][\w.]*) = ", line):
            shown.add(section + key.group(1))
    explained = dict(re.findall(r"(?ms)^\.It Cm (\S+)\n(.*?)(?=^\.It |^\.El)",
                                MANUAL.read_text()))
    server = internet.dtcps("-o", "help", wait=False)
    assert server.wait() == 0
    table = re.findall(r"(?m)^(\S+): .*?(?:, (\d+) to (\d+))?; default: (\S+?)(; live)?$",
                       server.log())
    assert shown == set(explained) == {row[0] for row in table}
    for key, least, most, default, live in table:
        # In one line, without macros and full stops.
        words = " ".join(re.sub(r"(?m)^\.[A-Z][a-z] |[.,;]?$", "", explained[key]).split())
        assert not most or re.search(rf"\b{most}\b", words), (key, words)
        assert f"Default: {default}" in words or default in ("none", "0.0.0.0") \
            and "Default:" in words, (key, words)
        assert ("Live" in words) == (live != ""), (key, words)
