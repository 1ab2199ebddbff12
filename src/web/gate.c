/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/gate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Milliseconds between checks for closed connections, when full and otherwise. */
#define LOOK_FULL_MS 20
#define LOOK_MS	     1000

/* Milliseconds for which a new connection cannot be closed in favour of another. */
#define GRACE_MS 500

struct gate_slot {
	struct bufferevent *bev; /* NULL: free */
	int64_t since;		 /* start of the connection or request, or end of the reply */
	bool busy;		 /* a request is being answered */
	bool ended;		 /* was shut down */
};

struct gate {
	struct event *look;
	struct evconnlistener *const *listeners;
	size_t n_listeners;
	size_t used;
	struct gate_slot slots[GATE_MAX];
};

/* evhttp removes its callbacks from a connection that it has given up. */
static bool gate_is_over(const struct gate_slot *slot)
{
	bufferevent_event_cb event;

	bufferevent_getcb(slot->bev, NULL, NULL, &event, NULL);
	return !event;
}

/* evhttp then sees the end of the connection. */
static void gate_end(struct gate_slot *slot)
{
	slot->ended = true;
	(void)shutdown(bufferevent_getfd(slot->bev), SHUT_RDWR);
}

static void gate_listen(struct gate *gate, bool on)
{
	for (size_t i = 0; i < gate->n_listeners; i++)
		(void)(on ? evconnlistener_enable(gate->listeners[i])
			  : evconnlistener_disable(gate->listeners[i]));
}

/* Closes the connection that has been idle for longest, unless one is closing already. */
static void gate_make_room(struct gate *gate, int64_t now)
{
	struct gate_slot *longest = NULL;

	for (size_t i = 0; i < GATE_MAX; i++) {
		struct gate_slot *slot = &gate->slots[i];

		if (slot->ended)
			return;
		if (!slot->busy && (!longest || slot->since < longest->since))
			longest = slot;
	}
	if (longest && now - longest->since >= GRACE_MS)
		gate_end(longest);
}

static void gate_look(evutil_socket_t fd, short events, void *arg)
{
	struct gate *gate = arg;
	int64_t now = clock_ms();
	bool was_full = gate->used == GATE_MAX;

	(void)fd;
	(void)events;
	for (size_t i = 0; i < GATE_MAX; i++) {
		struct gate_slot *slot = &gate->slots[i];

		if (!slot->bev)
			continue;
		if (gate_is_over(slot)) {
			bufferevent_decref(slot->bev);
			*slot = (struct gate_slot){0};
			gate->used--;
		} else if (!slot->ended &&
			   now - slot->since >= (slot->busy ? GATE_REPLY_MS : GATE_REQUEST_MS)) {
			gate_end(slot);
		}
	}
	if (gate->used == GATE_MAX)
		gate_make_room(gate, now);
	else if (was_full)
		gate_listen(gate, true);
	if (gate->used > 0)
		clock_arm(gate->look, now + (gate->used == GATE_MAX ? LOOK_FULL_MS : LOOK_MS));
}

/*
 * Called by evhttp: makes the bufferevent of a new connection. The listeners are disabled before
 * there is one connection too many.
 */
static struct bufferevent *gate_enter(struct event_base *base, void *arg)
{
	struct gate *gate = arg;
	struct gate_slot *slot = gate->slots;
	struct bufferevent *bev;

	while (slot->bev)
		slot++;
	bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		return NULL;
	bufferevent_incref(bev);
	*slot = (struct gate_slot){.bev = bev, .since = clock_ms()};
	gate->used++;
	if (gate->used == GATE_MAX)
		gate_listen(gate, false);
	if (gate->used == GATE_MAX || gate->used == 1)
		clock_arm(gate->look,
			  clock_ms() + (gate->used == GATE_MAX ? LOOK_FULL_MS : LOOK_MS));
	return bev;
}

static struct gate_slot *gate_find(struct gate *gate, struct evhttp_request *request)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);

	for (size_t i = 0; i < GATE_MAX; i++) {
		if (gate->slots[i].bev == bev)
			return &gate->slots[i];
	}
	return NULL;
}

static void gate_replied(struct evhttp_request *request, void *arg)
{
	struct gate_slot *slot = gate_find(arg, request);

	if (!slot)
		return;
	slot->busy = false;
	slot->since = clock_ms();
}

/* Most connections end after a reply, which frees their slots at once. */
static void gate_closed(struct evhttp_connection *connection, void *arg)
{
	struct gate *gate = arg;

	(void)connection;
	event_active(gate->look, EV_TIMEOUT, 0);
}

void gate_request(struct gate *gate, struct evhttp_request *request)
{
	struct gate_slot *slot = gate_find(gate, request);

	if (!slot)
		return;
	slot->busy = true;
	slot->since = clock_ms();
	evhttp_request_set_on_complete_cb(request, gate_replied, gate);
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), gate_closed, gate);
}

struct gate *gate_new(struct event_base *base, struct evhttp *http,
		      struct evconnlistener *const *listeners, size_t count)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (gate)
		gate->look = evtimer_new(base, gate_look, gate);
	if (!gate || !gate->look) {
		log_warnx("no memory for connections");
		free(gate);
		return NULL;
	}
	gate->listeners = listeners;
	gate->n_listeners = count;
	evhttp_set_bevcb(http, gate_enter, gate);
	return gate;
}

void gate_free(struct gate *gate)
{
	if (!gate)
		return;
	event_free(gate->look);
	for (size_t i = 0; i < GATE_MAX; i++) {
		if (gate->slots[i].bev)
			bufferevent_decref(gate->slots[i].bev);
	}
	free(gate);
}
