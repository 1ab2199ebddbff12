/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

size_t packet_hex(const char *text, uint8_t *out, size_t size)
{
	size_t digits = 0;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		assert_true(isxdigit((unsigned char)*text));
		assert_true(digits / 2 < size);

		uint8_t value = (uint8_t)(isdigit((unsigned char)*text)
						  ? *text - '0'
						  : tolower((unsigned char)*text) - 'a' + 10);

		if (digits % 2)
			out[digits / 2] = (uint8_t)(out[digits / 2] | value);
		else
			out[digits / 2] = (uint8_t)(value << 4);
		digits++;
	}
	assert_int_equal(digits % 2, 0);
	return digits / 2;
}

struct in6_addr packet_address(const char *text)
{
	struct in6_addr address;

	assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
	return address;
}

struct prefix6 packet_prefix(const char *text)
{
	char copy[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	struct prefix6 prefix;

	assert_non_null(slash);
	assert_true((size_t)(slash - text) < sizeof(copy));
	memcpy(copy, text, (size_t)(slash - text));
	copy[slash - text] = '\0';
	/* With its padding, as it is sent to rooms. */
	memset(&prefix, 0, sizeof(prefix));
	prefix.addr = packet_address(copy);
	prefix.len = (uint8_t)strtoul(slash + 1, NULL, 10);
	return prefix;
}

struct forward_session packet_session(void)
{
	struct forward_session session = {
		.id = 1,
		.transport = FORWARD_PROTO41,
		.mtu = 1280,
		.n_prefixes = 2,
		.prefixes = {packet_prefix("2001:db8:100:100::/56"),
			     packet_prefix("fe80::198.51.100.2/128")},
	};

	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &session.local), 1);
	assert_int_equal(inet_pton(AF_INET, "198.51.100.2", &session.peer), 1);
	return session;
}

uint16_t packet_checksum(const uint8_t *packet, uint8_t protocol, size_t offset, size_t len)
{
	size_t upper = len - offset;
	size_t size = 40 + upper + upper % 2;
	uint8_t *text = calloc(1, size);
	uint16_t sum = 0;

	assert_non_null(text);
	memcpy(text, packet + 8, 32);
	text[32] = (uint8_t)(upper >> 24);
	text[33] = (uint8_t)(upper >> 16);
	text[34] = (uint8_t)(upper >> 8);
	text[35] = (uint8_t)upper;
	text[39] = protocol;
	memcpy(text + 40, packet + offset, upper);
	for (size_t i = 0; i < size; i += 2) {
		uint16_t word = (uint16_t)(text[i] << 8 | text[i + 1]);

		/* One's complement addition: the carry comes back in at once. */
		sum = (uint16_t)(sum + word);
		if (sum < word)
			sum++;
	}
	free(text);
	return (uint16_t)~sum;
}

void packet_fill(uint8_t *packet, size_t len)
{
	memset(packet, 0, len);
	(void)packet_hex("60000000 0000 3b 40" FAR SITE, packet, len);
	packet[4] = (uint8_t)((len - 40) >> 8);
	packet[5] = (uint8_t)(len - 40);
}
