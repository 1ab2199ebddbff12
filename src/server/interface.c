/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/interface.h"

#include "base/log.h"
#include "monitor/tun.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <string.h>
#include <unistd.h>

/* An address of this machine for ICMPv6 errors where no pool gives one; zero if there is none. */
static struct in6_addr interface_any_address(void)
{
	struct in6_addr found = IN6ADDR_ANY_INIT;
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list) == -1)
		return found;
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		struct sockaddr_in6 addr;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET6)
			continue;
		memcpy(&addr, entry->ifa_addr, sizeof(addr));
		if (prefix6_is_unicast(
			    &(const struct prefix6){.addr = addr.sin6_addr, .len = 128})) {
			found = addr.sin6_addr;
			break;
		}
	}
	freeifaddrs(list);
	return found;
}

int interface_make(const struct server_options *options, struct netlink *netlink,
		   unsigned int *index, struct in6_addr *icmp_source)
{
	struct in6_addr own;
	int fd = tun_open(options->interface, index);
	int error;

	if (fd < 0)
		return fd;
	*icmp_source = interface_any_address();
	error = netlink_link_setup(netlink, *index, INTERFACE_ALIAS, options->mtu);
	if (!error && options->has_host) {
		own = prefix6_first(&options->host_prefix);
		*icmp_source = own;
		error = netlink_address_add(netlink, *index, &own, NULL);
		if (!error)
			error = netlink_route_add(netlink, *index, &options->host_prefix,
						  INTERFACE_METRIC);
	}
	if (!error && options->has_pool) {
		own = prefix6_first(&options->pool);
		*icmp_source = own;
		error = netlink_address_add(netlink, *index, &own, NULL);
		if (!error)
			error = netlink_route_add(netlink, *index, &options->pool,
						  INTERFACE_METRIC);
	}
	if (error)
		close(fd);
	return error ? error : fd;
}

void interface_check_forwarding(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/all/forwarding", O_RDONLY | O_CLOEXEC);
	char value = '\0';

	if (fd == -1 || read(fd, &value, 1) != 1)
		log_warn("cannot find out whether IPv6 forwarding is on");
	else if (value == '0')
		log_warnx("IPv6 forwarding is off: clients reach this machine and nothing behind "
			  "it; turn it on with: sysctl -w net.ipv6.conf.all.forwarding=1");
	if (fd != -1)
		close(fd);
}
