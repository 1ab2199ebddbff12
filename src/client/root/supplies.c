/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/supplies.h"

#include "base/log.h"
#include "client/root/hook.h"
#include "client/root/link.h"
#include "forward/counters.h"
#include "netconf/sockets.h"
#include "netconf/tun.h"
#include "process/room.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum client_exit supplies_check(const struct client_options *options,
				char script[static CLIENT_SCRIPT_SIZE])
{
	if (geteuid() != 0) {
		log_warnx("must be run as root: it makes a network interface and routes");
		return CLIENT_LOCAL;
	}
	if (!room_user_check(options->run_as))
		return CLIENT_USAGE;
	if (!hook_find(options, script))
		return CLIENT_USAGE;
	if (!hook_wanted(options) && access(options->script, F_OK) == 0)
		log_warnx("%s cannot be executed, so it is not run; chmod +x is what it needs",
			  options->script);
	return CLIENT_OK;
}

bool supplies_try_device(const struct client_options *options, struct netlink *netlink)
{
	unsigned int index;
	int fd;

	if (options->no_device)
		return true;
	fd = tun_open(options->interface, &index);
	/* One that somebody removed could be made. */
	if (fd < 0 && fd != -ENODEV)
		return false;
	if (fd >= 0)
		close(fd);
	link_sweep(netlink);
	return true;
}

bool supplies_open(struct supplies *supplies, const struct client_options *options)
{
	const struct in_addr any = {.s_addr = INADDR_ANY};
	uint16_t bound = options->udp_port;

	*supplies = (struct supplies){.raw = -1, .udp = -1, .counters = -1, .counters_reader = -1};
	if (!options->no_device && options->transport != SESSION_UDP) {
		supplies->raw = sockets_raw_socket();
		if (supplies->raw < 0)
			return false;
	}
	if (!options->no_device && options->transport != SESSION_IPV6) {
		supplies->udp = sockets_udp_socket(any, options->udp_port, &bound);
		if (supplies->udp < 0)
			return false;
	}
	supplies->udp_port = options->transport == SESSION_IPV6 ? 0 : bound;
	if (options->no_device)
		return true;
	supplies->counters = sockets_counter_page(counters_size(1), &supplies->counters_reader);
	return supplies->counters >= 0;
}

void supplies_close(const struct supplies *supplies)
{
	if (supplies->raw >= 0)
		close(supplies->raw);
	if (supplies->udp >= 0)
		close(supplies->udp);
	if (supplies->counters >= 0)
		close(supplies->counters);
	if (supplies->counters_reader >= 0)
		close(supplies->counters_reader);
}
