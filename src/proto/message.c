/* SPDX-License-Identifier: BSD-2-Clause */
/* Words common to requests and replies. */
#include "proto/message.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A session is 64 bits. */
#define SESSION_DIGITS 16

const char *tunnel_type_name(enum tunnel_type type)
{
	switch (type) {
	case TUNNEL_NONE:
		break;
	case TUNNEL_ONLY:
		return "tunnelonly";
	case TUNNEL_HOST:
		return "host";
	case TUNNEL_NETWORK:
		return "network";
	}
	return "none";
}

enum tunnel_type tunnel_type_parse(const char *word)
{
	static const struct {
		const char *word;
		enum tunnel_type type;
	} types[] = {
		{"tunnelonly", TUNNEL_ONLY},
		{"host", TUNNEL_HOST},
		{"network", TUNNEL_NETWORK},
		{"tunnelroute", TUNNEL_NETWORK},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcasecmp(word, types[i].word) == 0)
			return types[i].type;
	}
	return TUNNEL_NONE;
}

bool dtcp_endpoint_valid(struct in_addr addr)
{
	uint32_t host = ntohl(addr.s_addr);

	/* This network, loopback; multicast, reserved and broadcast. */
	return host >> 24 != 0 && host >> 24 != 127 && host >> 29 != 7;
}

struct in6_addr dtcp_link_local(struct in_addr addr)
{
	struct in6_addr local = {.s6_addr = {0xfe, 0x80}};

	memcpy(&local.s6_addr[12], &addr, sizeof(addr));
	return local;
}

bool dtcp_user_valid(const char *user)
{
	size_t len = strnlen(user, DTCP_USER_MAX + 1);

	if (len == 0 || len > DTCP_USER_MAX || !line_is_text(user, len))
		return false;
	/* A blank would end the word on the wire, a colon the field in a password file. */
	return user[strcspn(user, " \t:")] == '\0';
}

bool dtcp_password_valid(const char *password)
{
	size_t len = strnlen(password, DTCP_PASSWORD_MAX + 1);

	if (len == 0 || len > DTCP_PASSWORD_MAX)
		return false;
	/* Passwords never travel, so blanks and bytes of UTF-8 do no harm. */
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)password[i];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	return true;
}

bool dtcp_port_parse(const char *text, uint16_t *out)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value = strtoul(text, NULL, 10);

	if (digits == 0 || digits > 5 || text[digits] != '\0' || value == 0 || value > UINT16_MAX)
		return false;
	*out = (uint16_t)value;
	return true;
}

bool dtcp_session_parse(const char *text, uint64_t *out)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");

	if (digits != SESSION_DIGITS || text[digits] != '\0' || strtoull(text, NULL, 16) == 0)
		return false;
	*out = strtoull(text, NULL, 16);
	return true;
}

struct in6_addr dtcp_link_local_user(const char *user)
{
	struct in6_addr addr = {.s6_addr = {0xfe, 0x80}};
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *user; user++)
		hash = (hash ^ (unsigned char)*user) * UINT64_C(0x100000001b3);
	for (size_t i = 15; i >= 8; i--) {
		addr.s6_addr[i] = (uint8_t)hash;
		hash >>= 8;
	}
	return addr;
}
