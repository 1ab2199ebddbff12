/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The offload header in front of each packet on a TUN device; segment.c reads those of packets from
 * the device.
 *
 * The kernel merges received protocol 41 packets (GRO) and passes a raw socket the result: inner
 * packets of up to 64 KB whose TCP checksum is only the sum of the pseudo-header, to be completed
 * before forwarding. Written to TUN unchanged they would be lost, so the header tells the kernel
 * what is missing.
 */
#ifndef DTCP_FORWARD_VNET_H
#define DTCP_FORWARD_VNET_H

#include "forward/inner.h"

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Linux 6.2; Debian 12's headers are older than the kernels that it can run. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/*
 * Fills the header of a packet to TUN. A merged packet longer than mtu octets is to be cut into
 * packets of at most mtu.
 */
void vnet_fill(const struct inner *inner, size_t mtu, struct virtio_net_hdr *header);

#endif
