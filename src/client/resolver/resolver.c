/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/resolver/resolver.h"

#include "base/log.h"
#include "client/exits.h"
#include "client/options.h"
#include "process/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int resolver_ask(const char *name, int family, struct addrinfo **found)
{
	/* Without AI_ADDRCONFIG: this machine's addresses may change a moment later. */
	const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	int error = getaddrinfo(name, NULL, &hints, found);

	log_debug("%s: IPv%c: %s", name, family == AF_INET ? '4' : '6',
		  error ? gai_strerror(error) : "found");
	return error;
}

void resolver_look_up(const char *name, struct client_addresses *addresses)
{
	struct addrinfo *found;

	*addresses = (struct client_addresses){.error = resolver_ask(name, AF_INET, &found)};
	if (addresses->error) {
		/* Asks for IPv6 addresses, to distinguish a name without any address. */
		if (addresses->error != EAI_AGAIN && resolver_ask(name, AF_INET6, &found) == 0) {
			addresses->error = 0;
			freeaddrinfo(found);
		}
		return;
	}
	for (const struct addrinfo *entry = found; entry && addresses->count < CLIENT_ADDRESSES_MAX;
	     entry = entry->ai_next) {
		struct sockaddr_in address;

		memcpy(&address, entry->ai_addr, sizeof(address));
		addresses->list[addresses->count++] = address.sin_addr;
	}
	freeaddrinfo(found);
}

bool client_resolver_prepare(const struct process_self *self)
{
	int fd = self->root;
	char byte;

	/* Libraries cannot write files, which must not end the process. */
	(void)signal(SIGXFSZ, SIG_IGN);
	/* Control sends nothing, so a signal on the channel means that it has closed: ends this
	 * process. */
	(void)signal(SIGIO, SIG_DFL);
	if (fcntl(fd, F_SETOWN, getpid()) == -1 || fcntl(fd, F_SETFL, O_ASYNC) == -1) {
		log_warn("cannot watch the channel to control");
		return false;
	}
	return recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

int client_resolver_run(const struct process_self *self)
{
	const struct client_options *options = self->options;
	const char *name;
	struct client_addresses addresses;
	struct event_base *base;
	struct ipc *control;
	int error = -1;

	if (self->number >= options->n_servers)
		return CLIENT_USAGE;
	name = options->servers[self->number];
	resolver_look_up(name, &addresses);
	base = event_base_new();
	control = base ? ipc_new(base, self->root, "control", NULL, 0, NULL, NULL) : NULL;
	if (control)
		error = ipc_send(control, CLIENT_MSG_ADDRESSES, &addresses, sizeof(addresses), -1);
	ipc_free(&control);
	if (base)
		event_base_free(base);
	if (error)
		log_warnx("cannot tell control the addresses of %s", name);
	return error ? CLIENT_LOCAL : CLIENT_OK;
}
