/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/echo.h"

#include "forward/checksum.h"

#include <netinet/icmp6.h>
#include <string.h>

#define ECHO_HEADER 8
#define ECHO_HOPS   64

void echo_write(const struct in6_addr *source, const struct in6_addr *destination, uint16_t id,
		uint16_t sequence, uint8_t out[static ECHO_SIZE])
{
	uint8_t *icmp6 = out + INNER_HEADER;

	_Static_assert(ECHO_SIZE == INNER_HEADER + ECHO_HEADER, "nothing follows");
	memset(out, 0, ECHO_SIZE);
	out[0] = 0x60;
	out[5] = ECHO_HEADER;
	out[6] = IPPROTO_ICMPV6;
	out[7] = ECHO_HOPS;
	memcpy(out + 8, source, sizeof(*source));
	memcpy(out + 24, destination, sizeof(*destination));
	icmp6[0] = ICMP6_ECHO_REQUEST;
	icmp6[4] = (uint8_t)(id >> 8);
	icmp6[5] = (uint8_t)id;
	icmp6[6] = (uint8_t)(sequence >> 8);
	icmp6[7] = (uint8_t)sequence;

	uint64_t sum = checksum_pseudo(out, IPPROTO_ICMPV6, ECHO_HEADER);
	uint16_t check = (uint16_t)~checksum_fold(checksum_add(sum, icmp6, ECHO_HEADER));

	icmp6[2] = (uint8_t)(check >> 8);
	icmp6[3] = (uint8_t)check;
}

bool echo_is_reply(const struct inner *inner, const struct in6_addr *us, uint16_t id)
{
	struct inner_upper upper;

	if (!inner_find_upper(inner, &upper) || upper.fragment || upper.more_hops ||
	    upper.protocol != IPPROTO_ICMPV6 || inner->len - upper.offset < ECHO_HEADER ||
	    !IN6_ARE_ADDR_EQUAL(&inner->dst, us))
		return false;

	const uint8_t *icmp6 = inner->packet + upper.offset;
	size_t len = inner->len - upper.offset;
	uint64_t sum = checksum_pseudo(inner->packet, IPPROTO_ICMPV6, len);

	return icmp6[0] == ICMP6_ECHO_REPLY && icmp6[1] == 0 && (icmp6[4] << 8 | icmp6[5]) == id &&
	       checksum_fold(checksum_add(sum, icmp6, len)) == 0xffff;
}
