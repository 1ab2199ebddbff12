/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses that dtcpweb listens on, and the host names that it accepts. */
#ifndef DTCP_WEB_ADDRESS_H
#define DTCP_WEB_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Largest number of addresses, and of names. */
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

/* Parses "127.0.0.1:80" or "[::1]:80". */
bool address_parse(const char *text, struct address *address);
const char *address_format(const struct address *address, char buf[static ADDRESS_STRLEN]);
socklen_t address_len(const struct address *address);

bool address_is_loopback(const struct address *address);

/* Whether it is 0.0.0.0 or ::, all of the machine's addresses. */
bool address_is_any(const struct address *address);

/* Whether it is a valid host name or address for --host. */
bool address_host_valid(const char *name);

struct address_names {
	const struct address *listen;
	size_t n_listen;
	const char *const *hosts;
	size_t n_hosts;
};

/*
 * Whether a request for this host is accepted: one of the names, localhost, a loopback address, or
 * one that we listen on. A page of another site whose name resolves to this machine (DNS rebinding)
 * sends another host. host is the value of the header Host; a port in it is ignored.
 */
bool address_host_allowed(const char *host, const struct address_names *names);

#endif
