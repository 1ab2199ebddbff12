/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/sockets.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Socket buffer while forward is busy: a burst of a fast link. */
enum { SOCKETS_BUFFER = 4 * 1024 * 1024 };

/* The same for a TCP connection, in each direction. The kernel doubles it. */
enum { SOCKETS_TCP_BUFFER = 8192 };

/* Interval of keepalives on an idle TCP connection. */
enum { SOCKETS_PROBE_SECONDS = 75 };

static void sockets_enlarge(int fd)
{
	const int size = SOCKETS_BUFFER;

	/* Beyond the system's limit for users; a refusal is not an error. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
}

bool sockets_is_here(struct in_addr addr)
{
	const struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr = addr};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* The kernel also knows networks that are local by a route. */
	bool here = fd != -1 && bind(fd, (const struct sockaddr *)&local, sizeof(local)) == 0;

	if (fd != -1)
		close(fd);
	return here;
}

int sockets_raw_socket(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_IPV6);

	if (fd == -1) {
		int error = -errno;

		log_warn("cannot open a raw socket for protocol 41");
		return error;
	}
	sockets_enlarge(fd);
	return fd;
}

int sockets_udp_socket(struct in_addr addr, uint16_t port, uint16_t *bound)
{
	struct sockaddr_in local = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = addr};
	socklen_t len = sizeof(local);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || bind(fd, (const struct sockaddr *)&local, sizeof(local)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&local, &len) == -1) {
		int error = -errno;

		if (port)
			log_warn("cannot take UDP port %u (-b names another)", port);
		else
			log_warn("cannot take a free UDP port");
		if (fd != -1)
			close(fd);
		return error;
	}
	*bound = ntohs(local.sin_port);
	sockets_enlarge(fd);
	return fd;
}

static bool sockets_set(int fd, int level, int option, unsigned int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/*
 * Options that accepted sockets inherit, so that the accepting process needs no system calls for
 * them. Lines are short, so small buffers suffice, and excess data waits on the peer's machine. A
 * restarted peer answers a keepalive with a reset, which ends its session; an unreachable one has
 * as long as a silent one.
 */
static bool sockets_set_up(int fd, uint32_t silence)
{
	return sockets_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
	       sockets_set(fd, SOL_SOCKET, SO_RCVBUF, SOCKETS_TCP_BUFFER) &&
	       sockets_set(fd, SOL_SOCKET, SO_SNDBUF, SOCKETS_TCP_BUFFER) &&
	       sockets_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) &&
	       sockets_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, SOCKETS_PROBE_SECONDS) &&
	       sockets_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, SOCKETS_PROBE_SECONDS) &&
	       sockets_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, silence * 1000);
}

int sockets_listener(struct in_addr addr, uint16_t port, uint32_t silence)
{
	struct sockaddr_in local = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = addr};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || !sockets_set_up(fd, silence) ||
	    bind(fd, (const struct sockaddr *)&local, sizeof(local)) == -1 ||
	    listen(fd, SOMAXCONN) == -1) {
		int error = -errno;
		char text[INET_ADDRSTRLEN];

		log_warn("cannot listen on %s port %u (-p names another)",
			 inet_ntop(AF_INET, &addr, text, sizeof(text)), port);
		if (fd != -1)
			close(fd);
		return error;
	}
	return fd;
}

int sockets_counter_page(size_t size, int *reader)
{
	char path[40];
	int error;
	int fd = memfd_create("dtcp-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	*reader = -1;
	if (fd == -1 || ftruncate(fd, (off_t)size) == -1)
		goto failed;
	/* Neither side can truncate the memory. */
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1)
		goto failed;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*reader = open(path, O_RDONLY | O_CLOEXEC);
	if (*reader == -1)
		goto failed;
	return fd;
failed:
	error = -errno;
	log_warn("cannot make the counter page");
	if (fd != -1)
		close(fd);
	return error;
}
