/* SPDX-License-Identifier: BSD-2-Clause */
/* Link-local addresses of the shared device: one for each address that clients connect to. */
#include "base/log.h"
#include "netconf/sockets.h"
#include "proto/message.h"
#include "server/root/links_parts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* Number of addresses from which on unused ones are removed. */
enum { LINKS_LOCALS = 16 };

void links_locals_first(struct links *links)
{
	const struct server_options *options = links->owner.options;
	struct ifaddrs *list = NULL;

	if (options->address.s_addr || options->listen.s_addr) {
		links_link_local(links,
				 options->address.s_addr ? options->address : options->listen);
		return;
	}
	if (getifaddrs(&list) == -1)
		return;
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		struct sockaddr_in addr;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET ||
		    (entry->ifa_flags & IFF_LOOPBACK))
			continue;
		memcpy(&addr, entry->ifa_addr, sizeof(addr));
		links_link_local(links, addr.sin_addr);
	}
	freeifaddrs(list);
}

static unsigned int links_locals_index(const struct links *links)
{
	return links->devices[0].kept.index;
}

/* Removes those whose IPv4 address the machine has lost: no client can connect to it. */
static void links_locals_forget(struct links *links)
{
	struct links_locals *locals = &links->locals;
	size_t kept = 0;

	for (size_t i = 0; i < locals->n; i++) {
		const struct in6_addr addr = dtcp_link_local(locals->list[i]);

		if (sockets_is_here(locals->list[i]))
			locals->list[kept++] = locals->list[i];
		else
			(void)netlink_link_local_delete(links->owner.netlink,
							links_locals_index(links), &addr);
	}
	locals->n = kept;
}

static bool links_locals_make_room(struct links_locals *locals)
{
	size_t room = locals->room ? 2 * locals->room : LINKS_LOCALS;
	struct in_addr *list = reallocarray(locals->list, room, sizeof(*list));

	if (!list)
		return false;
	locals->list = list;
	locals->room = room;
	return true;
}

void links_link_local(struct links *links, struct in_addr her)
{
	const struct in6_addr addr = dtcp_link_local(her);
	struct links_locals *locals = &links->locals;

	for (size_t i = 0; i < locals->n; i++) {
		if (locals->list[i].s_addr == her.s_addr)
			return;
	}
	if (locals->n >= LINKS_LOCALS)
		links_locals_forget(links);
	if (locals->n == locals->room && !links_locals_make_room(locals)) {
		log_warnx("out of memory");
		return;
	}
	/* If the device is missing, it gets the address when it is made again. */
	locals->list[locals->n++] = her;
	(void)netlink_link_local_add(links->owner.netlink, links_locals_index(links), &addr);
}

void links_locals_mend(const struct links *links, struct drift_repair *mending)
{
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < links->locals.n; i++) {
		const struct in6_addr addr = dtcp_link_local(links->locals.list[i]);

		drift_repair_note(mending,
				  netlink_link_local_ensure(links->owner.netlink,
							    links_locals_index(links), &addr),
				  "address", inet_ntop(AF_INET6, &addr, text, sizeof(text)));
	}
}
