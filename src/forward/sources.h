/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources that are valid on a user's own device besides the session's own: those to which the
 * kernel has a route through that device (reverse path filter, RFC 3704, section 2.2). The kernel's
 * answers are cached briefly, in a table of fixed size: a packet costs one query at most, however
 * many sources, routes and devices there are.
 */
#ifndef DTCP_FORWARD_SOURCES_H
#define DTCP_FORWARD_SOURCES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Time after which a cached answer expires, milliseconds: changed routes take effect this fast. */
#define SOURCES_LIFETIME 500

/* Asks the kernel (netconf/reverse_path.h). */
typedef bool (*sources_ask)(int fd, const struct in6_addr *addr, unsigned int interface);

struct sources;

/* NULL if memory is short. ask may be NULL: then no source leads anywhere. */
struct sources *sources_new(const uint64_t key[static 2], sources_ask ask);
void sources_free(struct sources *sources);

/* Takes over the socket for the queries. Without one no source leads anywhere. */
void sources_set_socket(struct sources *sources, int fd);

/* Whether the kernel's route to addr leads to that interface. now is in milliseconds. */
bool sources_lead_to(struct sources *sources, const struct in6_addr *addr, unsigned int interface,
		     uint64_t now);

#endif
