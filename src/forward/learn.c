/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/learn.h"

/* The newest hello is right: two peers cannot be in one place. */
static void learn_move(struct table *table, const struct table_peer *peer, struct learn *out)
{
	struct session *other = table_by_peer(table, peer);

	if (other == out->session)
		return;
	if (other) {
		struct table_peer unlearned = other->peer;

		unlearned.port = 0;
		(void)table_change_peer(table, other, &unlearned);
	}
	out->superseded = other;
	out->moved = table_change_peer(table, out->session, peer) == 0;
}

/* In this order, so that a stranger without the key cannot find out anything about counters. */
static enum drop_reason learn_check(const struct session *session, const struct arrival *arrival,
				    const struct probe *probe)
{
	if (!session || !session->announced)
		return DROP_PROBE_SESSION;
	if (!probe_verify(arrival->payload, session->config.key))
		return DROP_PROBE_CODE;
	/* What the session was sent back, by whoever. */
	if (probe->type != PROBE_HELLO)
		return DROP_PROBE_CODE;
	return probe->counter > session->hello_counter ? DROP_NONE : DROP_PROBE_OLD;
}

void learn_from_probe(struct table *table, const struct arrival *arrival, const struct probe *probe,
		      struct learn *out)
{
	struct session *session = table_by_name(table, probe->session);

	*out = (struct learn){.drop = learn_check(session, arrival, probe), .session = session};
	if (out->drop != DROP_NONE)
		return;

	const struct probe answer = {
		.type = PROBE_ANSWER,
		.clock = probe->clock,
		.session = probe->session,
		.counter = ++session->answer_counter,
	};

	session->hello_counter = probe->counter;
	/* Port 0 cannot be answered, so nobody is there. */
	if (arrival->peer.port == 0 || !probe_write(&answer, session->config.key, out->answer)) {
		out->drop = DROP_SEND;
		return;
	}
	learn_move(table, &arrival->peer, out);
}

static bool session_waits(const struct session *session, uint64_t now)
{
	return session->announced && session->config.peer_port == 0 &&
	       session->hello_counter == 0 && now >= session->added + LEARN_PATIENCE;
}

static bool session_owns(const struct session *session, const struct in6_addr *source)
{
	for (uint32_t i = 0; i < session->config.n_prefixes; i++) {
		if (prefix6_has(&session->config.prefixes[i], source))
			return true;
	}
	return false;
}

struct session *learn_waiting(const struct table *table, const struct table_peer *peer,
			      const struct in6_addr *source, uint64_t now)
{
	struct session *one = NULL;
	struct session *owner = NULL;
	uint32_t waiting = 0;
	uint32_t owners = 0;

	if (peer->transport != FORWARD_UDP || peer->port == 0)
		return NULL;
	for (struct session *session = table_unlearned(table, peer->address, NULL); session;
	     session = table_unlearned(table, peer->address, session)) {
		if (!session_waits(session, now))
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
