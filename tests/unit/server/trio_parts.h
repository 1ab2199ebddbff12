/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of trio share. */
#ifndef DTCP_TESTS_UNIT_SERVER_TRIO_PARTS_H
#define DTCP_TESTS_UNIT_SERVER_TRIO_PARTS_H

#include "trio.h"

/* A message waits at the end of a channel's queue; fd, -1 for none, goes with it. */
void trio_push(enum trio_channel channel, uint32_t type, const void *body, size_t size, int fd);
/* The same from root to forward, with a descriptor, of the device with that index. */
void trio_push_fd(uint32_t type, uint32_t index, int fd);

/* A silent device's descriptor, and its other end. */
int trio_open_tun(int *other);

void trio_world_reset(void);

/* What a user has in the database. */
struct prefix6 trio_network_of(unsigned int user);
struct in6_addr trio_host_of(unsigned int user);
const char *trio_password(unsigned int user);

/* Neither a device nor a route is there for the user. */
bool trio_world_holds_nothing(unsigned int user);

#endif
