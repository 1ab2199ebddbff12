/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/coalesce.h"

#include "forward/checksum.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define TCP_HEADER     20
#define TCP_HEADER_MAX 60
#define TCP_SEQUENCE   4
#define TCP_ACK_NUMBER 8
#define TCP_FLAGS      13
#define TCP_CHECK      16
#define TCP_FIN	       0x01
#define TCP_PSH	       0x08
#define TCP_ACK	       0x10
#define TCP_CWR	       0x80
#define UDP_HEADER     8
#define UDP_LENGTH     4
#define UDP_CHECK      6
/* The largest payload length of an IPv6 header. */
#define PAYLOAD_MAX 65535

/* A parsed packet. */
struct piece {
	const uint8_t *packet;
	size_t headers; /* octets of its headers */
	size_t payload;
	uint8_t protocol; /* 0: neither TCP nor UDP behind a plain IPv6 header */
	uint8_t flags;	  /* TCP */
	uint32_t sequence;
	bool joins; /* may be joined with others */
};

/* Packets of one flow, to be written as one large packet. */
struct flow {
	struct session *session;
	struct piece first;
	bool verified;	/* the checksum of the first one; the others always are */
	bool closed;	/* nothing may follow */
	uint8_t flags;	/* TCP: of all packets */
	uint32_t next;	/* TCP: the sequence number that follows */
	size_t packets; /* 0: the flow is not open */
	size_t octets;
	struct virtio_net_hdr header;
	uint8_t headers[INNER_HEADER + TCP_HEADER_MAX];
	struct iovec parts[2 + COALESCE_PACKETS];
	size_t order; /* its index in open */
};

struct coalesce {
	bool udp;
	coalesce_write write;
	void *arg;
	uint64_t key;
	size_t n_open;
	struct flow *open[COALESCE_FLOWS]; /* in the order of their first packets; NULL: written */
	struct flow flows[COALESCE_FLOWS];
};

struct coalesce *coalesce_new(bool udp, coalesce_write write, void *arg)
{
	struct coalesce *coalesce = calloc(1, sizeof(*coalesce));

	if (!coalesce)
		return NULL;
	coalesce->udp = udp;
	coalesce->write = write;
	coalesce->arg = arg;
	arc4random_buf(&coalesce->key, sizeof(coalesce->key));
	return coalesce;
}

void coalesce_free(struct coalesce *coalesce)
{
	free(coalesce);
}

void coalesce_without_udp(struct coalesce *coalesce)
{
	coalesce->udp = false;
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return ntohl(value);
}

static bool piece_is_tcp(struct piece *piece, const struct inner *inner)
{
	const uint8_t *tcp = inner->packet + INNER_HEADER;
	size_t room = inner->len - INNER_HEADER;
	size_t header;

	if (room < TCP_HEADER)
		return false;
	header = (size_t)(tcp[12] >> 4) * 4;
	if (header < TCP_HEADER || header > room)
		return false;
	piece->headers = INNER_HEADER + header;
	piece->payload = room - header;
	piece->flags = tcp[TCP_FLAGS];
	piece->sequence = get32(tcp + TCP_SEQUENCE);
	/* The lowest bit of the octet before the flags is a flag, too (RFC 3540, AccECN). */
	piece->joins = piece->payload > 0 && !(tcp[12] & 0x0f) && piece->flags & TCP_ACK &&
		       !(piece->flags & ~(TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR | 0x40));
	return true;
}

static bool piece_is_udp(struct piece *piece, const struct inner *inner)
{
	const uint8_t *udp = inner->packet + INNER_HEADER;
	size_t room = inner->len - INNER_HEADER;

	if (room < UDP_HEADER)
		return false;
	piece->headers = INNER_HEADER + UDP_HEADER;
	piece->payload = room - UDP_HEADER;
	piece->joins =
		piece->payload > 0 && (size_t)(udp[UDP_LENGTH] << 8 | udp[UDP_LENGTH + 1]) == room;
	return true;
}

static void piece_from(struct piece *piece, const struct inner *inner)
{
	uint8_t protocol = inner->packet[6];

	*piece = (struct piece){.packet = inner->packet, .headers = inner->len};
	if ((protocol == IPPROTO_TCP && piece_is_tcp(piece, inner)) ||
	    (protocol == IPPROTO_UDP && piece_is_udp(piece, inner)))
		piece->protocol = protocol;
}

/*
 * Whether the checksum is right, since the kernel will compute the checksums of the segments anew;
 * a damaged packet must stay damaged.
 */
static bool piece_verify(const struct piece *piece)
{
	const uint8_t *upper = piece->packet + INNER_HEADER;
	bool udp = piece->protocol == IPPROTO_UDP;
	const uint8_t *check = upper + (udp ? UDP_CHECK : TCP_CHECK);
	size_t before = (size_t)(check - upper);
	size_t len = piece->headers - INNER_HEADER + piece->payload;
	uint64_t sum = checksum_pseudo(piece->packet, piece->protocol, len);

	sum = checksum_add(sum, upper, before);
	sum = checksum_add(sum, check + 2, len - before - 2);
	return checksum_final(sum, udp) == (check[0] << 8 | check[1]);
}

/* Addresses and ports are contiguous behind the first eight octets of the IPv6 header. */
static struct flow *coalesce_slot(struct coalesce *coalesce, const uint8_t *packet)
{
	uint64_t hash = coalesce->key;
	uint32_t ports;
	uint64_t word;

	for (size_t i = 8; i < INNER_HEADER; i += sizeof(word)) {
		memcpy(&word, packet + i, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	}
	memcpy(&ports, packet + INNER_HEADER, sizeof(ports));
	hash = (hash ^ ports) * 0x9e3779b97f4a7c15u;
	return &coalesce->flows[hash >> 58];
}

_Static_assert(COALESCE_FLOWS == 1 << (64 - 58), "the upper bits of a hash are a slot");

/* The large packet has a modified copy of its first packet's headers. */
static void flow_finish(struct flow *flow)
{
	const struct piece *first = &flow->first;
	bool udp = first->protocol == IPPROTO_UDP;
	size_t upper_len = first->headers - INNER_HEADER + flow->octets;
	uint8_t *upper = flow->headers + INNER_HEADER;
	uint8_t *check = upper + (udp ? UDP_CHECK : TCP_CHECK);

	memcpy(flow->headers, first->packet, first->headers);
	flow->headers[4] = (uint8_t)(upper_len >> 8);
	flow->headers[5] = (uint8_t)upper_len;
	if (udp) {
		upper[UDP_LENGTH] = (uint8_t)(upper_len >> 8);
		upper[UDP_LENGTH + 1] = (uint8_t)upper_len;
	} else {
		upper[TCP_FLAGS] = flow->flags;
	}

	uint16_t sum = checksum_pseudo(flow->headers, first->protocol, upper_len);

	check[0] = (uint8_t)(sum >> 8);
	check[1] = (uint8_t)sum;
	flow->header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = udp ? VIRTIO_NET_HDR_GSO_UDP_L4 : VIRTIO_NET_HDR_GSO_TCPV6,
		.hdr_len = (uint16_t)first->headers,
		.gso_size = (uint16_t)first->payload,
		.csum_start = INNER_HEADER,
		.csum_offset = udp ? UDP_CHECK : TCP_CHECK,
	};
	if (!udp && flow->flags & TCP_CWR)
		flow->header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	flow->parts[1] = (struct iovec){flow->headers, first->headers};
}

static void flow_write(struct coalesce *coalesce, struct flow *flow)
{
	struct coalesced coalesced = {
		.session = flow->session,
		.parts = flow->parts,
		.n_parts = 2 + (int)flow->packets,
		.packets = flow->packets,
		.headers = flow->first.headers,
		.octets = flow->packets * flow->first.headers + flow->octets,
	};

	if (flow->packets > 1)
		flow_finish(flow);
	flow->parts[0] = (struct iovec){&flow->header, sizeof(flow->header)};
	flow->packets = 0;
	coalesce->open[flow->order] = NULL;
	coalesce->write(&coalesced, coalesce->arg);
}

void iovec_set(struct iovec *iov, const uint8_t *data, size_t len)
{
	memcpy(&iov->iov_base, &data, sizeof(data));
	iov->iov_len = len;
}

static void flow_begin(struct coalesce *coalesce, struct flow *flow, struct session *session,
		       const struct piece *piece)
{
	flow->session = session;
	flow->first = *piece;
	flow->verified = false;
	flow->closed = piece->flags & (TCP_PSH | TCP_FIN);
	flow->flags = piece->flags;
	flow->next = piece->sequence + (uint32_t)piece->payload;
	flow->packets = 1;
	flow->octets = piece->payload;
	flow->header = (struct virtio_net_hdr){0};
	iovec_set(&flow->parts[1], piece->packet, piece->headers);
	iovec_set(&flow->parts[2], piece->packet + piece->headers, piece->payload);
	flow->order = coalesce->n_open;
	coalesce->open[coalesce->n_open++] = flow;
}

/* Whether all fields that the kernel would copy into each segment are equal. */
static bool headers_match(const struct piece *a, const struct piece *b)
{
	const uint8_t *x = a->packet;
	const uint8_t *y = b->packet;

	if (a->headers != b->headers || memcmp(x, y, 4) != 0 || memcmp(x + 6, y + 6, 34) != 0)
		return false;
	x += INNER_HEADER;
	y += INNER_HEADER;
	if (memcmp(x, y, 4) != 0)
		return false;
	if (a->protocol == IPPROTO_UDP)
		return true;
	/* Acknowledgement; header length; window; urgent pointer and options. */
	return memcmp(x + TCP_ACK_NUMBER, y + TCP_ACK_NUMBER, 5) == 0 &&
	       ((x[TCP_FLAGS] ^ y[TCP_FLAGS]) & ~(TCP_CWR | TCP_PSH | TCP_FIN)) == 0 &&
	       memcmp(x + 14, y + 14, 2) == 0 &&
	       memcmp(x + 18, y + 18, a->headers - INNER_HEADER - 18) == 0;
}

static bool flow_takes(const struct flow *flow, const struct session *session,
		       const struct piece *piece)
{
	const struct piece *first = &flow->first;
	size_t upper = first->headers - INNER_HEADER + flow->octets + piece->payload;

	if (flow->closed || flow->session != session || first->protocol != piece->protocol ||
	    flow->packets == COALESCE_PACKETS || upper > PAYLOAD_MAX ||
	    piece->payload > first->payload || !headers_match(first, piece))
		return false;
	/* CWR may only be set in the first packet. */
	return piece->protocol == IPPROTO_UDP ||
	       (piece->sequence == flow->next && !(piece->flags & TCP_CWR));
}

/* False if a checksum is wrong. */
static bool flow_append(struct flow *flow, const struct piece *piece)
{
	if (!flow->verified && !piece_verify(&flow->first)) {
		flow->closed = true;
		return false;
	}
	flow->verified = true;
	if (!piece_verify(piece))
		return false;
	iovec_set(&flow->parts[2 + flow->packets], piece->packet + piece->headers, piece->payload);
	flow->packets++;
	flow->octets += piece->payload;
	flow->next += (uint32_t)piece->payload;
	flow->flags |= piece->flags;
	/* Only the last one may be shorter, or have PSH or FIN. */
	if (piece->payload < flow->first.payload || piece->flags & (TCP_PSH | TCP_FIN))
		flow->closed = true;
	return true;
}

static void coalesce_write_alone(struct coalesce *coalesce, struct session *session,
				 const struct inner *inner, const struct virtio_net_hdr *header)
{
	struct virtio_net_hdr copy = *header;
	struct iovec parts[2] = {{&copy, sizeof(copy)}};
	const struct coalesced coalesced = {
		.session = session,
		.parts = parts,
		.n_parts = 2,
		.packets = 1,
		.octets = inner->len,
	};

	iovec_set(&parts[1], inner->packet, inner->len);
	coalesce->write(&coalesced, coalesce->arg);
}

void coalesce_add(struct coalesce *coalesce, struct session *session, const struct inner *inner,
		  const struct virtio_net_hdr *header)
{
	struct piece piece;

	piece_from(&piece, inner);
	if (!piece.protocol) {
		/*
		 * With other headers, it may belong to any flow, so all are flushed. Most of these
		 * are neither TCP nor UDP, and come alone.
		 */
		coalesce_flush(coalesce);
		coalesce_write_alone(coalesce, session, inner, header);
		return;
	}

	struct flow *flow = coalesce_slot(coalesce, inner->packet);
	/* Not one that the kernel has joined already, or whose checksum is open. */
	bool joins = piece.joins && !header->flags && !header->gso_type &&
		     (coalesce->udp || piece.protocol != IPPROTO_UDP);

	if (flow->packets && joins && flow_takes(flow, session, &piece) &&
	    flow_append(flow, &piece))
		return;
	if (flow->packets)
		flow_write(coalesce, flow);
	if (!joins) {
		coalesce_write_alone(coalesce, session, inner, header);
		return;
	}
	if (coalesce->n_open == COALESCE_FLOWS)
		coalesce_flush(coalesce);
	flow_begin(coalesce, flow, session, &piece);
}

void coalesce_flush(struct coalesce *coalesce)
{
	for (size_t i = 0; i < coalesce->n_open; i++) {
		if (coalesce->open[i])
			flow_write(coalesce, coalesce->open[i]);
	}
	coalesce->n_open = 0;
}
