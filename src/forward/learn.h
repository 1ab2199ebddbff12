/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the server learns the peers of its UDP sessions: docs/protocol.md, section 2.2. All rules for
 * that are here. No I/O, no clock.
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

/* A peer without a hello after this time is one without probes, milliseconds. */
#define LEARN_PATIENCE 5000

/* A peer that sends a hello every 20 s is gone after this time without one, milliseconds. */
#define LEARN_STALE 30000

struct learn {
	enum drop_reason drop;
	/* With DROP_NONE: */
	struct session *session;
	bool moved;		    /* its peer has changed */
	uint8_t answer[PROBE_SIZE]; /* to the arrival's peer, from the arrival's destination */
};

/*
 * Judges the probe that probe_read() has read from the arrival, and moves its session if necessary;
 * now in milliseconds, here and below.
 */
void learn_from_probe(struct table *table, const struct arrival *arrival, const struct probe *probe,
		      uint64_t now, struct learn *out);

/*
 * After a valid hello: makes another session with this session's peer unlearned, if that has not
 * sent a hello for long, and returns it; NULL when there are no more. Its packets would go to
 * somebody else, to whom a NAT has reassigned its port. A session whose address is unproven cannot
 * evict others.
 */
struct session *learn_evict(struct table *table, const struct session *session, uint64_t now);

/*
 * The session of a packet with this inner source from a peer that no session has: the one without
 * probes that is waiting there. NULL if there is none, or if it is ambiguous. now is in
 * milliseconds.
 */
struct session *learn_waiting(const struct table *table, const struct table_peer *peer,
			      const struct in6_addr *source, uint64_t now);

#endif
