/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/tunnel_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/root/hook.h"
#include "fastpath/fastpath.h"
#include "forward/msg.h"

#include <arpa/inet.h>
#include <string.h>

/* Milliseconds after which a failed repair is tried again. */
enum { TUNNEL_STATE_RETRY_MS = 60000 };

static void tunnel_state_describe(const struct tunnel_state *state, struct client_guard *out)
{
	*out = (struct client_guard){.tunnel = state->tunnel};
	(void)strlcpy(out->script, state->script_path, sizeof(out->script));
	(void)strlcpy(out->user, state->user, sizeof(out->user));
	(void)strlcpy(out->interface, state->interface.known.name, sizeof(out->interface));
}

static void tunnel_state_tell_guard(struct tunnel_state *state, bool there)
{
	struct client_guard guard;

	tunnel_state_describe(state, &guard);
	if (there)
		supervisor_send(state->supervisor, CLIENT_GUARD, CLIENT_MSG_GUARD, &guard,
				sizeof(guard), -1);
	else
		supervisor_send(state->supervisor, CLIENT_GUARD, CLIENT_MSG_UNGUARD, NULL, 0, -1);
}

/* If the root process died now, the guard would have to end the script before running its own. */
static void tunnel_state_tell_script(struct tunnel_state *state)
{
	const struct client_script script = {.pid = state->script ? script_pid(state->script) : 0};

	supervisor_send(state->supervisor, CLIENT_GUARD, CLIENT_MSG_SCRIPT, &script, sizeof(script),
			-1);
}

/* Removes the tunnel; the script, if any, has run. */
static void tunnel_state_remove(struct tunnel_state *state)
{
	const struct forward_device device = {.index = 0};

	lan_lower(state->lan);
	interface_down(&state->interface);
	supervisor_send(state->supervisor, CLIENT_FORWARD, FORWARD_MSG_NO_DEVICE, &device,
			sizeof(device), -1);
	tunnel_state_tell_guard(state, false);
	state->phase = TUNNEL_STATE_DOWN;
}

/* Sends forward the source of ICMPv6 errors: our own address, if the tunnel has one. */
static void tunnel_state_tell_icmp(struct tunnel_state *state)
{
	struct forward_icmp icmp = {.source = tunnel_link_local(&state->tunnel, state->user)};

	(void)tunnel_own_address(&state->tunnel, state->options, &icmp.source);
	supervisor_send(state->supervisor, CLIENT_FORWARD, FORWARD_MSG_ICMP, &icmp, sizeof(icmp),
			-1);
}

/* The name for the interface to be made. */
static void tunnel_state_name_interface(struct tunnel_state *state)
{
	(void)strlcpy(state->interface.known.name, state->options->interface,
		      sizeof(state->interface.known.name));
}

/* For repeated attempts, the same failure is logged once an hour. */
static bool tunnel_state_is_news(const char *text, void *arg)
{
	struct tunnel_state *state = arg;

	return failure_log_add(&state->failures, text, true, clock_ms()) != FAILURE_LOG_SUPPRESS;
}

static bool tunnel_state_make_interface(struct tunnel_state *state)
{
	const struct client_options *options = state->options;
	const struct forward_device device = {.index = 0};
	int fd;

	if (options->no_device)
		return true;
	log_filter(tunnel_state_is_news, state);
	/* The firewall comes first. */
	fd = lan_prepare(state->lan, &state->tunnel, state->interface.known.name)
		     ? interface_up(&state->interface, &state->tunnel)
		     : -1;
	log_filter(NULL, NULL);
	if (fd < 0)
		return false;
	lan_raise(state->lan);
	failure_log_reset(&state->failures);
	tunnel_state_tell_icmp(state);
	supervisor_send(state->supervisor, CLIENT_FORWARD, FORWARD_MSG_DEVICE, &device,
			sizeof(device), fd);
	return true;
}

/* Checks for changes of the interface from outside. */
static enum drift tunnel_state_look(struct tunnel_state *state)
{
	char old_name[IFNAMSIZ];
	enum drift drift = drift_look(&state->interface.known, old_name);

	if (old_name[0] != '\0') {
		/* At once: if the root process died now, the guard would use what it knows.
		 */
		tunnel_state_tell_guard(state, true);
		log_info("interface %s is called %s now", old_name, state->interface.known.name);
		lan_rename(state->lan, state->interface.known.name);
	}
	return drift;
}

static void tunnel_state_on_script(void *arg);

/* Runs the script for a state; if there is none, continues at once. */
static void tunnel_state_run_script(struct tunnel_state *state, const char *word)
{
	struct client_guard told;

	/* Notifications about our own changes may still be on the way. */
	if (state->interface.known.index != 0)
		(void)tunnel_state_look(state);
	tunnel_state_describe(state, &told);
	if (hook_wanted(state->options))
		state->script = hook_start(state->base, state->options, word, &told,
					   tunnel_state_on_script, state);
	if (state->script)
		tunnel_state_tell_script(state);
	else
		tunnel_state_on_script(state);
}

/* Makes the tunnel of state->tunnel if there is none. */
static void tunnel_state_make(struct tunnel_state *state)
{
	tunnel_state_name_interface(state);
	/* Before anything exists that could be left behind. */
	tunnel_state_tell_guard(state, true);
	if (!tunnel_state_make_interface(state)) {
		tunnel_state_tell_guard(state, false);
		state->phase = TUNNEL_STATE_DOWN;
		state->on_raised(false, state->arg);
		return;
	}
	state->phase = TUNNEL_STATE_RAISING;
	tunnel_state_run_script(state, "up");
}

/* --- changes of the interface from outside ------------------------------------------------ */

/* Addresses and routes. */
static void tunnel_state_restore(struct tunnel_state *state)
{
	int result;

	log_filter(tunnel_state_is_news, state);
	result = interface_restore(&state->interface, &state->tunnel);
	log_filter(NULL, NULL);
	if (result < 0)
		interface_watch_look_by(state->watch, clock_ms() + TUNNEL_STATE_RETRY_MS);
	else
		failure_log_reset(&state->failures);
	if (result > 0)
		interface_watch_repaired(state->watch);
}

static void tunnel_state_make_again(struct tunnel_state *state)
{
	log_warnx("interface %s was removed by somebody; making it again",
		  state->interface.known.name);
	interface_down(&state->interface);
	tunnel_state_name_interface(state);
	tunnel_state_tell_guard(state, true);
	state->lost = !tunnel_state_make_interface(state);
	if (state->lost)
		state->phase = TUNNEL_STATE_LOWERING;
	tunnel_state_run_script(state, state->lost ? "down" : "up");
}

static void tunnel_state_on_look(void *arg)
{
	struct tunnel_state *state = arg;

	/* Changes while the script runs are checked when the tunnel is up. */
	if (state->phase != TUNNEL_STATE_UP || state->script || state->interface.known.index == 0)
		return;
	switch (tunnel_state_look(state)) {
	case DRIFT_GONE:
		interface_watch_repaired(state->watch);
		tunnel_state_make_again(state);
		break;
	case DRIFT_NONE:
		tunnel_state_restore(state);
		break;
	case DRIFT_SET_DOWN:
		break;
	}
}

static void tunnel_state_on_touched(unsigned int index, void *arg)
{
	struct tunnel_state *state = arg;

	if (index == 0 || index == state->interface.known.index)
		interface_watch_look_soon(state->watch);
}

void tunnel_state_watch(struct tunnel_state *state)
{
	const struct interface_watch_owner owner = {
		.touched = tunnel_state_on_touched, .look = tunnel_state_on_look, .arg = state};

	/* Without it, a removed interface is just not repaired. */
	if (!state->options->no_device)
		state->watch = interface_watch_new(state->base, &owner);
}

void tunnel_state_unwatch(struct tunnel_state *state)
{
	interface_watch_free(state->watch);
}

/* --- up and down -------------------------------------------------------------------------- */

static void tunnel_state_is_up(struct tunnel_state *state, bool kept)
{
	struct log_record record;

	state->phase = TUNNEL_STATE_UP;
	log_record_begin(&record, LOG_INFO, kept ? "tunnel-kept" : "tunnel-up",
			 kept ? "tunnel goes on" : "tunnel up");
	tunnel_describe(&state->tunnel, state->options, state->interface.known.name, &record);
	log_event(&record);
	interface_watch_look_soon(state->watch);
}

/* The script has run with "up" for a repaired interface: control's pending request follows. */
static void tunnel_state_is_up_again(struct tunnel_state *state)
{
	const struct client_tunnel next = state->next;
	const enum tunnel_want want = state->want;

	state->want = TUNNEL_WANT_NOTHING;
	tunnel_state_is_up(state, false);
	if (want == TUNNEL_WANT_RAISE)
		tunnel_state_raise(state, &next);
	else if (want == TUNNEL_WANT_LOWER)
		tunnel_state_lower(state);
}

/* The script has run with "down". If that was not requested, control decides what follows. */
static void tunnel_state_is_lowered(struct tunnel_state *state)
{
	const enum tunnel_want want = state->want;

	state->lost &= want == TUNNEL_WANT_NOTHING;
	state->want = TUNNEL_WANT_NOTHING;
	tunnel_state_remove(state);
	if (want == TUNNEL_WANT_RAISE) {
		state->tunnel = state->next;
		tunnel_state_make(state);
	} else if (state->lost) {
		state->on_lost(state->arg);
	} else {
		state->on_lowered(state->arg);
	}
}

static void tunnel_state_on_script(void *arg)
{
	struct tunnel_state *state = arg;

	if (state->script) {
		state->script = NULL;
		tunnel_state_tell_script(state);
	}
	if (state->phase == TUNNEL_STATE_RAISING) {
		tunnel_state_is_up(state, false);
		state->on_raised(true, state->arg);
	} else if (state->phase == TUNNEL_STATE_UP) {
		tunnel_state_is_up_again(state);
	} else {
		tunnel_state_is_lowered(state);
	}
}

/* Another session with the same inner addresses: users of the tunnel do not notice. */
static void tunnel_state_update(struct tunnel_state *state, const struct client_tunnel *tunnel)
{
	bool told = tunnel_same_for_script(&state->tunnel, tunnel);

	state->tunnel = *tunnel;
	tunnel_state_tell_guard(state, true);
	if (!state->options->no_device) {
		/* Logged; then only the link-local address is outdated. */
		(void)interface_update(&state->interface, tunnel);
		tunnel_state_tell_icmp(state);
	}
	if (told) {
		tunnel_state_is_up(state, true);
		state->on_raised(true, state->arg);
		return;
	}
	state->phase = TUNNEL_STATE_RAISING;
	tunnel_state_run_script(state, "up");
}

bool tunnel_state_can_raise(const struct tunnel_state *state)
{
	return state->phase == TUNNEL_STATE_DOWN || tunnel_state_can_lower(state);
}

bool tunnel_state_can_lower(const struct tunnel_state *state)
{
	return state->want == TUNNEL_WANT_NOTHING &&
	       (state->phase == TUNNEL_STATE_UP || state->lost);
}

void tunnel_state_raise(struct tunnel_state *state, const struct client_tunnel *tunnel)
{
	bool up = state->phase == TUNNEL_STATE_UP && !state->script;

	if (state->phase == TUNNEL_STATE_DOWN) {
		state->lost = false;
		state->tunnel = *tunnel;
		tunnel_state_make(state);
		return;
	}
	if (up && tunnel_same_inside(&state->tunnel, tunnel)) {
		tunnel_state_update(state, tunnel);
		return;
	}
	state->next = *tunnel;
	state->want = TUNNEL_WANT_RAISE;
	if (up) {
		state->phase = TUNNEL_STATE_LOWERING;
		tunnel_state_run_script(state, "down");
	}
}

void tunnel_state_lower(struct tunnel_state *state)
{
	if (state->script) {
		state->want = TUNNEL_WANT_LOWER;
	} else if (state->phase == TUNNEL_STATE_DOWN) {
		state->lost = false;
		state->on_lowered(state->arg);
	} else {
		state->phase = TUNNEL_STATE_LOWERING;
		tunnel_state_run_script(state, "down");
	}
}

void tunnel_state_tell_interface(const struct tunnel_state *state)
{
	const struct fastpath *fast = state->interface.fast;
	struct client_interface interface = {.kernel = fast && !fastpath_is_paused(fast)};

	/* The last name no longer applies. */
	(void)strlcpy(interface.name,
		      state->phase == TUNNEL_STATE_DOWN ? state->options->interface
							: state->interface.known.name,
		      sizeof(interface.name));
	supervisor_send(state->supervisor, CLIENT_CONTROL, CLIENT_MSG_INTERFACE, &interface,
			sizeof(interface), -1);
}

void tunnel_state_hurry(struct tunnel_state *state)
{
	if (state->script)
		script_kill(state->script);
}

void tunnel_state_reaped(struct tunnel_state *state, pid_t pid, int status)
{
	if (!lan_reaped(state->lan, pid, status) && state->script)
		(void)script_reaped(state->script, pid, status);
}
