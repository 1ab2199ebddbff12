/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/checksum.h"

#include <arpa/inet.h>
#include <string.h>

/*
 * A sum of 16-bit words can be made of larger words in any octet order, and folded afterwards (RFC
 * 1071, section 2). This sums eight octets at a time in host byte order, since the data plane sums
 * each octet of payload once.
 */
uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t len)
{
	unsigned __int128 even = 0;
	unsigned __int128 odd = 0;
	uint64_t word;
	size_t i = 0;

	for (; i + 2 * sizeof(word) <= len; i += 2 * sizeof(word)) {
		memcpy(&word, data + i, sizeof(word));
		even += word;
		memcpy(&word, data + i + sizeof(word), sizeof(word));
		odd += word;
	}
	for (; i < len; i += sizeof(word)) {
		size_t rest = len - i < sizeof(word) ? len - i : sizeof(word);

		word = 0;
		memcpy(&word, data + i, rest);
		even += word;
	}
	even += odd;

	uint64_t low = (uint64_t)even;
	uint64_t high = (uint64_t)(even >> 64);

	/* Each part is folded first, so that the sum does not overflow 64 bits. */
	return sum + ntohs(checksum_fold((uint64_t)checksum_fold(low) + checksum_fold(high)));
}

uint16_t checksum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t checksum_final(uint64_t sum, bool udp)
{
	uint16_t check = (uint16_t)~checksum_fold(sum);

	return udp && check == 0 ? 0xffff : check;
}

uint16_t checksum_pseudo(const uint8_t *packet, uint8_t protocol, size_t len)
{
	/* Source and destination are octets 8 to 39 of the header. */
	uint64_t sum = checksum_add(0, packet + 8, 32);

	sum += (uint64_t)len + protocol;
	return checksum_fold(sum);
}
