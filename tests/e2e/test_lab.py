# SPDX-License-Identifier: BSD-2-Clause
"""The lab itself: what the other tests rely on."""

import threading

from lab.wait import until


def test_settled(lab):
    """A wire is there when packets pass and the kernel has given all addresses, not before."""
    one, two = lab.node("one"), lab.node("two")
    lab.wire(one, "up0", two, "up0")
    whole = one.state()
    assert any(interface == "up0" and address.startswith("fe80:")
               for interface, address, _ in whole["addresses"])
    # As it is for a moment after it was made, and longer on a busy machine.
    two.ip("link", "set", "up0", "down")
    one.ip("link", "set", "up0", "down")
    one.ip("link", "set", "up0", "up")
    assert one.state() != whole
    waiting = threading.Thread(target=one.settle, args=("up0",), daemon=True)
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    two.ip("link", "set", "up0", "up")
    until(lambda: not waiting.is_alive(), "it is settled")
    assert one.state() == whole
    # Nothing is waited for where it cannot come.
    one.ip("tuntap", "add", "dev", "tun0", "mode", "tun")
    one.ip("link", "set", "tun0", "up")
    one.ip("addr", "add", "2001:db8::1/64", "dev", "tun0")
    assert ("tun0", "2001:db8::1", 64) in one.state()["addresses"]
