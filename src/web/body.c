/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/body.h"

#include <stdlib.h>

struct body {
	struct evbuffer *data; /* in one piece */
	size_t holders;
	size_t *held;
	struct body **shared; /* NULL: not shared */
};

struct body *body_new(struct evbuffer *data, size_t *held, struct body **shared)
{
	struct body *body = calloc(1, sizeof(*body));

	if (body)
		body->data = evbuffer_new();
	if (!body || !body->data || evbuffer_add_buffer(body->data, data) == -1 ||
	    !evbuffer_pullup(body->data, -1)) {
		if (body && body->data)
			evbuffer_free(body->data);
		free(body);
		return NULL;
	}
	body->holders = 1;
	body->held = held;
	*held += evbuffer_get_length(body->data);
	if (!shared)
		return body;
	/* This one is newer. */
	if (*shared)
		(*shared)->shared = NULL;
	body->shared = shared;
	*shared = body;
	return body;
}

/* Called by libevent when it has been sent, or its reader has gone. */
static void body_sent(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	body_release(arg);
}

bool body_add(struct body *body, struct evbuffer *out)
{
	if (evbuffer_add_reference(out, evbuffer_pullup(body->data, -1),
				   evbuffer_get_length(body->data), body_sent, body) == -1)
		return false;
	body_hold(body);
	return true;
}

void body_release(struct body *body)
{
	if (--body->holders > 0)
		return;
	*body->held -= evbuffer_get_length(body->data);
	if (body->shared)
		*body->shared = NULL;
	evbuffer_free(body->data);
	free(body);
}

void body_hold(struct body *body)
{
	body->holders++;
}
