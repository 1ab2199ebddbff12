/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands around an inner packet that the kernel's program has encapsulated. */
#ifndef DTCP_TESTS_UNIT_FASTPATH_OUTER_H
#define DTCP_TESTS_UNIT_FASTPATH_OUTER_H

#include "forward/encap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Checks it against forward's judgement of a packet to one of the world's sessions: ip is the outer
 * header of the n octets at packet, behind which is a zero if n is odd. summed: over UDP it has a
 * checksum, else none (0).
 */
void check_outer(const struct encap *encap, const uint8_t *ip, const uint8_t *packet, size_t n,
		 bool summed);

#endif
