/* SPDX-License-Identifier: BSD-2-Clause */
#include "network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
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

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd != -1)
		close(fd);
	return written;
}

/* Who is not root here is so where they are alone: files can be made then as well. */
static bool unshare_all(int flags)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	char users[40], groups[40];

	if (unshare(flags) == 0)
		return true;
	(void)snprintf(users, sizeof(users), "0 %u 1", uid);
	(void)snprintf(groups, sizeof(groups), "0 %u 1", gid);
	return unshare(CLONE_NEWUSER | flags) == 0 && write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/uid_map", users) && write_file("/proc/self/gid_map", groups);
}

bool network_make(void)
{
	struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	bool made;
	int fd;

	if (!unshare_all(CLONE_NEWNET))
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

bool network_folder(const char *path)
{
	return unshare_all(CLONE_NEWNS) &&
	       mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tests", path, "tmpfs", 0, NULL) == 0;
}
