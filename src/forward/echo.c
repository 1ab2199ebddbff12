/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/echo.h"

#include "forward/checksum.h"

#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>

/* Only senders on the link can have this hop limit (RFC 5082). */
#define ECHO_HOPS 255

/* Answers to requests older than this many are ignored. */
#define ECHO_WINDOW 64

/* Offsets of the fields of an ICMPv6 message, behind the IPv6 header. */
#define AT_CHECKSUM 2
#define AT_ID	    4
#define AT_SEQUENCE 6
#define AT_MARK	    8
#define AT_COOKIE   16

static const uint8_t echo_mark[] = {'d', 't', 'c', 'p', 'e', 'c', 'h', 'o'};

static const struct in6_addr echo_all_nodes = {.s6_addr = {0xff, 0x02, [15] = 1}};

enum { ECHO_MESSAGE = ECHO_SIZE - INNER_HEADER };

_Static_assert(ECHO_MESSAGE == AT_COOKIE + ECHO_COOKIE && AT_COOKIE == AT_MARK + sizeof(echo_mark),
	       "nothing follows");

static void echo_put(uint8_t *out, uint16_t number)
{
	out[0] = (uint8_t)(number >> 8);
	out[1] = (uint8_t)number;
}

static uint16_t echo_get(const uint8_t *in)
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

/* 0xffff for a message whose checksum is right. */
static uint16_t echo_sum(const uint8_t *packet)
{
	uint64_t sum = checksum_pseudo(packet, IPPROTO_ICMPV6, ECHO_MESSAGE);

	return checksum_fold(checksum_add(sum, packet + INNER_HEADER, ECHO_MESSAGE));
}

/* Writes all fields except id, sequence and data, which are there already. */
static void echo_finish(const struct in6_addr *source, const struct in6_addr *destination,
			uint8_t type, uint8_t out[static ECHO_SIZE])
{
	uint8_t *icmp6 = out + INNER_HEADER;

	memset(out, 0, INNER_HEADER + AT_ID);
	out[0] = 0x60;
	out[5] = ECHO_MESSAGE;
	out[6] = IPPROTO_ICMPV6;
	out[7] = ECHO_HOPS;
	memcpy(out + 8, source, sizeof(*source));
	memcpy(out + 24, destination, sizeof(*destination));
	icmp6[0] = type;
	echo_put(icmp6 + AT_CHECKSUM, (uint16_t)~echo_sum(out));
}

/* The ICMPv6 message if the packet has the form of ours; else NULL. */
static const uint8_t *echo_find(const struct inner *inner, uint8_t type)
{
	const uint8_t *icmp6 = inner->packet + INNER_HEADER;

	/* Exactly the format written above, without extension headers. */
	if (inner->len != ECHO_SIZE || inner->packet[6] != IPPROTO_ICMPV6 || icmp6[0] != type ||
	    icmp6[1] != 0 || memcmp(icmp6 + AT_MARK, echo_mark, sizeof(echo_mark)) != 0 ||
	    echo_sum(inner->packet) != 0xffff)
		return NULL;
	return icmp6;
}

void echo_begin(struct echo *echo, const struct in6_addr *near, const struct in6_addr *far)
{
	*echo = (struct echo){.near = *near, .far = *far, .id = (uint16_t)arc4random()};
	if (IN6_IS_ADDR_UNSPECIFIED(far))
		echo->far = echo_all_nodes;
	arc4random_buf(echo->cookie, sizeof(echo->cookie));
}

void echo_request(struct echo *echo, uint8_t out[static ECHO_SIZE])
{
	uint8_t *icmp6 = out + INNER_HEADER;

	echo_put(icmp6 + AT_ID, echo->id);
	echo_put(icmp6 + AT_SEQUENCE, ++echo->sequence);
	memcpy(icmp6 + AT_MARK, echo_mark, sizeof(echo_mark));
	memcpy(icmp6 + AT_COOKIE, echo->cookie, sizeof(echo->cookie));
	echo_finish(&echo->near, &echo->far, ICMP6_ECHO_REQUEST, out);
}

/*
 * The cookie is no secret, since every request shows it; it proves that whoever answers is on the
 * path.
 */
bool echo_is_answer(const struct echo *echo, const struct inner *inner)
{
	const uint8_t *icmp6 = echo_find(inner, ICMP6_ECHO_REPLY);

	return icmp6 && IN6_ARE_ADDR_EQUAL(&inner->dst, &echo->near) &&
	       echo_get(icmp6 + AT_ID) == echo->id &&
	       (uint16_t)(echo->sequence - echo_get(icmp6 + AT_SEQUENCE)) < ECHO_WINDOW &&
	       memcmp(icmp6 + AT_COOKIE, echo->cookie, sizeof(echo->cookie)) == 0;
}

bool echo_is_latest(const struct echo *echo, const struct inner *inner)
{
	return echo_get(inner->packet + INNER_HEADER + AT_SEQUENCE) == echo->sequence;
}

/* Only the far end has a link-local address on this link. */
static bool echo_is_near(const struct echo *echo, const struct in6_addr *address)
{
	return IN6_ARE_ADDR_EQUAL(address, &echo->near) || IN6_IS_ADDR_LINKLOCAL(address);
}

bool echo_answer(const struct echo *echo, const struct inner *inner, uint8_t out[static ECHO_SIZE])
{
	bool to_all = IN6_ARE_ADDR_EQUAL(&inner->dst, &echo_all_nodes);

	if (!echo_find(inner, ICMP6_ECHO_REQUEST) || inner->packet[7] != ECHO_HOPS ||
	    (!to_all && !echo_is_near(echo, &inner->dst)))
		return false;
	memcpy(out, inner->packet, ECHO_SIZE);
	echo_finish(to_all ? &echo->near : &inner->dst, &inner->src, ICMP6_ECHO_REPLY, out);
	return true;
}
