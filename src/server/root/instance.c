/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/instance.h"

#include "base/log.h"
#include "netconf/tun.h"
#include "server/root/interface.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool instance_claim(const char *database, struct pidfh **lock)
{
	char real[PATH_MAX];
	char path[PATH_MAX + 8];
	char process[32] = "";
	pid_t other = 0;

	*lock = NULL;
	/* Whatever name is used for it. */
	if (!realpath(database, real)) {
		log_warn("%s", database);
		return false;
	}
	(void)snprintf(path, sizeof(path), "%s.lock", real);
	*lock = pidfile_open(path, 0600, &other);
	if (!*lock && errno == EEXIST) {
		/* One that has just begun to start has not written its number yet. */
		if (other > 0)
			(void)snprintf(process, sizeof(process), ", process %d", (int)other);
		log_warnx("%s: in use by another dtcps%s; a second one needs a database and "
			  "prefixes of its own",
			  database, process);
	} else if (!*lock) {
		log_warn("cannot lock the database with %s", path);
	}
	return *lock;
}

/* Interfaces that may have been left; more than there can be by any likely accident. */
struct instance_links {
	struct {
		unsigned int index;
		char name[IFNAMSIZ];
	} list[32];
	size_t count;
};

static void instance_on_link(unsigned int index, const char *name, void *arg)
{
	struct instance_links *links = arg;

	/* A server that runs, this one's future neighbour perhaps, holds its own. */
	if (links->count == sizeof(links->list) / sizeof(links->list[0]) || !tun_is_orphan(name))
		return;
	links->list[links->count].index = index;
	(void)strlcpy(links->list[links->count++].name, name, IFNAMSIZ);
}

static void instance_sweep_links(struct netlink *netlink)
{
	struct instance_links links = {.count = 0};

	(void)netlink_links_by_alias(netlink, INTERFACE_ALIAS, instance_on_link, &links);
	for (size_t i = 0; i < links.count; i++) {
		if (netlink_link_delete(netlink, links.list[i].index) == 0)
			log_info("removed the interface %s, which an earlier run has left",
				 links.list[i].name);
	}
}

static void instance_ignore(unsigned int index, const char *name, void *arg)
{
	(void)index;
	(void)name;
	(void)arg;
}

static void instance_sweep_routes(struct netlink *netlink, const struct prefix6 *within)
{
	char text[PREFIX6_STRLEN];
	int removed = netlink_reject_sweep(netlink, within);

	if (removed > 0)
		log_info("removed %d reject route%s in %s, which an earlier run has left", removed,
			 removed == 1 ? "" : "s", prefix6_format(within, text));
}

void instance_sweep(const struct server_options *options, struct netlink *netlink)
{
	instance_sweep_links(netlink);
	/* A client that runs on this machine has reject routes, too, and needs them. */
	if (netlink_links_by_alias(netlink, NETLINK_CLIENT_ALIAS, instance_ignore, NULL) != 0)
		return;
	if (options->has_pool)
		instance_sweep_routes(netlink, &options->pool);
	if (options->has_host)
		instance_sweep_routes(netlink, &options->host_prefix);
}
