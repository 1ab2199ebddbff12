/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel configuration for --lan: forwarding, and addresses. */
#include "base/log.h"
#include "client/root/lan_parts.h"
#include "netconf/sysctl.h"
#include "netconf/tun.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool lan_is_lan(const struct lan *lan, const char *name)
{
	for (size_t i = 0; i < lan->options->lan.n; i++) {
		if (strcmp(lan->options->lan.names[i], name) == 0)
			return true;
	}
	return false;
}

/*
 * Once the kernel forwards, it ignores router advertisements and forgets the routes that it has
 * from them, unless accept_ra is 2. An uplink that accepted them has to continue.
 */
static void lan_keep_uplink(unsigned int index, void *arg)
{
	struct lan *lan = arg;
	char key[IFNAMSIZ + 40];
	char name[IFNAMSIZ];
	int accepts, forwards;

	if (!if_indextoname(index, name) || lan_is_lan(lan, name))
		return;
	(void)snprintf(key, sizeof(key), "net/ipv6/conf/%s/forwarding", name);
	if (sysctl_read(key, &forwards) != 0)
		return;
	(void)snprintf(key, sizeof(key), "net/ipv6/conf/%s/accept_ra", name);
	/* If another instance has set it, it is recorded for this one as well. */
	if (sysctl_read(key, &accepts) == 0 && ((accepts == 1 && !forwards) || accepts == 2))
		(void)lan_record_sysctl(lan->record, key, 2);
}

bool lan_forward(struct lan *lan)
{
	/* In this order: forwarding would remove the routes. */
	return netlink_uplinks(lan->netlink, lan_keep_uplink, lan) == 0 &&
	       lan_record_sysctl(lan->record, "net/ipv6/conf/all/forwarding", 1);
}

/* The interface of a network may not exist. False if something could not be made. */
static bool lan_make_net(struct lan *lan, const struct lan_net *net)
{
	const char *name = lan->options->lan.names[net->interface];
	unsigned int index = if_nametoindex(name);
	char old_name[IFNAMSIZ];
	char key[IFNAMSIZ + 40];
	int made;
	bool up;

	if (index == 0 || tun_look(index, old_name, &up) != 0)
		return true;
	if (!up && (!lan_record_up(lan->record, name) ||
		    netlink_link_set_up(lan->netlink, index, true) != 0))
		return false;
	(void)snprintf(key, sizeof(key), "net/ipv6/conf/%s/disable_ipv6", name);
	if (!lan_record_sysctl(lan->record, key, 0))
		return false;
	/* radvd sets it to the value that it announces, and does not restore it. */
	(void)snprintf(key, sizeof(key), "net/ipv6/conf/%s/mtu", name);
	if (!lan_record_sysctl(lan->record, key, (int)lan->options->mtu) ||
	    !lan_record_address(lan->record, name, &net->router))
		return false;
	made = netlink_address_ensure(lan->netlink, index, &net->router, 64, NULL);
	/* It may have been deprecated since an earlier tunnel. */
	if (made == 0 && !lan->up)
		made = netlink_address_prefer(lan->netlink, index, &net->router, 64, true);
	if (made > 0 || (made == 0 && !lan->up)) {
		char prefix[PREFIX6_STRLEN];
		char text[INET6_ADDRSTRLEN];

		log_info("%s: %s is announced, %s is the address here", name,
			 prefix6_format(&net->prefix, prefix),
			 inet_ntop(AF_INET6, &net->router, text, sizeof(text)));
	}
	return made >= 0;
}

void lan_make_nets(struct lan *lan)
{
	for (size_t i = 0; i < lan->plan.n; i++) {
		if (!lan_make_net(lan, &lan->plan.nets[i]))
			log_warnx("--lan: %s does not get all of its part",
				  lan->options->lan.names[lan->plan.nets[i].interface]);
	}
}
