/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/vnet.h"

#include <stdio.h>
#include <string.h>

#define MTU 1280

static uint8_t packet[70000];

/*
 * Builds a packet: the header with next, then what text has, then zeros up to len. Puts the bare
 * pseudo-header sum (for protocol, from offset upper on) into the field at check.
 */
static size_t build(const char *next, const char *text, size_t len, uint8_t protocol, size_t upper,
		    size_t check)
{
	char head[160];

	memset(packet, 0, sizeof(packet));
	assert_true(snprintf(head, sizeof(head), "60000000 0000 %s 40" FAR SITE, next) > 0);
	(void)packet_hex(head, packet, sizeof(packet));

	size_t n = packet_hex(text, packet + 40, sizeof(packet) - 40);

	assert_true(40 + n <= len);
	packet[4] = (uint8_t)((len - 40) >> 8);
	packet[5] = (uint8_t)(len - 40);

	/* The sum over an upper layer of zeros, with its length, is the pseudo-header's alone. */
	static uint8_t empty[70000];

	memset(empty, 0, sizeof(empty));
	memcpy(empty, packet, 40);

	uint16_t bare = (uint16_t)~packet_checksum(empty, protocol, upper, len);

	packet[check] = (uint8_t)(bare >> 8);
	packet[check + 1] = (uint8_t)bare;
	return len;
}

static struct virtio_net_hdr fill(size_t n)
{
	struct virtio_net_hdr header;
	struct inner inner;

	memset(&header, 0xee, sizeof(header));
	assert_int_equal(inner_parse(packet, n, &inner), DROP_NONE);
	vnet_fill(&inner, MTU, &header);
	return header;
}

static void expect(size_t n, bool check, size_t start, size_t offset, uint8_t type, size_t headers,
		   size_t size)
{
	struct virtio_net_hdr header = fill(n);

	assert_int_equal(header.flags, check ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0);
	assert_int_equal(header.csum_start, start);
	assert_int_equal(header.csum_offset, offset);
	assert_int_equal(header.gso_type, type);
	assert_int_equal(header.hdr_len, headers);
	assert_int_equal(header.gso_size, size);
}

/* ports 1 and 2, sequence 3, acknowledgement 4, five words of header, ACK, window 5 */
#define TCP "0001 0002 00000003 00000004 5010 0005 0000 0000"
/* the same with eight words: timestamps */
#define TCP_STAMPS "0001 0002 00000003 00000004 8010 0005 0000 0000 0101080a 00000001 00000002"
/* the same as the first with CWR */
#define TCP_CWR "0001 0002 00000003 00000004 5090 0005 0000 0000"
#define NOTHING false, 0, 0, VIRTIO_NET_HDR_GSO_NONE, 0, 0

static void tcp(void **state)
{
	size_t n = build("06", TCP, 1000, 6, 40, 56);

	(void)state;
	expect(n, true, 40, 16, VIRTIO_NET_HDR_GSO_NONE, 0, 0);
	/* One bit off: a checksum that somebody has made. */
	packet[57] ^= 1;
	expect(n, NOTHING);
	packet[57] ^= 1;
	packet[56] ^= 0x80;
	expect(n, NOTHING);
}

static void udp(void **state)
{
	size_t n = build("11", "0001 0002 0014 0000", 60, 17, 40, 46);

	(void)state;
	expect(n, true, 40, 6, VIRTIO_NET_HDR_GSO_NONE, 0, 0);
	packet[47] ^= 1;
	expect(n, NOTHING);
	/* Never cut, however long it is. */
	expect(build("11", "0001 0002 9c18 0000", 40000, 17, 40, 46), true, 40, 6,
	       VIRTIO_NET_HDR_GSO_NONE, 0, 0);
}

static void merged(void **state)
{
	(void)state;
	/* At the MTU it is whole; one octet more and it is cut: 1280 less 60 octets of headers. */
	expect(build("06", TCP, MTU, 6, 40, 56), true, 40, 16, VIRTIO_NET_HDR_GSO_NONE, 0, 0);
	expect(build("06", TCP, MTU + 1, 6, 40, 56), true, 40, 16, VIRTIO_NET_HDR_GSO_TCPV6, 60,
	       1220);
	/* 40 KB with timestamps, then all that fits */
	expect(build("06", TCP_STAMPS, 40960, 6, 40, 56), true, 40, 16, VIRTIO_NET_HDR_GSO_TCPV6,
	       72, 1208);
	expect(build("06", TCP_STAMPS, 65515, 6, 40, 56), true, 40, 16, VIRTIO_NET_HDR_GSO_TCPV6,
	       72, 1208);
	expect(build("06", TCP_CWR, 40960, 6, 40, 56), true, 40, 16,
	       VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN, 60, 1220);
}

static void a_large_packet_with_its_checksum_stays(void **state)
{
	size_t n = build("06", TCP, 40960, 6, 40, 56);

	(void)state;
	packet[57] ^= 1;
	expect(n, NOTHING);
}

static void extension_headers(void **state)
{
	(void)state;
	/* hop-by-hop of 8 octets, destination options of 16, then TCP at 64 */
	expect(build("00",
		     "3c00 0104 00000000"
		     "0601 010c 00000000 00000000 00000000" TCP,
		     2000, 6, 64, 80),
	       true, 64, 16, VIRTIO_NET_HDR_GSO_TCPV6, 84, 1196);
	/* routing header with no segments left, then UDP at 64 */
	expect(build("2b",
		     "1102 0300 00000000 20010db8000000000000000000000001"
		     "0001 0002 0008 0000",
		     72, 17, 64, 70),
	       true, 64, 6, VIRTIO_NET_HDR_GSO_NONE, 0, 0);
	/* one segment left: the pseudo-header would have another destination */
	expect(build("2b",
		     "1102 0301 00000000 20010db8000000000000000000000001"
		     "0001 0002 0008 0000",
		     72, 17, 64, 70),
	       NOTHING);
	/* a fragment, first of more: its checksum is over what is not here */
	expect(build("2c", "0600 0001 00000007" TCP, 200, 6, 48, 64), NOTHING);
	/* an atomic fragment is whole */
	expect(build("2c", "0600 0000 00000007" TCP, 200, 6, 48, 64), true, 48, 16,
	       VIRTIO_NET_HDR_GSO_NONE, 0, 0);
	/* a header that is longer than the packet */
	expect(build("00", "06ff 0104 00000000" TCP, 200, 6, 48, 64), NOTHING);
}

static void truncated_headers(void **state)
{
	(void)state;
	/* 19 octets of TCP, 7 of UDP */
	expect(build("06", "0001", 59, 6, 40, 56), NOTHING);
	expect(build("11", "0001", 47, 17, 40, 45), NOTHING);
	/* header length 4 words, 15 words where that is the end of the packet: not cut */
	expect(build("06", "0001 0002 00000003 00000004 4010", 2000, 6, 40, 56), true, 40, 16,
	       VIRTIO_NET_HDR_GSO_NONE, 0, 0);
	expect(build("06", "0001 0002 00000003 00000004 f010", 90, 6, 40, 56), true, 40, 16,
	       VIRTIO_NET_HDR_GSO_NONE, 0, 0);
	/* nothing upper at all */
	expect(build("06", "", 40, 6, 40, 56), NOTHING);
	/* ICMPv6 is never left incomplete */
	expect(build("3a", "8000", 60, 58, 40, 42), NOTHING);
}

static void long_headers_are_not_repeated(void **state)
{
	(void)state;
	/* Destination options of 800 octets: 60 KB would become 140 times that header. */
	expect(build("3c", "0663", 60000, 6, 840, 856), true, 840, 16, VIRTIO_NET_HDR_GSO_NONE, 0,
	       0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp),
		cmocka_unit_test(udp),
		cmocka_unit_test(merged),
		cmocka_unit_test(a_large_packet_with_its_checksum_stays),
		cmocka_unit_test(extension_headers),
		cmocka_unit_test(truncated_headers),
		cmocka_unit_test(long_headers_are_not_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
