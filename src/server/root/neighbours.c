/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/neighbours.h"

#include "base/log.h"
#include "netconf/packet_socket.h"
#include "server/msg.h"
#include "server/root/interface.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct neighbours {
	struct supervisor *supervisor;
	const struct server_options *options;
	int socket;	    /* -1: none */
	unsigned int bound; /* index of the interface it is bound to; 0: none */
	/* As sent to ndp; interface 0: it answers nothing. */
	char name[IFNAMSIZ];
	struct server_ndp_link link;
	struct prefix6 *never;
	size_t n_never;
	void (*all)(void *arg); /* adds the prefixes of sessions; NULL: not known yet */
	void *all_arg;
};

/*
 * The link to a router whose address is in the prefix, of which this machine has only a single
 * address there: the router has all of the prefix on that link. Of one that is shorter than a /64,
 * a part may be there and the rest be routed here.
 */
static const struct survey_link *neighbours_of_router(const struct survey *survey,
						      const struct prefix6 *prefix)
{
	for (size_t i = 0; i < survey->n_routes && prefix->len >= 64; i++) {
		const struct survey_route *route = &survey->routes[i];
		const struct survey_link *link = survey_link(survey, route->index);

		if (route->has_gateway && prefix6_has(prefix, &route->gateway) && link &&
		    link->neighbours)
			return link;
	}
	return NULL;
}

const struct survey_link *neighbours_link(const struct survey *survey,
					  const struct server_options *options,
					  const struct survey_route **network)
{
	const struct prefix6 *const prefixes[] = {
		options->has_host ? &options->host_prefix : NULL,
		options->has_pool ? &options->pool : NULL,
	};

	const struct survey_link *link = NULL;

	*network = NULL;
	if (strcmp(options->ndp_proxy, SERVER_NDP_OFF) == 0)
		return NULL;
	if (strcmp(options->ndp_proxy, SERVER_NDP_AUTO) == 0) {
		for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]) && !link; i++) {
			if (!prefixes[i])
				continue;
			*network = survey_network(survey, prefixes[i]);
			link = *network ? survey_link(survey, (*network)->index)
					: neighbours_of_router(survey, prefixes[i]);
		}
		return link;
	}
	for (size_t i = 0; i < survey->n_links; i++) {
		if (strcmp(survey->links[i].name, options->ndp_proxy) == 0)
			return &survey->links[i];
	}
	return NULL;
}

/* The source address of answers on the interface. False if none is usable yet. */
static bool neighbours_source(const struct survey *survey, const struct survey_link *link,
			      struct in6_addr *source)
{
	*source = link->local;
	for (size_t i = 0; i < survey->n_addresses && IN6_IS_ADDR_UNSPECIFIED(source); i++) {
		const struct survey_address *address = &survey->addresses[i];

		if (address->index == link->index && !address->tentative)
			*source = address->addr;
	}
	return !IN6_IS_ADDR_UNSPECIFIED(source);
}

struct neighbours *neighbours_new(struct supervisor *supervisor,
				  const struct server_options *options)
{
	struct neighbours *neighbours = calloc(1, sizeof(*neighbours));
	int copy;

	if (!neighbours)
		return NULL;
	neighbours->supervisor = supervisor;
	neighbours->options = options;
	neighbours->socket = server_options_ndp(options) ? packet_socket_open() : -1;
	if (neighbours->socket < 0)
		return neighbours;
	/* Only this process can bind it, and the socket must have been opened by now. */
	copy = fcntl(neighbours->socket, F_DUPFD_CLOEXEC, 0);
	if (copy == -1)
		log_warn("cannot hand over the packet socket");
	else
		supervisor_send(supervisor, SERVER_NDP, SERVER_MSG_NDP_SOCKET, NULL, 0, copy);
	return neighbours;
}

void neighbours_free(struct neighbours *neighbours)
{
	if (!neighbours)
		return;
	if (neighbours->socket >= 0)
		close(neighbours->socket);
	free(neighbours->never);
	free(neighbours);
}

void neighbours_set_all(struct neighbours *neighbours, void (*all)(void *arg), void *arg)
{
	if (!neighbours)
		return;
	neighbours->all = all;
	neighbours->all_arg = arg;
}

unsigned int neighbours_interface(const struct neighbours *neighbours)
{
	return neighbours ? neighbours->link.interface : 0;
}

static void neighbours_tell(const struct neighbours *neighbours, enum server_msg type,
			    const void *body, size_t size)
{
	if (neighbours->socket >= 0)
		supervisor_send(neighbours->supervisor, SERVER_NDP, type, body, size, -1);
}

void neighbours_add(const struct neighbours *neighbours, const struct prefix6 *prefix)
{
	if (prefix->len > 0 && neighbours_interface(neighbours) != 0)
		neighbours_tell(neighbours, SERVER_MSG_NDP_ADD, prefix, sizeof(*prefix));
}

void neighbours_remove(const struct neighbours *neighbours, const struct prefix6 *prefix)
{
	if (prefix->len > 0 && neighbours_interface(neighbours) != 0)
		neighbours_tell(neighbours, SERVER_MSG_NDP_REMOVE, prefix, sizeof(*prefix));
}

static bool neighbours_same(const struct neighbours *neighbours, const struct server_ndp_link *link,
			    const struct prefix6 *never, size_t n)
{
	bool same = neighbours->link.interface == link->interface &&
		    IN6_ARE_ADDR_EQUAL(&neighbours->link.source, &link->source) &&
		    n == neighbours->n_never;

	for (size_t i = 0; i < sizeof(link->mac); i++)
		same &= neighbours->link.mac[i] == link->mac[i];
	for (size_t i = 0; same && i < n; i++)
		same = prefix6_equal(&neighbours->never[i], &never[i]);
	return same;
}

/* Logs the interface on which they are answered now, and why. */
static void neighbours_say(const struct neighbours *neighbours, const struct survey_link *link,
			   const struct survey_route *network)
{
	char text[PREFIX6_STRLEN];

	if (neighbours->link.interface != 0)
		log_info("neighbour solicitations on %s are not answered any more",
			 neighbours->name);
	if (!link)
		return;
	if (network)
		log_info("neighbour solicitations on %s, which has the network %s, are answered "
			 "for what sessions have",
			 link->name, prefix6_format(&network->prefix, text));
	else
		log_info("neighbour solicitations on %s are answered for what sessions have",
			 link->name);
}

/* Sends ndp everything again except sessions' prefixes. It may answer nothing from now on. */
static void neighbours_tell_link(const struct neighbours *neighbours)
{
	neighbours_tell(neighbours, SERVER_MSG_NDP_STOP, NULL, 0);
	if (neighbours->link.interface == 0) {
		neighbours_tell(neighbours, SERVER_MSG_NDP_FORGET, NULL, 0);
		return;
	}
	for (size_t i = 0; i < neighbours->n_never; i++)
		neighbours_tell(neighbours, SERVER_MSG_NDP_NEVER, &neighbours->never[i],
				sizeof(neighbours->never[i]));
	neighbours_tell(neighbours, SERVER_MSG_NDP_START, &neighbours->link,
			sizeof(neighbours->link));
}

/* Binds the socket as ndp.proxy says; *to is the data for ndp. NULL: no interface. */
static const struct survey_link *neighbours_listen(struct neighbours *neighbours,
						   const struct survey *survey,
						   const struct survey_route **network,
						   struct server_ndp_link *to)
{
	const struct survey_link *link = neighbours_link(survey, neighbours->options, network);
	struct in6_addr source;

	*to = (struct server_ndp_link){.interface = 0};
	/* A socket bound to a removed interface is unbound. */
	if (!survey_link(survey, neighbours->bound))
		neighbours->bound = 0;
	if (!link || !link->neighbours || !link->has_mac ||
	    !neighbours_source(survey, link, &source))
		return NULL;
	if (link->index != neighbours->bound) {
		neighbours->bound = 0;
		if (packet_socket_bind(neighbours->socket, link->index) != 0)
			return NULL;
	}
	neighbours->bound = link->index;
	to->interface = link->index;
	to->source = source;
	memcpy(to->mac, link->mac, sizeof(to->mac));
	return link;
}

void neighbours_look(struct neighbours *neighbours, const struct survey *survey)
{
	const struct survey_route *network;
	const struct survey_link *link;
	struct prefix6 *never = NULL;
	struct server_ndp_link to;
	bool begins;
	ssize_t n;

	if (!neighbours || neighbours->socket < 0)
		return;
	link = neighbours_listen(neighbours, survey, &network, &to);
	n = link ? interface_in_use(survey, neighbours->options, &never) : 0;
	if (n < 0)
		log_warnx("out of memory");
	if (n < 0 || neighbours_same(neighbours, &to, never, (size_t)n)) {
		free(never);
		return;
	}
	if (to.interface != neighbours->link.interface)
		neighbours_say(neighbours, link, network);
	(void)strlcpy(neighbours->name, link ? link->name : "", sizeof(neighbours->name));
	begins = neighbours->link.interface == 0;
	neighbours->link = to;
	free(neighbours->never);
	neighbours->never = never;
	neighbours->n_never = (size_t)n;
	neighbours_tell_link(neighbours);
	/* While it answers nothing it gets no sessions' prefixes, which most servers never need. */
	if (begins && neighbours->all)
		neighbours->all(neighbours->all_arg);
}
