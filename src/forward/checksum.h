/* SPDX-License-Identifier: BSD-2-Clause */
/* The internet checksum, RFC 1071. */
#ifndef DTCP_FORWARD_CHECKSUM_H
#define DTCP_FORWARD_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Adds len octets to a sum; only the last part of a sum may have an odd length. */
uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t len);

/* Folds a sum into 16 bits, host byte order, not inverted. */
uint16_t checksum_fold(uint64_t sum);

/*
 * The value of the checksum field for a sum over everything else, as the kernel computes it. udp:
 * zero, which would mean "none", is replaced by its complement (RFC 8200, section 8.1).
 */
uint16_t checksum_final(uint64_t sum, bool udp);

/* The folded sum of the pseudo-header (RFC 8200, section 8.1) of an IPv6 packet. */
uint16_t checksum_pseudo(const uint8_t *packet, uint8_t protocol, size_t len);

#endif
