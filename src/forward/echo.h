/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ICMPv6 echo packets that monitor a path over protocol 41: RFC 4443, section 4;
 * docs/protocol.md, section 2.4. Pure.
 */
#ifndef DTCP_FORWARD_ECHO_H
#define DTCP_FORWARD_ECHO_H

#include "forward/inner.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Octets of a request, and of the answer to it: with a mark and a cookie of 8 octets each. */
#define ECHO_SIZE   64
#define ECHO_COOKIE 8

/* State of a session's requests. */
struct echo {
	struct in6_addr near; /* our end of the link */
	struct in6_addr far;  /* the other one, or ff02::1 */
	uint16_t id;
	uint16_t sequence; /* of the last request */
	uint8_t cookie[ECHO_COOKIE];
};

/*
 * Starts with a new id and cookie, so that answers to earlier requests are not accepted. If far is
 * unspecified, requests go to all nodes on the link, and any answer is accepted.
 */
void echo_begin(struct echo *echo, const struct in6_addr *near, const struct in6_addr *far);

/* Writes the next request, a complete IPv6 packet. */
void echo_request(struct echo *echo, uint8_t out[static ECHO_SIZE]);

/* True for an intact answer to one of the last requests, from any source. */
bool echo_is_answer(const struct echo *echo, const struct inner *inner);

/* Whether such an answer is to the last request. */
bool echo_is_latest(const struct echo *echo, const struct inner *inner);

/*
 * Writes the answer to a request of this kind from the other end of the link to our end. False if
 * the packet is not one, such as a user's ping.
 */
bool echo_answer(const struct echo *echo, const struct inner *inner, uint8_t out[static ECHO_SIZE]);

#endif
