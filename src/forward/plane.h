/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data plane: its parts, and the counters. inbound.c has the way from the sockets to the TUN
 * devices, outbound.c the way back, and probing.c and keepalive.c forward's own packets.
 */
#ifndef DTCP_FORWARD_PLANE_H
#define DTCP_FORWARD_PLANE_H

#include "forward/coalesce.h"
#include "forward/counters.h"
#include "forward/device.h"
#include "forward/forward.h"
#include "forward/icmp6.h"
#include "forward/outer.h"
#include "forward/table.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* Reports to control. */
struct plane_reports {
	/* The session's packets pass: its device and the socket of its transport exist. */
	void (*up)(const struct session *session, void *arg);
	/* The session's peer has changed, or is no longer known. */
	void (*learned)(struct session *session, void *arg);
	/* The path is alive, for the first time or again; or dead. */
	void (*path)(const struct session *session, bool alive, void *arg);
	/* Client: its hellos have not been answered for 10 s, or for 10 s more. */
	void (*silent)(const struct session *session, void *arg);
	/* Client: packets over UDP now use another socket, with this port. */
	void (*port)(uint16_t port, void *arg);
	/* Client with --check: the result of a trial. */
	void (*result)(const struct forward_result *result, void *arg);
};

/* Size of the arena: fits into the processor's cache, and holds a few large packets. */
#define OUTBOUND_ARENA ((size_t)4 * OUTER_PACKET_SIZE)

struct fast;

struct plane {
	struct forward_config config;
	struct event_base *base;
	const struct plane_reports *reports;
	void *reports_arg;
	struct table *table;
	struct devices *devices;
	struct keepers *keepers;
	struct sources *sources;
	struct outer *outer[FORWARD_UDP + 1]; /* by transport; NULL until received */
	struct outer *candidate; /* client: sends hellos as well as the UDP socket; NULL: none */
	uint16_t candidate_port;
	uint8_t *arena; /* packets read from TUN, until they are sent */
	struct coalesce *coalesce;
	struct fast *fast;
	struct counters_page *counters; /* never NULL; our own until the shared page is received */
	size_t counters_mapped;		/* bytes to unmap; 0: our own */
	struct in6_addr icmp_source;
	struct icmp6_limit icmp6; /* for packets without a session */
};

/* Returns 0 or -ENOMEM; plane_close() must be called in either case. */
int plane_open(struct plane *plane, const struct forward_config *config, struct event_base *base,
	       const struct plane_reports *reports, void *arg);
void plane_close(struct plane *plane);

/* Sets the rate limit of ICMPv6 errors, a second for each kind and session; 0: none. */
void plane_set_icmp6_rate(struct plane *plane, uint32_t per_second);

/* Takes over the socket of a transport. Returns 0 or -errno. */
int plane_set_outer(struct plane *plane, enum forward_transport transport, int fd);

/*
 * Client: takes over another UDP socket, which has this port, replacing an earlier one that was not
 * answered; if the last hello was answered, it is not needed, and closed. Returns 0, or -EIO after
 * logging.
 */
int plane_set_candidate(struct plane *plane, uint16_t port, int fd);

/*
 * Client: uses this one of its two UDP sockets from now on, and closes the other. False if there
 * was no other.
 */
bool plane_choose(struct plane *plane, struct outer *chosen);

/* Continues counting in the shared page; closes fd. Returns 0 or -errno. */
int plane_set_counters(struct plane *plane, int fd);

/* The socket of a session; NULL until received. */
struct outer *plane_outer(const struct plane *plane, const struct session *session);

/* The counters of a session. */
struct session_counters *plane_counters(const struct plane *plane, const struct session *session);

/* Counts a dropped packet; session may be NULL. */
void plane_drop(struct plane *plane, const struct session *session, enum drop_reason reason);

#endif
