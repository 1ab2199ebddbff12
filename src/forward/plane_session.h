/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State of the data plane for each session: counters of probes, rate limiters, timers, its position
 * on a device. The session table allocates it, zeroed, with the session, and does not use it:
 * nothing here decides where packets go, or to whom they belong.
 *
 * Also adds sessions to the data plane and removes them: the table, the device and the path
 * monitor, in the right order.
 */
#ifndef DTCP_FORWARD_PLANE_SESSION_H
#define DTCP_FORWARD_PLANE_SESSION_H

#include "base/rate.h"
#include "forward/icmp6.h"
#include "forward/proof.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct device;
struct forward_session;
struct keepalive;
struct plane;
struct probing;
struct session;
struct trial;

struct plane_session {
	uint64_t added;		     /* time in milliseconds */
	struct rate reports;	     /* limits reports of moves to control */
	struct icmp6_limit icmp6;    /* limits errors about packets to it */
	struct probing *probing;     /* on a client only */
	struct keepalive *keepalive; /* protocol 41, if the ends of its link are known */
	struct trial *trial;	     /* on a client with --check, once there was a trial */
	struct in_addr local;	     /* client, UDP: destination of the last answer; 0: unknown */
	bool dead;		     /* path dead: until it recovers, forward handles all packets */
	/* device.c: */
	struct device *device;
	struct session *session; /* the session that this belongs to */
	TAILQ_ENTRY(plane_session) on_device;
	/* On the server, UDP: counters of probes, 0 before the first; time of the last hello. */
	uint64_t hello_counter;
	uint64_t answer_counter;
	uint64_t hello_at;  /* milliseconds */
	struct proof proof; /* of the peer's address; the table also knows whether it is proven */
};

/* Adds a session on its device, which may arrive later. Returns 0 or -errno. */
int plane_session_add(struct plane *plane, const struct forward_session *config);

/* Removes and frees it. */
void plane_session_remove(struct plane *plane, struct session *session);

/* Its device or socket has arrived: with both the session is up, which is reported. */
void plane_session_look(struct plane *plane, struct session *session);

/* The route may have changed: probes the far end, if the session has probing (clients). */
void plane_session_hurry(struct session *session);

/* Frees the path monitor. For the end of the plane. */
void plane_session_stop(struct session *session);

#endif
