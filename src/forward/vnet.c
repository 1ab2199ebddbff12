/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/vnet.h"

#include "forward/checksum.h"

#include <string.h>

#define TCP_HEADER 20
#define TCP_CHECK  16
#define TCP_CWR	   0x80
#define UDP_HEADER 8
#define UDP_CHECK  6
/*
 * Least payload of a segment: with less, headers would outweigh the payload, and one large packet
 * with a long header chain would become very many.
 */
#define VNET_SEGMENT_MIN 512

static void vnet_fill_gso(const struct inner *inner, size_t tcp, size_t mtu,
			  struct virtio_net_hdr *header)
{
	const uint8_t *packet = inner->packet;
	size_t tcp_size = (size_t)(packet[tcp + 12] >> 4) * 4;
	size_t headers = tcp + tcp_size;

	if (tcp_size < TCP_HEADER || headers >= inner->len || headers + VNET_SEGMENT_MIN > mtu)
		return;
	header->gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
	/* RFC 3168, section 6.1.2: only the first segment may have CWR. */
	if (packet[tcp + 13] & TCP_CWR)
		header->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	header->hdr_len = (uint16_t)headers;
	header->gso_size = (uint16_t)(mtu - headers);
}

void vnet_fill(const struct inner *inner, size_t mtu, struct virtio_net_hdr *header)
{
	struct inner_upper upper;

	memset(header, 0, sizeof(*header));
	if (!inner_find_upper(inner, &upper) || upper.fragment || upper.more_hops)
		return;

	bool tcp = upper.protocol == IPPROTO_TCP;
	size_t check_at = tcp ? TCP_CHECK : UDP_CHECK;
	size_t upper_len = inner->len - upper.offset;

	if (!tcp && upper.protocol != IPPROTO_UDP)
		return;
	if (upper_len < (tcp ? TCP_HEADER : UDP_HEADER))
		return;

	const uint8_t *check = inner->packet + upper.offset + check_at;
	uint16_t bare = checksum_pseudo(inner->packet, upper.protocol, upper_len);

	/* A complete checksum that happens to equal this is computed anew, with the same result. */
	if (check[0] != bare >> 8 || check[1] != (bare & 0xff))
		return;
	header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header->csum_start = (uint16_t)upper.offset;
	header->csum_offset = (uint16_t)check_at;
	if (tcp && inner->len > mtu)
		vnet_fill_gso(inner, upper.offset, mtu, header);
}
