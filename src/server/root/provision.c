/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/provision.h"

#include "base/clock.h"
#include "base/log.h"
#include "netconf/sockets.h"
#include "server/exclude.h"
#include "server/root/foreign.h"

#include <stdlib.h>
#include <string.h>

/* How long the check that an address is this machine's is cached. */
enum { PROVISION_HERE_MS = 100 };

struct provision_session {
	bool granted;			 /* granted by accounts, and not ended */
	bool made;			 /* and not refused here */
	bool has_host;			 /* its address is routed to the shared device */
	uint32_t routes;		 /* number of its prefixes that are, too */
	uint32_t device;		 /* number of its own TUN device; 0: none */
	struct prefix6_packed *prefixes; /* on the shared device; owned */
	struct prefix6 host;
};

struct provision {
	const struct server_options *options;
	struct links *links;
	struct provision_session *list; /* by session id */
	uint32_t count;			/* number of those that are made */
	struct in_addr local;		/* an address of this machine, cached until then */
	int64_t local_until;
};

struct provision *provision_new(const struct server_options *options, struct links *links)
{
	struct provision *provision = calloc(1, sizeof(*provision));

	if (!provision)
		return NULL;
	provision->options = options;
	provision->links = links;
	provision->list = calloc(server_options_ids(options), sizeof(*provision->list));
	if (provision->list)
		return provision;
	free(provision);
	return NULL;
}

void provision_free(struct provision *provision)
{
	if (!provision)
		return;
	for (uint32_t id = 0; provision->list && id < server_options_ids(provision->options); id++)
		free(provision->list[id].prefixes);
	free(provision->list);
	free(provision);
}

/* True if the ends of the link are the server's, and an address of host.prefix that is free. */
static bool provision_check_ends(const struct server_options *options,
				 const struct server_verdict *verdict)
{
	const struct prefix6 *prefix = &options->host_prefix;
	const struct in6_addr own = prefix6_first(prefix);

	return options->has_host && IN6_ARE_ADDR_EQUAL(&verdict->her6, &own) &&
	       prefix6_has(prefix, &verdict->me6) && !IN6_ARE_ADDR_EQUAL(&verdict->me6, &own) &&
	       !IN6_ARE_ADDR_EQUAL(&verdict->me6, &prefix->addr);
}

/* Whether a message of accounts is valid. */
static bool provision_check(const struct provision *provision, const struct server_grant *grant)
{
	const struct server_options *options = provision->options;
	const struct server_verdict *verdict = &grant->verdict;
	struct prefix6_set seen = {.n = 0};
	bool numbered =
		grant->type == TUNNEL_HOST || (grant->type == TUNNEL_NETWORK && options->numbered);

	if (verdict->id >= server_options_ids(options) || provision->list[verdict->id].granted)
		return false;
	if (verdict->result != SERVER_GRANTED)
		return verdict->result > SERVER_GRANTED && verdict->result <= SERVER_FAILED;
	if (grant->type < TUNNEL_ONLY || grant->type > TUNNEL_NETWORK || verdict->device != 0 ||
	    !dtcp_endpoint_valid(grant->local) || verdict->numbered != numbered ||
	    verdict->prefixes.n > PREFIX6_SET_MAX)
		return false;
	if (grant->type != TUNNEL_ONLY &&
	    (verdict->prefixes.n > 0) != (grant->type == TUNNEL_NETWORK))
		return false;
	for (uint32_t i = 0; i < verdict->prefixes.n; i++) {
		const struct prefix6 *prefix = &verdict->prefixes.list[i];

		if (!prefix6_valid(prefix) || !prefix6_is_unicast(prefix) ||
		    !prefix6_set_add(&seen, prefix))
			return false;
	}
	return !numbered || provision_check_ends(options, verdict);
}

/* Whether network.fixed allows it. */
static bool provision_is_allowed(const struct provision *provision, const struct prefix6 *prefix)
{
	const char *fixed = provision->options->network_fixed;
	char word[PREFIX6_STRLEN];
	struct prefix6 part;

	while (fixed && exclude_next(&fixed, &part, word) == PREFIX_OK && part.len > 0) {
		if (prefix6_contains(&part, prefix))
			return true;
	}
	return false;
}

/* Whether it is reserved, within the prefixes of the settings. */
static bool provision_is_reserved(const struct provision *provision, const struct prefix6 *prefix)
{
	const struct prefix6 *reserved;
	size_t n;

	reserved = links_reserved(provision->links, &n);
	for (size_t i = 0; i < n; i++) {
		if (prefix6_overlaps(&reserved[i], prefix))
			return true;
	}
	return false;
}

/* The same for a prefix that is not in the pool. */
static uint32_t provision_lack_outside(const struct provision *provision,
				       const struct prefix6 *prefix)
{
	if (provision->options->network_fixed)
		return provision_is_allowed(provision, prefix) ? 0 : SERVER_PREFIX_FIXED;
	return foreign_touches(links_foreign(provision->links), prefix) ? SERVER_PREFIX_MACHINE : 0;
}

/* Why a session cannot have a prefix; 0: it can. */
static uint32_t provision_lack(const struct provision *provision, const struct prefix6 *prefix)
{
	const struct server_options *options = provision->options;
	const struct in6_addr own = prefix6_first(&options->pool);

	if (options->has_pool && prefix6_has(prefix, &own))
		return SERVER_PREFIX_OWN;
	if (options->has_host && prefix6_overlaps(prefix, &options->host_prefix))
		return SERVER_PREFIX_HOST;
	if (!options->has_pool || !prefix6_contains(&options->pool, prefix))
		return provision_lack_outside(provision, prefix);
	return provision_is_reserved(provision, prefix) && !provision_is_allowed(provision, prefix)
		       ? SERVER_PREFIX_MACHINE
		       : 0;
}

/* The same for the address. Accounts may not know yet that it is reserved. */
static uint32_t provision_lack_address(const struct provision *provision,
				       const struct in6_addr *addr)
{
	const struct prefix6 host = {.addr = *addr, .len = 128};

	return provision_is_reserved(provision, &host) ? SERVER_ADDRESS_TAKEN : 0;
}

static struct in_addr provision_her(const struct provision *provision,
				    const struct server_grant *grant)
{
	const struct server_options *options = provision->options;

	return options->address.s_addr ? options->address : grant->local;
}

/* A TUN device for a session without addresses of ours; the user's own prefix is routed to it. */
static bool provision_device(struct provision *provision, const struct server_grant *grant,
			     struct provision_session *session, struct server_verdict *verdict)
{
	uint32_t number;

	if (links_open(provision->links, verdict->user, provision_her(provision, grant),
		       &verdict->prefixes, &number) != 0)
		return false;
	verdict->device = session->device = number;
	return true;
}

/*
 * The session's prefixes on the shared device. An older session of its user, about to be replaced,
 * has the same.
 */
static bool provision_shared(struct provision *provision, const struct server_grant *grant,
			     struct provision_session *session)
{
	const struct server_verdict *verdict = &grant->verdict;

	links_link_local(provision->links, provision_her(provision, grant));
	session->host = (struct prefix6){.addr = verdict->me6, .len = 128};
	session->prefixes = prefix6_set_pack(&verdict->prefixes);
	if (verdict->prefixes.n > 0 && !session->prefixes) {
		log_warnx("out of memory");
		return false;
	}
	session->has_host =
		verdict->numbered && links_route_add(provision->links, &session->host) == 0;
	if (session->has_host != (bool)verdict->numbered)
		return false;
	while (session->routes < verdict->prefixes.n &&
	       links_route_add(provision->links, &verdict->prefixes.list[session->routes]) == 0)
		session->routes++;
	return session->routes == verdict->prefixes.n;
}

static void provision_unroute(const struct provision *provision, struct provision_session *session)
{
	const struct prefix6_set prefixes = prefix6_set_unpack(session->prefixes);

	if (session->has_host)
		links_route_remove(provision->links, &session->host);
	for (uint32_t i = 0; i < session->routes; i++)
		links_route_remove(provision->links, &prefixes.list[i]);
	free(session->prefixes);
	session->prefixes = NULL;
}

/* Many logins at a time are for the same address, and a check takes three system calls. */
static bool provision_is_here(struct provision *provision, struct in_addr local)
{
	int64_t now = clock_ms();

	if (local.s_addr == provision->local.s_addr && now < provision->local_until)
		return true;
	if (!sockets_is_here(local))
		return false;
	provision->local = local;
	provision->local_until = now + PROVISION_HERE_MS;
	return true;
}

static enum server_result provision_make(struct provision *provision,
					 const struct server_grant *grant,
					 struct provision_session *session,
					 struct server_verdict *verdict)
{
	const struct server_options *options = provision->options;
	bool made;

	/* The address may have been removed from the machine since then. */
	if (!options->address.s_addr && !provision_is_here(provision, grant->local)) {
		verdict->lack = SERVER_NOT_HERE;
		return SERVER_FAILED;
	}
	if (grant->type == TUNNEL_ONLY && !options->tunnelonly)
		return SERVER_TYPE;
	for (uint32_t i = 0; i < verdict->prefixes.n && !verdict->lack; i++) {
		verdict->lack = provision_lack(provision, &grant->verdict.prefixes.list[i]);
		/* The prefix that the lack is about. */
		if (verdict->lack)
			verdict->prefixes.list[0] = grant->verdict.prefixes.list[i];
	}
	if (!verdict->lack && verdict->numbered)
		verdict->lack = provision_lack_address(provision, &verdict->me6);
	if (verdict->lack)
		return SERVER_SOLD_OUT;
	made = grant->type == TUNNEL_ONLY ? provision_device(provision, grant, session, verdict)
					  : provision_shared(provision, grant, session);
	return made ? SERVER_GRANTED : SERVER_FAILED;
}

bool provision_grant(struct provision *provision, const struct server_grant *grant,
		     struct server_verdict *verdict)
{
	struct provision_session *session;

	if (!provision_check(provision, grant))
		return false;
	*verdict = grant->verdict;
	if (verdict->result != SERVER_GRANTED)
		return true;
	verdict->lack = 0;
	session = &provision->list[verdict->id];
	*session = (struct provision_session){.granted = true};
	verdict->result = provision_make(provision, grant, session, verdict);
	session->made = verdict->result == SERVER_GRANTED;
	provision->count += session->made;
	if (session->made)
		return true;
	provision_unroute(provision, session);
	session->has_host = false;
	session->routes = 0;
	verdict->prefixes.n = verdict->numbered = 0;
	verdict->session = 0;
	explicit_bzero(verdict->key, sizeof(verdict->key));
	return true;
}

bool provision_end(struct provision *provision, uint32_t id)
{
	struct provision_session session;

	if (!provision_knows(provision, id))
		return false;
	session = provision->list[id];
	provision->list[id] = (struct provision_session){.granted = false};
	provision->count -= session.made;
	if (session.device)
		links_close(provision->links, session.device);
	provision_unroute(provision, &session);
	return true;
}

bool provision_knows(const struct provision *provision, uint32_t id)
{
	return id < server_options_ids(provision->options) && provision->list[id].granted;
}

uint32_t provision_count(const struct provision *provision)
{
	return provision->count;
}
