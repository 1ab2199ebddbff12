/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rules of docs/protocol.md, section 3, say of packets, written once more and in another
 * way than in the program: the targets compare its verdicts with these.
 */
#ifndef DTCP_TESTS_FUZZ_PACKETS_H
#define DTCP_TESTS_FUZZ_PACKETS_H

#include "forward/msg.h"
#include "fuzz.h"

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Fails unless this packet may leave a tunnel of that session; to: the outer destination. */
void packets_check_inbound(const uint8_t *packet, size_t len, const struct forward_session *session,
			   bool server, struct in_addr to);

/* Fails unless the kernel can use the header with this packet. */
void packets_check_header(const struct virtio_net_hdr *header, const uint8_t *packet, size_t len);

/* Fails unless this is a whole and right ICMPv6 error that quotes the packet. */
void packets_check_error(const uint8_t *error, size_t error_len, const uint8_t *packet, size_t len);

/*
 * The sum of the pseudo-header of an upper layer of so many octets (RFC 8200, section 8.1), and
 * with that upper layer, which goes from offset to the end.
 */
uint16_t packets_sum_pseudo(const uint8_t *packet, uint8_t protocol, size_t upper);
uint16_t packets_sum(const uint8_t *packet, uint8_t protocol, size_t offset, size_t len);

/* The session of index i, of three that differ: numbered, delegated, with a device of its own. */
struct forward_session packets_session(unsigned int i, bool udp, bool server);

/* A packet of the input, either as it is or one that begins well; the caller frees it. */
uint8_t *packets_make(struct fuzz_input *input, size_t *len);

/* Control messages as the kernel might give them: anything in them, but each within the room. */
void packets_control(struct fuzz_input *input, struct msghdr *msg);

#endif
