/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of the protocol: framing, requests, greetings, replies, prefixes. The first octet says
 * what the rest is; the lines that the programs write are read back and must mean the same.
 */
#include "fuzz.h"

#include "proto/message.h"

#include <stdlib.h>
#include <string.h>

static bool is_text(const char *text)
{
	return line_is_text(text, strlen(text));
}

/* --- framing ------------------------------------------------------------------------------ */

/* The verdict on a stream must not depend on how it was cut into pieces. */
static enum line_status in_pieces(const char *buf, size_t size, size_t piece, size_t *len,
				  size_t *used)
{
	for (size_t n = piece; n < size; n += piece) {
		enum line_status status = line_next(buf, n, len, used);

		if (status != LINE_MORE)
			return status;
	}
	return line_next(buf, size, len, used);
}

static void try_stream(struct fuzz_input *input)
{
	size_t piece = 1 + fuzz_below(input, 64);
	const char *buf = (const char *)input->at;
	size_t size = input->left;

	while (size > 0) {
		size_t len = 0, used = 0, len2 = 0, used2 = 0;
		enum line_status status = line_next(buf, size, &len, &used);

		FUZZ_CHECK(in_pieces(buf, size, piece, &len2, &used2) == status);
		if (status != LINE_READY) {
			FUZZ_CHECK(status != LINE_MORE || size <= DTCP_LINE_MAX + 1);
			return;
		}
		FUZZ_CHECK(len == len2 && used == used2);
		FUZZ_CHECK(len <= DTCP_LINE_MAX && len < used && used <= len + 2 && used <= size);
		FUZZ_CHECK(!memchr(buf, '\n', len) && !memchr(buf, '\0', len));
		FUZZ_CHECK(buf[used - 1] == '\n');
		buf += used;
		size -= used;
	}
}

static void try_words(struct fuzz_input *input)
{
	size_t len;
	char *line = fuzz_line(input, &len);
	char *text = fuzz_copy(line, len + 1);
	char *words[8];
	size_t count = line_split(text, words, 8);
	const char *rest = line;

	for (size_t i = 0; i < count && i < 8; i++) {
		size_t n = strlen(words[i]);

		FUZZ_CHECK(n > 0 && strcspn(words[i], " \t") == n);
		rest += strspn(rest, " \t");
		FUZZ_CHECK(strncmp(rest, words[i], n) == 0);
		rest += n;
		FUZZ_CHECK(strchr(" \t", *rest));
	}
	if (count <= 8)
		FUZZ_CHECK(rest[strspn(rest, " \t")] == '\0');
	(void)line_repeated_name(words, count < 8 ? count : 8);
	free(text);
	free(line);
}

/* --- requests ----------------------------------------------------------------------------- */

static void check_request(const struct dtcp_request *request)
{
	char line[DTCP_LINE_SIZE];
	struct dtcp_request again;
	size_t len;

	FUZZ_CHECK(memchr(request->user, '\0', sizeof(request->user)));
	FUZZ_CHECK(memchr(request->response, '\0', sizeof(request->response)));
	FUZZ_CHECK(memchr(request->type_word, '\0', sizeof(request->type_word)));
	FUZZ_CHECK(memchr(request->bad_word, '\0', sizeof(request->bad_word)));
	FUZZ_CHECK(is_text(request->bad_word) && !(request->well_formed && request->bad_word[0]));
	if (!request->well_formed) {
		FUZZ_CHECK(!request->udp && request->user[0] == '\0');
		return;
	}
	FUZZ_CHECK(request->command == COMMAND_TUNNEL && dtcp_user_valid(request->user));
	FUZZ_CHECK(is_text(request->type_word) && request->type_word[0]);
	FUZZ_CHECK(request->response[0] == '\0' || digest_valid(request->response));
	FUZZ_CHECK(request->udp || request->udp_port == 0);
	if (request->response[0] == '\0' || request->type == TUNNEL_NONE)
		return;
	len = request_format(request->user, request->response, request->type, request->udp,
			     request->udp_port, line, sizeof(line));
	FUZZ_CHECK(len > 0 && len == strlen(line) && len <= DTCP_LINE_MAX);
	request_parse(line, len, &again);
	FUZZ_CHECK(again.well_formed && again.type == request->type && again.udp == request->udp &&
		   again.udp_port == request->udp_port && strcmp(again.user, request->user) == 0 &&
		   strcmp(again.response, request->response) == 0);
	/* One octet less than it needs. */
	FUZZ_CHECK(request_format(request->user, request->response, request->type, request->udp,
				  request->udp_port, line, len) == 0);
}

static void try_request(struct fuzz_input *input)
{
	struct dtcp_request request;

	memset(&request, 'x', sizeof(request));
	request_parse((const char *)input->at, input->left, &request);
	check_request(&request);
	if (request_is_bare_word((const char *)input->at, input->left))
		FUZZ_CHECK(input->left == 5 || request.command == COMMAND_PING ||
			   request.command == COMMAND_QUIT);
}

/* --- what a server says ------------------------------------------------------------------- */

static bool same_reply(const struct dtcp_reply *a, const struct dtcp_reply *b)
{
	if (a->me.s_addr != b->me.s_addr || a->her.s_addr != b->her.s_addr ||
	    a->has_me6 != b->has_me6 || a->has_her6 != b->has_her6 ||
	    a->n_prefixes != b->n_prefixes || a->udp_port != b->udp_port ||
	    a->session != b->session)
		return false;
	for (size_t i = 0; i < a->n_prefixes; i++) {
		if (a->prefixes[i].len != b->prefixes[i].len ||
		    !IN6_ARE_ADDR_EQUAL(&a->prefixes[i].addr, &b->prefixes[i].addr))
			return false;
	}
	return (!a->has_me6 || IN6_ARE_ADDR_EQUAL(&a->me6, &b->me6)) &&
	       (!a->has_her6 || IN6_ARE_ADDR_EQUAL(&a->her6, &b->her6));
}

static void check_reply(const struct dtcp_reply *reply, enum tunnel_type type)
{
	struct dtcp_reply again;
	char line[DTCP_LINE_SIZE];
	const char *why;
	size_t len;

	FUZZ_CHECK(reply->me.s_addr && reply->her.s_addr && reply->me.s_addr != reply->her.s_addr);
	FUZZ_CHECK(type != TUNNEL_HOST || (reply->has_me6 && reply->has_her6));
	FUZZ_CHECK((reply->udp_port == 0) == (reply->session == 0));
	FUZZ_CHECK(reply->n_prefixes <= DTCP_PREFIXES_MAX);
	len = reply_format(reply, line, sizeof(line));
	FUZZ_CHECK(len > 0 && len == strlen(line) && len <= DTCP_LINE_MAX);
	FUZZ_CHECK(reply_parse(line, len, type, &again, &why) == REPLY_OK);
	FUZZ_CHECK(same_reply(reply, &again));
	FUZZ_CHECK(reply_format(reply, line, len) == 0);
}

static void try_server_line(struct fuzz_input *input)
{
	static const enum tunnel_type types[] = {TUNNEL_ONLY, TUNNEL_HOST, TUNNEL_NETWORK};
	enum tunnel_type type = types[fuzz_below(input, 3)];
	const char *line = (const char *)input->at;
	const char *why = NULL;
	struct dtcp_greeting greeting;
	struct dtcp_reply reply;
	enum reply_status status = answer_parse(line, input->left, &why), more;

	FUZZ_CHECK((status == REPLY_GARBAGE) == (*why != '\0'));
	more = greeting_parse(line, input->left, &greeting, &why);
	FUZZ_CHECK(more == status || (status == REPLY_OK && more == REPLY_GARBAGE));
	FUZZ_CHECK((more == REPLY_GARBAGE) == (*why != '\0'));
	if (more == REPLY_OK) {
		FUZZ_CHECK(greeting.challenge[0]);
		FUZZ_CHECK(strcspn(greeting.challenge, " \t") == strlen(greeting.challenge));
	}
	more = reply_parse(line, input->left, type, &reply, &why);
	FUZZ_CHECK(more == status || (status == REPLY_OK && more == REPLY_GARBAGE));
	FUZZ_CHECK(more != REPLY_GARBAGE || *why != '\0');
	FUZZ_CHECK(more != REPLY_OK || type == TUNNEL_NETWORK || *why == '\0');
	if (more == REPLY_OK)
		check_reply(&reply, type);
	if (status == REPLY_ERROR) {
		size_t len;
		char *text = fuzz_line(input, &len);

		why = reply_reason(text);
		FUZZ_CHECK(why > text && why <= text + len);
		free(text);
	}
}

/* --- prefixes ----------------------------------------------------------------------------- */

static void check_prefix(const struct prefix6 *prefix)
{
	struct in6_addr last = prefix6_last(prefix);
	struct in6_addr first = prefix6_mask(&last, prefix->len);
	char text[PREFIX6_STRLEN];
	struct prefix6 again;

	FUZZ_CHECK(prefix->len >= 1 && prefix->len <= 128);
	FUZZ_CHECK(IN6_ARE_ADDR_EQUAL(&first, &prefix->addr));
	FUZZ_CHECK(prefix6_has(prefix, &prefix->addr) && prefix6_has(prefix, &last));
	FUZZ_CHECK(prefix6_parse(prefix6_format(prefix, text), &again) == PREFIX_OK);
	FUZZ_CHECK(again.len == prefix->len && IN6_ARE_ADDR_EQUAL(&again.addr, &prefix->addr));
}

static void try_prefixes(struct fuzz_input *input)
{
	struct prefix6 prefixes[2];
	size_t count = 0, len;

	while (input->left > 0) {
		char *text = fuzz_line(input, &len);
		struct prefix6 *prefix = &prefixes[count % 2];
		enum prefix_error error = prefix6_parse(text, prefix);
		uint64_t session = 0;
		uint16_t port = 0;

		FUZZ_CHECK(*prefix_error_text(error));
		if (error == PREFIX_OK) {
			check_prefix(prefix);
			count++;
		}
		FUZZ_CHECK(!dtcp_port_parse(text, &port) == (port == 0));
		FUZZ_CHECK(!dtcp_session_parse(text, &session) == (session == 0));
		FUZZ_CHECK(!dtcp_user_valid(text) || strlen(text) <= DTCP_USER_MAX);
		FUZZ_CHECK(!digest_valid(text) || digest_equal(text, text));
		free(text);
	}
	if (count < 2)
		return;
	/* One prefix lies in the other, or they are apart. */
	bool in = prefix6_contains(&prefixes[0], &prefixes[1]);
	bool around = prefix6_contains(&prefixes[1], &prefixes[0]);

	FUZZ_CHECK(prefix6_overlaps(&prefixes[0], &prefixes[1]) == (in || around));
	if (in && around)
		FUZZ_CHECK(prefixes[0].len == prefixes[1].len);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t kind = fuzz_byte(&input);

	/* Digits, so that a seed is a text. */
	switch (kind) {
	case '0':
		try_stream(&input);
		break;
	case '1':
		try_words(&input);
		break;
	case '2':
		try_request(&input);
		break;
	case '3':
		try_server_line(&input);
		break;
	case '4':
		try_prefixes(&input);
		break;
	default:
		break;
	}
}
