/* SPDX-License-Identifier: BSD-2-Clause */
/* Where dtcpweb listens, and by which names it may be called. */
#ifndef DTCP_WEB_ADDRESS_H
#define DTCP_WEB_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Most addresses, and most names. */
#define ADDRESS_MAX 8

/* "[ADDRESS]:PORT" with its NUL. */
#define ADDRESS_STRLEN (INET6_ADDRSTRLEN + 8)

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/* Reads "127.0.0.1:80" or "[::1]:80". */
bool address_parse(const char *text, struct address *address);
const char *address_format(const struct address *address, char buf[static ADDRESS_STRLEN]);
socklen_t address_len(const struct address *address);

bool address_is_loopback(const struct address *address);

/* Is it 0.0.0.0 or ::, all of the machine's? */
bool address_is_any(const struct address *address);

/* Whether it can be a name of this machine, or its address, as --host has it. */
bool address_host_valid(const char *name);

struct address_names {
	const struct address *listen;
	size_t n_listen;
	const char *const *hosts;
	size_t n_hosts;
};

/*
 * Whether a browser that names this host means us: one of the names, localhost, a loopback address,
 * or one that we listen on. A page from elsewhere whose own name leads here (DNS rebinding) has
 * another one. host is as in the header Host, a port behind it does not matter.
 */
bool address_host_allowed(const char *host, const struct address_names *names);

#endif
