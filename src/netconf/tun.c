/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/tun.h"

#include "base/log.h"
#include "netconf/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool tun_name_valid(const char *name)
{
	static const char possible[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789._-";
	size_t len = strspn(name, possible);

	return len > 0 && len < IFNAMSIZ && name[len] == '\0' && name[0] != '-' &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Linux 6.2; Debian 12's headers are older than the kernels that it can run. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/*
 * The kernel may pass packets of up to 64 KB to be cut here, with incomplete checksums: one system
 * call then moves many. Forward handles that. UDP offloads are either supported for both IP
 * versions, or not at all.
 */
static int tun_set_offloads(int fd)
{
	const unsigned long tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	if (ioctl(fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0)
		return 0;
	return ioctl(fd, TUNSETOFFLOAD, tcp);
}

int tun_open(const char *name, unsigned int *index)
{
	struct ifreq request = {.ifr_flags =
					(short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL)};
	int header_size = sizeof(struct virtio_net_hdr);
	int error;

	if (if_nametoindex(name) != 0) {
		log_warnx("interface %s exists already; if another instance uses it, name another "
			  "one",
			  name);
		return -EEXIST;
	}
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd == -1) {
		error = -errno;
		log_warn("cannot open /dev/net/tun (is the tun module loaded?)");
		return error;
	}
	(void)strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	if (ioctl(fd, TUNSETIFF, &request) == -1 ||
	    ioctl(fd, TUNSETVNETHDRSZ, &header_size) == -1 || tun_set_offloads(fd) == -1) {
		error = -errno;
		/* A descriptor without its device returns EBADFD. */
		if (error == -EBADFD)
			goto removed;
		log_warn("cannot make the interface %s", name);
		close(fd);
		return error;
	}
	*index = if_nametoindex(name);
	if (*index == 0)
		goto removed;
	return fd;
removed:
	log_warnx("interface %s was removed by somebody while it was made", name);
	close(fd);
	return -ENODEV;
}

int tun_look(unsigned int index, char name[static IFNAMSIZ], bool *up)
{
	struct ifreq request = {.ifr_flags = 0};
	int fd;
	int result;

	if (!if_indextoname(index, name))
		return -ENODEV;
	(void)strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	result = fd == -1 ? -1 : ioctl(fd, SIOCGIFFLAGS, &request);
	if (fd != -1)
		close(fd);
	/* If it was just removed or renamed, a notification will follow. */
	*up = result == -1 || (request.ifr_flags & IFF_UP) != 0;
	return 0;
}

int tun_accept_ra(const char *name, bool accept)
{
	char key[IFNAMSIZ + 32];

	(void)snprintf(key, sizeof(key), "net/ipv6/conf/%s/accept_ra", name);
	return sysctl_write(key, accept ? 2 : 0);
}

static void tun_ipv6_key(char key[static IFNAMSIZ + 32], const char *name)
{
	(void)snprintf(key, IFNAMSIZ + 32, "net/ipv6/conf/%s/disable_ipv6", name);
}

bool tun_ipv6_is_off(const char *name)
{
	char key[IFNAMSIZ + 32];
	int value;

	tun_ipv6_key(key, name);
	return sysctl_read(key, &value) == 0 && value != 0;
}

int tun_ipv6_on(const char *name)
{
	char key[IFNAMSIZ + 32];

	tun_ipv6_key(key, name);
	return tun_ipv6_is_off(name) ? sysctl_write(key, 0) : 0;
}

bool tun_is_orphan(const char *name)
{
	struct ifreq request = {.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	bool orphan;

	if (fd == -1)
		return false;
	(void)strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	/* The kernel attaches it to one descriptor only. */
	orphan = ioctl(fd, TUNSETIFF, &request) == 0;
	close(fd);
	return orphan;
}
