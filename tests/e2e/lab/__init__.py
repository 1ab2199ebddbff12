# SPDX-License-Identifier: BSD-2-Clause
"""A small internet of network namespaces, and real programs in it.

    wait       conditions with a deadline; no test sleeps
    node       a namespace as a machine: its own network, /run and configuration folder
    process    a program that runs on a machine, its messages kept
    programs   dtcps, dtcpclient, dtcpauth
    topology   the machines and the wires between them
    nat        boxes that translate addresses, networks that lose packets
    wire       the protocol by hand, as a client and as a server
    manager    a service manager's ear
    capture    packets seen on an interface
    probe      probes and a client over UDP, by hand
    outside    hand-made packets in protocol 41
    traitor    rooms that have been taken over
    traffic    pings and transfers
    echo       many pings at a time
    clock      a wall clock that can be set
    crowd      many clients of one server
    chaos      mischief among them
"""
