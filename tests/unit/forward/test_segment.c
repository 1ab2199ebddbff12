/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/segment.h"

#include <string.h>

/* Version and class and flow, payload length (filled in), next header, hops. */
#define HEAD(next) "60000000 0000 " next " 40"
/* Ports 1 and 2, sequence fffffff0, acknowledgement 4, five words of header, CWR ACK PSH FIN. */
#define TCP  "0001 0002 fffffff0 00000004 5099 0005 0000 0000"
#define UDP  "0001 0002 0000 0000"
#define LAST "20010db8000000000000000000000099"
#define DATA "6865 6c6c 6f77 6f72 6c64" /* ten octets */

#define TCP_GSO VIRTIO_NET_HDR_GSO_TCPV6
#define UDP_GSO VIRTIO_NET_HDR_GSO_UDP_L4

static uint8_t packet[40 + 8 + SEGMENTS_MAX + 1];
static struct inner inner;

/* The packet as text, with its length, and the bare sum of the pseudo-header in place. */
static void make(const char *text, uint8_t protocol, size_t upper, size_t check)
{
	static uint8_t zeros[512];
	size_t n = packet_hex(text, packet, sizeof(packet));

	packet[4] = (uint8_t)((n - 40) >> 8);
	packet[5] = (uint8_t)(n - 40);
	memset(zeros, 0, sizeof(zeros));
	memcpy(zeros, packet, 40);

	uint16_t bare = (uint16_t)~packet_checksum(zeros, protocol, upper, n);

	packet[check] = (uint8_t)(bare >> 8);
	packet[check + 1] = (uint8_t)bare;
	assert_int_equal(inner_parse(packet, n, &inner), DROP_NONE);
}

static struct virtio_net_hdr gso(uint8_t type, uint16_t size)
{
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = type,
		.gso_size = size,
		.csum_start = 40,
		.csum_offset = type == UDP_GSO ? 6 : 16,
	};
}

static bool open_as(struct segments *segments, uint8_t type, uint16_t size)
{
	struct virtio_net_hdr header = gso(type, size);

	return segments_open(segments, &header, &inner, packet);
}

/* Segment i, as a whole packet with a right checksum. */
static const uint8_t *cut(const struct segments *segments, size_t i, uint8_t protocol, size_t len)
{
	static uint8_t piece[512];
	size_t payload = segments_payload(segments, i);

	segments_write(segments, i, piece);
	memcpy(piece + segments->headers, packet + segments->headers + i * segments->size, payload);
	assert_int_equal(segments->headers + payload, len);
	assert_int_equal(piece[4] << 8 | piece[5], len - 40);
	assert_int_equal(packet_checksum(piece, protocol, 40, len), 0);
	return piece;
}

static uint32_t sequence(const uint8_t *piece)
{
	return (uint32_t)piece[44] << 24 | (uint32_t)piece[45] << 16 | (uint32_t)piece[46] << 8 |
	       piece[47];
}

static void tcp(void **state)
{
	struct segments segments;
	const uint8_t *piece;

	(void)state;
	make(HEAD("06") FAR SITE TCP DATA DATA "2121 21", 6, 40, 56);
	assert_true(open_as(&segments, TCP_GSO | VIRTIO_NET_HDR_GSO_ECN, 10));
	assert_int_equal(segments.count, 3);
	assert_int_equal(segments.headers, 60);
	assert_int_equal(segments.longest, 70);
	/* CWR on the first, PSH and FIN on the last; the sequence number wraps around. */
	piece = cut(&segments, 0, 6, 70);
	assert_int_equal(sequence(piece), 0xfffffff0);
	assert_int_equal(piece[53], 0x90);
	piece = cut(&segments, 1, 6, 70);
	assert_int_equal(sequence(piece), 0xfffffffa);
	assert_int_equal(piece[53], 0x10);
	piece = cut(&segments, 2, 6, 63);
	assert_int_equal(sequence(piece), 4);
	assert_int_equal(piece[53], 0x19);
	assert_memory_equal(piece + 60, "!!!", 3);
}

static void udp(void **state)
{
	struct segments segments;
	const uint8_t *piece;

	(void)state;
	make(HEAD("11") FAR SITE UDP DATA "2121", 17, 40, 46);
	assert_true(open_as(&segments, UDP_GSO, 10));
	assert_int_equal(segments.count, 2);
	piece = cut(&segments, 0, 17, 58);
	assert_int_equal(piece[45], 18);
	piece = cut(&segments, 1, 17, 50);
	assert_int_equal(piece[45], 10);
}

/*
 * Of a packet with a routing header the last destination counts (RFC 8200, section 8.1): the kernel
 * has summed that one, and it is not the one in the IPv6 header.
 */
static void routed(void **state)
{
	struct segments segments;
	uint8_t piece[512];

	(void)state;
	make(HEAD("06") FAR LAST TCP DATA DATA, 6, 40, 56);

	uint8_t bare[2] = {packet[56], packet[57]};

	make(HEAD("2b") FAR SITE "06 02 00 01 00000000" LAST TCP DATA DATA, 6, 64, 80);
	memcpy(packet + 80, bare, sizeof(bare));
	assert_true(open_as(&segments, TCP_GSO, 10));
	assert_int_equal(segments.count, 2);
	for (size_t i = 0; i < segments.count; i++) {
		segments_write(&segments, i, piece);
		memcpy(piece + segments.headers, packet + segments.headers + i * 10, 10);
		/* as the last destination sees it */
		assert_int_equal(packet_hex(LAST, piece + 24, 16), 16);
		assert_int_equal(packet_checksum(piece, 6, 64, segments.headers + 10), 0);
	}
}

/* Somebody has checked the checksum already, and left it as it is. */
static void complete(void **state)
{
	struct virtio_net_hdr header = gso(TCP_GSO, 10);
	struct segments segments;

	(void)state;
	make(HEAD("06") FAR SITE TCP DATA DATA, 6, 40, 56);
	header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	packet[56] ^= 1;
	assert_true(segments_open(&segments, &header, &inner, packet));
	(void)cut(&segments, 0, 6, 70);
	(void)cut(&segments, 1, 6, 70);
}

static void in_place_it_becomes_the_first(void **state)
{
	struct segments segments;
	struct inner first;

	(void)state;
	make(HEAD("06") FAR SITE TCP DATA DATA, 6, 40, 56);
	assert_true(open_as(&segments, TCP_GSO, 10));
	segments_write(&segments, 0, packet);
	assert_int_equal(inner_parse(packet, inner.len, &first), DROP_NONE);
	assert_int_equal(first.len, 70);
	assert_int_equal(packet_checksum(packet, 6, 40, 70), 0);
}

static void whole(void **state)
{
	const struct virtio_net_hdr plain = {0};
	const struct virtio_net_hdr partial = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 40, .csum_offset = 16};
	struct segments segments;

	(void)state;
	make(HEAD("06") FAR SITE TCP DATA "21", 6, 40, 56);
	assert_int_not_equal(packet_checksum(packet, 6, 40, inner.len), 0);
	assert_true(segments_open(&segments, &partial, &inner, packet));
	assert_int_equal(segments.count, 1);
	assert_int_equal(segments.longest, inner.len);
	assert_int_equal(packet_checksum(packet, 6, 40, inner.len), 0);
	/* The checksum of a packet without the flag is left alone. */
	packet[56] ^= 1;
	assert_true(segments_open(&segments, &plain, &inner, packet));
	assert_int_not_equal(packet_checksum(packet, 6, 40, inner.len), 0);
}

/* Header and packet that do not fit together. */
static void refused(void **state)
{
	struct segments segments;
	struct virtio_net_hdr header;

	(void)state;
	make(HEAD("06") FAR SITE TCP DATA, 6, 40, 56);
	/* other protocols, a size of nothing, a kind that is not asked for */
	assert_false(open_as(&segments, UDP_GSO, 5));
	assert_false(open_as(&segments, TCP_GSO, 0));
	assert_false(open_as(&segments, VIRTIO_NET_HDR_GSO_TCPV4, 5));
	assert_true(open_as(&segments, TCP_GSO, 5));
	/* a TCP header of four words, and one that is longer than the packet */
	packet[52] = 0x40;
	assert_false(open_as(&segments, TCP_GSO, 5));
	packet[52] = 0xf0;
	assert_false(open_as(&segments, TCP_GSO, 5));
	/* no payload */
	make(HEAD("06") FAR SITE TCP, 6, 40, 56);
	assert_false(open_as(&segments, TCP_GSO, 5));
	/* a fragment */
	make(HEAD("2c") FAR SITE "0600 0001 00000007" TCP DATA, 6, 48, 64);
	assert_false(open_as(&segments, TCP_GSO, 5));
	/* SEGMENTS_MAX and one pieces of one octet */
	make(HEAD("11") FAR SITE UDP, 17, 40, 46);
	packet[4] = (SEGMENTS_MAX + 9) >> 8;
	packet[5] = (SEGMENTS_MAX + 9) & 0xff;
	assert_int_equal(inner_parse(packet, sizeof(packet), &inner), DROP_NONE);
	assert_false(open_as(&segments, UDP_GSO, 1));
	assert_true(open_as(&segments, UDP_GSO, 2));
	assert_int_equal(segments.count, SEGMENTS_MAX / 2 + 1);
	/* a checksum inside the IPv6 header; just past the end; far past it */
	make(HEAD("06") FAR SITE TCP, 6, 40, 56);
	header = gso(VIRTIO_NET_HDR_GSO_NONE, 0);
	header.csum_start = 39;
	assert_false(segments_open(&segments, &header, &inner, packet));
	header.csum_start = 40;
	header.csum_offset = 19;
	assert_false(segments_open(&segments, &header, &inner, packet));
	header.csum_offset = 18;
	assert_true(segments_open(&segments, &header, &inner, packet));
	header.csum_start = 65535;
	header.csum_offset = 65535;
	assert_false(segments_open(&segments, &header, &inner, packet));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp),
		cmocka_unit_test(udp),
		cmocka_unit_test(routed),
		cmocka_unit_test(complete),
		cmocka_unit_test(in_place_it_becomes_the_first),
		cmocka_unit_test(whole),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
