/* SPDX-License-Identifier: BSD-2-Clause */
#include "uplink.h"

#include "tests/unit/base/need.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

int uplink_open(unsigned int *index)
{
	struct ifreq request = {.ifr_name = "up0", .ifr_flags = IFF_TAP | IFF_NO_PI};
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd;
	int control;

	need(unshare(CLONE_NEWNET) == 0, "a network namespace");
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd != -1 && control != -1);
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	*index = if_nametoindex("up0");
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &address.sin_addr), 1);
	memcpy(&request.ifr_addr, &address, sizeof(address));
	assert_int_equal(ioctl(control, SIOCSIFADDR, &request), 0);
	request.ifr_flags = IFF_UP;
	assert_int_equal(ioctl(control, SIOCSIFFLAGS, &request), 0);
	assert_int_equal(close(control), 0);
	return fd;
}
