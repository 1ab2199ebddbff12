/* SPDX-License-Identifier: BSD-2-Clause */
#include "outer.h"

#include "world.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_udp(const uint8_t *ip, const uint8_t *packet, size_t n, bool summed)
{
	const uint8_t *udp = ip + IPV4;
	const uint8_t pseudo[] = {0, 17, udp[4], udp[5]};
	uint32_t sum;

	assert_int_equal(udp[0] << 8 | udp[1], OUR_PORT);
	assert_int_equal(udp[2] << 8 | udp[3], PEER_PORT);
	assert_int_equal(udp[4] << 8 | udp[5], UDP + n);
	if (!summed) {
		assert_int_equal(udp[6] << 8 | udp[7], 0);
		return;
	}
	sum = sum16(ip + 12, 8) + sum16(pseudo, sizeof(pseudo)) + sum16(udp, UDP) +
	      sum16(packet, n + n % 2);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
}

void check_outer(const struct encap *encap, const uint8_t *ip, const uint8_t *packet, size_t n,
		 bool summed)
{
	uint32_t id = session_config(encap->session)->id;
	const uint8_t addresses[] = {192, 0, 2, 1, 192, 0, 2, (uint8_t)(10 + id)};
	size_t overhead = id % 2 ? IPV4 + UDP : IPV4;

	assert_int_equal(ip[0], 0x45);
	assert_int_equal(ip[1], encap->tos);
	assert_int_equal(ip[2] << 8 | ip[3], overhead + n);
	assert_int_equal(ip[6] << 8 | ip[7], encap->df ? 0x4000 : 0);
	assert_int_equal(ip[8], 64);
	assert_int_equal(ip[9], id % 2 ? 17 : 41);
	assert_int_equal(sum16(ip, IPV4), 0xffff);
	assert_memory_equal(ip + 12, addresses, sizeof(addresses));
	if (id % 2)
		check_udp(ip, packet, n, summed);
}
