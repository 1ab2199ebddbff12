/* SPDX-License-Identifier: BSD-2-Clause */
/* The words that requests and replies share. */
#include "proto/message.h"

#include <string.h>
#include <strings.h>

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
