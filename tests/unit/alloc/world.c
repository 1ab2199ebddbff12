/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include "process/ipc_wire.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct sockaddr_in world_address(uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};

	(void)inet_pton(AF_INET, NETWORK_HERE, &addr.sin_addr);
	return addr;
}

int world_listen(uint16_t *port)
{
	struct sockaddr_in addr = world_address(0);
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1 ||
	    listen(fd, 8) == -1 || getsockname(fd, (struct sockaddr *)&addr, &len) == -1)
		return -1;
	*port = ntohs(addr.sin_port);
	return fd;
}

bool world_tell(int channel, uint32_t type, const void *body, size_t size, int fd)
{
	const struct ipc_header header = {.type = type, .size = (uint32_t)size};
	bool sent;

	sent = ipc_wire_send_one(channel, &header, body, size, fd) == 0;
	if (fd != -1)
		close(fd);
	return sent;
}

/* False where nothing can be read in time. */
static bool world_wait(int fd, bool *silent)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	if (poll(&poll_fd, 1, WORLD_PATIENCE) == 1)
		return true;
	*silent = true;
	return false;
}

bool world_speaks_first(int channel, int stream, bool *silent)
{
	struct pollfd fds[] = {{.fd = channel, .events = POLLIN}, {.fd = stream, .events = POLLIN}};

	if (poll(fds, 2, WORLD_PATIENCE) <= 0)
		*silent = true;
	return fds[0].revents != 0;
}

bool world_hear(int channel, uint32_t type, void *body, size_t size, bool *silent)
{
	struct ipc_wire_packet packet;
	const struct ipc_header *header;
	const void *found;
	int fd;

	while (world_wait(channel, silent)) {
		if (ipc_wire_receive(channel, &packet, &fd) != 1)
			return false;
		if (fd != -1)
			close(fd);
		while (ipc_wire_next(&packet, &header, &found) == 1) {
			if (header->type != type || header->size != size)
				continue;
			if (size > 0)
				memcpy(body, found, size);
			return true;
		}
	}
	return false;
}

bool world_say(int stream, const char *line)
{
	char text[600];
	int len = snprintf(text, sizeof(text), "%s\r\n", line);

	return send(stream, text, (size_t)len, MSG_NOSIGNAL) == len;
}

bool world_line(int stream, char *line, size_t size, bool *silent)
{
	size_t len = 0;

	for (;;) {
		if (!world_wait(stream, silent))
			return false;
		if (len + 1 == size || recv(stream, line + len, 1, 0) != 1)
			return false;
		if (line[len] == '\n')
			break;
		len++;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	return true;
}
