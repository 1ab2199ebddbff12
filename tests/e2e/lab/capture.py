# SPDX-License-Identifier: BSD-2-Clause
"""Packets seen on an interface: written by tcpdump, read with scapy."""

import logging
import signal

logging.getLogger("scapy").setLevel(logging.ERROR)

# scapy fills its tables on import.
from scapy.error import Scapy_Exception  # noqa: E402
from scapy.layers.inet import IP, TCP  # noqa: E402,F401
from scapy.layers.inet6 import IPv6  # noqa: E402,F401
from scapy.utils import PcapReader  # noqa: E402

from .process import Process  # noqa: E402
from .wait import until  # noqa: E402


class Capture:
    """with Capture(node, "up0", "ip proto 41") as seen: ...

    Whole transfers are slow to write and slower to read: limit is how many packets are enough.
    """

    def __init__(self, node, interface, expression="", direction=None, limit=None):
        self.file = node.lab.dir / f"{node.name}-{interface}-{len(node.lab.started)}.pcap"
        more = [*(["-Q", direction] if direction else []), *(["-c", limit] if limit else [])]
        self.process = Process(node, f"tcpdump-{interface}", "tcpdump", "-i", interface, "-n", "-U",
                               "--immediate-mode", "-Z", "root", "-B", "8192", "-w", self.file,
                               *more, *([expression] if expression else []))
        self.process.wait_log("listening on")

    def packets(self):
        """The packets captured so far."""
        found = []
        try:
            with PcapReader(str(self.file)) as reader:
                for packet in reader:
                    found.append(packet)
        except (EOFError, Scapy_Exception):
            pass
        return found

    def wait_for(self, matches, what, seconds=15):
        """Waits until a packet is there for which matches(packet), and returns it."""
        return until(lambda: next((p for p in self.packets() if matches(p)), None), what, seconds)

    def stop(self):
        if self.process.running():
            self.process.stop(signal.SIGINT)
        return self.packets()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.running():
            self.stop()
