/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "forward/forward.h"
#include "netconf/reverse_path.h"
#include "process/capabilities.h"
#include "process/room.h"
#include "process/sandbox.h"
#include "proto/crypto.h"
#include "server/control/control.h"
#include "server/options.h"
#include "server/root/check.h"
#include "server/root/guard.h"
#include "server/root/monitor.h"

#include <stdlib.h>
#include <string.h>

/* One of the rooms, started by monitor with all settings in its command line. */
static int run_room(const char *room, struct server_options *options)
{
	const struct forward_config forward = {.server = true,
					       .sessions_max = server_options_ids(options),
					       .icmp6_rate = options->icmp6_rate,
					       .ask = reverse_path_leads};
	bool control = strcmp(room, "control") == 0;
	const struct sandbox sandbox = {
		.room = control ? SANDBOX_SERVER_CONTROL : SANDBOX_SERVER_FORWARD,
		.user = room_user(options->run_as),
	};

	room_begin("dtcps", room, options->debug);
	if (strcmp(room, "guard") == 0) {
		if (options->daemon)
			log_to_syslog();
		if (!capabilities_hide() || !capabilities_limit(CAPABILITIES_NONE, false))
			return 1;
		server_guard_run(options, ROOM_FD);
		return 0;
	}
	log_to_monitor();
	crypto_prepare();
	sandbox_enter(&sandbox);
	if (control)
		return server_control_run(options, ROOM_FD, ROOM_FD + 1);
	return forward_run(&forward, ROOM_FD, ROOM_FD + 1);
}

int main(int argc, char **argv)
{
	struct server_options options;
	int status;

	room_title_init(argc, argv);

	const char *room = room_name(&argc, argv);

	log_init("dtcps", NULL, false);
	switch (room ? server_options_parse_room(&options, argc, argv)
		     : server_options_parse(&options, argc, argv)) {
	case OPTIONS_DONE:
		return 0;
	case OPTIONS_ERROR:
		return 2;
	case OPTIONS_OK:
		break;
	}
	log_init("dtcps", NULL, options.debug);
	if (room)
		return run_room(room, &options);
	status = options.check ? server_check(&options) : server_monitor_run(&options, argc, argv);
	server_options_free(&options);
	return status;
}
