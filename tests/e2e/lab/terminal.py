# SPDX-License-Identifier: BSD-2-Clause
"""A terminal with a simulated user, by tmux: keys go in, and the screen is read."""

import shlex

from .node import command
from .wait import until


class Terminal:
    """Runs one program, and shows "over STATUS" when it has ended. environment is that of the
    program."""

    def __init__(self, folder, *words, columns=80, lines=24, environment=()):
        self.socket = folder / "tmux"
        variables = {"LC_ALL": "C.UTF-8", "TERM": "tmux-256color", **dict(environment)}
        line = shlex.join(["env", "-u", "NO_COLOR", *(f"{k}={v}" for k, v in variables.items()),
                           *map(str, words)])
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", lines,
                   f"stty -g > {folder}/before; {line}; status=$?; stty -g > {folder}/after; "
                   "echo over $status; exec cat")
        self.folder = folder

    def _tmux(self, *words, check=True):
        # tmux writes UTF-8 only if it is told that it may.
        return command("env", "LC_ALL=C.UTF-8", "tmux", "-u", "-S", self.socket, *words,
                       check=check).stdout

    def close(self):
        self._tmux("kill-server", check=False)

    def keys(self, *keys):
        """Presses keys, by tmux's names for them: "q", "Escape", "Down"."""
        self._tmux("send-keys", *keys)

    def resize(self, columns, lines):
        self._tmux("resize-window", "-x", columns, "-y", lines)

    def lines(self):
        return self._tmux("capture-pane", "-p").splitlines()

    def coloured(self):
        """The screen with its colours."""
        return self._tmux("capture-pane", "-p", "-e")

    def shows(self, condition, what):
        """Waits until condition(lines) is true, or a text is somewhere; returns the lines."""

        def look():
            lines = self.lines()
            found = condition in "\n".join(lines) if isinstance(condition, str) else condition(lines)
            return lines if found else None

        return until(look, lambda: f"{what}; the screen is:\n" + "\n".join(self.lines()))

    def pid(self, program):
        """Of the program, which is a child of the shell."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}").strip()
        found = command("pgrep", "-P", shell, program, check=False).stdout.split()
        return int(found[0]) if found else None

    def is_over(self, status):
        """The program has ended like this, and the terminal is as it was before."""
        self.shows(f"over {status}", f"it ends with status {status}")
        assert self._tmux("display-message", "-p", "#{alternate_on}").strip() == "0"
        assert self._tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"
        assert (self.folder / "after").read_text() == (self.folder / "before").read_text()
