/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/supplies.h"

#include "base/log.h"
#include "forward/counters.h"
#include "netconf/reverse_path.h"
#include "netconf/sockets.h"
#include "server/root/instance.h"
#include "server/root/interface.h"

#include <sys/resource.h>
#include <unistd.h>

/* A connection costs a room one descriptor; the usual limit would end at a thousand. */
static void supplies_raise_limit(uint32_t connections)
{
	const rlim_t wanted = (rlim_t)connections + 256;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur >= wanted)
		return;

	const struct rlimit raised = {
		.rlim_cur = wanted,
		.rlim_max = limit.rlim_max > wanted ? limit.rlim_max : wanted,
	};

	if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	log_warnx("the system allows %llu open files; %u connections would need %llu",
		  (unsigned long long)limit.rlim_max, connections, (unsigned long long)wanted);
}

static bool supplies_open_sockets(struct supplies *supplies, const struct server_options *options)
{
	uint16_t bound;

	supplies->listener =
		sockets_listener(options->listen, options->port, options->timeout_idle);
	if (supplies->listener < 0)
		return false;
	supplies->raw = sockets_raw_socket();
	if (supplies->raw < 0)
		return false;
	supplies->routes = reverse_path_open();
	if (supplies->routes < 0)
		return false;
	if (options->udp)
		supplies->udp = sockets_udp_socket(options->listen, options->udp_port, &bound);
	return !options->udp || supplies->udp >= 0;
}

bool supplies_open(struct supplies *supplies, const struct server_options *options,
		   struct netlink *netlink, struct links *links)
{
	*supplies = (struct supplies){.tun = -1,
				      .raw = -1,
				      .udp = -1,
				      .listener = -1,
				      .counters = -1,
				      .counters_reader = -1,
				      .routes = -1};
	supplies_raise_limit(options->limits.connections);
	if (!supplies_open_sockets(supplies, options))
		return false;
	supplies->counters = sockets_counter_page(counters_size(server_options_ids(options)),
						  &supplies->counters_reader);
	if (supplies->counters < 0)
		return false;
	instance_sweep(options, netlink);
	supplies->icmp_source = interface_icmp_source(options);
	supplies->tun = links_make_shared(links);
	if (supplies->tun < 0)
		return false;
	interface_check_forwarding();
	return true;
}

void supplies_close(const struct supplies *supplies)
{
	const int fds[] = {supplies->tun,      supplies->raw,	   supplies->udp,
			   supplies->listener, supplies->counters, supplies->counters_reader,
			   supplies->routes};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}
