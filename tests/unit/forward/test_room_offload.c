/* SPDX-License-Identifier: BSD-2-Clause */
/* Large packets: as TUN gives and takes them, and as trains of datagrams outside. */
#include "udp.h"

#include "base/log.h"
#include "forward/segment.h"

#include <netinet/udp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Of TCP in each packet, and in all: two full ones and a short one. */
enum { SIZE = 1200, PAYLOAD = 2500, HEADERS = 60, PIECES = 3 };

static const struct virtio_net_hdr gso = {
	.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	.gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
	.hdr_len = HEADERS,
	.gso_size = SIZE,
	.csum_start = 40,
	.csum_offset = 16,
};

/* A large packet with payload that differs everywhere, and the bare sum for a checksum. */
static size_t large(const char *addresses, uint8_t packet[HEADERS + PAYLOAD])
{
	static uint8_t zeros[HEADERS + PAYLOAD];
	char head[200];

	/* TCP from port 1 to 2, sequence 3, acknowledgement 4, ACK and PSH, window 5 */
	assert_true(snprintf(head, sizeof(head),
			     "60000000 0000 06 40 %s"
			     "0001 0002 00000003 00000004 5018 0005 0000 0000",
			     addresses) > 0);
	memset(packet, 0, HEADERS + PAYLOAD);
	assert_int_equal(packet_hex(head, packet, HEADERS), HEADERS);
	packet[4] = (HEADERS - 40 + PAYLOAD) >> 8;
	packet[5] = (HEADERS - 40 + PAYLOAD) & 0xff;
	memset(zeros, 0, sizeof(zeros));
	memcpy(zeros, packet, 40);

	uint16_t bare = (uint16_t)~packet_checksum(zeros, 6, 40, sizeof(zeros));

	packet[56] = (uint8_t)(bare >> 8);
	packet[57] = (uint8_t)bare;
	for (size_t i = 0; i < PAYLOAD; i++)
		packet[HEADERS + i] = (uint8_t)(i * 7 + i / 256);
	return HEADERS + PAYLOAD;
}

static void tun_send_large(int tun, uint16_t size)
{
	uint8_t packet[HEADERS + PAYLOAD];
	struct virtio_net_hdr header = gso;
	struct iovec iov[2] = {{&header, sizeof(header)}, {packet, large(FAR SITE, packet)}};

	header.gso_size = size;
	assert_int_equal(writev(tun, iov, 2), sizeof(header) + sizeof(packet));
}

/* Piece i of a large packet, as it goes over the wire. */
static void expect_piece(const uint8_t *got, size_t len, size_t i)
{
	uint8_t packet[HEADERS + PAYLOAD];
	size_t payload = i + 1 < PIECES ? SIZE : PAYLOAD - (PIECES - 1) * SIZE;
	uint32_t sequence = 3 + (uint32_t)(i * SIZE);

	(void)large(FAR SITE, packet);
	assert_int_equal(len, HEADERS + payload);
	assert_int_equal(got[4] << 8 | got[5], len - 40);
	assert_int_equal(packet_checksum(got, 6, 40, len), 0);
	assert_int_equal(got[44] << 24 | got[45] << 16 | got[46] << 8 | got[47], sequence);
	assert_int_equal(got[53], i + 1 < PIECES ? 0x10 : 0x18);
	assert_memory_equal(got + HEADERS, packet + HEADERS + i * SIZE, payload);
}

static void expect_datagrams(int home)
{
	uint8_t got[2048];
	uint8_t tos;

	for (size_t i = 0; i < PIECES; i++)
		expect_piece(got, udp_receive(home, got, sizeof(got), &tos), i);
}

/* A server's room with session 1 over UDP, whose client is at home. Returns its device. */
static int start(struct room *room, int *home, uint32_t mtu)
{
	struct forward_session config = udp_session(1, 5000);
	int tun;

	config.mtu = mtu;
	room_start(room, true);
	give_counters(room);
	give_icmp(room, "2001:db8:100::1");
	tun = give_device(room, 0);
	give_udp(room);
	*home = udp_open("192.0.2.2", 5000);
	room_add(room, &config);
	room_expect(room, FORWARD_MSG_ADDED, 1);
	return tun;
}

static void finish(struct room *room, int tun, int home)
{
	close(tun);
	close(home);
	room_stop(room, 0);
}

static void out_over_udp(void **state)
{
	struct room room;
	int home;

	(void)state;
	NEED_NETWORK();

	int tun = start(&room, &home, 1280);

	tun_send_large(tun, SIZE);
	expect_datagrams(home);
	expect_count(&room.counters->session[1].out_packets, PIECES);
	expect_count(&room.counters->session[1].out_bytes, PIECES * HEADERS + PAYLOAD);
	finish(&room, tun, home);
}

/*
 * A peer that takes very small segments, and headers so long that there is no room for all of them
 * at a time.
 */
static void out_in_many_pieces(void **state)
{
	enum { OPTIONS = 240, MANY = 150, SMALL = 4, ALL = HEADERS + OPTIONS };
	static uint8_t packet[ALL + MANY * SMALL];
	uint8_t plain[HEADERS + PAYLOAD];
	uint8_t got[2048];
	uint8_t tos;
	struct virtio_net_hdr header = gso;
	struct iovec iov[2] = {{&header, sizeof(header)}, {packet, sizeof(packet)}};
	struct room room;
	int home;

	(void)state;
	NEED_NETWORK();

	int tun = start(&room, &home, 1280);

	/* Destination options, of padding, before TCP. */
	(void)large(FAR SITE, plain);
	memcpy(packet, plain, 40);
	packet[4] = (sizeof(packet) - 40) >> 8;
	packet[5] = (sizeof(packet) - 40) & 0xff;
	packet[6] = 60;
	packet[40] = 6;
	packet[41] = OPTIONS / 8 - 1;
	packet[42] = 1;
	packet[43] = OPTIONS - 4;
	memcpy(packet + 40 + OPTIONS, plain + 40, sizeof(packet) - 40 - OPTIONS);

	/* The bare sum: of the pseudo-header, by a packet that is nothing but zeros behind it. */
	static uint8_t zeros[sizeof(packet)];

	memcpy(zeros, packet, 40);

	uint16_t bare = (uint16_t)~packet_checksum(zeros, 6, 40 + OPTIONS, sizeof(zeros));

	packet[ALL - 4] = (uint8_t)(bare >> 8);
	packet[ALL - 3] = (uint8_t)bare;
	header.gso_size = SMALL;
	header.csum_start = 40 + OPTIONS;
	assert_int_equal(writev(tun, iov, 2), sizeof(header) + sizeof(packet));
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(udp_receive(home, got, sizeof(got), &tos), ALL + SMALL);
		assert_int_equal(packet_checksum(got, 6, 40 + OPTIONS, ALL + SMALL), 0);
		assert_memory_equal(got + ALL, packet + ALL + i * SMALL, SMALL);
	}
	expect_count(&room.counters->session[1].out_packets, MANY);
	finish(&room, tun, home);
}

/* A train is too large for the way out; its packets, which may be cut, go alone. */
static void out_over_a_narrow_way(void **state)
{
	struct room room;
	int home;

	(void)state;
	NEED_NETWORK();

	int tun = start(&room, &home, 1280);

	set_loopback_mtu(1000);
	tun_send_large(tun, SIZE);
	expect_datagrams(home);
	set_loopback_mtu(65536);
	expect_count(&room.counters->session[1].out_packets, PIECES);
	finish(&room, tun, home);
}

/* The path takes less than a piece has: all are lost, and the sender hears of the first. */
static void out_too_big(void **state)
{
	struct room room;
	int home;

	(void)state;
	NEED_NETWORK();

	int tun = start(&room, &home, 1472);

	report_too_big("192.0.2.2", 5000, 1400);
	expect_count(&room.counters->icmp_errors, 1);
	/* Two pieces, of 1460 and 1160 octets. */
	tun_send_large(tun, 1400);
	tun_expect_icmp6(tun, 2, 0, 1400 - 28);
	expect_count(&room.counters->drops[DROP_TOO_BIG], 2);
	assert_int_equal(room.counters->session[1].out_packets, 0);
	finish(&room, tun, home);
}

static void out_over_protocol_41(void **state)
{
	const struct forward_session config = room_session(1, "192.0.2.2");
	struct room room;
	uint8_t got[2048];
	int tun;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	tun = give_device(&room, 0);
	give_raw(&room);
	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	tun_send_large(tun, SIZE);
	for (size_t i = 0; i < PIECES; i++) {
		await(room.peer);

		ssize_t n = recv(room.peer, got, sizeof(got), 0);

		/* behind the IPv4 header */
		assert_true(n > 20);
		expect_piece(got + 20, (size_t)n - 20, i);
	}
	expect_count(&room.counters->session[1].out_packets, PIECES);
	close(tun);
	room_stop(&room, 0);
}

/* The pieces of a large packet from SITE, as one train; of damaged, one octet is another. */
static void send_train(int home, size_t damaged)
{
	struct sockaddr_in there = udp_address("192.0.2.1", PORT);
	uint8_t packet[HEADERS + PAYLOAD];
	uint8_t train[PIECES * HEADERS + PAYLOAD];
	uint8_t *at = train;
	const int size = HEADERS + SIZE;
	struct segments segments;
	struct inner inner;

	assert_int_equal(inner_parse(packet, large(SITE FAR, packet), &inner), DROP_NONE);
	assert_true(segments_open(&segments, &gso, &inner, packet));
	for (size_t i = 0; i < PIECES; i++) {
		size_t payload = segments_payload(&segments, i);

		segments_write(&segments, i, at);
		memcpy(at + HEADERS, packet + HEADERS + i * SIZE, payload);
		if (i == damaged)
			at[100] ^= 1;
		at += HEADERS + payload;
	}
	assert_int_equal(setsockopt(home, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	assert_int_equal(
		sendto(home, train, sizeof(train), 0, (struct sockaddr *)&there, sizeof(there)),
		sizeof(train));
}

static void in_over_udp(void **state)
{
	uint8_t want[HEADERS + PAYLOAD];
	uint8_t got[2 * sizeof(want)];
	struct virtio_net_hdr header;
	struct room room;
	int home;

	(void)state;
	NEED_NETWORK();

	int tun = start(&room, &home, 1280);

	send_train(home, PIECES);
	assert_int_equal(tun_receive(tun, &header, got, sizeof(got)), large(SITE FAR, want));
	assert_memory_equal(&header, &gso, sizeof(header));
	assert_memory_equal(got, want, sizeof(want));
	expect_count(&room.counters->session[1].in_packets, PIECES);
	expect_count(&room.counters->session[1].in_bytes, PIECES * HEADERS + PAYLOAD);

	/* What was damaged on the way stays damaged, and is not joined. */
	send_train(home, 1);
	for (size_t i = 0; i < PIECES; i++) {
		size_t len = tun_receive(tun, &header, got, sizeof(got));

		assert_int_equal(header.gso_type, 0);
		assert_int_equal(header.flags, 0);
		assert_int_equal(packet_checksum(got, 6, 40, len) == 0, i != 1);
	}
	finish(&room, tun, home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_over_udp),		cmocka_unit_test(out_over_a_narrow_way),
		cmocka_unit_test(out_in_many_pieces),	cmocka_unit_test(out_too_big),
		cmocka_unit_test(out_over_protocol_41), cmocka_unit_test(in_over_udp),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	log_init("test", "forward", false);
	room_network = network_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
