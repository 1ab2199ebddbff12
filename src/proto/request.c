/* SPDX-License-Identifier: BSD-2-Clause */
/* From client to server: requests. docs/protocol.md, sections 1 and 2. */
#include "proto/message.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_REST    NAME_LETTERS "0123456789-_"

/* "name" or "name=value". */
static bool is_extension(const char *word)
{
	size_t len = strspn(word, NAME_REST);

	return strspn(word, NAME_LETTERS) > 0 && (word[len] == '\0' || word[len] == '=');
}

/*
 * Parses one extension into *out. False if it is not one, or one of ours in an invalid form: a user
 * who writes "udp:4028" wants UDP, and would get protocol 41 instead.
 */
static bool take_extension(const char *word, struct dtcp_request *out)
{
	if (strcasecmp(word, "udp") == 0) {
		out->udp = true;
		return true;
	}
	if (strncasecmp(word, "udp=", 4) == 0) {
		out->udp = true;
		return dtcp_port_parse(word + 4, &out->udp_port);
	}
	/* Unknown extensions may be those of a later version. */
	return is_extension(word) && strncasecmp(word, "udp", 3) != 0;
}

/* Parses the words after the type. Returns the first invalid one, NULL: none. */
static const char *take_extensions(char *const words[], size_t count, struct dtcp_request *out)
{
	for (size_t i = 0; i < count; i++) {
		if (!take_extension(words[i], out))
			return words[i];
	}
	return line_repeated_name(words, count);
}

/*
 * Parses the words after "tunnel"; count is the number of all words. False if it is not well
 * formed; *bad is then the invalid word after the type, if any.
 */
static bool take_tunnel(char *const words[], size_t count, struct dtcp_request *out,
			const char **bad)
{
	if (count < DTCP_REQUEST_WORDS || !dtcp_user_valid(words[1]))
		return false;
	*bad = take_extensions(words + DTCP_REQUEST_WORDS, count - DTCP_REQUEST_WORDS, out);
	if (*bad != NULL)
		return false;
	(void)strlcpy(out->user, words[1], sizeof(out->user));
	if (digest_valid(words[2]))
		(void)strlcpy(out->response, words[2], sizeof(out->response));
	out->type = tunnel_type_parse(words[3]);
	(void)strlcpy(out->type_word, words[3], sizeof(out->type_word));
	return true;
}

static enum dtcp_command parse_command(const char *word)
{
	if (strcasecmp(word, "tunnel") == 0)
		return COMMAND_TUNNEL;
	if (strcasecmp(word, "ping") == 0)
		return COMMAND_PING;
	if (strcasecmp(word, "help") == 0)
		return COMMAND_HELP;
	if (strcasecmp(word, "quit") == 0)
		return COMMAND_QUIT;
	return COMMAND_INVALID;
}

void request_parse(const char *line, size_t len, struct dtcp_request *out)
{
	char text[DTCP_LINE_MAX + 1];
	char *words[DTCP_WORDS_MAX];
	const char *bad = NULL;
	size_t count;

	*out = (struct dtcp_request){.command = COMMAND_INVALID};
	if (len == 0 || len > DTCP_LINE_MAX || !line_is_text(line, len))
		return;
	memcpy(text, line, len);
	text[len] = '\0';
	count = line_split(text, words, DTCP_WORDS_MAX);
	if (count == 0)
		return;
	out->command = parse_command(words[0]);
	if (out->command != COMMAND_TUNNEL)
		return;
	out->well_formed = take_tunnel(words, count, out, &bad);
	if (out->well_formed)
		return;
	/* A partly parsed request must not be used. */
	*out = (struct dtcp_request){.command = COMMAND_TUNNEL};
	if (bad != NULL)
		(void)strlcpy(out->bad_word, bad, sizeof(out->bad_word));
}

bool request_is_bare_word(const char *buf, size_t len)
{
	/* If the LF is missing, the CR may be present. */
	if (len == 5 && buf[4] == '\r')
		len = 4;
	return len == 4 && (strncasecmp(buf, "ping", 4) == 0 || strncasecmp(buf, "quit", 4) == 0);
}

const char *request_shown(const char *line, char *buf, size_t size)
{
	static const char blanks[] = " \t";
	const char *word = line + strspn(line, blanks);
	const char *rest;

	if (strcspn(word, blanks) != 6 || strncasecmp(word, "tunnel", 6) != 0) {
		(void)strlcpy(buf, line, size);
		return buf;
	}
	for (int i = 0; i < 2; i++) {
		word += strcspn(word, blanks);
		word += strspn(word, blanks);
	}
	rest = word + strcspn(word, blanks);
	(void)snprintf(buf, size, "%.*s%s%s", (int)(word - line), line,
		       rest > word ? "<response>" : "", rest);
	return buf;
}

size_t request_format(const char *user, const char *response, enum tunnel_type type, bool udp,
		      uint16_t udp_port, char *buf, size_t size)
{
	char extension[sizeof(" udp=65535")] = "";
	int len;

	if (type == TUNNEL_NONE || !dtcp_user_valid(user) || !digest_valid(response))
		return 0;
	/* Without it there must be exactly four words, since old servers count them. */
	if (udp && udp_port != 0)
		(void)snprintf(extension, sizeof(extension), " udp=%u", (unsigned int)udp_port);
	else if (udp)
		(void)strlcpy(extension, " udp", sizeof(extension));
	len = snprintf(buf, size, "tunnel %s %s %s%s", user, response, tunnel_type_name(type),
		       extension);
	return len > 0 && (size_t)len < size ? (size_t)len : 0;
}
