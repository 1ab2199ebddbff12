# SPDX-License-Identifier: BSD-2-Clause
"""How busy this machine is."""

import os
import time

BUSY = 0.05  # a part of the processors that spoils figures


def machine_time():
    """(seconds busy, seconds in all) of all processors since the start."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(word) for word in stat.readline().split()[1:9]]
    hertz = os.sysconf("SC_CLK_TCK")
    return (sum(ticks) - ticks[3] - ticks[4]) / hertz, sum(ticks) / hertz


def others_busy():
    """The part of the processors that is taken before anything of ours runs."""
    before = machine_time()
    time.sleep(0.5)
    after = machine_time()
    return (after[0] - before[0]) / max(after[1] - before[1], 1e-9)


def warn_if_busy(busiest):
    if busiest > BUSY:
        print(f"\nThe machine was busy: others took up to {busiest:.0%} of its processors.")
