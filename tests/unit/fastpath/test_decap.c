/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's program for packets from outside, beside forward's judgement of the same packets:
 * good ones, and good ones with something changed at random. What the program takes, forward must
 * take as well, with the same octets and the same numbers; what it declines must be untouched; and
 * what is plain it must take.
 */
#include "world.h"

#include "base/clock.h"
#include "forward/arrival.h"
#include "forward/decap.h"
#include "forward/fast.h"
#include "tests/unit/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 20000 };

static void write_check(uint8_t *packet)
{
	uint8_t *ip = packet + ETHERNET;

	put16(ip + 10, 0);
	put16(ip + 10, sum16(ip, IPV4) ^ 0xffff);
}

static size_t inner_at(uint32_t id)
{
	return (size_t)(id % 2 ? ETHERNET + IPV4 + UDP : ETHERNET + IPV4);
}

/* A good packet of that session; its length. */
static size_t make_packet(uint32_t id, uint8_t packet[static PACKET_MAX])
{
	static const uint8_t protocols[] = {6, 17, 58, 50, 132, 59};
	size_t payload = 20 + chance(200);
	size_t at = inner_at(id);
	size_t n = at + IPV6 + payload;
	uint8_t *ip = packet + ETHERNET;
	uint8_t *inner = packet + at;

	memset(packet, 0, PACKET_MAX);
	packet[12] = 0x08;
	ip[0] = 0x45;
	ip[1] = (uint8_t)chance(256);
	put16(ip + 2, n - ETHERNET);
	ip[8] = 64;
	ip[9] = id % 2 ? 17 : 41;
	memcpy(ip + 12, (const uint8_t[]){192, 0, 2, (uint8_t)(10 + id)}, 4);
	memcpy(ip + 16, (const uint8_t[]){192, 0, 2, 1}, 4);
	if (id % 2) {
		put16(ip + IPV4, PEER_PORT);
		put16(ip + IPV4 + 2, OUR_PORT);
		put16(ip + IPV4 + 4, n - ETHERNET - IPV4);
	}
	inner[0] = (uint8_t)(0x60 | chance(16));
	inner[1] = (uint8_t)chance(256);
	put16(inner + 4, payload);
	inner[6] = protocols[chance(sizeof(protocols))];
	inner[7] = 64;
	memcpy(inner + 8, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, (uint8_t)id}, 8);
	inner[23] = 2;
	memcpy(inner + 24, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0, 6}, 6);
	inner[39] = 2;
	for (size_t i = 0; i < payload; i++)
		inner[IPV6 + i] = (uint8_t)chance(256);
	if (inner[6] == 58)
		inner[IPV6] = (uint8_t)(128 + chance(2));
	return n;
}

/* Inner sources and destinations that rules speak of. */
static void make_address(uint8_t out[static 16])
{
	memset(out, 0, 16);
	switch (chance(10)) {
	case 0:
		memcpy(out, (const uint8_t[]){0xff, 0x02}, 2);
		break;
	case 1:
		break;
	case 2:
		out[15] = 1;
		break;
	case 3:
		memcpy(out + 10, (const uint8_t[]){0xff, 0xff, 192, 0, 2, 1}, 6);
		break;
	case 4:
		memcpy(out + 12, (const uint8_t[]){192, 0, 2, 1}, 4);
		break;
	case 5:
		memcpy(out, (const uint8_t[]){0x20, 0x02, 192, 0, 2, 1}, 6);
		break;
	case 6:
		memcpy(out,
		       (const uint8_t[]){0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x5e, 0xfe, 192, 0, 2,
					 1},
		       16);
		break;
	case 7:
		memcpy(out, (const uint8_t[]){0xfe, 0x80}, 2);
		out[13] = (uint8_t)chance(SESSIONS);
		out[14] = 0x12;
		out[15] = 0x34;
		break;
	case 8:
		memcpy(out, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, (uint8_t)chance(5)},
		       8);
		out[15] = 9;
		break;
	default:
		for (int i = 0; i < 16; i++)
			out[i] = (uint8_t)chance(256);
		break;
	}
}

/* Something is not as it should be, or perhaps still is; the new length. */
static size_t change_packet(uint32_t id, uint8_t packet[static PACKET_MAX], size_t n)
{
	static const uint8_t nexts[] = {0, 43, 44, 51, 58, 60, 6, 17, 59, 255};
	uint8_t *ip = packet + ETHERNET;
	uint8_t *inner = packet + inner_at(id);

	switch (chance(14)) {
	case 0:
		make_address(inner + 8);
		break;
	case 1:
		make_address(inner + 24);
		break;
	case 2:
		inner[6] = nexts[chance(sizeof(nexts))];
		break;
	case 3:
		inner[IPV6] = (uint8_t)chance(256); /* the type, where it is ICMPv6 */
		break;
	case 4:
		put16(inner + 4, (size_t)(inner[4] << 8 | inner[5]) + chance(5) - 2);
		break;
	case 5:
		n -= chance(30);
		break;
	case 6:
		n = (size_t)ETHERNET + IPV4 + chance((uint32_t)n - ETHERNET - IPV4 + 1);
		put16(ip + 2, n - ETHERNET);
		break;
	case 7:
		put16(ip + 6, chance(2) ? 0x2000 : chance(0x2000));
		break;
	case 8:
		ip[0] = (uint8_t)(0x40 | chance(16));
		break;
	case 9:
		ip[12 + chance(8)] ^= (uint8_t)(1 << chance(8));
		break;
	case 10:
		/* Not UDP's checksum: the one inside is what the program relies on. */
		ip[IPV4 + chance(UDP - 2)] ^= (uint8_t)(1 << chance(8));
		break;
	case 11:
		inner[chance(IPV6)] ^= (uint8_t)(1 << chance(8));
		break;
	case 12:
		inner[IPV6 + 4] = (uint8_t)chance(3); /* what the next extension header would say */
		inner[6] = nexts[chance(5)];
		break;
	default:
		write_check(packet);
		ip[10] ^= (uint8_t)(1 << chance(8));
		return n;
	}
	write_check(packet);
	return n;
}

/* --- both --------------------------------------------------------------------------------- */

/* What forward would see of it, as the kernel's sockets show it: false where they show nothing. */
static bool see(uint8_t *packet, size_t n, struct arrival *out)
{
	uint8_t *ip = packet + ETHERNET;
	size_t len = (size_t)(ip[2] << 8 | ip[3]);

	if (n < ETHERNET + IPV4 || ip[0] != 0x45 || sum16(ip, IPV4) != 0xffff ||
	    len > n - ETHERNET || len < IPV4 || (ip[6] & 0x3f) || ip[7])
		return false;
	arrival_from_ipv4(ip, len, out);
	if (ip[9] == 41)
		return true;
	if (ip[9] != 17 || len < IPV4 + UDP)
		return false;

	uint8_t *udp = ip + IPV4;
	size_t udp_len = (size_t)(udp[4] << 8 | udp[5]);

	if (udp_len < UDP || udp_len > len - IPV4 || (udp[2] << 8 | udp[3]) != OUR_PORT || udp[6] ||
	    udp[7])
		return false;
	out->peer.transport = FORWARD_UDP;
	out->peer.port = (uint16_t)(udp[0] << 8 | udp[1]);
	out->payload = udp + UDP;
	out->len = udp_len - UDP;
	return true;
}

/* Returns whether the program has taken it. */
static bool compare(uint8_t packet[static PACKET_MAX], size_t n)
{
	uint8_t out[PACKET_MAX] = {0};
	uint8_t before[PACKET_MAX];
	struct arrival arrival;
	struct decap decap;
	size_t out_n;

	memcpy(before, packet, sizeof(before));
	if (!run_program(world.programs->progs.fast_decap, packet, n, out, &out_n)) {
		assert_int_equal(out_n, n);
		assert_memory_equal(out, before, n);
		return false;
	}
	assert_true(see(packet, n, &arrival));
	decap_packet(world.plane.table, true, &arrival, clock_us() / 1000, &decap);
	assert_int_equal(decap.drop, DROP_NONE);
	assert_false(decap.learned);
	assert_false(decap.ask);
	assert_int_equal(out_n, ETHERNET + decap.inner.len);
	assert_memory_equal(out + ETHERNET, decap.inner.packet, decap.inner.len);

	uint32_t id = session_config(decap.session)->id;

	world.packets[id]++;
	world.octets[id] += decap.inner.len;
	return true;
}

static void test_compare(void **state)
{
	uint8_t packet[PACKET_MAX];
	unsigned int taken = 0;
	unsigned int changed = 0;

	(void)state;
	world_open();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint32_t id = chance(SESSIONS);
		size_t n = make_packet(id, packet);
		uint8_t inner_ecn = packet[inner_at(id) + 1] >> 4 & 3;
		bool ecn_ok = (packet[ETHERNET + 1] & 3) != 3 || inner_ecn;
		size_t payload = n - inner_at(id) - IPV6;

		/* The kernel's programs live as long as forward does. */
		(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
		write_check(packet);
		if (i % 2) {
			n = change_packet(id, packet, n);
			changed += compare(packet, n);
			continue;
		}
		/* Echoes of this size may be our own. */
		if (packet[inner_at(id) + 6] == 58 && payload == 24)
			continue;
		assert_int_equal(compare(packet, n), ecn_ok);
		taken += ecn_ok;
	}
	/* Else nothing would have been compared. */
	assert_true(taken > ROUNDS / 4);
	assert_true(changed > ROUNDS / 20);
	check_counters(false);
}

/* What is not there for the kernel, or not any more, it declines. */
static void test_unknown(void **state)
{
	uint8_t packet[PACKET_MAX];
	uint8_t udp[PACKET_MAX];
	size_t n = make_packet(0, packet);
	size_t udp_n;

	(void)state;
	world_open();
	write_check(packet);
	assert_true(compare(packet, n));

	/* another device than the one that leads to the peer */
	world.sessions[0].way = LOOPBACK + 1;
	assert_false(compare(packet, n));
	world.sessions[0].way = LOOPBACK;
	assert_true(compare(packet, n));

	/* which way it comes is noted, but not for another port or address than ours */
	world.sessions[0].seen = 0;
	world.sessions[0].way = LOOPBACK + 1;
	packet[ETHERNET + 19]++;
	write_check(packet);
	assert_false(compare(packet, n));
	assert_int_equal(world.sessions[0].seen, 0);
	packet[ETHERNET + 19]--;
	write_check(packet);
	assert_false(compare(packet, n));
	assert_int_not_equal(world.sessions[0].seen, 0);
	assert_int_equal(world.sessions[0].came, LOOPBACK);
	world.sessions[0].way = LOOPBACK;
	udp_n = make_packet(1, udp);
	udp[ETHERNET + IPV4 + 3]++;
	write_check(udp);
	assert_false(compare(udp, udp_n));
	assert_int_equal(world.sessions[1].seen, 0);

	/* root's process wants nothing to be carried */
	world.programs->data_root->root.paused = 1;
	assert_false(compare(packet, n));
	world.programs->data_root->root.paused = 0;
	assert_true(compare(packet, n));

	/* the programs are not joined to the TUN device */
	world.programs->data_root->root.tun = 0;
	assert_false(compare(packet, n));
	world.programs->data_root->root.tun = LOOPBACK;
	assert_true(compare(packet, n));

	/* forward is not there any more */
	uint64_t alive = world.programs->bss->state.alive;

	world.programs->bss->state.alive = alive - FAST_ALIVE_NS;
	assert_false(compare(packet, n));
	world.programs->bss->state.alive = alive;
	assert_true(compare(packet, n));

	/* the session has gone */
	table_remove(world.plane.table, table_by_id(world.plane.table, 0));
	assert_false(compare(packet, n));
}

/* What the kernel has no room for would lead packets to another session, so it gets none at all. */
static void test_no_room(void **state)
{
	struct prefix6 prefix = {.len = 64};
	uint8_t packet[PACKET_MAX];
	size_t n = make_packet(0, packet);
	const char *printed;
	int error = 0;

	(void)state;
	world_open();
	write_check(packet);
	assert_true(compare(packet, n));
	capture_begin(STDERR_FILENO);
	for (uint8_t i = 0; i < ROUTES && !error; i++) {
		memcpy(&prefix.addr, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0, 7, 0, i}, 8);
		error = table_assign(world.plane.table, &prefix);
	}
	printed = capture_end();
	assert_int_equal(error, 0);
	assert_string_equal(printed, "dtcp: fast path: off: the kernel's routes cannot follow: "
				     "No space left on device\n");
	/* Nor does it come back with the next beat. */
	assert_int_equal(event_base_loop(world.base, EVLOOP_NONBLOCK), 1);
	assert_false(compare(packet, n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_compare, world_close),
		cmocka_unit_test_teardown(test_unknown, world_close),
		cmocka_unit_test_teardown(test_no_room, world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
