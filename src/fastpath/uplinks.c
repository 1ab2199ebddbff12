/* SPDX-License-Identifier: BSD-2-Clause */
#include "fastpath/uplinks.h"

#include "fastpath/shared.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* An outer device with fast_decap attached. */
struct uplink {
	TAILQ_ENTRY(uplink) next;
	unsigned int index;
	bool seen;
	struct attachment in;
};

void uplinks_init(struct uplinks *uplinks)
{
	TAILQ_INIT(&uplinks->list);
	uplinks->look = 0;
}

static void uplinks_leave(struct uplinks *uplinks, const struct programs *programs,
			  struct uplink *uplink)
{
	uint32_t key = uplink->index;

	/* First, so that the programs send nothing to it any more. */
	(void)bpf_map_delete_elem(bpf_map__fd(programs->maps.devices), &key);
	attachment_end(&uplink->in);
	TAILQ_REMOVE(&uplinks->list, uplink, next);
	free(uplink);
}

/* If the card computes no checksums, the kernel does, and then also segments large packets. */
static bool uplinks_finishes(int socket, const char *name)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GTXCSUM};
	struct ifreq request = {.ifr_data = (void *)&value};

	(void)strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	return ioctl(socket, SIOCETHTOOL, &request) == 0 && !value.data;
}

/* A device's features can change at any time. */
static int uplinks_allow(const struct programs *programs, unsigned int index, const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t key = index;
	uint32_t value = FAST_JOINED;

	if (fd != -1 && uplinks_finishes(fd, name))
		value |= FAST_FINISHES;
	if (fd != -1)
		close(fd);
	return bpf_map_update_elem(bpf_map__fd(programs->maps.devices), &key, &value, BPF_ANY)
		       ? -errno
		       : 0;
}

static int uplinks_join(struct uplinks *uplinks, const struct programs *programs,
			const struct attach_way *way, unsigned int index, const char *name)
{
	struct uplink *uplink = calloc(1, sizeof(*uplink));
	int error;

	if (!uplink)
		return -ENOMEM;
	uplink->index = index;
	uplink->seen = true;
	attachment_init(&uplink->in);
	/* Even without decapsulation, the program learns on which device packets arrive. */
	error = attachment_make(&uplink->in, bpf_program__fd(programs->progs.fast_decap), index,
				ATTACH_INGRESS, way);
	if (!error)
		error = uplinks_allow(programs, index, name);
	TAILQ_INSERT_TAIL(&uplinks->list, uplink, next);
	if (error)
		uplinks_leave(uplinks, programs, uplink);
	return error;
}

static struct uplink *uplinks_find(const struct uplinks *uplinks, unsigned int index)
{
	struct uplink *uplink;

	TAILQ_FOREACH (uplink, &uplinks->list, next) {
		if (uplink->index == index)
			return uplink;
	}
	return NULL;
}

/* getifaddrs() returns an entry for each device, and one for each address. */
static bool uplinks_is_ethernet(const struct ifaddrs *list, const char *name)
{
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		struct sockaddr_ll address;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_PACKET ||
		    strcmp(entry->ifa_name, name) != 0)
			continue;
		memcpy(&address, entry->ifa_addr, sizeof(address));
		return address.sll_hatype == ARPHRD_ETHER;
	}
	return false;
}

/* Devices that are gone have an older number. */
static void uplinks_forget_addresses(const struct uplinks *uplinks, const struct programs *programs)
{
	int map = bpf_map__fd(programs->maps.addresses);
	uint32_t address;
	uint32_t after;
	bool more = bpf_map_get_next_key(map, NULL, &address) == 0;

	while (more) {
		uint32_t look = 0;

		more = bpf_map_get_next_key(map, &address, &after) == 0;
		if (bpf_map_lookup_elem(map, &address, &look) == 0 && look != uplinks->look)
			(void)bpf_map_delete_elem(map, &address);
		address = after;
	}
}

/* If there is no free entry, forward carries the device's packets. */
static void uplinks_know_address(const struct uplinks *uplinks, const struct programs *programs,
				 const struct ifaddrs *entry)
{
	struct sockaddr_in address;

	memcpy(&address, entry->ifa_addr, sizeof(address));
	(void)bpf_map_update_elem(bpf_map__fd(programs->maps.addresses), &address.sin_addr.s_addr,
				  &uplinks->look, BPF_ANY);
}

int uplinks_follow(struct uplinks *uplinks, const struct programs *programs,
		   const struct attach_way *way)
{
	struct ifaddrs *list;
	struct uplink *uplink;
	struct uplink *after;
	int error = 0;
	int count = 0;

	if (getifaddrs(&list) == -1)
		return -errno;
	uplinks->look++;
	TAILQ_FOREACH (uplink, &uplinks->list, next)
		uplink->seen = false;
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		unsigned int index;
		int joined = 0;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET)
			continue;
		uplinks_know_address(uplinks, programs, entry);
		if (!(entry->ifa_flags & IFF_UP) || !uplinks_is_ethernet(list, entry->ifa_name))
			continue;
		index = if_nametoindex(entry->ifa_name);
		uplink = index ? uplinks_find(uplinks, index) : NULL;
		if (uplink) {
			uplink->seen = true;
			joined = uplinks_allow(programs, index, entry->ifa_name);
		} else if (index) {
			joined = uplinks_join(uplinks, programs, way, index, entry->ifa_name);
		}
		/* Not if the device has disappeared meanwhile. */
		if (joined && joined != -ENODEV && !error)
			error = joined;
	}
	freeifaddrs(list);
	uplinks_forget_addresses(uplinks, programs);
	for (uplink = TAILQ_FIRST(&uplinks->list); uplink; uplink = after) {
		after = TAILQ_NEXT(uplink, next);
		if (uplink->seen)
			count++;
		else
			uplinks_leave(uplinks, programs, uplink);
	}
	return error ? error : count;
}

void uplinks_end(struct uplinks *uplinks, const struct programs *programs)
{
	struct uplink *uplink;
	struct uplink *after;

	TAILQ_FOREACH_SAFE (uplink, &uplinks->list, next, after)
		uplinks_leave(uplinks, programs, uplink);
}
