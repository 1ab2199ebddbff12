/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest name of a host (RFC 1035). */
#define HOST_SIZE 256

/*
 * Splits "HOST", "HOST:PORT", "[HOST]" or "[HOST]:PORT"; port points behind the colon, NULL: none.
 * False: none of these forms.
 */
static bool address_split(const char *text, char host[static HOST_SIZE], bool *brackets,
			  const char **port)
{
	size_t len;
	const char *rest;

	*brackets = text[0] == '[';
	text += *brackets;
	len = strcspn(text, *brackets ? "]" : ":");
	rest = text + len;
	if (len == 0 || len >= HOST_SIZE || (*brackets && *rest++ != ']'))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	*port = *rest == ':' ? rest + 1 : NULL;
	return *rest == '\0' || (*rest == ':' && rest[1 + strspn(rest + 1, "0123456789")] == '\0');
}

static bool address_read(const char *host, bool brackets, struct address *address)
{
	*address = (struct address){0};
	address->any.sa_family = brackets ? AF_INET6 : AF_INET;
	return inet_pton(address->any.sa_family, host,
			 brackets ? (void *)&address->v6.sin6_addr
				  : (void *)&address->v4.sin_addr) == 1;
}

bool address_parse(const char *text, struct address *address)
{
	const char *error = NULL;
	const char *port;
	char host[HOST_SIZE];
	bool brackets;
	uint16_t number;

	if (!address_split(text, host, &brackets, &port) || !port ||
	    !address_read(host, brackets, address))
		return false;
	number = (uint16_t)strtonum(port, 1, UINT16_MAX, &error);
	if (brackets)
		address->v6.sin6_port = htons(number);
	else
		address->v4.sin_port = htons(number);
	return !error;
}

const char *address_format(const struct address *address, char buf[static ADDRESS_STRLEN])
{
	char host[INET6_ADDRSTRLEN] = "";

	if (address->any.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
		(void)snprintf(buf, ADDRESS_STRLEN, "%s:%u", host, ntohs(address->v4.sin_port));
	} else {
		(void)inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
		(void)snprintf(buf, ADDRESS_STRLEN, "[%s]:%u", host, ntohs(address->v6.sin6_port));
	}
	return buf;
}

socklen_t address_len(const struct address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);
}

bool address_is_loopback(const struct address *address)
{
	return address->any.sa_family == AF_INET
		       ? ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
		       : IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

bool address_is_any(const struct address *address)
{
	return address->any.sa_family == AF_INET ? address->v4.sin_addr.s_addr == htonl(INADDR_ANY)
						 : IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

/* Compares without the ports. */
static bool address_equal(const struct address *one, const struct address *other)
{
	if (one->any.sa_family != other->any.sa_family)
		return false;
	return one->any.sa_family == AF_INET
		       ? one->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr
		       : IN6_ARE_ADDR_EQUAL(&one->v6.sin6_addr, &other->v6.sin6_addr);
}

bool address_host_valid(const char *name)
{
	struct in6_addr address;
	size_t len = strlen(name);

	if (strchr(name, ':'))
		return inet_pton(AF_INET6, name, &address) == 1;
	if (len == 0 || len >= HOST_SIZE || name[0] == '.' || name[0] == '-')
		return false;
	for (const char *c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr(".-_", *c))
			return false;
	}
	return true;
}

static bool address_allowed(const struct address *address, const struct address_names *names)
{
	if (address_is_loopback(address))
		return true;
	for (size_t i = 0; i < names->n_listen; i++) {
		if (!address_is_any(address) && address_equal(&names->listen[i], address))
			return true;
	}
	return false;
}

/* "localhost" and its subdomains (RFC 6761, section 6.3). */
static bool address_is_localhost(const char *host)
{
	static const char name[] = "localhost";
	size_t len = strlen(host), tail = sizeof(name) - 1;

	return len >= tail && strcasecmp(host + len - tail, name) == 0 &&
	       (len == tail || host[len - tail - 1] == '.');
}

bool address_host_allowed(const char *text, const struct address_names *names)
{
	struct address address;
	char host[HOST_SIZE];
	const char *port;
	bool brackets;

	if (!address_split(text, host, &brackets, &port))
		return false;
	if (address_read(host, brackets, &address) && address_allowed(&address, names))
		return true;
	/* A name may end with the root's dot. */
	if (!brackets && host[0] && host[strlen(host) - 1] == '.')
		host[strlen(host) - 1] = '\0';
	for (size_t i = 0; i < names->n_hosts; i++) {
		if (strcasecmp(names->hosts[i], host) == 0)
			return true;
	}
	return !brackets && address_is_localhost(host);
}
