/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/decap.h"

#include "forward/learn.h"
#include "forward/plane_session.h"
#include "forward/tos.h"
#include "forward/vnet.h"

/* Checks the inner packet, in the order of the drop reasons. */
static enum drop_reason decap_check(const struct inner *inner, const struct session *session,
				    struct in_addr local, bool server, bool *ask)
{
	const struct forward_session *config = session_config(session);
	enum drop_reason drop = inner_check_source(inner);

	if (drop == DROP_NONE && server)
		drop = inner_check_ingress(inner, config);
	/* Prefixes that an administrator routes to a user's own device are known to the routing
	 * table only. */
	if (drop == DROP_SRC_INGRESS && config->device > 0) {
		*ask = !config->any_source;
		drop = DROP_NONE;
	}
	if (drop == DROP_NONE)
		drop = inner_check_router(inner, !server && config->adverts);
	if (drop == DROP_NONE)
		drop = inner_check_loop(inner, local, config->alias);
	return drop;
}

/* RFC 4213, section 3.6: the only check of the sender. */
static bool decap_accepts(struct session *session, struct in_addr to)
{
	const struct forward_session *config = session_config(session);

	/* Without a device, an answer to our echo request is still accepted. */
	if (!session_is_up(session) && !session_plane(session)->probing)
		return false;
	return !config->local.s_addr || to.s_addr == config->local.s_addr ||
	       (config->alias.s_addr && to.s_addr == config->alias.s_addr);
}

static bool decap_fits(const struct inner *inner, const struct session *session)
{
	return inner_check_ingress(inner, session_config(session)) == DROP_NONE;
}

/*
 * Finds the session of a packet from this peer; inner is NULL if only the peer is known. If several
 * sessions have that peer, the inner source decides: otherwise a user could, with a hello from
 * another user's address, have that user's packets counted as their own, and dropped. If the source
 * does not tell, the newest session gets the packet.
 */
static struct session *decap_owner(const struct table *table, const struct table_peer *peer,
				   const struct inner *inner, uint64_t now, bool *learned)
{
	struct session *newest = table_by_peer(table, peer);
	struct session *waiting;

	*learned = false;
	if (!inner || (newest && decap_fits(inner, newest)))
		return newest;
	for (struct session *session = table_at_peer(table, peer, NULL); session;
	     session = table_at_peer(table, peer, session)) {
		if (decap_fits(inner, session))
			return session;
	}
	waiting = learn_waiting(table, peer, &inner->src, now);
	if (!waiting || (newest && !decap_fits(inner, waiting)))
		return newest;
	*learned = true;
	return waiting;
}

void decap_packet(const struct table *table, bool server, const struct arrival *arrival,
		  uint64_t now, struct decap *out)
{
	out->session = NULL;
	out->learned = false;
	out->ask = false;
	if (!arrival->payload) {
		out->drop = DROP_OUTER_SHORT;
		return;
	}
	/* docs/protocol.md, section 2.1: in UDP the first nibble tells the kind of payload. */
	if (arrival->peer.transport == FORWARD_UDP &&
	    (arrival->len == 0 || arrival->payload[0] >> 4 != 6)) {
		out->drop = DROP_UDP_MALFORMED;
		return;
	}

	enum drop_reason parsed = inner_parse(arrival->payload, arrival->len, &out->inner);
	bool may_share = server && arrival->peer.transport == FORWARD_UDP && parsed == DROP_NONE;
	struct session *session = decap_owner(table, &arrival->peer, may_share ? &out->inner : NULL,
					      now, &out->learned);

	if (!session || !decap_accepts(session, arrival->local)) {
		out->drop = DROP_OUTER_PEER;
		return;
	}
	out->session = session;
	out->drop = parsed;
	if (out->drop == DROP_NONE) {
		struct in_addr local = session_config(session)->local;

		if (!local.s_addr)
			local = arrival->local;
		out->drop = decap_check(&out->inner, session, local, server, &out->ask);
	}
	if (out->drop != DROP_NONE)
		return;
	if (!tos_decap(arrival->tos, arrival->payload)) {
		out->drop = DROP_ECN;
		return;
	}
	/*
	 * The size of the merged packets is not known. The least IPv6 MTU is always right: larger
	 * pieces could be too large for a link behind this host, and their sender, who never sent
	 * such large packets, could not react to an error.
	 */
	vnet_fill(&out->inner, INNER_MTU_MIN, &out->vnet);
}
