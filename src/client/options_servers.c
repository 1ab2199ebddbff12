/* SPDX-License-Identifier: BSD-2-Clause */
/* Options for servers, and lists of words in general. */
#include "client/options_parts.h"

#include "base/options.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The longest list in a value. */
enum { LIST_SIZE = 1024 };

bool options_each_word(struct client_options *options, const char *where, const char *text,
		       bool (*take)(struct client_options *options, const char *where,
				    const char *word))
{
	char copy[LIST_SIZE];
	char *rest = copy;
	char *word;

	if (strlcpy(copy, text, sizeof(copy)) >= sizeof(copy))
		return options_bad("%s: the list is too long", where);
	while ((word = strsep(&rest, ","))) {
		if (!take(options, where, word))
			return false;
	}
	return true;
}

/* Splits "host:20200" and "[host]:20200"; false without a port. */
static bool server_split(const char *server, char host[static CLIENT_SERVER_NAME_MAX + 1],
			 uint32_t *port)
{
	const char *colon = strrchr(server, ':');
	const char *error = NULL;
	size_t len = colon ? (size_t)(colon - server) : 0;

	if (len == 0)
		return false;
	*port = (uint32_t)strtonum(colon + 1, 1, UINT16_MAX, &error);
	if (server[0] == '[' && server[len - 1] == ']') {
		server++;
		len -= 2;
	}
	(void)snprintf(host, CLIENT_SERVER_NAME_MAX + 1, "%.*s", (int)len, server);
	return !error && host[0] != '\0' && !strchr(host, ':') && !strchr(host, '[');
}

static bool server_is_ipv6(const char *server)
{
	size_t brackets = server[0] == '[';
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t len = strcspn(server + brackets, "]%");

	if (len >= sizeof(text))
		return false;
	memcpy(text, server + brackets, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool server_check(const char *where, const char *server)
{
	char host[CLIENT_SERVER_NAME_MAX + 1];
	uint32_t port;

	if (server[0] == '\0' || strlen(server) > CLIENT_SERVER_NAME_MAX)
		return options_bad("%s: not a host name or an IPv4 address", where);
	if (server_is_ipv6(server))
		return options_bad("%s %s: an IPv6 address; a server is reached over IPv4, and "
				   "its port is named with -p",
				   where, server);
	if (server_split(server, host, &port))
		return options_bad("%s %s: a port is named with -p, as in: -p %u %s", where, server,
				   port, host);
	if (strpbrk(server, ":[]"))
		return options_bad("%s %s: not a host name or an IPv4 address; a port is named "
				   "with -p",
				   where, server);
	return true;
}

bool options_server(struct client_options *options, const char *where, const char *name)
{
	if (!server_check(where, name))
		return false;
	for (size_t i = 0; i < options->n_servers; i++) {
		if (strcasecmp(options->servers[i], name) == 0)
			return options_bad("%s %s: named twice", where, name);
	}
	if (options->n_servers == CLIENT_SERVERS_MAX)
		return options_bad("%s: more than %d servers", where, CLIENT_SERVERS_MAX);
	options->servers[options->n_servers++] = name;
	return true;
}

bool options_servers(void *arg, const char *where, const char *text)
{
	struct client_options *options = arg;
	char *rest = strdup(text);
	char *word;

	free(options->server_list);
	options->server_list = rest;
	options->n_servers = 0;
	if (!rest)
		return options_bad("%s: out of memory", where);
	while ((word = strsep(&rest, ","))) {
		if (!options_server(options, where, word))
			return false;
	}
	return true;
}

bool client_options_named(const struct client_options *options, size_t server)
{
	struct in_addr address;

	return inet_pton(AF_INET, options->servers[server], &address) != 1;
}
