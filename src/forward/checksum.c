/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/checksum.h"

uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t len)
{
	size_t i = 0;

	for (; i + 1 < len; i += 2)
		sum += (uint64_t)data[i] << 8 | data[i + 1];
	if (i < len)
		sum += (uint64_t)data[i] << 8;
	return sum;
}

uint16_t checksum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t checksum_pseudo(const uint8_t *packet, uint8_t protocol, size_t len)
{
	/* Source and destination are octets 8 to 39 of the header. */
	uint64_t sum = checksum_add(0, packet + 8, 32);

	sum += (uint64_t)len + protocol;
	return checksum_fold(sum);
}
