/* SPDX-License-Identifier: BSD-2-Clause */
/* What daemons say, and what is made of it, as text. */
#ifndef DTCP_TESTS_UNIT_WEB_SAID_H
#define DTCP_TESTS_UNIT_WEB_SAID_H

#include <event2/buffer.h>
#include <jansson.h>

/* JSON with ' in place of ", to be freed with json_decref(). */
json_t *said_json(const char *text);

/* What is in the buffer, which is empty then; valid until the next call. */
const char *said_text(struct evbuffer *buffer);

/* Fails unless part is in text so many times. */
void said_expect(const char *text, const char *part, unsigned int times);

#endif
