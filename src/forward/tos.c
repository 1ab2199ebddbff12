/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/tos.h"

enum ecn {
	ECN_NOT = 0, /* not ECN-capable */
	ECN_ECT1 = 1,
	ECN_ECT0 = 2,
	ECN_CE = 3, /* congestion experienced */
	ECN_MASK = 3,
	ECN_DROP = 4,
};

/* RFC 6040, section 4.2, figure 4: indexed by inner and outer field. */
static const uint8_t ecn_decap[4][4] = {
	[ECN_NOT] = {[ECN_NOT] = ECN_NOT,
		     [ECN_ECT0] = ECN_NOT,
		     [ECN_ECT1] = ECN_NOT,
		     [ECN_CE] = ECN_DROP},
	[ECN_ECT0] = {[ECN_NOT] = ECN_ECT0,
		      [ECN_ECT0] = ECN_ECT0,
		      [ECN_ECT1] = ECN_ECT1,
		      [ECN_CE] = ECN_CE},
	[ECN_ECT1] = {[ECN_NOT] = ECN_ECT1,
		      [ECN_ECT0] = ECN_ECT1,
		      [ECN_ECT1] = ECN_ECT1,
		      [ECN_CE] = ECN_CE},
	[ECN_CE] =
		{[ECN_NOT] = ECN_CE, [ECN_ECT0] = ECN_CE, [ECN_ECT1] = ECN_CE, [ECN_CE] = ECN_CE},
};

uint8_t tos_class(const uint8_t *packet)
{
	return (uint8_t)((packet[0] & 0x0f) << 4 | packet[1] >> 4);
}

uint8_t tos_encap(uint8_t inner)
{
	/* RFC 6040, section 4.1: normal mode copies the field, congestion experienced included. */
	return inner;
}

bool tos_decap(uint8_t outer, uint8_t *packet)
{
	uint8_t ecn = ecn_decap[tos_class(packet) & ECN_MASK][outer & ECN_MASK];

	if (ecn == ECN_DROP)
		return false;
	/* The two bits lie in the upper half of the second octet; no checksum covers them. */
	packet[1] = (uint8_t)((packet[1] & 0xcf) | ecn << 4);
	return true;
}
