/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large packets, which stand for many: they leave the TUN device by the kernel's program, as they
 * are, and the kernel cuts them in front of the device outside. What then is on the wire must be
 * what forward would have cut out of the same packet, octet for octet; and what forward would not
 * send is not there.
 */
#include "world.h"

#include "base/clock.h"
#include "fastpath/attach.h"
#include "forward/encap.h"
#include "netconf/netlink.h"
#include "netconf/tun.h"
#include "tests/unit/base/need.h"
#include "tests/unit/fastpath/outer.h"
#include "tests/unit/fastpath/uplink.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if_arp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include <cmocka.h>

enum { ROUNDS = 400, LARGE_MAX = 65535 - IPV4 - UDP, HEADERS_MAX = IPV6 + 60, TUN_MTU = 1500 };

/* How long a packet may be on its way. */
enum { PATIENCE_MS = 5000 };

static struct rig {
	int uplink; /* what is on the wire comes out here */
	unsigned int index;
	int tun; /* and here what the program has declined */
	int in;	 /* what is sent here leaves by the TUN device */
	struct sockaddr_ll to;
	struct attachment attachment;
	/* One more octet behind each, as check_outer() wants it. */
	uint8_t packet[LARGE_MAX + 1];
	uint8_t copy[LARGE_MAX + 1];
	uint8_t expected[TUN_MTU + 1];
} rig;

/* The neighbours that all peers are. */
static void know_peers(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	for (uint32_t id = 0; id < SESSIONS; id++) {
		struct sockaddr_in address = {.sin_family = AF_INET};
		struct arpreq entry = {.arp_flags = ATF_PERM | ATF_COM, .arp_dev = "up0"};

		address.sin_addr.s_addr = htonl(0xc000020a + id);
		memcpy(&entry.arp_pa, &address, sizeof(address));
		entry.arp_ha.sa_family = ARPHRD_ETHER;
		entry.arp_ha.sa_data[0] = 2;
		assert_int_equal(ioctl(fd, SIOCSARP, &entry), 0);
	}
	assert_int_equal(close(fd), 0);
}

static void open_rig(void)
{
	const struct attach_way way = {.handle = 1};
	struct netlink *netlink;
	const int on = 1;
	unsigned int tun;

	rig.uplink = uplink_open(&rig.index);
	world_open();
	know_peers();
	assert_int_equal(netlink_open(&netlink), 0);
	rig.tun = tun_open("large0", &tun);
	assert_true(rig.tun >= 0);
	assert_int_equal(netlink_link_setup(netlink, tun, "test", TUN_MTU), 0);
	assert_int_equal(netlink_link_forward_ipv4(netlink, tun), 0);
	netlink_close(netlink);
	need(attach_has_tcx(bpf_program__fd(world.programs->progs.fast_encap)), "TCX (Linux 6.6)");
	assert_int_equal(attachment_make(&rig.attachment,
					 bpf_program__fd(world.programs->progs.fast_encap), tun,
					 ATTACH_EGRESS, &way),
			 0);
	rig.in = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_int_not_equal(rig.in, -1);
	assert_int_equal(setsockopt(rig.in, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	rig.to = (struct sockaddr_ll){.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_IPV6),
				      .sll_ifindex = (int)tun};
	world_join(rig.index, false);
}

static int close_rig(void **state)
{
	attachment_end(&rig.attachment);
	(void)close(rig.in);
	(void)close(rig.tun);
	(void)close(rig.uplink);
	return world_close(state);
}

/* --- packets ------------------------------------------------------------------------------ */

/* A packet over TCP to that session, whose checksum is left to others; its length. */
static size_t make_packet(uint32_t id, struct virtio_net_hdr *header)
{
	size_t tcp = 20 + 4 * (size_t)chance(11);
	size_t size = chance(4) ? 536 + chance(900) : 100 + chance(400);
	/* Often all have one length, and sometimes there is only one. */
	size_t payload = chance(3) ? size * (1 + chance(40)) : 1 + chance(LARGE_MAX - HEADERS_MAX);
	uint8_t *packet = rig.packet;
	uint8_t rest[4] = {0, 0, 0, 6};
	uint32_t sum;

	while (payload > LARGE_MAX - HEADERS_MAX)
		payload -= size;
	*header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = payload > size ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_NONE,
		.hdr_len = (uint16_t)(IPV6 + tcp),
		.gso_size = payload > size ? (uint16_t)size : 0,
		.csum_start = IPV6,
		.csum_offset = 16,
	};
	memset(packet, 0, HEADERS_MAX);
	packet[0] = (uint8_t)(0x60 | chance(16));
	for (int i = 1; i < 4; i++)
		packet[i] = (uint8_t)chance(256);
	put16(packet + 4, tcp + payload);
	packet[6] = 6;
	packet[7] = 64;
	memcpy(packet + 8, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0, 6}, 6);
	packet[23] = 2;
	memcpy(packet + 24, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, (uint8_t)id}, 8);
	packet[39] = 2;
	for (size_t i = IPV6; i < IPV6 + tcp + payload; i++)
		packet[i] = (uint8_t)chance(256);
	packet[IPV6 + 12] = (uint8_t)(tcp / 4 << 4);
	/* No urgent data, and nothing that begins a connection: that is never so large. */
	packet[IPV6 + 13] &= 0xd9;
	/* As far as it is known in front of the segments: RFC 8200, section 8.1. */
	put16(rest, tcp + payload);
	sum = sum16(rest, sizeof(rest)) + sum16(packet + 8, 32);
	put16(packet + IPV6 + 16, (sum & 0xffff) + (sum >> 16));
	return IPV6 + tcp + payload;
}

static bool comes(int fd, int patience)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, patience) == 1;
}

/* The next frame on the wire that is ours; its length. */
static size_t read_frame(uint8_t frame[static PACKET_MAX])
{
	for (;;) {
		assert_true(comes(rig.uplink, PATIENCE_MS));

		ssize_t n = read(rig.uplink, frame, PACKET_MAX);

		assert_true(n > ETHERNET);
		/* The machine's own (router solicitations) are not. */
		if (frame[12] == 0x08 && frame[13] == 0x00)
			return (size_t)n;
	}
}

static void send_packet(const struct virtio_net_hdr *header, size_t n)
{
	const struct iovec parts[2] = {{(void *)(uintptr_t)header, sizeof(*header)},
				       {rig.packet, n}};
	const struct msghdr message = {
		.msg_name = &rig.to,
		.msg_namelen = sizeof(rig.to),
		.msg_iov = (struct iovec *)(uintptr_t)parts,
		.msg_iovlen = 2,
	};

	assert_int_equal(sendmsg(rig.in, &message, 0), (ssize_t)(sizeof(*header) + n));
}

/* --- both --------------------------------------------------------------------------------- */

/* Segment i, as forward makes it of what is in rig.copy, in rig.expected; its length. */
static size_t expect_segment(const struct segments *segments, size_t i)
{
	size_t payload = segments_payload(segments, i);
	size_t n = segments->headers + payload;

	if (segments->count == 1) {
		memcpy(rig.expected, rig.copy, segments->longest);
		n = segments->longest;
	} else {
		segments_write(segments, i, rig.expected);
		memcpy(rig.expected + segments->headers,
		       rig.copy + segments->headers + i * segments->size, payload);
	}
	rig.expected[n] = 0;
	return n;
}

static void compare_frames(const struct encap *encap, size_t n, bool finishes)
{
	const struct segments *segments = &encap->segments;
	uint32_t id = session_config(encap->session)->id;
	size_t overhead = id % 2 ? IPV4 + UDP : IPV4;
	/* One checksum for all, or none. */
	bool summed =
		finishes && (segments->count == 1 || (n - segments->headers) % segments->size == 0);
	unsigned int first = 0;

	for (size_t i = 0; i < segments->count; i++) {
		uint8_t frame[PACKET_MAX];
		size_t frame_n = read_frame(frame);
		const uint8_t *ip = frame + ETHERNET;
		size_t inner_n = expect_segment(segments, i);

		assert_int_equal(frame_n, ETHERNET + overhead + inner_n);
		check_outer(encap, ip, rig.expected, inner_n, summed);
		assert_memory_equal(ip + overhead, rig.expected, inner_n);
		/* What can be in several pieces has a number of its own. */
		if (i == 0)
			first = (unsigned int)(ip[4] << 8 | ip[5]);
		else if (!encap->df)
			assert_int_equal(ip[4] << 8 | ip[5], (first + i) & 0xffff);
		world.packets[id]++;
		world.octets[id] += inner_n;
	}
}

/* Returns whether the program has taken it. */
static bool compare(const struct virtio_net_hdr *header, size_t n, bool finishes)
{
	uint8_t declined[sizeof(*header) + LARGE_MAX];
	struct encap encap;

	memcpy(rig.copy, rig.packet, n);
	encap_packet(world.plane.table, NULL, true, header, rig.copy, n, clock_us() / 1000, &encap);
	send_packet(header, n);
	if (encap.drop == DROP_NONE) {
		compare_frames(&encap, n, finishes);
		assert_false(comes(rig.tun, 0));
		return true;
	}
	assert_int_equal(encap.drop, DROP_TOO_BIG);
	assert_true(comes(rig.tun, PATIENCE_MS));
	assert_int_equal(read(rig.tun, declined, sizeof(declined)), sizeof(*header) + n);
	assert_memory_equal(declined + sizeof(*header), rig.packet, n);
	return false;
}

static void test_large(void **state)
{
	unsigned int taken = 0;
	unsigned int single = 0;
	unsigned int declined = 0;

	(void)state;
	open_rig();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		bool finishes = i >= ROUNDS / 2;
		struct virtio_net_hdr header;
		size_t n = make_packet(chance(SESSIONS), &header);

		/* The kernel's programs live as long as forward does. */
		(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
		if (i == ROUNDS / 2)
			world_join(rig.index, true);
		/* Not for this device, in one piece or in several. */
		if (header.gso_type == VIRTIO_NET_HDR_GSO_NONE && n > TUN_MTU)
			continue;
		if (!compare(&header, n, finishes))
			declined++;
		else if (header.gso_type == VIRTIO_NET_HDR_GSO_NONE)
			single++;
		else
			taken++;
	}
	/* Else nothing would have been compared. */
	assert_true(taken > ROUNDS / 4);
	assert_true(single > ROUNDS / 100);
	assert_true(declined > ROUNDS / 20);
	check_counters(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_large, close_rig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
