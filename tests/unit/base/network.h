/* SPDX-License-Identifier: BSD-2-Clause */
/* A network for tests with sockets, in which tunnels can end: on loopback they cannot. */
#ifndef DTCP_TESTS_UNIT_BASE_NETWORK_H
#define DTCP_TESTS_UNIT_BASE_NETWORK_H

#include <stdbool.h>

#define NETWORK_HERE "192.0.2.1"

/*
 * Gives this process a network of its own, in which every address of 192.0.2.0/24 leads to itself;
 * NETWORK_HERE is its own for whoever does not choose one. False where this machine lets nobody.
 */
bool network_make(void);

/* Gives it a folder of its own as well, empty, in place of one that is there. */
bool network_folder(const char *path);

#endif
