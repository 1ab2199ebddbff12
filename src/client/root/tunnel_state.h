/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root process's tunnel: interface, script, guard and forward's device, in their order.
 *
 * Raising a tunnel while one is up replaces it: if the inner addresses are the same, the interface
 * stays, and the script runs only for changed values; otherwise the old one is removed first.
 *
 * Changes of the interface from outside are detected: a removed interface is made again, and
 * removed addresses and routes are restored.
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

/* What to do when the script has ended. */
enum tunnel_want { TUNNEL_WANT_NOTHING, TUNNEL_WANT_RAISE, TUNNEL_WANT_LOWER };

/* Zero except for the first part, which root.c fills in. */
struct tunnel_state {
	const struct client_options *options;
	const char *user;
	char script_path[CLIENT_SCRIPT_SIZE]; /* from hook_find() */
	struct event_base *base;
	struct supervisor *supervisor;
	/*
	 * The result of tunnel_state_raise(). If not ok, this was logged and everything is removed
	 * again.
	 */
	void (*on_raised)(bool ok, void *arg);
	/* tunnel_state_lower() is done. */
	void (*on_lowered)(void *arg);
	/* The tunnel was lost: it could not be made again, which was logged. */
	void (*on_lost)(void *arg);
	void *arg;

	enum tunnel_phase phase;
	struct interface interface;
	struct lan *lan; /* NULL without --lan */
	struct script *script;
	struct client_tunnel tunnel;
	struct client_tunnel next; /* with TUNNEL_WANT_RAISE */
	enum tunnel_want want;
	/* The tunnel was lost, and control's pending request still refers to it. */
	bool lost;
	struct interface_watch *watch;
	struct failure_log failures; /* failures logged since the last success */
};

/* Starts and stops watching the interface for changes from outside. */
void tunnel_state_watch(struct tunnel_state *state);
void tunnel_state_unwatch(struct tunnel_state *state);

/* Whether a tunnel can be raised, or lowered, in this state. */
bool tunnel_state_can_raise(const struct tunnel_state *state);
bool tunnel_state_can_lower(const struct tunnel_state *state);

/* Only if tunnel_state_can_raise(). */
void tunnel_state_raise(struct tunnel_state *state, const struct client_tunnel *tunnel);

/* Only if tunnel_state_can_lower(). */
void tunnel_state_lower(struct tunnel_state *state);

/* Sends control the state of the interface. */
void tunnel_state_tell_interface(const struct tunnel_state *state);

/* Stops waiting for a running script. */
void tunnel_state_hurry(struct tunnel_state *state);

/* A child has ended that is not in the table of processes: possibly the script. */
void tunnel_state_reaped(struct tunnel_state *state, pid_t pid, int status);

#endif
