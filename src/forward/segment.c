/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/segment.h"

#include "forward/checksum.h"

#include <arpa/inet.h>
#include <string.h>

#define TCP_HEADER   20
#define TCP_SEQUENCE 4
#define TCP_OFFSET   12
#define TCP_FLAGS    13
#define TCP_CHECK    16
#define TCP_FIN	     0x01
#define TCP_PSH	     0x08
#define TCP_CWR	     0x80
#define UDP_HEADER   8
#define UDP_LENGTH   4
#define UDP_CHECK    6

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The kernel leaves the sum of the pseudo-header in the checksum field. */
static bool segments_complete(const struct virtio_net_hdr *header, uint8_t *packet, size_t len)
{
	size_t start = header->csum_start;
	size_t check_at = start + header->csum_offset;

	if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return true;
	if (start < INNER_HEADER || check_at + 2 > len)
		return false;

	put16(packet + check_at, checksum_final(checksum_add(0, packet + start, len - start),
						header->csum_offset == UDP_CHECK));
	return true;
}

/*
 * The sum of the pseudo-header without the length. The field has it already, with the length of the
 * whole packet; unlike a new sum, it is also right if the destination in it is not that of the IPv6
 * header, as with a routing header (RFC 8200, section 8.1). A packet whose checksum has been
 * verified may have a complete one instead.
 */
static uint64_t segments_pseudo(const struct segments *segments,
				const struct virtio_net_hdr *header)
{
	const uint8_t *check = segments->packet + segments->upper +
			       (segments->protocol == IPPROTO_UDP ? UDP_CHECK : TCP_CHECK);
	size_t len = segments->len - segments->upper;

	if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return checksum_pseudo(segments->packet, segments->protocol, 0);
	return (uint64_t)(check[0] << 8 | check[1]) + (uint16_t)~len;
}

bool segments_open(struct segments *segments, const struct virtio_net_hdr *header,
		   const struct inner *inner, uint8_t *packet)
{
	uint8_t type = header->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	struct inner_upper upper;

	*segments = (struct segments){
		.count = 1, .headers = inner->len, .longest = inner->len, .packet = packet};
	segments->len = inner->len;
	if (type == VIRTIO_NET_HDR_GSO_NONE)
		return segments_complete(header, packet, inner->len);
	if (!inner_find_upper(inner, &upper) || upper.fragment)
		return false;

	size_t room = inner->len - upper.offset;
	size_t headers;

	/* hdr_len is a hint of how much to pull, not the offset of the payload. */
	if (type == VIRTIO_NET_HDR_GSO_TCPV6 && upper.protocol == IPPROTO_TCP &&
	    room >= TCP_HEADER) {
		headers = (size_t)(packet[upper.offset + TCP_OFFSET] >> 4) * 4;
		if (headers < TCP_HEADER)
			return false;
	} else if (type == VIRTIO_NET_HDR_GSO_UDP_L4 && upper.protocol == IPPROTO_UDP) {
		headers = UDP_HEADER;
	} else {
		return false;
	}
	if (headers >= room || header->gso_size == 0)
		return false;
	segments->upper = upper.offset;
	segments->protocol = upper.protocol;
	segments->headers = upper.offset + headers;
	segments->size = header->gso_size;

	size_t payload = inner->len - segments->headers;

	segments->count = (payload + segments->size - 1) / segments->size;
	if (segments->count > SEGMENTS_MAX)
		return false;
	segments->longest = segments->headers + segments_payload(segments, 0);
	segments->sum = segments_pseudo(segments, header);
	return true;
}

size_t segments_payload(const struct segments *segments, size_t i)
{
	size_t rest = segments->len - segments->headers - i * segments->size;

	return rest < segments->size ? rest : segments->size;
}

void segments_write(const struct segments *segments, size_t i, uint8_t *headers)
{
	size_t upper = segments->upper;
	size_t payload = segments_payload(segments, i);
	size_t upper_len = segments->headers - upper + payload;
	uint8_t *check = headers + upper + UDP_CHECK;

	memmove(headers, segments->packet, segments->headers);
	if (!segments->protocol)
		return;
	put16(headers + 4, segments->headers - INNER_HEADER + payload);
	if (segments->protocol == IPPROTO_TCP) {
		uint32_t sequence;

		check = headers + upper + TCP_CHECK;
		memcpy(&sequence, headers + upper + TCP_SEQUENCE, sizeof(sequence));
		sequence = htonl(ntohl(sequence) + (uint32_t)(i * segments->size));
		memcpy(headers + upper + TCP_SEQUENCE, &sequence, sizeof(sequence));
		if (i + 1 < segments->count)
			headers[upper + TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
		/* RFC 3168, section 6.1.2: CWR in the first segment only. */
		if (i > 0)
			headers[upper + TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	} else {
		put16(headers + upper + UDP_LENGTH, upper_len);
	}
	put16(check, 0);

	uint64_t sum = segments->sum + upper_len;

	sum = checksum_add(sum, headers + upper, segments->headers - upper);
	sum = checksum_add(sum, segments->packet + segments->headers + i * segments->size, payload);
	put16(check, checksum_final(sum, segments->protocol == IPPROTO_UDP));
}
