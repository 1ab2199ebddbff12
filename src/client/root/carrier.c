/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/carrier.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/root/hook.h"
#include "client/tunnel.h"
#include "forward/msg.h"

#include <arpa/inet.h>
#include <string.h>

/* Milliseconds after which a repair that failed is tried again. */
enum { CARRIER_RETRY_MS = 60000 };

static void carrier_describe(const struct carrier *carrier, struct client_guard *out)
{
	*out = (struct client_guard){.tunnel = carrier->tunnel};
	(void)strlcpy(out->script, carrier->script_path, sizeof(out->script));
	(void)strlcpy(out->user, carrier->user, sizeof(out->user));
	(void)strlcpy(out->interface, carrier->link.kept.name, sizeof(out->interface));
}

static void carrier_tell_guard(struct carrier *carrier, bool there)
{
	struct client_guard guard;

	carrier_describe(carrier, &guard);
	if (there)
		supervisor_send(carrier->supervisor, CLIENT_GUARD, CLIENT_MSG_GUARD, &guard,
				sizeof(guard), -1);
	else
		supervisor_send(carrier->supervisor, CLIENT_GUARD, CLIENT_MSG_UNGUARD, NULL, 0, -1);
}

/* Were monitor to die now, the guard would have to end the script before it runs its own. */
static void carrier_tell_script(struct carrier *carrier)
{
	const struct client_script script = {.pid = carrier->script ? script_pid(carrier->script)
								    : 0};

	supervisor_send(carrier->supervisor, CLIENT_GUARD, CLIENT_MSG_SCRIPT, &script,
			sizeof(script), -1);
}

/* Removes the tunnel; the script, if any, has run. */
static void carrier_remove(struct carrier *carrier)
{
	const struct forward_device device = {.index = 0};

	lan_lower(carrier->lan);
	link_down(&carrier->link);
	supervisor_send(carrier->supervisor, CLIENT_FORWARD, FORWARD_MSG_NO_DEVICE, &device,
			sizeof(device), -1);
	carrier_tell_guard(carrier, false);
	carrier->state = CARRIER_DOWN;
}

/* ICMPv6 errors of forward come from our own address, where the tunnel has one. */
static void carrier_tell_icmp(struct carrier *carrier)
{
	struct forward_icmp icmp = {.source = tunnel_link_local(&carrier->tunnel, carrier->user)};

	(void)tunnel_own_address(&carrier->tunnel, carrier->options, &icmp.source);
	supervisor_send(carrier->supervisor, CLIENT_FORWARD, FORWARD_MSG_ICMP, &icmp, sizeof(icmp),
			-1);
}

/* As it will be called when it is made. */
static void carrier_name_link(struct carrier *carrier)
{
	(void)strlcpy(carrier->link.kept.name, carrier->options->interface,
		      sizeof(carrier->link.kept.name));
}

/* In what is done again and again, the same failure is said once an hour. */
static bool carrier_is_news(const char *text, void *arg)
{
	struct carrier *carrier = arg;

	return repeat_failed(&carrier->repeat, text, true, clock_ms()) != REPEAT_HUSH;
}

static bool carrier_make_link(struct carrier *carrier)
{
	const struct client_options *options = carrier->options;
	const struct forward_device device = {.index = 0};
	int fd;

	if (options->no_device)
		return true;
	log_filter(carrier_is_news, carrier);
	/* The firewall is there first. */
	fd = lan_prepare(carrier->lan, &carrier->tunnel, carrier->link.kept.name)
		     ? link_up(&carrier->link, &carrier->tunnel)
		     : -1;
	log_filter(NULL, NULL);
	if (fd < 0)
		return false;
	lan_raise(carrier->lan);
	repeat_forget(&carrier->repeat);
	carrier_tell_icmp(carrier);
	supervisor_send(carrier->supervisor, CLIENT_FORWARD, FORWARD_MSG_DEVICE, &device,
			sizeof(device), fd);
	return true;
}

/* What others have done to the interface. */
static enum kept_state carrier_look(struct carrier *carrier)
{
	char old_name[IFNAMSIZ];
	enum kept_state state = kept_look(&carrier->link.kept, old_name);

	if (old_name[0] != '\0') {
		/* At once: were monitor to die now, the guard would remove what it knows of. */
		carrier_tell_guard(carrier, true);
		log_info("interface %s is called %s now", old_name, carrier->link.kept.name);
		lan_rename(carrier->lan, carrier->link.kept.name);
	}
	return state;
}

static void carrier_on_script(void *arg);

/* Runs the script for a state; where there is none to run, what comes after it comes at once. */
static void carrier_run_script(struct carrier *carrier, const char *state)
{
	struct client_guard told;

	/* What has just been done may not have been heard of yet. */
	if (carrier->link.kept.index != 0)
		(void)carrier_look(carrier);
	carrier_describe(carrier, &told);
	if (hook_wanted(carrier->options))
		carrier->script = hook_start(carrier->base, carrier->options, state, &told,
					     carrier_on_script, carrier);
	if (carrier->script)
		carrier_tell_script(carrier);
	else
		carrier_on_script(carrier);
}

/* Makes the tunnel of carrier->tunnel where there is none. */
static void carrier_make(struct carrier *carrier)
{
	carrier_name_link(carrier);
	/* Before anything is there that could be left behind. */
	carrier_tell_guard(carrier, true);
	if (!carrier_make_link(carrier)) {
		carrier_tell_guard(carrier, false);
		carrier->state = CARRIER_DOWN;
		carrier->raised(false, carrier->arg);
		return;
	}
	carrier->state = CARRIER_RAISING;
	carrier_run_script(carrier, "up");
}

/* --- what others do to the interface ------------------------------------------------------ */

/* Addresses and routes. */
static void carrier_restore(struct carrier *carrier)
{
	int result;

	log_filter(carrier_is_news, carrier);
	result = link_restore(&carrier->link, &carrier->tunnel);
	log_filter(NULL, NULL);
	if (result < 0)
		linkwatch_look_by(carrier->watch, clock_ms() + CARRIER_RETRY_MS);
	else
		repeat_forget(&carrier->repeat);
	if (result > 0)
		linkwatch_repaired(carrier->watch);
}

static void carrier_make_again(struct carrier *carrier)
{
	log_warnx("interface %s was removed by somebody; making it again", carrier->link.kept.name);
	link_down(&carrier->link);
	carrier_name_link(carrier);
	carrier_tell_guard(carrier, true);
	carrier->again = true;
	carrier->state = carrier_make_link(carrier) ? CARRIER_RAISING : CARRIER_LOWERING;
	carrier_run_script(carrier, carrier->state == CARRIER_RAISING ? "up" : "down");
}

static void carrier_on_look(void *arg)
{
	struct carrier *carrier = arg;

	carrier->overlooked = carrier->state != CARRIER_UP;
	if (carrier->overlooked || carrier->link.kept.index == 0)
		return;
	switch (carrier_look(carrier)) {
	case KEPT_GONE:
		linkwatch_repaired(carrier->watch);
		carrier_make_again(carrier);
		break;
	case KEPT_THERE:
		carrier_restore(carrier);
		break;
	case KEPT_SET_DOWN:
		break;
	}
}

static void carrier_on_touched(unsigned int index, void *arg)
{
	struct carrier *carrier = arg;

	if (index == 0 || index == carrier->link.kept.index)
		linkwatch_look_soon(carrier->watch);
}

void carrier_watch(struct carrier *carrier)
{
	const struct linkwatch_owner owner = {
		.touched = carrier_on_touched, .look = carrier_on_look, .arg = carrier};

	/* Without it the tunnel just does not work when somebody has removed its interface. */
	if (!carrier->options->no_device)
		carrier->watch = linkwatch_new(carrier->base, &owner);
}

void carrier_unwatch(struct carrier *carrier)
{
	linkwatch_free(carrier->watch);
}

/* --- up and down -------------------------------------------------------------------------- */

static void carrier_is_up(struct carrier *carrier, const char *what)
{
	char text[1000];

	carrier->state = CARRIER_UP;
	tunnel_describe(&carrier->tunnel, carrier->options, carrier->link.kept.name, text,
			sizeof(text));
	log_info("%s: %s", what, text);
	if (carrier->overlooked)
		linkwatch_look_soon(carrier->watch);
}

/* The script has run with "up": control hears of what it has asked for, or its next wish follows.
 */
static void carrier_is_raised(struct carrier *carrier)
{
	const struct client_tunnel next = carrier->next;
	const enum carrier_want want = carrier->want;
	bool again = carrier->again;

	carrier->again = false;
	carrier->want = CARRIER_WANT_NOTHING;
	carrier_is_up(carrier, "tunnel up");
	if (!again)
		carrier->raised(true, carrier->arg);
	else if (want == CARRIER_WANT_RAISE)
		carrier_raise(carrier, &next);
	else if (want == CARRIER_WANT_LOWER)
		carrier_lower(carrier);
}

/* The script has run with "down". What nobody has asked for is for control to decide on. */
static void carrier_is_lowered(struct carrier *carrier)
{
	const enum carrier_want want = carrier->want;

	carrier->unheard = carrier->again && want == CARRIER_WANT_NOTHING;
	carrier->again = false;
	carrier->want = CARRIER_WANT_NOTHING;
	carrier_remove(carrier);
	if (want == CARRIER_WANT_RAISE) {
		carrier->tunnel = carrier->next;
		carrier_make(carrier);
	} else if (carrier->unheard) {
		carrier->lost(carrier->arg);
	} else {
		carrier->lowered(carrier->arg);
	}
}

static void carrier_on_script(void *arg)
{
	struct carrier *carrier = arg;

	if (carrier->script) {
		carrier->script = NULL;
		carrier_tell_script(carrier);
	}
	if (carrier->state == CARRIER_RAISING)
		carrier_is_raised(carrier);
	else if (carrier->state == CARRIER_LOWERING)
		carrier_is_lowered(carrier);
}

/* Another session with the same inside: nothing that uses the tunnel notices. */
static void carrier_update(struct carrier *carrier, const struct client_tunnel *tunnel)
{
	bool told = tunnel_same_told(&carrier->tunnel, tunnel);

	carrier->tunnel = *tunnel;
	carrier_tell_guard(carrier, true);
	if (!carrier->options->no_device) {
		/* Has been logged; without it only the link-local address is an old one. */
		(void)link_update(&carrier->link, tunnel);
		carrier_tell_icmp(carrier);
		/* Whatever has happened unheard does not outlive the session. */
		linkwatch_look_soon(carrier->watch);
	}
	if (told) {
		carrier_is_up(carrier, "tunnel goes on");
		carrier->raised(true, carrier->arg);
		return;
	}
	carrier->state = CARRIER_RAISING;
	carrier_run_script(carrier, "up");
}

bool carrier_can_raise(const struct carrier *carrier)
{
	return carrier->state == CARRIER_DOWN || carrier_can_lower(carrier);
}

bool carrier_can_lower(const struct carrier *carrier)
{
	return carrier->state == CARRIER_UP || carrier->unheard ||
	       (carrier->again && carrier->want == CARRIER_WANT_NOTHING);
}

void carrier_raise(struct carrier *carrier, const struct client_tunnel *tunnel)
{
	carrier->unheard = false;
	if (carrier->state == CARRIER_DOWN) {
		carrier->tunnel = *tunnel;
		carrier_make(carrier);
	} else if (carrier->state == CARRIER_UP && tunnel_same_inside(&carrier->tunnel, tunnel)) {
		carrier_update(carrier, tunnel);
	} else {
		carrier->next = *tunnel;
		carrier->want = CARRIER_WANT_RAISE;
		if (!carrier->again) {
			carrier->state = CARRIER_LOWERING;
			carrier_run_script(carrier, "down");
		}
	}
}

void carrier_lower(struct carrier *carrier)
{
	if (carrier->again) {
		carrier->want = CARRIER_WANT_LOWER;
	} else if (carrier->unheard) {
		carrier->unheard = false;
		carrier->lowered(carrier->arg);
	} else {
		carrier->state = CARRIER_LOWERING;
		carrier_run_script(carrier, "down");
	}
}

void carrier_hurry(struct carrier *carrier)
{
	if (carrier->script)
		script_kill(carrier->script);
}

void carrier_reaped(struct carrier *carrier, pid_t pid, int status)
{
	if (!lan_reaped(carrier->lan, pid, status) && carrier->script)
		(void)script_reaped(carrier->script, pid, status);
}
