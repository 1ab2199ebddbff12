/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/interface.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <string.h>
#include <unistd.h>

/* A global address of this machine; zero if there is none. */
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

void interface_mend(const struct server_options *options, struct netlink *netlink,
		    unsigned int index, struct kept_mending *mending)
{
	const struct prefix6 *const prefixes[] = {
		options->has_host ? &options->host_prefix : NULL,
		options->has_pool ? &options->pool : NULL,
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		char text[PREFIX6_STRLEN];
		struct in6_addr own;

		if (!prefixes[i])
			continue;
		own = prefix6_first(prefixes[i]);
		kept_mend(mending, netlink_address_ensure(netlink, index, &own, 128, NULL),
			  "address", inet_ntop(AF_INET6, &own, text, sizeof(text)));
		kept_mend(mending,
			  netlink_route_ensure(netlink, index, prefixes[i], INTERFACE_METRIC),
			  "route", prefix6_format(prefixes[i], text));
	}
}

struct in6_addr interface_icmp_source(const struct server_options *options)
{
	if (options->has_pool)
		return prefix6_first(&options->pool);
	if (options->has_host)
		return prefix6_first(&options->host_prefix);
	return interface_any_address();
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
