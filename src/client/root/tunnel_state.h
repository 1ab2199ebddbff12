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
#ifndef DTCP_CLIENT_ROOT_TUNNEL_STATE_H
#define DTCP_CLIENT_ROOT_TUNNEL_STATE_H

#include "client/failure_log.h"
#include "client/msg.h"
#include "client/options.h"
#include "client/root/interface.h"
#include "client/root/lan.h"
#include "client/tunnel.h"
#include "netconf/interface_watch.h"
#include "netconf/script.h"
#include "process/supervisor.h"

/* What follows when the script has run. */
enum tunnel_want { TUNNEL_WANT_NOTHING, TUNNEL_WANT_RAISE, TUNNEL_WANT_LOWER };

/* Zero but for what root.c fills in, the first part. */
struct tunnel_state {
	const struct client_options *options;
	const char *user;
	char script_path[CLIENT_SCRIPT_SIZE]; /* as hook_find() has found it */
	struct event_base *base;
	struct supervisor *supervisor;
	/* The end of tunnel_state_raise(). Without ok everything is removed again, and it was
	 * logged. */
	void (*on_raised)(bool ok, void *arg);
	/* The end of tunnel_state_lower(). */
	void (*on_lowered)(void *arg);
	/* The tunnel that was up is gone: it could not be made again, and it was logged why. */
	void (*on_lost)(void *arg);
	void *arg;

	enum tunnel_phase phase;
	struct interface interface;
	struct lan *lan; /* NULL without --lan */
	struct script *script;
	struct client_tunnel tunnel;
	struct client_tunnel next; /* with TUNNEL_WANT_RAISE */
	enum tunnel_want want;
	/* It is gone and could not be made again, and what control asks for was still meant for it.
	 */
	bool lost;
	struct interface_watch *watch;
	struct failure_log failures; /* what has been said of failures since all was well */
};

/* Begins and ends to notice what others do to the interface. */
void tunnel_state_watch(struct tunnel_state *state);
void tunnel_state_unwatch(struct tunnel_state *state);

/* Whether a tunnel can be raised, or lowered, in this state. */
bool tunnel_state_can_raise(const struct tunnel_state *state);
bool tunnel_state_can_lower(const struct tunnel_state *state);

/* Where tunnel_state_can_raise() only. */
void tunnel_state_raise(struct tunnel_state *state, const struct client_tunnel *tunnel);

/* Where tunnel_state_can_lower() only. */
void tunnel_state_lower(struct tunnel_state *state);

/* Tells control how the interface is. */
void tunnel_state_tell_interface(const struct tunnel_state *state);

/* Does not wait any longer for a script that runs. */
void tunnel_state_hurry(struct tunnel_state *state);

/* A child has ended that is none of our processes: the script, perhaps. */
void tunnel_state_reaped(struct tunnel_state *state, pid_t pid, int status);

#endif
