/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/learn.h"

#include "forward/plane_session.h"

/* In this order, so that a sender without the key learns nothing about counters. */
static enum drop_reason learn_check(struct session *session, const struct arrival *arrival,
				    const struct probe *probe)
{
	if (!session || !session_is_up(session))
		return DROP_PROBE_SESSION;
	if (!probe_verify(arrival->payload, session_config(session)->key))
		return DROP_PROBE_CODE;
	/* An answer of ours that was sent back. */
	if (probe->type != PROBE_HELLO)
		return DROP_PROBE_CODE;
	return probe->counter > session_plane(session)->hello_counter ? DROP_NONE : DROP_PROBE_OLD;
}

/*
 * The state of the address proof after a good hello. The address of the login is proven by its
 * connection; the port does not matter, since it changes behind a NAT, whose other users gain
 * nothing by it.
 */
static struct proof learn_proof(struct session *session, const struct arrival *arrival,
				const struct probe *probe, uint64_t now)
{
	struct in_addr address = arrival->peer.address;
	struct proof proof = session_plane(session)->proof;

	if (address.s_addr != session_peer(session)->address.s_addr)
		proof_begin(&proof, address.s_addr == session_config(session)->peer.s_addr);
	else
		proof_check(&proof, probe->proof, now);
	proof_credit(&proof, arrival->len);
	return proof;
}

void learn_from_probe(struct table *table, const struct arrival *arrival, const struct probe *probe,
		      uint64_t now, struct learn *out)
{
	struct session *session = table_by_name(table, probe->session);

	*out = (struct learn){.drop = learn_check(session, arrival, probe), .session = session};
	if (out->drop != DROP_NONE)
		return;

	struct plane_session *own = session_plane(session);
	struct proof proof = learn_proof(session, arrival, probe, now);
	const struct probe answer = {
		.type = PROBE_ANSWER,
		.clock = probe->clock,
		.session = probe->session,
		.counter = ++own->answer_counter,
		.proof = proof.number,
	};

	own->hello_counter = probe->counter;
	own->hello_at = now;
	/* Port 0 cannot be answered. */
	if (arrival->peer.port == 0 ||
	    !probe_write(&answer, session_config(session)->key, out->answer)) {
		out->drop = DROP_SEND;
		return;
	}
	own->proof = proof;
	out->moved = table_change_peer(table, session, &arrival->peer, !proof.number);
}

struct session *learn_evict(struct table *table, const struct session *session, uint64_t now)
{
	if (!session_is_proven(session))
		return NULL;
	for (struct session *other = table_at_peer(table, session_peer(session), NULL); other;
	     other = table_at_peer(table, session_peer(session), other)) {
		const struct plane_session *own = session_plane(other);
		struct table_peer unlearned = *session_peer(other);

		if (other == session ||
		    (own->hello_counter > 0 && now < own->hello_at + LEARN_STALE))
			continue;
		unlearned.port = 0;
		(void)table_change_peer(table, other, &unlearned, session_is_proven(other));
		return other;
	}
	return NULL;
}

/* A session with a configured port can only be learned at that port. */
static bool session_waits(struct session *session, uint16_t port, uint64_t now)
{
	const struct plane_session *own = session_plane(session);
	uint32_t named = session_config(session)->peer_port;

	return session_is_up(session) && own->hello_counter == 0 && (named == 0 || named == port) &&
	       now >= own->added + LEARN_PATIENCE;
}

static bool session_owns(const struct session *session, const struct in6_addr *source)
{
	const struct forward_session *config = session_config(session);

	for (uint32_t i = 0; i < config->n_prefixes; i++) {
		if (prefix6_has(&config->prefixes[i], source))
			return true;
	}
	return false;
}

struct session *learn_waiting(const struct table *table, const struct table_peer *peer,
			      const struct in6_addr *source, uint64_t now)
{
	const struct table_peer unlearned = {.transport = FORWARD_UDP, .address = peer->address};
	struct session *one = NULL;
	struct session *owner = NULL;
	uint32_t waiting = 0;
	uint32_t owners = 0;

	if (peer->transport != FORWARD_UDP || peer->port == 0)
		return NULL;
	for (struct session *session = table_at_peer(table, &unlearned, NULL); session;
	     session = table_at_peer(table, &unlearned, session)) {
		if (!session_waits(session, peer->port, now))
			continue;
		one = session;
		waiting++;
		if (session_owns(session, source)) {
			owner = session;
			owners++;
		}
	}
	if (waiting == 1)
		return one;
	return owners == 1 ? owner : NULL;
}
