/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "client/control/control.h"
#include "client/exits.h"
#include "client/options.h"
#include "client/resolver/resolver.h"
#include "client/root/guard.h"
#include "client/root/hook.h"
#include "client/root/monitor.h"
#include "forward/forward.h"
#include "process/capabilities.h"
#include "process/room.h"
#include "process/sandbox.h"
#include "proto/crypto.h"

#include <stdlib.h>
#include <string.h>

/* Descriptors of a room: its channels, sockets and devices, and as many again. */
enum { ROOM_FILES = 64 };

/* The only one that monitor starts later, and again and again. */
static int run_resolver(const struct client_options *options, int server)
{
	const struct sandbox sandbox = {
		.room = SANDBOX_CLIENT_RESOLVER,
		.user = room_user(options->run_as),
		.files = ROOM_FILES,
	};

	if ((size_t)server >= options->n_servers)
		return CLIENT_USAGE;
	room_begin("dtcpclient", RESOLVER_NAME, options->debug);
	log_to_monitor();
	if (!client_resolver_prepare(ROOM_FD))
		return CLIENT_LOCAL;
	sandbox_enter(&sandbox);
	return client_resolver_run(options->servers[server], ROOM_FD);
}

/* One of the rooms, started by monitor with the same command line. */
static int run_room(const char *room, const struct client_options *options)
{
	const struct forward_config forward = {.server = false, .sessions_max = 1};
	bool control = strcmp(room, "control") == 0;
	const struct sandbox sandbox = {
		.room = control ? SANDBOX_CLIENT_CONTROL : SANDBOX_CLIENT_FORWARD,
		.user = room_user(options->run_as),
		.files = ROOM_FILES,
	};

	room_begin("dtcpclient", room, options->debug);
	if (strcmp(room, "guard") == 0) {
		if (options->daemon)
			log_to_syslog();
		if (!capabilities_hide() ||
		    !capabilities_limit(CAPABILITIES_NETWORK, hook_wanted(options)))
			return CLIENT_LOCAL;
		return client_guard_run(options, ROOM_FD);
	}
	log_to_monitor();
	crypto_prepare();
	sandbox_enter(&sandbox);
	if (control)
		return client_control_run(options, ROOM_FD, options->no_device ? -1 : ROOM_FD + 1);
	return forward_run(&forward, ROOM_FD, ROOM_FD + 1);
}

int main(int argc, char **argv)
{
	struct client_options options;

	room_title_init(argc, argv);

	const char *room = room_name(&argc, argv);

	log_init("dtcpclient", NULL, false);
	switch (client_options_parse(&options, argc, argv)) {
	case OPTIONS_DONE:
		return CLIENT_OK;
	case OPTIONS_ERROR:
		return CLIENT_USAGE;
	case OPTIONS_OK:
		break;
	}
	log_init("dtcpclient", NULL, options.debug);
	if (room && resolver_server(room) >= 0)
		return run_resolver(&options, resolver_server(room));
	if (room)
		return run_room(room, &options);
	return client_monitor_run(&options, argc, argv);
}
