/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tunnel on root's side: interface, script, guard and forward's device, in their order.
 *
 * A tunnel that is raised while one is up takes its place: where the inside is the same, the
 * interface stays and the script hears only of what is new to it; else the old one goes first.
 *
 * What others do to the interface is noticed: one that was removed is made again, and addresses and
 * routes that were removed are put back.
 */
#ifndef DTCP_CLIENT_ROOT_CARRIER_H
#define DTCP_CLIENT_ROOT_CARRIER_H

#include "client/msg.h"
#include "client/options.h"
#include "client/repeat.h"
#include "client/root/lan.h"
#include "client/root/link.h"
#include "netconf/linkwatch.h"
#include "netconf/script.h"
#include "process/supervisor.h"

enum carrier_state {
	CARRIER_DOWN,
	CARRIER_RAISING, /* the script runs with "up" */
	CARRIER_UP,
	CARRIER_LOWERING, /* the script runs with "down" */
};

/* What follows when the script has run. */
enum carrier_want { CARRIER_WANT_NOTHING, CARRIER_WANT_RAISE, CARRIER_WANT_LOWER };

/* Zero but for what root.c fills in, the first part. */
struct carrier {
	const struct client_options *options;
	const char *user;
	char script_path[CLIENT_SCRIPT_SIZE]; /* as hook_find() has found it */
	struct event_base *base;
	struct supervisor *supervisor;
	/* The end of carrier_raise(). Without ok everything is removed again, and it was logged. */
	void (*raised)(bool ok, void *arg);
	/* The end of carrier_lower(). */
	void (*lowered)(void *arg);
	/* The tunnel that was up is gone: it could not be made again, and it was logged why. */
	void (*lost)(void *arg);
	void *arg;

	enum carrier_state state;
	struct link link;
	struct lan *lan; /* NULL without --lan */
	struct script *script;
	struct client_tunnel tunnel;
	struct client_tunnel next; /* with CARRIER_WANT_RAISE */
	enum carrier_want want;
	bool again;   /* the script runs since the interface was lost: control has asked nothing */
	bool unheard; /* that it was lost: what is asked for was meant for the one that was there */
	struct linkwatch *watch;
	bool overlooked;      /* a look was due while the script ran */
	struct repeat repeat; /* what has been said of failures since all was well */
};

/* Begins and ends to notice what others do to the interface. */
void carrier_watch(struct carrier *carrier);
void carrier_unwatch(struct carrier *carrier);

/* Whether a tunnel can be raised, or lowered, in this state. */
bool carrier_can_raise(const struct carrier *carrier);
bool carrier_can_lower(const struct carrier *carrier);

/* Where carrier_can_raise() only. */
void carrier_raise(struct carrier *carrier, const struct client_tunnel *tunnel);

/* Where carrier_can_lower() only. */
void carrier_lower(struct carrier *carrier);

/* Does not wait any longer for a script that runs. */
void carrier_hurry(struct carrier *carrier);

/* A child has ended that is no room: the script, perhaps. */
void carrier_reaped(struct carrier *carrier, pid_t pid, int status);

#endif
