# SPDX-License-Identifier: BSD-2-Clause
"""What bash and zsh offer on the command lines of the programs."""

import re
import shlex

import pytest

from lab.fake import FakeDaemon, client_status, ok, session
from lab.node import command
from lab.programs import DTCPAUTH, DTCPCLIENT, DTCPCTL, DTCPS, PASSWORD
from lab.terminal import Terminal
from lab.wait import BUILD

pytestmark = pytest.mark.once

FOLDER = BUILD / "etc" / "completion"
PROGRAMS = {path.name: path for path in (DTCPS, DTCPCLIENT, DTCPCTL, DTCPAUTH)}
PATH = ":".join([*(str(path.parent) for path in PROGRAMS.values()), "/usr/bin", "/bin"])
# A line in each shell: what it would offer, one a line.
BASH = f"""
source {FOLDER}/dtcps
COMP_LINE=$1 COMP_POINT=${{#1}}
_dtcp_complete "${{1%% *}}"
[[ ${{#COMPREPLY[@]}} -eq 0 ]] || printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = f"""
compadd() {{ :; }}
_files() {{ :; }}
words=(false) CURRENT=1 PREFIX=''
source {FOLDER}/_dtcp
words=("${{(@z)1}}")
[[ $1 != *' ' ]] || words+=('')
_dtcp_lines "$words[1]" "$words[-1]" "${{(@)words[2,-2]}}"
"""


def offers(line, shell="bash", run=command):
    """Those that begin like the last word of the line; zsh has the same by itself."""
    words = ("bash", "--norc", "-c", BASH, "bash") if shell == "bash" else ("zsh", "-f", "-c", ZSH, "zsh")
    found = run("env", f"PATH={PATH}", "LC_ALL=C.UTF-8", *words, line).stdout.splitlines()
    begun = line.rpartition(" ")[2]
    return sorted(word for word in found if shell == "bash" or word.startswith(begun))


def help_of(program):
    return command(PROGRAMS[program], "--help").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_all_options_of_the_help(program, shell):
    options = sorted(re.findall(r"(?m)^  (--?[\w-]+)", help_of(program)))
    assert len(options) > 3
    assert sorted(set(offers(f"{program} -", shell))) == sorted(set(options))
    longs = sorted(option for option in options if option.startswith("--he"))
    assert offers(f"{program} --he", shell) == longs


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize("program", ["dtcpctl", "dtcpauth"])
def test_all_commands_of_the_help(program, shell):
    commands = set(re.findall(r"(?m)^  ([a-z]+)", help_of(program)))
    assert len(commands) > 4
    assert set(offers(f"{program} ", shell)) == commands
    # An option before it is none, with its value or without.
    before = "--json --socket /x" if program == "dtcpctl" else "--database /x"
    assert set(offers(f"{program} {before} ", shell)) == commands


# Each option that has a list of values, and what else of the command line it needs.
VALUES = {"dtcpclient": ["-t", "--transport", "--fast", "--tunnel", "--table", "--route", "--lan-dns",
                         "--lan-firewall"],
          "dtcpctl": ["--sort", "--transport", "--for"]}


@pytest.mark.parametrize("program, option", [(p, option) for p in VALUES for option in VALUES[p]])
def test_values_are_those_that_the_program_takes(program, option):
    found = offers(f"{program} {option} ")
    assert len(found) > 1 and found == offers(f"{program} {option} ", "zsh")
    for value in found:
        command(PROGRAMS[program], option, value, "--help")
    assert command(PROGRAMS[program], option, "no-such", "--help", check=False).returncode == 2
    assert offers(f"{program} {option} {found[0][:1]}") == \
        [value for value in found if value[0] == found[0][0]]
    if option.startswith("--"):
        # bash begins a word behind "=".
        assert offers(f"{program} {option}=") == found


def test_all_sort_keys():
    keys = re.search(r"--sort KEY +(.*) \(id\)", help_of("dtcpctl"))[1]
    assert offers("dtcpctl sessions --sort ") == sorted(re.split(", | or ", keys))


def test_all_settings_of_the_server():
    keys = re.findall(r"(?m)^([\w.]+):", command(DTCPS, "-o", "help").stdout)
    assert len(keys) > 20
    for shell in ("bash", "zsh"):
        assert offers("dtcps -o ", shell) == sorted(f"{key}=" for key in keys)
    assert offers("dtcps -o network.po") == ["network.pool="]
    assert offers("dtcps -o network.pool=") == []


def test_files(tmp_path):
    (tmp_path / "a.conf").write_text("")
    (tmp_path / "b.conf").write_text("")
    assert offers(f"dtcps -c {tmp_path}/") == [f"{tmp_path}/a.conf", f"{tmp_path}/b.conf"]
    assert offers(f"dtcpclient {tmp_path}/a") == [f"{tmp_path}/a.conf"]
    assert offers(f"dtcpauth --database {tmp_path}/b") == [f"{tmp_path}/b.conf"]
    assert offers("dtcpclient -p ") == offers("dtcps -p ") == []


@pytest.fixture
def node(lab):
    return lab.node("here")


def test_configurations_and_hosts_of_a_client(node):
    (node.dir / "etc" / "dtcp").mkdir()
    for name in ("home.conf", "office.conf", "README", "$(reboot).conf"):
        (node.dir / "etc" / "dtcp" / name).write_text("")
    expected = ["broker.example.net", "home", "localhost", "office"]
    for shell in ("bash", "zsh"):
        assert offers("dtcpclient ", shell, node.run) == expected
    assert offers("dtcpclient -u alice ho", run=node.run) == ["home"]


def test_users_and_instances_of_running_daemons(node):
    names = ["alice", "bob", "$(touch x)", "`id`", "a;b", "x|y", "-r"]
    rows = [{"session": session(number, user=name)} for number, name in enumerate(names)]
    folder = node.dir / "run" / "dtcp"
    daemons = [FakeDaemon(folder / "dtcps.sock", {"sessions": (rows, ok())}),
               FakeDaemon(folder / "dtcpclient-dtcp-home.sock",
                          {"status": ([], ok(status=client_status()))})]
    try:
        for shell in ("bash", "zsh"):
            for line in ("dtcpctl kick ", "dtcpctl session ", "dtcpctl sessions --user ",
                         "dtcpctl -i dtcps0 kick "):
                # What a shell would not take as it is, it is not given.
                assert offers(line, shell, node.run) == ["alice", "bob"], line
            assert offers("dtcpctl -i ", shell, node.run) == ["dtcp-home", "dtcps0"]
            assert offers("dtcpctl --instance ", shell, node.run) == ["dtcp-home", "dtcps0"]
            assert offers("dtcpctl log ", shell, node.run) == ["debug", "info"]
            assert offers("dtcpctl kick bob ", shell, node.run) == []
            assert offers("dtcpctl reload ", shell, node.run) == []
        assert offers("dtcpctl kick a", run=node.run) == ["alice"]
    finally:
        for daemon in daemons:
            daemon.close()
    assert offers("dtcpctl kick ", run=node.run) == []


def test_users_and_leases_of_the_database(tmp_path):
    database = f"--database {tmp_path}/users.db"
    for name in ("alice", "bob", "$(reboot)"):
        command(DTCPAUTH, *database.split(), "add", name, input=f"{PASSWORD}\n")
    for shell in ("bash", "zsh"):
        for words in ("del", "passwd", "show", "lease list", "lease drop"):
            assert offers(f"dtcpauth {database} {words} ", shell) == ["alice", "bob"], words
        assert offers(f"dtcpauth {database} lease ", shell) == ["drop", "list"]
        assert offers(f"dtcpauth {database} del bob ", shell) == []
        assert offers(f"dtcpauth {database} add bob ", shell) == []
    assert offers(f"dtcpauth {database} lease drop b") == ["bob"]


def test_keys_of_an_account(tmp_path):
    """Each of them is one of --help, and each value one that the program takes."""
    database = f"--database {tmp_path}/users.db"
    command(DTCPAUTH, *database.split(), "add", "alice", input=f"{PASSWORD}\n")
    keys = re.search(r"(?s)  set USER KEY=VALUE\.\.\.\n[^:]*: (.*?)\n  \w", help_of("dtcpauth"))[1]
    line = f"dtcpauth {database} set alice "
    for shell in ("bash", "zsh"):
        assert offers(line, shell) == sorted(f"{key}=" for key in re.findall(r"\w+", keys))
        assert offers(f"{line}note=x ty", shell) == ["types="]
        for key, count in (("types", 3), ("transports", 2), ("disabled", 2)):
            found = [word.removeprefix(f"{key}=") for word in offers(f"{line}{key}=", shell)]
            assert len(found) == count
            for value in found:
                command(DTCPAUTH, *database.split(), "set", "alice", f"{key}={value}")
    # bash begins a word behind "=".
    assert offers(f"{line}types=host,ne") == ["host,network"]
    assert offers(f"{line}types=host,ne", "zsh") == ["types=host,network"]
    command(DTCPAUTH, *database.split(), "set", "alice", "types=host,network")


def test_networks_of_a_client(node):
    node.ip("link", "add", "eth7", "type", "veth", "peer", "name", "wlan7")
    for shell in ("bash", "zsh"):
        assert offers("dtcpclient --lan et", shell, node.run) == ["eth7"]
        assert offers("dtcpclient --lan wlan0,et", shell, node.run) == ["wlan0,eth7"]


@pytest.mark.parametrize("shell, words, ready", [
    ("bash", ["bash", "--norc", "-i"], f"bind 'set show-all-if-ambiguous on'; source {FOLDER}/dtcps"),
    ("zsh", ["zsh", "-f", "-i"], f"fpath=({FOLDER} $fpath); autoload -U compinit; compinit -u -D")])
def test_at_a_terminal(tmp_path, shell, words, ready):
    """End to end, with a real shell and presses of the tab key."""
    terminal = Terminal(tmp_path, *words, environment={"PATH": PATH, "PS1": "@ ", "HOME": tmp_path})
    try:
        terminal.shows("@", f"{shell} is ready")
        terminal.keys(f"{ready}; echo $((6 * 7))", "Enter")
        terminal.shows(lambda lines: "42" in lines, "completion is loaded")
        terminal.keys("dtcpctl recon", "Tab", "x")
        terminal.shows("@ dtcpctl reconnect x", "the one command is completed, and a blank after it")
        terminal.keys("C-u", "dtcpctl sess", "Tab", "Tab")
        terminal.shows(lambda lines: any(line.split() == ["session", "sessions"] for line in lines),
                       "both are listed")
        terminal.keys("C-u", "dtcpctl --sort pa", "Tab", "x")
        terminal.shows("@ dtcpctl --sort path x", "a value is completed")
        # A setting goes on behind its "=".
        terminal.keys("C-u", "dtcps -o network.po", "Tab", "x")
        terminal.shows("@ dtcps -o network.pool=x", "a key is completed, and no blank after it")
        terminal.keys("C-u", f"dtcps -c {shlex.quote(str(FOLDER))}/dtc", "Tab")
        terminal.shows(f"{FOLDER}/dtcps", "a file is completed")
    finally:
        terminal.close()
