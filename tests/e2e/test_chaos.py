# SPDX-License-Identifier: BSD-2-Clause
"""A little of "make chaos": eight clients and some seconds of random faults. Whatever they were, all
clients must work again afterwards. The seed is in the figures at the end; bench/chaos takes it."""

import random

import pytest

from lab.chaos import Chaos, spread
from lab.crowd import Crowd

CLIENTS = 8
SECONDS = 8
# Who was unlucky several times in a row waits half a minute before the next attempt.
PATIENCE = 60


@pytest.mark.slow(15)
def test_chaos(lab, measured):
    seed = random.randrange(1 << 32)
    measured("mischief", f"seed {seed}")
    chaos = Chaos(Crowd(lab, CLIENTS), seed, lambda text: measured("mischief", text))
    chaos.begin()
    own = chaos.crowd.own()
    chaos.crowd.back_again()
    try:
        chaos.run(SECONDS)
        chaos.crowd.mark()
        measured("everybody is back after mischief", spread(chaos.wait_all(PATIENCE)))
    finally:
        chaos.report()
    chaos.crowd.back_again()
    assert chaos.crowd.own() == own
    chaos.finish()
    assert not chaos.problems, "\n".join(chaos.problems)
