/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's program for packets to outside, beside forward's judgement of the same packets. What
 * the program takes, forward must take as well, to the same peer, with the same outer header; what
 * it declines must be untouched; and what is plain and fits it must take.
 *
 * The kernel runs programs on Ethernet frames only, but here packets come without such a header. So
 * each has what says IPv6 there in the middle of its source, and the new header goes in behind the
 * first octets of the packet instead of in front; what then hides those is not compared.
 */
#include "world.h"

#include "base/clock.h"
#include "forward/encap.h"
#include "netconf/netlink.h"
#include "tests/unit/fastpath/outer.h"
#include "tests/unit/fastpath/uplink.h"

#include <arpa/inet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include <cmocka.h>

/* The kernel refuses frames that say IPv6 and are shorter. */
enum { ROUNDS = 20000, TCP = 20, INNER_MAX = 1500, FRAME_LEAST = ETHERNET + IPV6 };

struct rig {
	int uplink;
	unsigned int index;
	bool finishes; /* UDP outside has a checksum, if TCP is inside */
};

static void open_rig(struct rig *rig)
{
	struct netlink *netlink;

	rig->uplink = uplink_open(&rig->index);
	rig->finishes = false;
	world_open();
	assert_int_equal(netlink_open(&netlink), 0);
	/* The program asks on behalf of the device that the packets leave by. */
	assert_int_equal(netlink_link_forward_ipv4(netlink, LOOPBACK), 0);
	netlink_close(netlink);
	world_join(rig->index, false);
}

/* --- packets ------------------------------------------------------------------------------ */

/* As RFC 8200, section 8.1, has it. */
static void write_tcp_check(uint8_t *packet, size_t payload)
{
	const uint8_t rest[] = {(uint8_t)(payload >> 8), (uint8_t)payload, 0, 6};
	uint8_t *tcp = packet + IPV6;
	uint32_t sum;

	put16(tcp + 16, 0);
	/* An odd last octet has a zero behind it: what is there is not of the packet. */
	tcp[payload] = 0;
	sum = sum16(packet + 8, 32) + sum16(rest, sizeof(rest)) + sum16(tcp, payload + payload % 2);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(tcp + 16, sum ^ 0xffff);
}

/* A good packet to that session; its length. */
static size_t make_packet(uint32_t id, uint8_t packet[static PACKET_MAX])
{
	static const uint8_t protocols[] = {6, 6, 6, 17, 58, 50, 132, 59};
	size_t payload = TCP + chance(chance(2) ? 200 : INNER_MAX - IPV6 - TCP);

	memset(packet, 0, PACKET_MAX);
	packet[0] = (uint8_t)(0x60 | chance(16));
	for (int i = 1; i < 4; i++)
		packet[i] = (uint8_t)chance(256);
	put16(packet + 4, payload);
	packet[6] = protocols[chance(sizeof(protocols))];
	packet[7] = (uint8_t)(1 + chance(255));
	memcpy(packet + 8, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0x86, 0xdd}, 6);
	packet[23] = (uint8_t)chance(256);
	memcpy(packet + 24, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, (uint8_t)id}, 8);
	packet[39] = (uint8_t)chance(256);
	for (size_t i = 0; i < payload; i++)
		packet[IPV6 + i] = (uint8_t)chance(256);
	if (packet[6] == 58)
		packet[IPV6] = (uint8_t)(128 + chance(2));
	if (packet[6] == 6)
		write_tcp_check(packet, payload);
	return IPV6 + payload;
}

/* Destinations that rules speak of, and those that lead to nobody. */
static void make_destination(uint8_t out[static 16])
{
	switch (chance(5)) {
	case 0:
		out[0] = 0xff;
		break;
	case 1:
		out[7] = (uint8_t)chance(8);
		break;
	case 2:
		memset(out, 0, 16);
		memcpy(out, (const uint8_t[]){0xfe, 0x80}, 2);
		out[13] = (uint8_t)chance(SESSIONS);
		out[14] = 0x12;
		out[15] = (uint8_t)(0x34 + chance(2));
		break;
	case 3:
		memset(out, 0, 16);
		break;
	default:
		out[chance(8)] ^= (uint8_t)(1 << chance(8));
		break;
	}
}

/* Something is not as it should be, or perhaps still is; the new length. */
static size_t change_packet(uint8_t packet[static PACKET_MAX], size_t n)
{
	static const uint8_t nexts[] = {0, 43, 44, 51, 60, 58, 6, 17, 59, 255};
	size_t payload = n - IPV6;

	switch (chance(8)) {
	case 0:
		make_destination(packet + 24);
		break;
	case 1:
		packet[6] = nexts[chance(sizeof(nexts))];
		break;
	case 2:
		packet[6] = 58;
		packet[IPV6] = (uint8_t)chance(256);
		break;
	case 3:
		put16(packet + 4, payload + chance(5) - 2);
		break;
	case 4:
		n -= chance((uint32_t)n - FRAME_LEAST + 1) / 4;
		break;
	case 5:
		n = FRAME_LEAST + chance((uint32_t)n - FRAME_LEAST + 1);
		break;
	case 6:
		packet[chance(IPV6)] ^= (uint8_t)(1 << chance(8));
		break;
	default:
		/* What an extension header would say of the next. */
		packet[6] = nexts[chance(5)];
		packet[IPV6] = nexts[chance(sizeof(nexts))];
		packet[IPV6 + 1] = 0;
		packet[IPV6 + 8] = 137; /* a redirect, if that is ICMPv6 */
		break;
	}
	return n;
}

/* --- both --------------------------------------------------------------------------------- */

/* Returns whether the program has taken it; *good is set to whether forward would. */
static bool compare(const struct rig *rig, uint8_t packet[static PACKET_MAX], size_t n, bool *good)
{
	const struct virtio_net_hdr header = {0};
	uint8_t out[PACKET_MAX] = {0};
	uint8_t copy[PACKET_MAX];
	struct encap encap;
	size_t overhead;
	size_t out_n;
	uint32_t id;
	bool taken = run_program(world.programs->progs.fast_encap, packet, n, out, &out_n);

	memcpy(copy, packet, sizeof(copy));
	encap_packet(world.plane.table, NULL, true, &header, copy, n, clock_us() / 1000, &encap);
	*good = encap.drop == DROP_NONE;
	if (!taken) {
		assert_int_equal(out_n, n);
		assert_memory_equal(out, packet, n);
		return false;
	}
	assert_int_equal(encap.drop, DROP_NONE);
	assert_int_equal(encap.inner.len, n);
	id = session_config(encap.session)->id;
	overhead = id % 2 ? IPV4 + UDP : IPV4;
	assert_int_equal(out_n, ETHERNET + overhead + n);
	check_outer(&encap, out + ETHERNET, packet, n, rig->finishes && packet[6] == 6);
	/* Behind what the frame hides. */
	assert_memory_equal(out + ETHERNET + overhead + ETHERNET, packet + ETHERNET, n - ETHERNET);
	world.packets[id]++;
	world.octets[id] += n;
	return true;
}

static void test_compare(void **state)
{
	uint8_t packet[PACKET_MAX];
	unsigned int taken = 0;
	unsigned int changed = 0;
	unsigned int large = 0;
	struct rig rig;
	bool good;

	(void)state;
	open_rig(&rig);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint32_t id = chance(SESSIONS);
		size_t n = make_packet(id, packet);

		/* The kernel's programs live as long as forward does. */
		(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
		if (i == ROUNDS / 2) {
			rig.finishes = true;
			world_join(rig.index, true);
		}
		/* A report from the path: only then less than a session's own MTU counts. */
		if (i == ROUNDS / 4)
			table_lower_pmtu(world.plane.table, table_by_id(world.plane.table, 3), 1380,
					 clock_us() / 1000);
		if (i % 2) {
			n = change_packet(packet, n);
			/* On which the one outside relies. */
			if (packet[6] == 6 && n >= IPV6 + TCP)
				write_tcp_check(packet, n - IPV6);
			changed += compare(&rig, packet, n, &good);
			continue;
		}
		/* Echoes of this size may be our own. */
		if (packet[6] == 58 && n == IPV6 + 24)
			continue;
		assert_true(compare(&rig, packet, n, &good) == good);
		taken += good;
		large += !good;
	}
	/* Else nothing would have been compared. */
	assert_true(taken > ROUNDS / 4);
	assert_true(changed > ROUNDS / 40);
	assert_true(large > ROUNDS / 100);
	check_counters(true);
	assert_int_equal(close(rig.uplink), 0);
}

/* What forward has to see, or the kernel has no way for, it declines. */
static void test_unknown(void **state)
{
	uint8_t packet[PACKET_MAX];
	const size_t n = IPV6 + 60;
	struct in_addr here;
	struct rig rig;
	bool good;

	(void)state;
	open_rig(&rig);
	(void)make_packet(0, packet);
	packet[6] = 59;
	put16(packet + 4, 60);
	assert_true(compare(&rig, packet, n, &good));

	/* the first one after silence, and not the second */
	world.sessions[0].told = 0;
	assert_false(compare(&rig, packet, n, &good));
	assert_true(compare(&rig, packet, n, &good));

	/* one a minute, for filters that track flows */
	world.sessions[0].shown = world.programs->bss->state.alive - FAST_SHOWN_NS - 1000000000;
	assert_false(compare(&rig, packet, n, &good));
	assert_true(compare(&rig, packet, n, &good));

	/* since when nothing has come in for what went out: the first packet after the last one in
	 */
	world.sessions[0].heard = world.sessions[0].lonely + 1;
	assert_true(compare(&rig, packet, n, &good));
	uint64_t lonely = world.sessions[0].lonely;
	assert_true(lonely >= world.sessions[0].heard);
	assert_true(compare(&rig, packet, n, &good));
	assert_int_equal(world.sessions[0].lonely, lonely);
	world.sessions[0].heard = 0;

	/* packets of the peer come another way, or have not come for long */
	world.sessions[0].came = LOOPBACK;
	assert_false(compare(&rig, packet, n, &good));
	world.sessions[0].came = rig.index;
	world.sessions[0].seen = world.programs->bss->state.alive - FAST_SEEN_NS - 1000000000;
	assert_false(compare(&rig, packet, n, &good));
	world.sessions[0].seen = INT64_MAX;
	assert_true(compare(&rig, packet, n, &good));

	/* root's process wants nothing to be carried */
	world.programs->data_root->root.paused = 1;
	assert_false(compare(&rig, packet, n, &good));
	world.programs->data_root->root.paused = 0;
	assert_true(compare(&rig, packet, n, &good));

	/* forward is not there any more */
	uint64_t alive = world.programs->bss->state.alive;

	world.programs->bss->state.alive = alive - FAST_ALIVE_NS;
	assert_false(compare(&rig, packet, n, &good));
	world.programs->bss->state.alive = 0;
	assert_false(compare(&rig, packet, n, &good));
	world.programs->bss->state.alive = alive;
	assert_true(compare(&rig, packet, n, &good));

	/* an address that is not the machine's */
	assert_int_equal(inet_pton(AF_INET, WORLD_HERE, &here), 1);
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(world.programs->maps.addresses), &here),
			 0);
	assert_false(compare(&rig, packet, n, &good));
	assert_true(good);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(world.programs->maps.addresses), &here,
					     &(uint32_t){1}, BPF_ANY),
			 0);
	assert_true(compare(&rig, packet, n, &good));

	/* the device has gone, and with it the way */
	assert_int_equal(close(rig.uplink), 0);
	assert_false(compare(&rig, packet, n, &good));
	assert_true(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_compare, world_close),
		cmocka_unit_test_teardown(test_unknown, world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
