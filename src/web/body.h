/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What replies send, so long that it matters how often it is in memory: a slow reader may have it
 * for a minute. All who want the same share one.
 */
#ifndef DTCP_WEB_BODY_H
#define DTCP_WEB_BODY_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>

struct body;

/*
 * Takes what is in data. Until it is gone its octets are counted in *held, and, if shared is not
 * NULL, *shared leads to it, and then is NULL again. NULL if memory is short.
 */
struct body *body_new(struct evbuffer *data, size_t *held, struct body **shared);

/* Appends it to out, which keeps it until it was sent or freed. False if memory is short. */
bool body_add(struct body *body, struct evbuffer *out);

/* The one who made it, or held it, needs it no longer. */
void body_release(struct body *body);
void body_hold(struct body *body);

#endif
