/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the data plane keeps of each session while packets go by: counters of probes, rate limiters,
 * timers, its place on a device. The session table makes it, all zero, together with the session,
 * and knows nothing of what is in it: nothing here decides where packets go to, or whose they are.
 *
 * And how a session comes into the data plane, and leaves it: the table, its device and what
 * watches its path, in the right order.
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
	uint64_t added;		     /* when, in milliseconds */
	struct rate reports;	     /* of moves, to control */
	struct icmp6_limit icmp6;    /* about packets to it */
	struct probing *probing;     /* on a client only */
	struct keepalive *keepalive; /* protocol 41, if the ends of its link are known */
	struct trial *trial;	     /* on a client that checks, once there was one */
	struct in_addr local;	     /* client, UDP: where the last answer came to; 0: not known */
	bool dead; /* nothing comes through: until it does, forward sees all packets */
	/* device.c: */
	struct device *device;
	struct session *session; /* the one that this belongs to */
	TAILQ_ENTRY(plane_session) on_device;
	/* On the server, UDP: counters of its probes, 0 before the first; and when that came. */
	uint64_t hello_counter;
	uint64_t answer_counter;
	uint64_t hello_at;  /* milliseconds */
	struct proof proof; /* of the peer's address; whether it is proven, the table knows too */
};

/* Takes a session in, on its device, which may still have to come. Returns 0 or -errno. */
int plane_session_add(struct plane *plane, const struct forward_session *config);

/* Removes and frees it. */
void plane_session_remove(struct plane *plane, struct session *session);

/* Its device or its socket has come: with both it is up, which is reported. */
void plane_session_look(struct plane *plane, struct session *session);

/* There is a way out, or it may be another one: a client, which has probing, asks the far end. */
void plane_session_hurry(struct session *session);

/* Frees what watches its path. For the end of the plane. */
void plane_session_stop(struct session *session);

#endif
