/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes: their octets, what a server learns from them, and the client's clockwork of hellos. The
 * server's side is a table of sessions with a model beside it of where each peer is.
 */
#include "packets.h"

#include "forward/hello.h"
#include "forward/learn.h"
#include "forward/plane_session.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { SESSIONS = 3 };

/* --- octets ------------------------------------------------------------------------------- */

static void try_octets(struct fuzz_input *input)
{
	uint8_t key[PROBE_KEY_SIZE], octets[PROBE_SIZE];
	struct probe probe, again;
	uint8_t *piece;
	size_t len, flip;

	fuzz_fill(input, key, sizeof(key));
	flip = fuzz_16(input) % ((size_t)PROBE_SIZE * 8);
	piece = fuzz_piece(input, 2 * (size_t)PROBE_SIZE, &len);
	if (probe_read(piece, len, &probe)) {
		FUZZ_CHECK(len == PROBE_SIZE);
		FUZZ_CHECK(probe_write(&probe, key, octets));
		FUZZ_CHECK(probe_verify(octets, key));
		FUZZ_CHECK(probe_read(octets, sizeof(octets), &again));
		FUZZ_CHECK(again.type == probe.type && again.clock == probe.clock &&
			   again.session == probe.session && again.counter == probe.counter &&
			   again.proof == probe.proof);
		/* The code covers every bit. */
		octets[flip / 8] ^= (uint8_t)(1u << flip % 8);
		FUZZ_CHECK(!probe_verify(octets, key));
	}
	free(piece);
}

/* --- the server's side -------------------------------------------------------------------- */

struct model {
	struct table *table;
	struct session *sessions[SESSIONS];
	struct table_peer peers[SESSIONS]; /* where each is, as far as the server may know */
	uint64_t heard[SESSIONS];	   /* the highest counter of a good hello */
	uint64_t heard_at[SESSIONS];	   /* and when it came */
	uint64_t answered[SESSIONS];
	/* Whether its address is proven; if not, what has come from there and gone there. */
	bool proven[SESSIONS];
	uint64_t deaf_until[SESSIONS];
	uint64_t in_packets[SESSIONS], in_octets[SESSIONS];
	uint64_t out_packets[SESSIONS], out_octets[SESSIONS];
	uint64_t now;
};

static bool same_peer(const struct table_peer *a, const struct table_peer *b)
{
	return a->transport == b->transport && a->address.s_addr == b->address.s_addr &&
	       a->port == b->port;
}

static void add(struct model *model, unsigned int i)
{
	struct forward_session config = packets_session(i, true, true);

	if (model->sessions[i]) {
		table_remove(model->table, model->sessions[i]);
		model->sessions[i] = NULL;
		return;
	}
	FUZZ_CHECK(table_add(model->table, &config, &model->sessions[i]) == 0);
	table_set_up(model->table, model->sessions[i]);
	session_plane(model->sessions[i])->added = model->now;
	model->peers[i] = *session_peer(model->sessions[i]);
	model->heard[i] = model->answered[i] = 0;
	model->proven[i] = true;
	model->deaf_until[i] = 0;
}

static bool is_at(const struct table *table, const struct session *session)
{
	const struct session *other = table_at_peer(table, session_peer(session), NULL);

	while (other && other != session)
		other = table_at_peer(table, session_peer(session), other);
	return other == session;
}

/* Nobody is where the model does not have them, and everybody can be found there. */
static void check_peers(const struct model *model)
{
	for (unsigned int i = 0; i < SESSIONS; i++) {
		const struct session *session = model->sessions[i];

		if (!session)
			continue;
		FUZZ_CHECK(same_peer(session_peer(session), &model->peers[i]));
		FUZZ_CHECK(table_by_id(model->table, i) == session);
		FUZZ_CHECK(table_by_name(model->table, session_config(session)->session) ==
			   session);
		FUZZ_CHECK(is_at(model->table, session));
	}
}

/* Who has not said hello for long loses the place to the session that has, and nobody else does. */
static void evict(struct model *model, unsigned int i)
{
	const struct session *evicted;
	unsigned int lost = 0;

	while ((evicted = learn_evict(model->table, model->sessions[i], model->now))) {
		FUZZ_CHECK(session_config(evicted)->id != i && session_peer(evicted)->port == 0);
		lost |= 1u << session_config(evicted)->id;
	}
	for (unsigned int other = 0; other < SESSIONS; other++) {
		bool due = other != i && model->proven[i] && model->sessions[other] &&
			   same_peer(&model->peers[other], &model->peers[i]) &&
			   (model->heard[other] == 0 ||
			    model->now >= model->heard_at[other] + LEARN_STALE);

		FUZZ_CHECK(due == ((lost & 1u << other) != 0));
		if (due)
			model->peers[other].port = 0;
	}
}

/* What a good hello from there proves, number being the right one. */
static void prove(struct model *model, unsigned int i, const struct table_peer *peer,
		  uint32_t number, uint32_t proof)
{
	if (model->peers[i].address.s_addr != peer->address.s_addr) {
		model->proven[i] =
			peer->address.s_addr == session_config(model->sessions[i])->peer.s_addr;
		model->in_packets[i] = model->in_octets[i] = 0;
		model->out_packets[i] = model->out_octets[i] = 0;
	} else if (!model->proven[i] && proof && model->now >= model->deaf_until[i]) {
		model->proven[i] = proof == number;
		if (proof != number)
			model->deaf_until[i] = model->now + 1000;
	}
	model->in_packets[i]++;
	model->in_octets[i] += PROBE_SIZE;
	FUZZ_CHECK((session_plane(model->sessions[i])->proof.number == 0) == model->proven[i]);
	FUZZ_CHECK(session_is_proven(model->sessions[i]) == model->proven[i]);
}

/* Three times what came, and not an octet less, however it is counted. */
static void send_there(struct model *model, unsigned int i, size_t len)
{
	uint64_t octets = model->out_octets[i] + len;
	uint64_t headers = 28 * (model->out_packets[i] + 1);
	bool fits = octets <= 3 * model->in_octets[i] &&
		    octets + headers <= 3 * (model->in_octets[i] + 28 * model->in_packets[i]);
	bool sent = proof_spend(&session_plane(model->sessions[i])->proof, len);

	FUZZ_CHECK(sent == (model->proven[i] || fits));
	if (!sent)
		return;
	model->out_packets[i]++;
	model->out_octets[i] += len;
}

static void hello(struct model *model, struct fuzz_input *input, const struct table_peer *peer)
{
	unsigned int i = fuzz_below(input, SESSIONS);
	struct forward_session config = packets_session(i, true, true);
	uint8_t what = fuzz_byte(input);
	struct probe probe = {
		.type = what & 1 ? PROBE_ANSWER : PROBE_HELLO,
		.session = config.session,
		.counter = fuzz_byte(input),
	};
	struct arrival arrival = {.peer = *peer, .local = config.local, .len = PROBE_SIZE};
	uint8_t octets[PROBE_SIZE];
	struct learn learn;
	uint32_t number = 0;
	bool good;

	if (model->sessions[i])
		number = session_plane(model->sessions[i])->proof.number;
	if (what & 32)
		probe.proof = number;
	if (what & 64)
		probe.proof ^= 1;
	if (what & 2)
		probe.session += fuzz_byte(input);
	if (what & 4)
		probe.counter = UINT64_MAX - probe.counter;
	if (what & 8)
		fuzz_spoil(input, config.key, sizeof(config.key));
	FUZZ_CHECK(probe_write(&probe, config.key, octets));
	if (what & 16)
		fuzz_spoil(input, octets, sizeof(octets));
	arrival.payload = octets;
	if (!probe_read(octets, sizeof(octets), &probe))
		return;
	learn_from_probe(model->table, &arrival, &probe, model->now, &learn);
	/* Good is what the session's own key signed, as a hello, with a counter never heard. */
	config = packets_session(i, true, true);
	good = model->sessions[i] && probe.session == config.session && probe.type == PROBE_HELLO &&
	       probe_verify(octets, config.key) && probe.counter > model->heard[i];
	FUZZ_CHECK((learn.drop == DROP_NONE) == (good && peer->port != 0));
	if (!good)
		return;
	model->heard[i] = probe.counter;
	model->heard_at[i] = model->now;
	model->answered[i]++;
	if (peer->port == 0)
		return;
	FUZZ_CHECK(learn.session == model->sessions[i]);
	FUZZ_CHECK(learn.moved == !same_peer(&model->peers[i], peer));
	FUZZ_CHECK(table_by_peer(model->table, peer) == learn.session);
	/* As it came: it may have been spoilt, and be good nevertheless. */
	prove(model, i, peer, number, probe.proof);
	model->peers[i] = *peer;
	evict(model, i);
	FUZZ_CHECK(session_plane(model->sessions[i])->proof.number == 0 ||
		   session_plane(model->sessions[i])->proof.payload >= PROBE_SIZE);
	send_there(model, i, PROBE_SIZE);
	send_there(model, i, (what >> 7) * 7 * probe.counter % 1500);
	FUZZ_CHECK(probe_verify(learn.answer, config.key) &&
		   probe_read(learn.answer, PROBE_SIZE, &probe));
	FUZZ_CHECK(probe.type == PROBE_ANSWER && probe.session == config.session &&
		   probe.counter == model->answered[i] &&
		   probe.proof == session_plane(model->sessions[i])->proof.number);
}

/* A packet from a peer that no session has: who may it belong to? */
static void stray(struct model *model, struct fuzz_input *input, const struct table_peer *peer)
{
	static const char *const sources[] = {"2001:db8:1::2", "2001:db8:100::1", "fe80::1"};
	struct in6_addr source = fuzz_ipv6(sources[fuzz_below(input, 3)]);
	struct session *session = learn_waiting(model->table, peer, &source, model->now);

	if (!session)
		return;
	/* Only one that is waiting, at this address, and has never said hello. */
	FUZZ_CHECK(session_peer(session)->port == 0 && peer->port != 0);
	FUZZ_CHECK(session_config(session)->peer_port == 0 ||
		   session_config(session)->peer_port == peer->port);
	FUZZ_CHECK(session_peer(session)->address.s_addr == peer->address.s_addr);
	FUZZ_CHECK(model->heard[session_config(session)->id] == 0 &&
		   model->now >= session_plane(session)->added + LEARN_PATIENCE);
	FUZZ_CHECK(table_change_peer(model->table, session, peer, session_is_proven(session)));
	model->peers[session_config(session)->id] = *peer;
}

static void try_server(struct fuzz_input *input)
{
	static const uint64_t key[2] = {1, 2};
	struct model model = {.table = table_new(true, SESSIONS, key), .now = 100000};

	FUZZ_CHECK(model.table);
	while (input->left > 0) {
		uint8_t what = fuzz_byte(input);
		struct table_peer peer = {
			.transport = FORWARD_UDP,
			.address.s_addr = htonl(0xc6336402 + (what >> 4) % 4),
			.port = (uint16_t)((what >> 6) * 2014),
		};

		switch (what % 4) {
		case 0:
			add(&model, fuzz_below(input, SESSIONS));
			break;
		case 1:
			hello(&model, input, &peer);
			break;
		case 2:
			stray(&model, input, &peer);
			break;
		default:
			model.now += fuzz_16(input);
			break;
		}
		check_peers(&model);
	}
	table_free(model.table);
}

/* --- the client's side -------------------------------------------------------------------- */

/* Asks until nothing is due; true where a hello is to be sent. */
static bool run_hello(struct hello *hello, uint64_t now, uint64_t heard, bool *dead)
{
	enum hello_action action;
	bool sent = false;

	for (int i = 0; (action = hello_step(hello, now)) != HELLO_WAIT; i++) {
		FUZZ_CHECK(i < 3);
		if (action == HELLO_DEAD) {
			/* Told once, until an answer comes. */
			FUZZ_CHECK(!*dead);
			*dead = true;
		} else if (action == HELLO_SILENT) {
			FUZZ_CHECK(now >= heard + 10000 * HELLO_MS);
		} else {
			sent = true;
		}
	}
	FUZZ_CHECK(hello_deadline(hello) > now);
	/* The longest pause there is between two. */
	FUZZ_CHECK(hello_deadline(hello) <= now + 20000 * HELLO_MS);
	return sent;
}

static void try_client(struct fuzz_input *input)
{
	uint64_t now = 1000000, heard = now;
	struct hello hello;
	bool dead = false, was_dead, revived;

	hello_start(&hello, now);
	FUZZ_CHECK(run_hello(&hello, now, heard, &dead));
	while (input->left > 0) {
		was_dead = dead;
		switch (fuzz_below(input, 6)) {
		case 0:
			hello_hurry(&hello, now);
			FUZZ_CHECK(run_hello(&hello, now, heard, &dead));
			break;
		case 1:
			hello_packet_out(&hello, now);
			break;
		case 2:
			hello_packet_in(&hello);
			break;
		case 3:
			(void)hello_answered(
				&hello, fuzz_bool(input) ? hello_clock(hello.sent) : fuzz_32(input),
				now, &revived);
			FUZZ_CHECK(!dead || revived);
			dead = was_dead = false;
			heard = now;
			break;
		case 4:
			now += (uint64_t)fuzz_16(input) * HELLO_MS;
			/* So late that nobody could have heard an answer. */
			if (now >= hello.next + 5000 * HELLO_MS)
				heard = now;
			break;
		default:
			now = hello_deadline(&hello);
			break;
		}
		(void)run_hello(&hello, now, heard, &dead);
		/* 60 s without an answer, and not a moment less. */
		FUZZ_CHECK(dead == (was_dead || now >= heard + 60000 * HELLO_MS));
	}
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};

	switch (fuzz_byte(&input)) {
	case 'o':
		try_octets(&input);
		break;
	case 's':
		try_server(&input);
		break;
	case 'c':
		try_client(&input);
		break;
	default:
		break;
	}
}
