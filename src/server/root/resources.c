/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/resources.h"

#include "base/log.h"
#include "forward/counters.h"
#include "forward/msg.h"
#include "netconf/reverse_path.h"
#include "netconf/sockets.h"
#include "server/msg.h"
#include "server/root/instance.h"

#include <sys/resource.h>
#include <unistd.h>

/* A connection needs one descriptor in a process; the usual limit is about a thousand. */
static void server_resources_raise_limit(uint32_t connections)
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

/* Sends a descriptor to forward; false for an error, which has been logged. */
static bool server_resources_send(struct supervisor *supervisor, enum forward_msg type, int fd)
{
	if (fd >= 0)
		supervisor_send(supervisor, SERVER_FORWARD, type, NULL, 0, fd);
	return fd >= 0;
}

/* Opens what forward needs, in the order in which it needs it. */
static bool server_resources_forward(struct supervisor *supervisor,
				     const struct server_options *options, struct netlink *netlink,
				     struct links *links)
{
	const struct forward_device shared = {.index = 0};
	uint16_t bound;
	int reader;
	int fd;

	if (!server_resources_send(supervisor, FORWARD_MSG_RAW, sockets_raw_socket()) ||
	    !server_resources_send(supervisor, FORWARD_MSG_ROUTES, reverse_path_open()) ||
	    (options->udp && !server_resources_send(supervisor, FORWARD_MSG_UDP,
						    sockets_udp_socket(options->listen,
								       options->udp_port, &bound))))
		return false;
	fd = sockets_counter_page(counters_size(server_options_ids(options)), &reader);
	if (!server_resources_send(supervisor, FORWARD_MSG_COUNTERS, fd))
		return false;
	supervisor_send(supervisor, SERVER_CONTROL, SERVER_MSG_COUNTERS, NULL, 0, reader);
	instance_sweep(options, netlink);
	server_resources_settings(supervisor, options);
	fd = links_make_shared(links);
	server_resources_icmp(supervisor, links);
	if (fd >= 0)
		supervisor_send(supervisor, SERVER_FORWARD, FORWARD_MSG_DEVICE, &shared,
				sizeof(shared), fd);
	return fd >= 0;
}

int server_resources_open(struct supervisor *supervisor, const struct server_options *options,
			  struct netlink *netlink, struct links *links)
{
	int listener;

	server_resources_raise_limit(options->limits.connections);
	/* First, since a port in use is the most frequent error. */
	listener = sockets_listener(options->listen, options->port, options->timeout_idle);
	if (listener < 0)
		return -1;
	if (!server_resources_forward(supervisor, options, netlink, links)) {
		close(listener);
		return -1;
	}
	return listener;
}

void server_resources_settings(struct supervisor *supervisor, const struct server_options *options)
{
	const struct forward_settings settings = {
		.icmp6_rate = options->icmp6_rate,
		.debug = options->debug,
	};

	supervisor_send(supervisor, SERVER_FORWARD, FORWARD_MSG_SETTINGS, &settings,
			sizeof(settings), -1);
}

void server_resources_icmp(struct supervisor *supervisor, const struct links *links)
{
	const struct forward_icmp icmp = {.source = links_icmp_source(links)};

	supervisor_send(supervisor, SERVER_FORWARD, FORWARD_MSG_ICMP, &icmp, sizeof(icmp), -1);
}
