# SPDX-License-Identifier: BSD-2-Clause
"""Clocks of their own for the programs that are started after them."""

import struct

from .wait import BUILD


class Clocks:
    """What the programs of a lab take for the time of day, how long they think that their machines
    have slept, and how many seconds pass for them in one of ours."""

    def __init__(self, lab, speed=1):
        self.path = lab.dir / "clocks"
        self.set = self.slept = 0
        self.speed = speed
        self._write("wb")
        lab.variables.update(LD_PRELOAD=str(BUILD / "tests" / "preload" / "clocks.so"),
                             DTCP_CLOCKS=str(self.path))

    def _write(self, mode="r+b"):
        # In place: the programs have the file mapped.
        with open(self.path, mode) as file:
            file.write(struct.pack("=qqq", self.set, self.slept, self.speed))

    def shift(self, seconds):
        """The wall clock is so far from the real time, from now on. Only that: no administrator
        sets the clock that the kernel counts timeouts with."""
        self.set = seconds
        self._write()

    def sleep(self, seconds):
        """The machines have slept for so long, and wake now."""
        self.slept += seconds
        self._write()
