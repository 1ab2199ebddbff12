/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/fast.h"

#include "base/clock.h"
#include "base/log.h"
#include "forward/fast_maps.h"
#include "forward/plane.h"
#include "forward/plane_session.h"
#include "forward/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct fast {
	struct plane *plane;
	struct event *beat;
	struct fast_maps maps;
	bool runs;
	uint64_t *peers; /* by id: its key in the kernel's map of peers; 0: none */
};

_Static_assert(FAST_PREFIXES_MAX == FORWARD_PREFIXES_MAX && FAST_UDP == FORWARD_UDP &&
		       FAST_PROTO41 == FORWARD_PROTO41,
	       "the kernel's programs speak the same language");

/* Interval of updates, well before the programs stop. */
static const struct timeval fast_beat = {.tv_sec = 1};

/* The clock of the kernel's programs. */
static uint64_t fast_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* From now on forward handles all packets. */
static void fast_give_up(struct fast *fast, const char *why, int error)
{
	log_warnx("fast path: off: %s: %s", why, strerror(-error));
	(void)event_del(fast->beat);
	__atomic_store_n(&fast->maps.state->alive, 0, __ATOMIC_SEQ_CST);
	table_observe(fast->plane->table, NULL, NULL);
	fast->runs = false;
}

/*
 * A route that is missing in the kernel, or is outdated, would send packets to the session with a
 * shorter prefix, or with the same one before.
 */
static void fast_route(struct fast *fast, const struct prefix6 *prefix, enum table_match match,
		       uint32_t id)
{
	struct fast_route route = {.len = prefix->len};
	int error;

	memcpy(route.address, &prefix->addr, sizeof(route.address));
	/* A route without a session overrides shorter prefixes. */
	if (match == TABLE_UNKNOWN)
		error = fast_maps_remove(&fast->maps, FAST_ROUTES, &route);
	else
		error = fast_maps_put(&fast->maps, FAST_ROUTES, &route,
				      match == TABLE_UP ? id : FAST_NOBODY);
	if (error)
		fast_give_up(fast, "the kernel's routes cannot follow", error);
}

/* --- a session ---------------------------------------------------------------------------- */

static struct in_addr fast_local(struct session *session)
{
	const struct forward_session *config = session_config(session);

	return config->local.s_addr ? config->local : session_plane(session)->local;
}

/* Several sessions at one peer are told apart by the inner source, which only forward does. */
static bool fast_is_alone(const struct fast *fast, const struct session *session)
{
	const struct table *table = fast->plane->table;
	const struct table_peer *peer = session_peer(session);
	const struct session *first = table_at_peer(table, peer, NULL);

	return first == session && !table_at_peer(table, peer, session);
}

static bool fast_carries(const struct fast *fast, struct session *session)
{
	return session_is_up(session) && session_config(session)->device == 0 &&
	       session_is_learned(session) && session_is_proven(session) &&
	       !session_plane(session)->dead && fast_local(session).s_addr != 0 &&
	       fast_is_alone(fast, session);
}

static void fast_write(const struct fast *fast, struct session *session, struct fast_session *out)
{
	const struct forward_session *config = session_config(session);
	const struct table_peer *peer = session_peer(session);
	const struct pmtu *pmtu = session_pmtu(session);
	uint64_t now = clock_us() / 1000;

	out->peer.address = peer->address.s_addr;
	out->peer.port = htons(peer->port);
	out->peer.transport = (uint16_t)peer->transport;
	out->local = fast_local(session).s_addr;
	out->alias = config->alias.s_addr;
	out->mtu = config->mtu;
	out->path = pmtu_get(pmtu, now);
	out->path_until = now < pmtu->until ? fast_now() + (pmtu->until - now) * 1000000 : 0;
	out->n_prefixes =
		fast->plane->config.server || config->own_sources ? config->n_prefixes : 0;
	for (uint32_t i = 0; i < out->n_prefixes; i++) {
		static const struct in6_addr ones = {.s6_addr = {255, 255, 255, 255, 255, 255, 255,
								 255, 255, 255, 255, 255, 255, 255,
								 255, 255}};
		const struct prefix6 *prefix = &config->prefixes[i];
		const struct in6_addr mask = prefix6_mask(&ones, prefix->len);

		memcpy(out->prefixes[i].address, &prefix->addr, sizeof(prefix->addr));
		memcpy(out->prefixes[i].mask, &mask, sizeof(mask));
	}
}

/* The kernel carries no packets of this id any more. */
static void fast_clear(struct fast *fast, uint32_t id)
{
	const struct prefix6 all = {.len = 0};

	__atomic_store_n(&fast->maps.sessions[id].flags, 0, __ATOMIC_SEQ_CST);
	if (!fast->peers[id])
		return;
	/* An entry that stays points to a session with another peer, which the programs reject. */
	(void)fast_maps_remove(&fast->maps, FAST_PEERS, &fast->peers[id]);
	if (!fast->plane->config.server)
		fast_route(fast, &all, TABLE_UNKNOWN, id);
	fast->peers[id] = 0;
}

static void fast_set(struct fast *fast, struct session *session)
{
	uint32_t id = session_config(session)->id;
	struct fast_session *there = &fast->maps.sessions[id];
	struct fast_session facts = {.flags = 0};
	const struct prefix6 all = {.len = 0};

	fast_write(fast, session, &facts);
	if (fast->peers[id] && fast->peers[id] != facts.peer.whole)
		fast_clear(fast, id);
	/* Forward sees the first outgoing packet of a new session. */
	if (!fast->peers[id]) {
		*there = facts;
		/* Without the entry, forward carries the session. */
		if (fast_maps_put(&fast->maps, FAST_PEERS, &facts.peer.whole, id))
			return;
		fast->peers[id] = facts.peer.whole;
		if (!fast->plane->config.server)
			fast_route(fast, &all, TABLE_UP, id);
	} else {
		/* Nothing else can have changed, so the order of writes does not matter. */
		there->local = facts.local;
		there->path = facts.path;
		there->path_until = facts.path_until;
	}
	__atomic_store_n(&there->flags,
			 (uint32_t)(fast->maps.receives ? FAST_OUT | FAST_IN : FAST_OUT),
			 __ATOMIC_SEQ_CST);
}

static void fast_look(struct fast *fast, uint32_t id)
{
	struct session *session = table_by_id(fast->plane->table, id);

	if (session && fast_carries(fast, session))
		fast_set(fast, session);
	else
		fast_clear(fast, id);
}

/* --- observer of the session table -------------------------------------------------------- */

static void fast_on_session(const struct table *table, uint32_t id, void *arg)
{
	(void)table;
	fast_look(arg, id);
}

static void fast_on_peer(const struct table *table, const struct table_peer *peer, void *arg)
{
	for (struct session *session = table_at_peer(table, peer, NULL); session;
	     session = table_at_peer(table, peer, session))
		fast_look(arg, session_config(session)->id);
}

static void fast_on_prefix(const struct table *table, const struct prefix6 *prefix, void *arg)
{
	struct session *session = NULL;
	enum table_match match = table_by_prefix(table, prefix, &session);

	fast_route(arg, prefix, match, session ? session_config(session)->id : 0);
}

static const struct table_observer fast_observer = {
	.session = fast_on_session,
	.peer = fast_on_peer,
	.prefix = fast_on_prefix,
};

/* --- making and freeing ------------------------------------------------------------------- */

static void fast_on_beat(evutil_socket_t fd, short what, void *arg)
{
	const struct fast *fast = arg;

	(void)fd;
	(void)what;
	__atomic_store_n(&fast->maps.state->alive, fast_now(), __ATOMIC_SEQ_CST);
}

struct fast *fast_new(struct plane *plane)
{
	struct fast *fast = calloc(1, sizeof(*fast));

	if (!fast)
		return NULL;
	fast->plane = plane;
	fast_maps_init(&fast->maps, plane->config.sessions_max);
	fast->peers = calloc(plane->config.sessions_max ? plane->config.sessions_max : 1,
			     sizeof(*fast->peers));
	fast->beat = event_new(plane->base, -1, EV_PERSIST, fast_on_beat, fast);
	if (fast->peers && fast->beat)
		return fast;
	fast_free(fast);
	return NULL;
}

static int fast_begin(struct fast *fast)
{
	fast->runs = true;
	fast_on_beat(-1, 0, fast);
	if (event_add(fast->beat, &fast_beat) == -1)
		return -ENOMEM;
	table_observe(fast->plane->table, &fast_observer, fast);
	return 0;
}

int fast_take(struct fast *fast, const struct forward_fast *message, int fd)
{
	int error;

	if (fast->runs) {
		close(fd);
		return -EINVAL;
	}
	error = fast_maps_take(&fast->maps, message, fd);
	if (!error && fast_maps_complete(&fast->maps))
		error = fast_begin(fast);
	return error;
}

void fast_free(struct fast *fast)
{
	if (!fast)
		return;
	fast_maps_close(&fast->maps);
	if (fast->beat)
		event_free(fast->beat);
	free(fast->peers);
	free(fast);
}

/* --- queries of the data plane ------------------------------------------------------------ */

void fast_reset_counters(const struct fast *fast, uint32_t id, struct session_counters *counters)
{
	const struct counters_kernel kernel = {fast->maps.counters, fast->maps.lanes};
	struct session_counters sum = {0};

	counters_kernel_add(&kernel, id, &sum);
	/* Adding the kernel's counters yields 0, as these numbers wrap around. */
	*counters = (struct session_counters){
		.in_packets = -sum.in_packets,
		.in_bytes = -sum.in_bytes,
		.out_packets = -sum.out_packets,
		.out_bytes = -sum.out_bytes,
		.dropped = -sum.dropped,
	};
}

void fast_refresh(struct fast *fast, const struct session *session)
{
	if (fast->runs)
		fast_look(fast, session_config(session)->id);
}

bool fast_has(const struct fast *fast, const struct session *session)
{
	return fast->runs && fast->peers[session_config(session)->id];
}

/* Converts a time of the programs to clock_us(). */
static uint64_t fast_when(uint64_t time)
{
	uint64_t now = clock_us();
	uint64_t age = (fast_now() - time) / 1000;

	return age < now ? now - age : 0;
}

void fast_heard(const struct fast *fast, const struct session *session)
{
	uint32_t id = session_config(session)->id;
	uint64_t now;

	if (!fast_has(fast, session))
		return;
	now = fast_now();
	if (now - fast->maps.sessions[id].heard <= FAST_HEARD_NS)
		return;
	fast->maps.sessions[id].heard = now;
	fast->maps.sessions[id].told = 0;
}

uint64_t fast_last_heard(const struct fast *fast, const struct session *session)
{
	if (!fast_has(fast, session))
		return 0;
	return fast_when(fast->maps.sessions[session_config(session)->id].heard);
}

uint64_t fast_lonely_since(const struct fast *fast, const struct session *session)
{
	const struct fast_session *state;

	if (!fast_has(fast, session))
		return 0;
	state = &fast->maps.sessions[session_config(session)->id];
	return state->lonely < state->heard ? 0 : fast_when(state->lonely);
}

void fast_set_port(const struct fast *fast, uint16_t port)
{
	if (fast->runs)
		__atomic_store_n(&fast->maps.state->udp_port, htons(port), __ATOMIC_SEQ_CST);
}
