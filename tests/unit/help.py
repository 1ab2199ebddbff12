#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every option of the programs, and every command of those that have commands, has a line of its own
in --help and an entry in the manual page, in groups and within 80 columns; and nothing else has.

The arguments are the folder of the sources and the programs.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(sys.argv[1])
SOURCES = {"dtcpclient": "client/options.c", "dtcps": "server/options.c",
           "dtcpauth": "tools/auth_options.c", "dtcpctl": "tools/ctl*.c",
           "dtcpweb": "web/options.c"}
faults = []


def same(what, **said):
    """Both say the same of it."""
    (one, here), (other, there) = said.items()
    for option in sorted(here ^ there):
        faults.append(f"{what}: {option} is only in the {one if option in here else other}")


def client_table(settings):
    """The same for those that are made of the table of settings. What a letter says as well needs no
    word of its own, and what is switched on needs no value."""
    return {f"--{key}": kind != "YES_NO"
            for kind, key, rest in re.findall(
                r'(?ms)^\t(SETTING|NUMBER|YES_NO|FIELDS)\("([\w-]+)",(.*?)\),\n(?=\t[A-Z]|\})', settings)
            if ".letter" not in rest and key != "nat-check"}


def table(source):
    """{option: whether it takes a value}, from what getopt_long() is told."""
    found = {f"--{word}": takes == "required" for word, takes in re.findall(
        r'\{"([\w-]+)", (no|required)_argument, NULL, \w+\}', source)}
    letters = re.search(r'\.letters = ":([\w:]*)"', source)
    for letter, takes in re.findall(r"(\w)(:?)", letters[1] if letters else ""):
        found[f"-{letter}"] = takes == ":"
    return found


def entries(text):
    """[(group, option or command, value, text)] of --help."""
    found, group = [], None
    for line in text.splitlines():
        if heading := re.fullmatch(r"(\w.*):", line):
            group = heading[1]
        elif entry := re.fullmatch(r"  (--?[\w-]+|[a-z]\w+(?: [a-z]\w+)?)((?: \S+)*)(?:  +(.*))?", line):
            found.append([group, *entry.groups("")])
        elif re.match(r" {3,}\S", line) and found:
            found[-1][3] = (found[-1][3] + " " + line.strip()).strip()
    return found


def check(program, path):
    done = subprocess.run([path, "--help"], capture_output=True, text=True, check=True)
    source = "".join(file.read_text() for file in sorted((ROOT / "src").glob(SOURCES[program])))
    page = (ROOT / "man" / f"{program}.8").read_text()
    options = table(source)
    if program == "dtcpclient":
        options.update(client_table((ROOT / "src" / "client" / "settings.c").read_text()))
    if len(options) < 4:
        sys.exit(f"{program}: its table of options was not found in {SOURCES[program]}")
    found = entries(done.stdout)
    same(f"{program}, options", help={name for _, name, _, _ in found if name[0] == "-"},
         table=set(options))
    same(f"{program}, manual page", page={
        re.sub(r"^-", "--", name) if len(name) > 1 else f"-{name}"
        for line in re.findall(r"^\.It (Fl .*)", page, re.M)
        for name in re.findall(r"Fl (-?[\w-]+)", line.split(" Ar ")[0])
    } & set(options), table=set(options))
    commands = set(re.findall(r'\{\.name = "([a-z ]+)"', source))
    same(f"{program}, commands", help={name for _, name, _, _ in found if name[0] != "-"},
         table=commands)
    for group, name, value, text in found:
        if not group or not text:
            faults.append(f"{program}: {name} has no {'text' if group else 'group'}")
        if name in options and bool(value.strip()) != options[name]:
            faults.append(f"{program}: {name}{value}: whether it takes a value is not as in the table")
    if len({group for group, *_ in found}) < 3:
        faults.append(f"{program}: its help has no groups")
    for line in done.stdout.splitlines():
        if len(line) > 80 or line != line.rstrip():
            faults.append(f"{program}: too long, or a blank at its end: {line}")


for argument in sys.argv[2:]:
    check(Path(argument).name, argument)
if faults:
    sys.exit("\n".join(faults))
print("--help, manual pages and options agree")
