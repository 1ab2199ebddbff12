# SPDX-License-Identifier: BSD-2-Clause
"""Clocks of their own for the programs that are started after them."""

import struct

from .wait import BUILD


class Clocks:
    """What the programs of a lab take for the time of day, and how long they think that their
    machines have slept."""

    def __init__(self, lab):
        self.path = lab.dir / "clocks"
        self.set = self.slept = 0
        self.path.write_bytes(bytes(16))
        lab.variables.update(LD_PRELOAD=str(BUILD / "tests" / "preload" / "clocks.so"),
                             DTCP_CLOCKS=str(self.path))

    def _write(self):
        # In place: the programs have the file mapped.
        with open(self.path, "r+b") as file:
            file.write(struct.pack("=qq", self.set, self.slept))

    def shift(self, seconds):
        """The wall clock is so far from the real time, from now on. Only that: no administrator
        sets the clock that the kernel counts timeouts with."""
        self.set = seconds
        self._write()

    def sleep(self, seconds):
        """The machines have slept for so long, and wake now."""
        self.slept += seconds
        self._write()
