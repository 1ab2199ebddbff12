# SPDX-License-Identifier: BSD-2-Clause
"""A wall clock of its own for the programs that are started after it."""

import struct

from .wait import BUILD


class WallClock:
    """What the programs of a lab take for the time of day. Only that: no administrator sets the
    clock that the kernel counts timeouts with."""

    def __init__(self, lab):
        self.path = lab.dir / "wallclock"
        self.path.write_bytes(bytes(8))
        lab.variables.update(LD_PRELOAD=str(BUILD / "tests" / "preload" / "wallclock.so"),
                             DTCP_WALLCLOCK=str(self.path))

    def shift(self, seconds):
        """So far from the real time, from now on."""
        # In place: the programs have the file mapped.
        with open(self.path, "r+b") as file:
            file.write(struct.pack("=q", seconds))
