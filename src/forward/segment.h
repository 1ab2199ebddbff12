/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cuts a large packet from TUN (TCP or UDP segmentation offload) into the packets that it stands
 * for, and completes checksums that the kernel has left open. No I/O.
 */
#ifndef DTCP_FORWARD_SEGMENT_H
#define DTCP_FORWARD_SEGMENT_H

#include "forward/inner.h"
#include "forward/vnet.h"

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Largest number of segments: 64 KB in the smallest segments that Linux makes of TCP, whose peer
 * can ask for as little as 48 octets (tcp_min_snd_mss), less 12 of options.
 */
#define SEGMENTS_MAX 2048

/* The segments of a large packet. A packet that is not cut is one segment. */
struct segments {
	size_t count;	/* 1 to SEGMENTS_MAX */
	size_t headers; /* octets, from the IPv6 header on, that each segment begins with */
	size_t size;	/* octets of payload in each, the last may have less */
	size_t longest; /* octets of the longest segment, headers included */
	/* Private: */
	const uint8_t *packet;
	size_t len;
	size_t upper;	  /* where the TCP or UDP header begins */
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP; 0: the packet is not cut */
	uint64_t sum;	  /* of the pseudo-header; its length is to be added */
};

/*
 * Examines a packet that was read from TUN after header. The packet must stay valid until its
 * segments have been made. A missing checksum of a single packet is completed in place. False if
 * header and packet are inconsistent.
 */
bool segments_open(struct segments *segments, const struct virtio_net_hdr *header,
		   const struct inner *inner, uint8_t *packet);

/* Octets of payload in segment i; it begins in the packet at headers + i * size. */
size_t segments_payload(const struct segments *segments, size_t i);

/*
 * Writes the headers of segment i, with lengths, sequence number, flags and checksum. Writing over
 * the packet's own headers turns it into the first segment; no other segments can be made
 * afterwards.
 */
void segments_write(const struct segments *segments, size_t i, uint8_t *headers);

#endif
