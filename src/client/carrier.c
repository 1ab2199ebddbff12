/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/carrier.h"

#include "base/log.h"
#include "client/hook.h"
#include "client/tunnel.h"
#include "forward/msg.h"

#include <arpa/inet.h>
#include <string.h>

static void carrier_tell(struct carrier *carrier, struct ipc *ipc, uint32_t type, const void *body,
			 size_t size, int fd)
{
	int error = ipc_send(ipc, type, body, size, fd);

	if (error) {
		log_warnx("cannot send to a room: %s", strerror(-error));
		carrier->failed(carrier->arg);
	}
}

static void carrier_tell_guard(struct carrier *carrier, bool there)
{
	const struct client_none none = {0};
	struct client_guard guard = {.tunnel = carrier->tunnel};

	(void)strlcpy(guard.user, carrier->user, sizeof(guard.user));
	if (there)
		carrier_tell(carrier, carrier->guard, CLIENT_MSG_GUARD, &guard, sizeof(guard), -1);
	else
		carrier_tell(carrier, carrier->guard, CLIENT_MSG_UNGUARD, &none, sizeof(none), -1);
}

/* Were monitor to die now, the guard would have to end the script before it runs its own. */
static void carrier_tell_script(struct carrier *carrier)
{
	const struct client_script script = {.pid = carrier->script ? script_pid(carrier->script)
								    : 0};

	carrier_tell(carrier, carrier->guard, CLIENT_MSG_SCRIPT, &script, sizeof(script), -1);
}

/* Removes the tunnel; the script, if any, has run. */
static void carrier_remove(struct carrier *carrier)
{
	const struct forward_device device = {.index = 0};

	link_down(&carrier->link);
	if (carrier->forward)
		carrier_tell(carrier, carrier->forward, FORWARD_MSG_NO_DEVICE, &device,
			     sizeof(device), -1);
	carrier_tell_guard(carrier, false);
	carrier->state = CARRIER_DOWN;
}

/* ICMPv6 errors of forward come from our own address, where the tunnel has one. */
static void carrier_tell_icmp(struct carrier *carrier)
{
	struct forward_icmp icmp = {.source = tunnel_link_local(&carrier->tunnel)};

	(void)tunnel_own_address(&carrier->tunnel, carrier->options, &icmp.source);
	carrier_tell(carrier, carrier->forward, FORWARD_MSG_ICMP, &icmp, sizeof(icmp), -1);
}

static bool carrier_make_link(struct carrier *carrier)
{
	const struct client_options *options = carrier->options;
	const struct forward_device device = {.index = 0};
	int fd;

	if (options->no_device)
		return true;
	if (!tunnel_address_fits(&carrier->tunnel, options)) {
		char text[INET6_ADDRSTRLEN];

		log_warnx("--address %s: not inside the prefix that the server gave; what is "
			  "sent from it would be dropped there",
			  inet_ntop(AF_INET6, &options->address, text, sizeof(text)));
		return false;
	}
	if (options->has_address && carrier->tunnel.reply.has_me6)
		log_warnx("--address is not used: the server has numbered the tunnel");
	fd = link_up(&carrier->link, &carrier->tunnel);
	if (fd < 0)
		return false;
	carrier_tell_icmp(carrier);
	carrier_tell(carrier, carrier->forward, FORWARD_MSG_DEVICE, &device, sizeof(device), fd);
	return true;
}

static void carrier_on_script(void *arg);

/* Runs the script for a state; where there is none to run, what comes after it comes at once. */
static void carrier_run_script(struct carrier *carrier, const char *state)
{
	if (hook_wanted(carrier->options))
		carrier->script = hook_start(carrier->base, carrier->options, state, carrier->user,
					     &carrier->tunnel, carrier_on_script, carrier);
	if (carrier->script)
		carrier_tell_script(carrier);
	else
		carrier_on_script(carrier);
}

/* Makes the tunnel of carrier->tunnel where there is none. */
static void carrier_make(struct carrier *carrier)
{
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

static void carrier_is_up(struct carrier *carrier, const char *what)
{
	char text[1000];

	carrier->state = CARRIER_UP;
	tunnel_describe(&carrier->tunnel, carrier->options, text, sizeof(text));
	log_info("%s: %s", what, text);
	carrier->raised(true, carrier->arg);
}

static void carrier_on_script(void *arg)
{
	struct carrier *carrier = arg;

	if (carrier->script) {
		carrier->script = NULL;
		carrier_tell_script(carrier);
	}
	switch (carrier->state) {
	case CARRIER_RAISING:
		carrier_is_up(carrier, "tunnel up");
		break;
	case CARRIER_REPLACING:
		carrier_remove(carrier);
		carrier->tunnel = carrier->next;
		carrier_make(carrier);
		break;
	case CARRIER_LOWERING:
		carrier_remove(carrier);
		carrier->lowered(carrier->arg);
		break;
	case CARRIER_DOWN:
	case CARRIER_UP:
		break;
	}
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
	}
	if (told) {
		carrier_is_up(carrier, "tunnel goes on");
		return;
	}
	carrier->state = CARRIER_RAISING;
	carrier_run_script(carrier, "up");
}

void carrier_raise(struct carrier *carrier, const struct client_tunnel *tunnel)
{
	if (carrier->state == CARRIER_UP && tunnel_same_inside(&carrier->tunnel, tunnel)) {
		carrier_update(carrier, tunnel);
	} else if (carrier->state == CARRIER_UP) {
		carrier->next = *tunnel;
		carrier->state = CARRIER_REPLACING;
		carrier_run_script(carrier, "down");
	} else {
		carrier->tunnel = *tunnel;
		carrier_make(carrier);
	}
}

void carrier_lower(struct carrier *carrier)
{
	carrier->state = CARRIER_LOWERING;
	carrier_run_script(carrier, "down");
}

void carrier_hurry(struct carrier *carrier)
{
	if (carrier->script)
		script_kill(carrier->script);
}

void carrier_reaped(struct carrier *carrier, pid_t pid, int status)
{
	if (carrier->script)
		(void)script_reaped(carrier->script, pid, status);
}
