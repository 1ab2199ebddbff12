/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the server learns where the peers of its UDP sessions are: docs/protocol.md, section 2.2.
 * Every rule about that stands here. No I/O, no clock.
 */
#ifndef DTCP_FORWARD_LEARN_H
#define DTCP_FORWARD_LEARN_H

#include "forward/arrival.h"
#include "forward/counters.h"
#include "forward/table.h"
#include "proto/probe.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* A peer that has not said hello after so many milliseconds is one without probes. */
#define LEARN_PATIENCE 5000

/* One that says hello every 20 s and has not been heard for so long is not there any more. */
#define LEARN_STALE 30000

struct learn {
	enum drop_reason drop;
	/* With DROP_NONE: */
	struct session *session;
	bool moved;		    /* its peer is another one now */
	uint8_t answer[PROBE_SIZE]; /* to the arrival's peer, from where it was sent to */
};

/*
 * Judges what probe_read() has read from the arrival, and moves its session if that is due; now
 * in milliseconds, here and below.
 */
void learn_from_probe(struct table *table, const struct arrival *arrival, const struct probe *probe,
		      uint64_t now, struct learn *out);

/*
 * After a good hello: makes another session with this one's peer unlearned, if that has not said
 * hello for long, and returns it; NULL when there is no more of them. Its packets would go to
 * somebody else, to whom a NAT has given its port. Nobody who has not proven to be there can do
 * that to others.
 */
struct session *learn_evict(struct table *table, const struct session *session, uint64_t now);

/*
 * Whose a packet is that came from a peer which no session has, with this inner source: the one
 * without probes that waits there. NULL if there is none, or no telling which. now is in
 * milliseconds.
 */
struct session *learn_waiting(const struct table *table, const struct table_peer *peer,
			      const struct in6_addr *source, uint64_t now);

#endif
