/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/hook.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Room for the longest value, all prefixes of a reply, and its name. */
enum { HOOK_VALUE_MAX = DTCP_PREFIXES_MAX * PREFIX6_STRLEN + 16, HOOK_VARIABLES = 17 };

struct hook_environment {
	char text[HOOK_VARIABLES][HOOK_VALUE_MAX];
	char *list[HOOK_VARIABLES + 1];
	size_t count;
};

static void hook_set(struct hook_environment *environment, const char *name, const char *value)
{
	char *text = environment->text[environment->count];

	(void)snprintf(text, HOOK_VALUE_MAX, "%s=%s", name, value);
	environment->list[environment->count++] = text;
}

static void hook_set_ipv4(struct hook_environment *environment, const char *name,
			  struct in_addr addr)
{
	char text[INET_ADDRSTRLEN];

	hook_set(environment, name, inet_ntop(AF_INET, &addr, text, sizeof(text)));
}

static void hook_set_ipv6(struct hook_environment *environment, const char *name, bool there,
			  const struct in6_addr *addr)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (there)
		(void)inet_ntop(AF_INET6, addr, text, sizeof(text));
	hook_set(environment, name, text);
}

/* Ports belong to tunnels over UDP; empty for 0. */
static void hook_set_port(struct hook_environment *environment, const char *name, uint32_t port)
{
	char text[16] = "";

	if (port)
		(void)snprintf(text, sizeof(text), "%" PRIu32, port);
	hook_set(environment, name, text);
}

bool hook_wanted(const struct client_options *options)
{
	static enum { UNDECIDED, WANTED, UNWANTED } decision = UNDECIDED;
	bool there = options->script_named || access(options->script, X_OK) == 0;

	if (decision == UNDECIDED)
		decision = there ? WANTED : UNWANTED;
	else if (decision == UNWANTED && there)
		log_warnx("%s was not there at the start, so it is not run; start dtcpclient anew "
			  "to have it run",
			  options->script);
	return decision == WANTED;
}

struct script *hook_start(struct event_base *base, const struct client_options *options,
			  const char *state, const char *user, const char *interface,
			  const struct client_tunnel *tunnel, script_done done, void *arg)
{
	const struct dtcp_reply *reply = &tunnel->reply;
	struct hook_environment environment = {.count = 0};
	char prefixes[DTCP_PREFIXES_MAX * PREFIX6_STRLEN] = "";
	char number[16];

	for (size_t i = 0; i < reply->n_prefixes; i++) {
		char text[PREFIX6_STRLEN];

		if (i > 0)
			(void)strlcat(prefixes, " ", sizeof(prefixes));
		(void)strlcat(prefixes, prefix6_format(&reply->prefixes[i], text),
			      sizeof(prefixes));
	}
	hook_set(&environment, "PATH",
		 "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	hook_set(&environment, "state", state);
	hook_set_ipv4(&environment, "server", tunnel->server);
	hook_set_ipv4(&environment, "myaddr", tunnel->myaddr);
	hook_set(&environment, "tuntype", tunnel_type_name(options->type));
	hook_set_ipv4(&environment, "me", reply->me);
	hook_set_ipv4(&environment, "her", reply->her);
	hook_set_ipv6(&environment, "me6", reply->has_me6, &reply->me6);
	hook_set_ipv6(&environment, "her6", reply->has_her6, &reply->her6);
	hook_set(&environment, "prefix", prefixes);
	hook_set(&environment, "tunif", options->no_device ? "" : interface);
	(void)snprintf(number, sizeof(number), "%u", options->mtu);
	hook_set(&environment, "mtu", number);
	hook_set(&environment, "proto", reply->udp_port ? "udp" : "ipv6");
	hook_set(&environment, "user", user);
	hook_set_port(&environment, "my_port", reply->udp_port ? tunnel->my_port : 0);
	hook_set_port(&environment, "her_port", reply->udp_port);
	return script_start(base, options->script, environment.list, done, arg);
}
