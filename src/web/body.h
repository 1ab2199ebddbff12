/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Content of long replies. A slow reader may keep it in memory for a minute, so replies with the
 * same content share it.
 */
#ifndef DTCP_WEB_BODY_H
#define DTCP_WEB_BODY_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>

struct body;

/*
 * Takes the content of data. While it exists, its octets are counted in *held; if shared is not
 * NULL, *shared points to it, and is NULL afterwards. NULL if memory is short.
 */
struct body *body_new(struct evbuffer *data, size_t *held, struct body **shared);

/* Appends it to out, which holds it until it is sent or freed. False if memory is short. */
bool body_add(struct body *body, struct evbuffer *out);

/* Drops and takes a reference; body_new() returns one. */
void body_release(struct body *body);
void body_hold(struct body *body);

#endif
