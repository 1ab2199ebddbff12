/* SPDX-License-Identifier: BSD-2-Clause */
#include "network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sets one of the addresses of the loopback interface. */
static bool set_address(int fd, unsigned long what, const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct ifreq request = {.ifr_name = "lo"};

	if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		return false;
	memcpy(&request.ifr_addr, &address, sizeof(address));
	return ioctl(fd, what, &request) == 0;
}

bool network_make(void)
{
	struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	bool made;
	int fd;

	if (unshare(CLONE_NEWNET) == -1 && unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	/* Of this interface, the kernel takes all of the subnet to be here. */
	made = ioctl(fd, SIOCSIFFLAGS, &up) == 0 && set_address(fd, SIOCSIFADDR, NETWORK_HERE) &&
	       set_address(fd, SIOCSIFNETMASK, "255.255.255.0");
	close(fd);
	return made;
}
