/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>

/* What fits into a UDP datagram. */
enum { PACKET_MAX = 65507 };

/* One's complement addition: a carry comes back in at the other end. */
static uint16_t add(uint16_t a, uint32_t b)
{
	uint32_t sum = a + (b >> 16) + (b & 0xffff);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t packets_sum_pseudo(const uint8_t *packet, uint8_t protocol, size_t upper)
{
	uint16_t sum = add(protocol, (uint32_t)upper);

	for (size_t i = 8; i < 40; i += 2)
		sum = add(sum, (uint32_t)(packet[i] << 8 | packet[i + 1]));
	return sum;
}

uint16_t packets_sum(const uint8_t *packet, uint8_t protocol, size_t offset, size_t len)
{
	uint16_t sum = packets_sum_pseudo(packet, protocol, len - offset);

	for (size_t i = offset; i < len; i += 2)
		sum = add(sum, (uint32_t)(packet[i] << 8 | (i + 1 < len ? packet[i + 1] : 0)));
	return sum;
}

/* The offset of an ICMPv6 message right behind the header; 0 where none is there. */
static size_t icmp6_at(const uint8_t *packet, size_t len)
{
	return packet[6] == IPPROTO_ICMPV6 && len > 40 ? 40 : 0;
}

static bool in_prefix(const struct prefix6 *prefix, const uint8_t *addr)
{
	for (unsigned int bit = 0; bit < prefix->len; bit++) {
		unsigned int mask = 0x80u >> bit % 8;

		if ((prefix->addr.s6_addr[bit / 8] ^ addr[bit / 8]) & mask)
			return false;
	}
	return true;
}

static bool is_zero(const uint8_t *octets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (octets[i] != 0)
			return false;
	}
	return true;
}

static bool owns(const struct forward_session *session, const uint8_t *addr)
{
	for (uint32_t i = 0; i < session->n_prefixes; i++) {
		if (in_prefix(&session->prefixes[i], addr))
			return true;
	}
	return false;
}

void packets_check_inbound(const uint8_t *packet, size_t len, const struct forward_session *session,
			   bool server, struct in_addr to)
{
	const uint8_t *src = packet + 8, *dst = packet + 24;
	size_t icmp6;

	FUZZ_CHECK(len >= 40 && packet[0] >> 4 == 6);
	FUZZ_CHECK(len == 40 + (size_t)(packet[4] << 8 | packet[5]));
	icmp6 = icmp6_at(packet, len);
	/* RFC 4213, section 3.6: multicast, loopback, IPv4-compatible and -mapped sources. */
	FUZZ_CHECK(src[0] != 0xff);
	if (is_zero(src, 12)) {
		/* All zero is left, for neighbour discovery on the link. */
		FUZZ_CHECK(is_zero(src, 16) && packet[7] == 255 && dst[0] == 0xff &&
			   (dst[1] & 0xf) == 2);
	} else {
		bool link_local = src[0] == 0xfe && (src[1] & 0xc0) == 0x80;

		FUZZ_CHECK(!(is_zero(src, 10) && src[10] == 0xff && src[11] == 0xff));
		/* RFC 2827 */
		FUZZ_CHECK(!server || owns(session, src) || (session->device > 0 && link_local));
	}
	/* Routes come from DTCP only. */
	if (icmp6)
		FUZZ_CHECK(packet[icmp6] != ND_ROUTER_ADVERT && packet[icmp6] != ND_REDIRECT);
	/* RFC 6324: 6to4, and the automatic tunnels that end in the outer address, where known. */
	if (!to.s_addr)
		return;
	FUZZ_CHECK(!(dst[0] == 0x20 && dst[1] == 0x02 && memcmp(dst + 2, &to, 4) == 0));
	FUZZ_CHECK(!(is_zero(dst, 12) && memcmp(dst + 12, &to, 4) == 0));
	FUZZ_CHECK(!(dst[10] == 0x5e && dst[11] == 0xfe && (dst[8] & 0xfd) == 0 && dst[9] == 0 &&
		     memcmp(dst + 12, &to, 4) == 0));
}

void packets_check_header(const struct virtio_net_hdr *header, const uint8_t *packet, size_t len)
{
	uint8_t gso = header->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

	FUZZ_CHECK((header->flags & ~VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0);
	FUZZ_CHECK(gso == VIRTIO_NET_HDR_GSO_NONE || gso == VIRTIO_NET_HDR_GSO_TCPV6);
	if (header->flags) {
		size_t check = (size_t)header->csum_start + header->csum_offset;
		uint8_t protocol = header->csum_offset == 16 ? IPPROTO_TCP : IPPROTO_UDP;

		FUZZ_CHECK(header->csum_start >= 40 && check + 2 <= len);
		/* The field has the sum of the pseudo-header alone. */
		FUZZ_CHECK((packet[check] << 8 | packet[check + 1]) ==
			   packets_sum_pseudo(packet, protocol, len - header->csum_start));
	}
	if (gso) {
		FUZZ_CHECK(header->flags && header->csum_offset == 16);
		FUZZ_CHECK(header->hdr_len < len && header->hdr_len >= header->csum_start + 20);
		FUZZ_CHECK(header->gso_size >= 512 && len > 1280);
		FUZZ_CHECK((size_t)header->hdr_len + header->gso_size <= 1280);
	}
}

void packets_check_error(const uint8_t *error, size_t error_len, const uint8_t *packet, size_t len)
{
	size_t quoted = error_len - 48;
	size_t icmp6 = icmp6_at(packet, len);

	FUZZ_CHECK(error_len >= 48 && error_len <= 1280);
	FUZZ_CHECK((size_t)(error[4] << 8 | error[5]) + 40 == error_len);
	FUZZ_CHECK(error[0] == 0x60 && error[6] == IPPROTO_ICMPV6);
	/* To the sender, who is one; and as much of the packet as fits. */
	FUZZ_CHECK(memcmp(error + 24, packet + 8, 16) == 0);
	FUZZ_CHECK(packet[8] != 0xff && !(is_zero(packet + 8, 15) && packet[23] <= 1));
	FUZZ_CHECK(quoted == (len < 1232 ? len : 1232));
	FUZZ_CHECK(memcmp(error + 48, packet, quoted) == 0);
	FUZZ_CHECK(packets_sum(error, IPPROTO_ICMPV6, 40, error_len) == 0xffff);
	FUZZ_CHECK(error[40] == ICMP6_DST_UNREACH || error[40] == ICMP6_PACKET_TOO_BIG);
	if (error[40] == ICMP6_PACKET_TOO_BIG)
		FUZZ_CHECK(error[44] == 0 && error[45] == 0 &&
			   (error[46] << 8 | error[47]) >= 1280);
	else
		FUZZ_CHECK(packet[24] != 0xff);
	/* RFC 4443, section 2.4 (e): never about an error. */
	if (icmp6)
		FUZZ_CHECK(packet[icmp6] >= 128 && packet[icmp6] != ND_REDIRECT);
}

struct forward_session packets_session(unsigned int i, bool udp, bool server)
{
	struct forward_session session = {
		.id = i,
		.transport = udp ? FORWARD_UDP : FORWARD_PROTO41,
		.mtu = i == 1 ? 1472 : 1280,
		.local = fuzz_ipv4("192.0.2.1"),
		.peer = {htonl(0xc6336402 + i)},
		.session = 0x1111111111111111u * (i + 1),
		.peer_port = server ? i * 4028 : 4028,
	};

	if (!udp)
		session.near = fuzz_ipv6(server ? "2001:db8:1::1" : "2001:db8:1::2");
	memset(session.key, (int)i + 1, sizeof(session.key));
	switch (i) {
	case 0:
		session.prefixes[session.n_prefixes++] =
			(struct prefix6){.addr = fuzz_ipv6("2001:db8:1::2"), .len = 128};
		session.alias = fuzz_ipv4("203.0.113.1");
		break;
	case 1:
		session.prefixes[session.n_prefixes++] =
			(struct prefix6){.addr = fuzz_ipv6("2001:db8:100::"), .len = 40};
		session.prefixes[session.n_prefixes++] =
			(struct prefix6){.addr = fuzz_ipv6("fe80::c633:6403"), .len = 128};
		break;
	default:
		session.device = server ? i : 0;
		break;
	}
	return session;
}

/* An address that leads somewhere, or any. */
static void put_address(struct fuzz_input *input, uint8_t *at)
{
	static const char *const known[] = {
		"2001:db8:1::2",    "2001:db8:100::1", "2001:db8:1ff::9",
		"2001:db8:ffff::1", "2001:db8:200::7", "fe80::c633:6403",
		"fe80::1",	    "ff02::1",	       "::",
		"2002:c000:201::1", "::192.0.2.1",     "fe80::5efe:c000:201",
		"2001:db8:1::2",
	};
	unsigned int which = fuzz_below(input, 1 + sizeof(known) / sizeof(known[0]));
	struct in6_addr addr;

	if (which == 0) {
		fuzz_fill(input, at, 16);
		return;
	}
	addr = fuzz_ipv6(known[which - 1]);
	memcpy(at, &addr, sizeof(addr));
}

uint8_t *packets_make(struct fuzz_input *input, size_t *len)
{
	uint8_t kind = fuzz_byte(input);
	size_t payload, extra, total;
	uint8_t *body = fuzz_piece(input, 4096, &payload), *packet;

	if (!(kind & 1)) {
		*len = payload;
		return body;
	}
	/* A well-formed header, and an end of zeros that a fuzzer would not write by itself. */
	extra = kind & 2 ? fuzz_16(input) : 0;
	if (extra > PACKET_MAX - 40 - payload)
		extra = PACKET_MAX - 40 - payload;
	total = 40 + payload + extra;
	packet = calloc(1, total);
	FUZZ_CHECK(packet);
	packet[0] = 0x60;
	packet[1] = (uint8_t)(fuzz_byte(input) & 0xf0);
	packet[4] = (uint8_t)((payload + extra) >> 8);
	packet[5] = (uint8_t)(payload + extra);
	packet[6] = fuzz_byte(input);
	packet[7] = kind & 4 ? 255 : 64;
	put_address(input, packet + 8);
	put_address(input, packet + 24);
	memcpy(packet + 40, body, payload);
	free(body);
	/* The checksum as in a merged packet: of the pseudo-header only. */
	if (kind & 8 && packet[6] == IPPROTO_TCP && payload + extra >= 20) {
		uint16_t bare = packets_sum_pseudo(packet, IPPROTO_TCP, payload + extra);

		packet[56] = (uint8_t)(bare >> 8);
		packet[57] = (uint8_t)bare;
	}
	/* And a whole one. */
	if (kind & 16 && packet[6] == IPPROTO_ICMPV6 && payload + extra >= 4) {
		uint16_t sum;

		packet[42] = packet[43] = 0;
		sum = (uint16_t)~packets_sum(packet, IPPROTO_ICMPV6, 40, total);
		packet[42] = (uint8_t)(sum >> 8);
		packet[43] = (uint8_t)sum;
	}
	*len = total;
	return packet;
}

void packets_control(struct fuzz_input *input, struct msghdr *msg)
{
	size_t len, end = 0;
	uint8_t *piece = fuzz_piece(input, msg->msg_controllen, &len);

	while (len - end >= sizeof(struct cmsghdr)) {
		struct cmsghdr header;

		memcpy(&header, piece + end, sizeof(header));
		if (header.cmsg_len < CMSG_LEN(0) || header.cmsg_len > len - end)
			break;
		end += CMSG_ALIGN(header.cmsg_len);
		if (end > len)
			end = len;
	}
	memcpy(msg->msg_control, piece, end);
	msg->msg_controllen = end;
	free(piece);
}
