/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMPv6 echo: RFC 4443, section 4. Pure code. */
#ifndef DTCP_FORWARD_ECHO_H
#define DTCP_FORWARD_ECHO_H

#include "forward/inner.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Octets of a request, which carries no data. */
#define ECHO_SIZE 48

/* Writes a whole IPv6 packet with an echo request. */
void echo_write(const struct in6_addr *source, const struct in6_addr *destination, uint16_t id,
		uint16_t sequence, uint8_t out[static ECHO_SIZE]);

/* True for an intact reply to us with this id. */
bool echo_is_reply(const struct inner *inner, const struct in6_addr *us, uint16_t id);

#endif
