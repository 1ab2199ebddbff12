/* SPDX-License-Identifier: BSD-2-Clause */
#include "links_rig.h"

#include "netconf/reverse_path.h"
#include "netconf/tun.h"
#include "proto/message.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"
#include "tests/unit/proto/addresses.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void on_device(uint32_t number, unsigned int interface, int fd, void *arg)
{
	struct links_rig *rig = arg;
	char name[IFNAMSIZ];

	assert_int_equal(tun_look(interface, name, &(bool){false}), 0);
	assert_in_range(number, 0, LINKS_RIG_DEVICES);
	if (rig->fds[number] != -1)
		assert_int_equal(close(rig->fds[number]), 0);
	rig->fds[number] = fd;
}

static void on_no_device(uint32_t number, void *arg)
{
	struct links_rig *rig = arg;

	assert_in_range(number, 1, LINKS_RIG_DEVICES);
	assert_int_not_equal(rig->fds[number], -1);
	assert_int_equal(close(rig->fds[number]), 0);
	rig->fds[number] = -1;
}

static void on_machine(void *arg)
{
	((struct links_rig *)arg)->machine++;
}

int links_rig_begin(void **state)
{
	struct links_rig *rig = calloc(1, sizeof(*rig));
	struct links_owner owner = {
		.device = on_device, .no_device = on_no_device, .machine = on_machine, .arg = rig};

	assert_non_null(rig);
	need(network_make(), "a network namespace");
	for (size_t i = 0; i <= LINKS_RIG_DEVICES; i++)
		rig->fds[i] = -1;
	rig->options = (struct server_options){
		.interface = "dtcps0",
		.listen = addr4(NETWORK_HERE),
		.mtu = 1280,
		.sessions_max = LINKS_RIG_DEVICES,
		.limits = {.pending = 1},
		.tunnelonly = true,
		.tunnelonly_keep = 300,
	};
	assert_int_equal(netlink_open(&rig->netlink), 0);
	owner.options = &rig->options;
	owner.netlink = rig->netlink;
	rig->links = links_new(&owner);
	assert_non_null(rig->links);
	*state = rig;
	return 0;
}

int links_rig_open(void **state)
{
	struct links_rig *rig;

	if (links_rig_begin(state) != 0)
		return -1;
	rig = *state;
	rig->fds[0] = links_make_shared(rig->links);
	assert_true(rig->fds[0] >= 0);
	return 0;
}

int links_rig_close(void **state)
{
	struct links_rig *rig = *state;

	links_free(rig->links);
	/* Whatever forward still holds. */
	assert_int_equal(if_nametoindex("dtcps0"), 0);
	assert_int_equal(if_nametoindex("dtcps1"), 0);
	for (size_t i = 0; i <= LINKS_RIG_DEVICES; i++) {
		if (rig->fds[i] != -1)
			assert_int_equal(close(rig->fds[i]), 0);
	}
	netlink_close(rig->netlink);
	free(rig);
	return 0;
}

bool links_rig_leads(const char *name, const char *text)
{
	const struct in6_addr addr = addr6(text);
	int fd = reverse_path_open();
	bool found = reverse_path_leads(fd, &addr, if_nametoindex(name));

	assert_int_equal(close(fd), 0);
	return found;
}

uint32_t links_rig_open_for(struct links_rig *rig, int64_t user, const char *her)
{
	const struct prefix6_set none = {.n = 0};
	uint32_t number = 0;

	assert_int_equal(links_open(rig->links, user, addr4(her), &none, &number), 0);
	assert_int_not_equal(rig->fds[number], -1);
	return number;
}

int links_rig_addresses(const char *name, const struct in6_addr *addr)
{
	struct ifaddrs *list = NULL;
	int count = 0;

	assert_int_equal(getifaddrs(&list), 0);
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		struct sockaddr_in6 found;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET6 ||
		    strcmp(entry->ifa_name, name) != 0)
			continue;
		memcpy(&found, entry->ifa_addr, sizeof(found));
		count += !addr || IN6_ARE_ADDR_EQUAL(&found.sin6_addr, addr);
	}
	freeifaddrs(list);
	return count;
}

int links_rig_link_locals(const char *name, const char *her)
{
	const struct in6_addr addr = dtcp_link_local(addr4(her));

	return links_rig_addresses(name, &addr);
}
