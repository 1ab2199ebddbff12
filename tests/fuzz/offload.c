/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large packets against single ones: what a TUN device gives is cut by the program and, in another
 * way, by this file; the packets, some of them lost, doubled, out of order or damaged, are joined
 * again by the program, and this file cuts the result as a kernel does. The same packets must come
 * out, octet for octet, and those of a flow in their order.
 */
#include "packets.h"

#include "forward/coalesce.h"
#include "forward/segment.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
	FLOWS = 4,
	OTHERS = FLOWS, /* neither TCP nor UDP behind a plain IPv6 header */
	PACKETS = 1024,
	LARGE = 40 + 65535,
};

struct line {
	size_t count;
	struct {
		uint8_t *octets;
		size_t len;
	} packets[PACKETS];
};

struct way {
	struct line sent; /* what the plain way delivers */
	struct line got;
	uint8_t pattern; /* of the next payload */
	struct {
		uint32_t sequence;
		uint32_t acknowledged;
		uint16_t window;
		uint8_t traffic;
		uint8_t label;
		uint8_t hops;
	} flows[FLOWS];
	size_t joined; /* large packets that were written */
};

static void line_add(struct line *line, const uint8_t *octets, size_t len)
{
	FUZZ_CHECK(line->count < PACKETS);
	line->packets[line->count].octets = fuzz_copy(octets, len);
	line->packets[line->count++].len = len;
}

static void line_free(struct line *line)
{
	for (size_t i = 0; i < line->count; i++)
		free(line->packets[i].octets);
}

static unsigned int flow_of(const uint8_t *packet)
{
	if (packet[6] != IPPROTO_TCP && packet[6] != IPPROTO_UDP)
		return OTHERS;
	return packet[41] % FLOWS;
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* --- as a kernel does it ------------------------------------------------------------------ */

/* Completes the checksum of a packet whose upper layer begins at that offset. */
static void kernel_sum(uint8_t *packet, size_t upper, uint8_t protocol, size_t len)
{
	uint8_t *check = packet + upper + (protocol == IPPROTO_TCP ? 16 : 6);
	uint16_t sum;

	put16(check, 0);
	sum = (uint16_t)~packets_sum(packet, protocol, upper, len);
	put16(check, protocol == IPPROTO_UDP && sum == 0 ? 0xffff : sum);
}

/* Software segmentation of Linux: what the header asks for is done, packet by packet. */
static void kernel_cut(struct line *line, const struct virtio_net_hdr *header,
		       const uint8_t *packet, size_t len)
{
	static uint8_t piece[LARGE];
	size_t upper = header->csum_start, headers, count;
	bool tcp = header->csum_offset == 16;

	if (!header->gso_type) {
		memcpy(piece, packet, len);
		if (header->flags)
			kernel_sum(piece, upper, tcp ? IPPROTO_TCP : IPPROTO_UDP, len);
		line_add(line, piece, len);
		return;
	}
	headers = upper + (tcp ? (size_t)(packet[upper + 12] >> 4) * 4 : 8);
	count = (len - headers + header->gso_size - 1) / header->gso_size;
	for (size_t i = 0; i < count; i++) {
		size_t from = headers + i * header->gso_size;
		size_t payload = i + 1 < count ? header->gso_size : len - from;

		memcpy(piece, packet, headers);
		memcpy(piece + headers, packet + from, payload);
		put16(piece + 4, headers - 40 + payload);
		if (tcp) {
			put32(piece + upper + 4,
			      get32(packet + upper + 4) + (uint32_t)(i * header->gso_size));
			if (i + 1 < count)
				piece[upper + 13] &= (uint8_t)~0x09;
			if (i > 0 && header->gso_type & VIRTIO_NET_HDR_GSO_ECN)
				piece[upper + 13] &= (uint8_t)~0x80;
		} else {
			put16(piece + upper + 4, 8 + payload);
		}
		kernel_sum(piece, upper, tcp ? IPPROTO_TCP : IPPROTO_UDP, headers + payload);
		line_add(line, piece, headers + payload);
	}
}

/* --- packets ------------------------------------------------------------------------------ */

/* The headers of a packet of the flow up to its payload. */
static size_t make_headers(struct fuzz_input *input, struct way *way, unsigned int f, bool tcp,
			   uint8_t *packet)
{
	static const uint8_t options[4] = {0, 12, 20, 12}; /* none, timestamps, MD5, SACK */
	size_t option = options[f];
	uint8_t what;
	struct in6_addr from = fuzz_ipv6("2001:db8:1::2"), to = fuzz_ipv6("2001:db8:ffff::1");

	memset(packet, 0, 40 + 60);
	packet[0] = (uint8_t)(0x60 | way->flows[f].traffic >> 4);
	packet[1] = (uint8_t)(way->flows[f].traffic << 4);
	packet[3] = way->flows[f].label;
	packet[6] = tcp ? IPPROTO_TCP : IPPROTO_UDP;
	packet[7] = way->flows[f].hops;
	memcpy(packet + 8, &from, sizeof(from));
	memcpy(packet + 24, &to, sizeof(to));
	packet[41] = (uint8_t)f;
	packet[43] = 80;
	if (!tcp)
		return 48;
	put32(packet + 44, way->flows[f].sequence);
	put32(packet + 48, way->flows[f].acknowledged);
	packet[52] = (uint8_t)((20 + option) / 4 << 4);
	packet[53] = 0x10;
	put16(packet + 54, way->flows[f].window);
	if (option) {
		packet[60] = f == 1 ? 8 : 19;
		packet[61] = (uint8_t)option;
		memset(packet + 62, 7, option - 2);
	}
	/* Most packets of a flow look the same. */
	what = fuzz_byte(input);
	switch (what & 15) {
	case 0:
		packet[53] |= 0x08;
		break;
	case 1: /* FIN, SYN, RST, PSH, ACK, URG, ECE, CWR */
		packet[53] ^= (uint8_t)(1 << (what >> 4 & 7));
		break;
	case 2:
		packet[52] |= 1;
		break;
	case 3:
		packet[58] = what;
		break;
	case 4:
		if (option)
			packet[62] = what;
		break;
	case 5:
		packet[54] = what;
		break;
	default:
		break;
	}
	return 60 + option;
}

static void make_payload(struct way *way, uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = way->pattern++;
	way->pattern = (uint8_t)(way->pattern * 5 + 1);
}

/* A large packet that the program cuts, and the same cut as a kernel does it. */
static void send_large(struct fuzz_input *input, struct way *way, unsigned int f)
{
	static uint8_t packet[LARGE], before[LARGE], piece[LARGE];
	bool tcp = fuzz_bool(input);
	size_t headers = make_headers(input, way, f, tcp, packet);
	size_t size = 1 + fuzz_16(input) % 1440;
	size_t payload = 1 + fuzz_16(input) % (size * 20);
	size_t len, first = way->sent.count;
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = tcp ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_UDP_L4,
		.gso_size = (uint16_t)size,
		.csum_start = 40,
		.csum_offset = tcp ? 16 : 6,
	};
	struct segments segments;
	struct inner inner;

	if (tcp && fuzz_bool(input))
		header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	len = headers + payload;
	put16(packet + 4, len - 40);
	if (!tcp)
		put16(packet + 44, len - 40);
	make_payload(way, packet + headers, payload);
	put16(packet + (tcp ? 56 : 46), packets_sum_pseudo(packet, packet[6], len - 40));
	way->flows[f].sequence += (uint32_t)payload;
	memcpy(before, packet, len);

	/* The kernel gives no packet with CWR without saying so. */
	if (tcp && packet[53] & 0x80)
		header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	kernel_cut(&way->sent, &header, packet, len);
	FUZZ_CHECK(inner_parse(packet, len, &inner) == DROP_NONE);
	FUZZ_CHECK(segments_open(&segments, &header, &inner, packet));
	FUZZ_CHECK(segments.count == way->sent.count - first);
	for (size_t i = 0; i < segments.count; i++) {
		size_t part = segments_payload(&segments, i);

		segments_write(&segments, i, piece);
		memcpy(piece + segments.headers, packet + segments.headers + i * segments.size,
		       part);
		FUZZ_CHECK(segments.headers + part == way->sent.packets[first + i].len);
		FUZZ_CHECK(segments.longest >= segments.headers + part);
		FUZZ_CHECK(memcmp(piece, way->sent.packets[first + i].octets,
				  segments.headers + part) == 0);
	}
	FUZZ_CHECK(memcmp(packet, before, len) == 0);
}

/* One packet, with a checksum that is right, still missing, or damaged. */
static void send_small(struct fuzz_input *input, struct way *way, unsigned int f, bool damaged)
{
	static uint8_t packet[LARGE];
	bool tcp = fuzz_bool(input);
	size_t headers = make_headers(input, way, f, tcp, packet);
	size_t payload = fuzz_16(input) % 1440;
	size_t len = headers + payload;
	struct virtio_net_hdr header = {0};
	struct segments segments;
	struct inner inner;

	put16(packet + 4, len - 40);
	if (!tcp)
		put16(packet + 44, len - 40);
	make_payload(way, packet + headers, payload);
	way->flows[f].sequence += (uint32_t)payload;
	put16(packet + (tcp ? 56 : 46), packets_sum_pseudo(packet, packet[6], len - 40));
	header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header.csum_start = 40;
	header.csum_offset = tcp ? 16 : 6;
	kernel_cut(&way->sent, &header, packet, len);
	FUZZ_CHECK(inner_parse(packet, len, &inner) == DROP_NONE);
	FUZZ_CHECK(segments_open(&segments, &header, &inner, packet) && segments.count == 1);
	FUZZ_CHECK(memcmp(packet, way->sent.packets[way->sent.count - 1].octets, len) == 0);
	if (damaged)
		way->sent.packets[way->sent.count - 1].octets[44 + fuzz_16(input) % (len - 44)] ^=
			0x10;
}

/* Behind a hop-by-hop header, in a fragment, or ICMPv6. */
static void send_other(struct fuzz_input *input, struct way *way, unsigned int f)
{
	static const uint8_t protocols[3] = {IPPROTO_HOPOPTS, IPPROTO_FRAGMENT, IPPROTO_ICMPV6};
	static uint8_t packet[LARGE];
	uint8_t protocol = protocols[fuzz_below(input, 3)];
	size_t len = make_headers(input, way, f, false, packet);

	packet[6] = protocol;
	packet[40] = IPPROTO_TCP;
	packet[41] = 0;
	put16(packet + 4, len + 100 - 40);
	make_payload(way, packet + len, 100);
	line_add(&way->sent, packet, len + 100);
}

/* --- the way in --------------------------------------------------------------------------- */

static void on_write(const struct coalesced *coalesced, void *arg)
{
	static uint8_t packet[LARGE];
	struct way *way = arg;
	struct virtio_net_hdr header;
	size_t len = 0, first = way->got.count, octets = 0;

	FUZZ_CHECK(coalesced->n_parts >= 2 &&
		   coalesced->parts[0].iov_len == sizeof(struct virtio_net_hdr));
	memcpy(&header, coalesced->parts[0].iov_base, sizeof(header));
	for (int i = 1; i < coalesced->n_parts; i++) {
		FUZZ_CHECK(coalesced->parts[i].iov_len <= LARGE - len);
		if (coalesced->parts[i].iov_len)
			memcpy(packet + len, coalesced->parts[i].iov_base,
			       coalesced->parts[i].iov_len);
		len += coalesced->parts[i].iov_len;
	}
	FUZZ_CHECK(len == 40 + (size_t)(packet[4] << 8 | packet[5]));
	if (header.gso_type) {
		size_t check = 40 + header.csum_offset;

		way->joined++;
		FUZZ_CHECK(header.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM && header.csum_start == 40);
		FUZZ_CHECK(header.hdr_len < len && header.gso_size > 0);
		FUZZ_CHECK((packet[check] << 8 | packet[check + 1]) ==
			   packets_sum_pseudo(packet, packet[6], len - 40));
	}
	kernel_cut(&way->got, &header, packet, len);
	FUZZ_CHECK(way->got.count - first == coalesced->packets);
	for (size_t i = first; i < way->got.count; i++)
		octets += way->got.packets[i].len;
	FUZZ_CHECK(octets == coalesced->octets);
}

/* Those of each flow in their order; and the others in their place among all. */
static void compare(const struct way *way)
{
	FUZZ_CHECK(way->sent.count == way->got.count);
	for (unsigned int f = 0; f <= OTHERS; f++) {
		size_t g = 0;

		for (size_t s = 0; s < way->sent.count; s++) {
			if (flow_of(way->sent.packets[s].octets) != f)
				continue;
			while (g < way->got.count && flow_of(way->got.packets[g].octets) != f)
				g++;
			FUZZ_CHECK(g < way->got.count);
			FUZZ_CHECK(way->got.packets[g].len == way->sent.packets[s].len);
			FUZZ_CHECK(memcmp(way->got.packets[g].octets, way->sent.packets[s].octets,
					  way->sent.packets[s].len) == 0);
			FUZZ_CHECK(f != OTHERS || g == s);
			g++;
		}
	}
}

static void receive(struct fuzz_input *input, struct way *way, bool udp)
{
	struct coalesce *coalesce = coalesce_new(udp, on_write, way);
	uint8_t batch = fuzz_byte(input);

	FUZZ_CHECK(coalesce);
	for (size_t i = 0; i < way->sent.count; i++) {
		static const struct virtio_net_hdr plain;
		struct inner inner;

		FUZZ_CHECK(inner_parse(way->sent.packets[i].octets, way->sent.packets[i].len,
				       &inner) == DROP_NONE);
		coalesce_add(coalesce, NULL, &inner, &plain);
		if (batch && i % batch == 0) {
			coalesce_flush(coalesce);
			FUZZ_CHECK(way->got.count == i + 1);
		}
	}
	coalesce_flush(coalesce);
	coalesce_free(coalesce);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct way *way = calloc(1, sizeof(*way));
	bool udp = fuzz_bool(&input);

	FUZZ_CHECK(way);
	for (unsigned int f = 0; f < FLOWS; f++)
		way->flows[f].hops = 64;
	/* One large packet has twenty packets at most. */
	while (input.left > 8 && way->sent.count < PACKETS - 32) {
		uint8_t what = fuzz_byte(&input);
		unsigned int f = what & (FLOWS - 1);
		size_t last = way->sent.count;

		switch (what >> 2 & 15) {
		case 0:
			way->flows[f].traffic = fuzz_byte(&input);
			break;
		case 1:
			way->flows[f].label ^= 1;
			break;
		case 2:
			way->flows[f].hops--;
			break;
		case 3:
			way->flows[f].acknowledged += 100;
			break;
		case 4:
			way->flows[f].window++;
			break;
		case 5: /* lost, or late */
			way->flows[f].sequence += fuzz_16(&input);
			break;
		case 6: /* doubled */
			if (last > 0)
				line_add(&way->sent, way->sent.packets[last - 1].octets,
					 way->sent.packets[last - 1].len);
			break;
		case 7: /* out of order */
			if (last > 1) {
				size_t len = way->sent.packets[last - 1].len;
				uint8_t *octets = way->sent.packets[last - 1].octets;

				way->sent.packets[last - 1] = way->sent.packets[last - 2];
				way->sent.packets[last - 2].octets = octets;
				way->sent.packets[last - 2].len = len;
			}
			break;
		case 8:
			send_other(&input, way, f);
			break;
		case 9:
			send_small(&input, way, f, true);
			break;
		case 10:
		case 11:
		case 12:
			send_small(&input, way, f, false);
			break;
		default:
			send_large(&input, way, f);
			break;
		}
	}
	receive(&input, way, udp);
	compare(way);
	line_free(&way->sent);
	line_free(&way->got);
	free(way);
}
