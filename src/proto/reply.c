/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines from server to client: greeting, reply and all other answers. docs/protocol.md, sections 1
 * and 2.
 *
 * The words of a reply are identified by their form, not their position, because servers differ in
 * what they send. A word that looks like an address must be a valid one: if a malformed one were
 * ignored, the next address would be taken for it.
 */
#include "proto/message.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

enum word_shape {
	SHAPE_IPV4,
	SHAPE_IPV6,
	SHAPE_PREFIXES,
	SHAPE_EXTENSION, /* "name", "name=value" */
};

/* A reply while its words are being read. */
struct reader {
	struct dtcp_reply reply;
	size_t n_ipv4;
	bool host_bits; /* a prefix had host bits, which were cleared */
};

/* --- the line ----------------------------------------------------------------------------- */

/* Length of the status word at the start of the line ("+OK"), 0 if it is another word. */
static size_t status_len(const char *line, size_t len, const char *status)
{
	size_t n = strlen(status);

	if (len < n || strncmp(line, status, n) != 0)
		return 0;
	/* "+OKAY" is not "+OK"; a line that is only the status is valid. */
	return len == n || line[n] == ' ' || line[n] == '\t' ? n : 0;
}

/*
 * Checks what all lines of a server have in common. With REPLY_OK, rest is what follows the status,
 * without surrounding blanks.
 */
static enum reply_status take_status(const char *line, size_t len,
				     char rest[static DTCP_LINE_MAX + 1], const char **why)
{
	size_t skip;

	*why = "";
	if (len == 0)
		*why = "is empty";
	else if (len > DTCP_LINE_MAX)
		*why = "is too long";
	else if (memchr(line, '\0', len) != NULL)
		*why = "has a NUL byte";
	if (**why != '\0')
		return REPLY_GARBAGE;
	if (status_len(line, len, "-ERR") > 0)
		return REPLY_ERROR;
	skip = status_len(line, len, "+OK");
	if (skip == 0) {
		*why = "begins neither with +OK nor with -ERR";
		return REPLY_GARBAGE;
	}
	while (skip < len && strchr(BLANKS, line[skip]) != NULL)
		skip++;
	/* Nor an extra CR before the line end. */
	while (len > skip && strchr(BLANKS "\r", line[len - 1]) != NULL)
		len--;
	memcpy(rest, line + skip, len - skip);
	rest[len - skip] = '\0';
	return REPLY_OK;
}

/* Parses the value of a word such as "types=host,network" in the free text. */
static unsigned int take_types(const char *text)
{
	unsigned int types = 0;
	char copy[DTCP_LINE_SIZE];
	char *rest = copy;
	char *word;
	char *list = NULL;

	(void)strlcpy(copy, text, sizeof(copy));
	while (!list && (word = strsep(&rest, BLANKS))) {
		if (strncmp(word, DTCP_TYPES, strlen(DTCP_TYPES)) == 0)
			list = word + strlen(DTCP_TYPES);
	}
	while ((word = strsep(&list, ",")))
		types |= 1U << tunnel_type_parse(word);
	return types & ~(1U << TUNNEL_NONE);
}

enum reply_status greeting_parse(const char *line, size_t len, struct dtcp_greeting *out,
				 const char **why)
{
	char rest[DTCP_LINE_MAX + 1];
	enum reply_status status = take_status(line, len, rest, why);
	size_t n;

	if (status != REPLY_OK)
		return status;
	n = strcspn(rest, BLANKS);
	if (n == 0) {
		*why = "has no challenge";
		return REPLY_GARBAGE;
	}
	*out = (struct dtcp_greeting){.text = ""};
	memcpy(out->challenge, rest, n);
	(void)strlcpy(out->text, rest + n + strspn(rest + n, BLANKS), sizeof(out->text));
	out->types = take_types(out->text);
	return REPLY_OK;
}

enum reply_status answer_parse(const char *line, size_t len, const char **why)
{
	char rest[DTCP_LINE_MAX + 1];

	return take_status(line, len, rest, why);
}

const char *reply_reason(const char *line)
{
	size_t len = strlen(line);
	size_t skip = status_len(line, len, "-ERR");

	if (skip == 0)
		return line + len;
	return line + skip + strspn(line + skip, BLANKS);
}

/* --- the words of a reply ----------------------------------------------------------------- */

/* Counts c in word. */
static unsigned int count_of(const char *word, char c)
{
	unsigned int count = 0;

	for (; *word != '\0'; word++)
		count += *word == c;
	return count;
}

static enum word_shape shape_of(const char *word)
{
	/* The value of an extension may have slashes, so they count only before any '='. */
	if (word[strcspn(word, "=/")] == '/')
		return SHAPE_PREFIXES;
	if (word[strspn(word, "0123456789.")] == '\0' && count_of(word, '.') == 3)
		return SHAPE_IPV4;
	if (word[strspn(word, "0123456789abcdefABCDEF:.")] == '\0' && count_of(word, ':') >= 2)
		return SHAPE_IPV6;
	return SHAPE_EXTENSION;
}

/* The take functions return NULL, or what is wrong with the line, as a phrase. */

static const char *take_ipv4(struct reader *reader, const char *word)
{
	struct in_addr addr;

	if (inet_pton(AF_INET, word, &addr) != 1)
		return "has a malformed IPv4 address";
	if (!dtcp_endpoint_valid(addr))
		return "has an IPv4 address that no tunnel can end at";
	switch (reader->n_ipv4++) {
	case 0:
		reader->reply.me = addr;
		return NULL;
	case 1:
		reader->reply.her = addr;
		if (addr.s_addr == reader->reply.me.s_addr)
			return "has the same IPv4 address for both ends";
		return NULL;
	default:
		return "has more than two IPv4 addresses";
	}
}

static const char *take_ipv6(struct reader *reader, const char *word)
{
	struct dtcp_reply *reply = &reader->reply;
	struct prefix6 host = {.len = 128};

	if (inet_pton(AF_INET6, word, &host.addr) != 1)
		return "has a malformed IPv6 address";
	if (!prefix6_is_unicast(&host))
		return "has an IPv6 address that is neither global nor unique local unicast";
	if (!reply->has_me6) {
		reply->has_me6 = true;
		reply->me6 = host.addr;
		return NULL;
	}
	if (reply->has_her6)
		return "has more than two IPv6 addresses";
	if (IN6_ARE_ADDR_EQUAL(&reply->me6, &host.addr))
		return "has the same IPv6 address for both ends";
	reply->has_her6 = true;
	reply->her6 = host.addr;
	return NULL;
}

static const char *take_prefix(struct reader *reader, const char *text)
{
	struct dtcp_reply *reply = &reader->reply;
	struct prefix6 prefix;

	switch (prefix6_parse(text, &prefix)) {
	case PREFIX_OK:
		break;
	case PREFIX_SYNTAX:
		return "has a malformed IPv6 prefix";
	case PREFIX_LENGTH:
		return "has an IPv6 prefix with a length outside 1 to 128";
	case PREFIX_HOST_BITS:
		reader->host_bits = true;
		break;
	}
	if (!prefix6_in_unicast(&prefix))
		return "has an IPv6 prefix that is neither global nor unique local unicast";
	if (!prefix6_is_unicast(&prefix))
		return "has an IPv6 prefix that is too short: lengths from 16 to 128 are possible";
	for (size_t i = 0; i < reply->n_prefixes; i++) {
		/* Prefixes that differed only in host bits count once. */
		if (prefix6_equal(&reply->prefixes[i], &prefix))
			return reader->host_bits ? NULL : "has the same IPv6 prefix twice";
	}
	if (reply->n_prefixes == DTCP_PREFIXES_MAX)
		return "has too many IPv6 prefixes";
	reply->prefixes[reply->n_prefixes++] = prefix;
	return NULL;
}

/* Parses a comma-separated list in place. */
static const char *take_prefixes(struct reader *reader, char *word)
{
	const char *text, *wrong = NULL;

	/* strsep() also yields empty words, which are malformed. */
	while (wrong == NULL && (text = strsep(&word, ",")) != NULL)
		wrong = take_prefix(reader, text);
	return wrong;
}

/*
 * Without a value, "udp" and "session" are words like any other, since an old server's free text
 * may contain them, and any word repeatedly.
 */
static const char *take_extension(struct reader *reader, const char *word)
{
	struct dtcp_reply *reply = &reader->reply;

	/* A repeated word is ambiguous. 0 is invalid, so it means "not yet". */
	if (strncasecmp(word, "udp=", 4) == 0) {
		if (reply->udp_port != 0)
			return "has the same word twice";
		if (!dtcp_port_parse(word + 4, &reply->udp_port))
			return "has a UDP port that is not a number from 1 to 65535";
	} else if (strncasecmp(word, "session=", 8) == 0) {
		if (reply->session != 0)
			return "has the same word twice";
		if (!dtcp_session_parse(word + 8, &reply->session))
			return "has a session that is not 16 hexadecimal digits, or zero";
	}
	return NULL;
}

static const char *take_word(struct reader *reader, char *word)
{
	switch (shape_of(word)) {
	case SHAPE_IPV4:
		return take_ipv4(reader, word);
	case SHAPE_IPV6:
		return take_ipv6(reader, word);
	case SHAPE_PREFIXES:
		return take_prefixes(reader, word);
	case SHAPE_EXTENSION:
		return take_extension(reader, word);
	}
	return NULL;
}

/* Whether the reply has all that a tunnel of this type needs. */
static const char *check_complete(const struct reader *reader, enum tunnel_type type)
{
	const struct dtcp_reply *reply = &reader->reply;

	if (reader->n_ipv4 < 2)
		return "lacks an IPv4 address of the tunnel";
	if (type == TUNNEL_HOST && !(reply->has_me6 && reply->has_her6))
		return "lacks an IPv6 address of the tunnel";
	if (reply->udp_port != 0 && reply->session == 0)
		return "has a UDP port but no session";
	if (reply->udp_port == 0 && reply->session != 0)
		return "has a session but no UDP port";
	return NULL;
}

/* What is unusual about a usable reply, as a phrase; "": nothing. */
static const char *oddity(const struct reader *reader, enum tunnel_type type)
{
	if (type == TUNNEL_NETWORK && reader->reply.n_prefixes == 0)
		return "lacks an IPv6 prefix, so the tunnel is one of type tunnelonly";
	if (type == TUNNEL_NETWORK && reader->host_bits)
		return "has an IPv6 prefix with bits set beyond its length, which are cleared";
	return "";
}

enum reply_status reply_parse(const char *line, size_t len, enum tunnel_type type,
			      struct dtcp_reply *out, const char **why)
{
	char rest[DTCP_LINE_MAX + 1];
	enum reply_status status = take_status(line, len, rest, why);
	struct reader reader = {.n_ipv4 = 0};
	char *words[DTCP_WORDS_MAX];
	const char *wrong = NULL;
	size_t count;

	if (status != REPLY_OK)
		return status;
	count = line_split(rest, words, DTCP_WORDS_MAX);
	for (size_t i = 0; i < count && wrong == NULL; i++)
		wrong = take_word(&reader, words[i]);
	if (wrong == NULL)
		wrong = check_complete(&reader, type);
	if (wrong != NULL) {
		*why = wrong;
		return REPLY_GARBAGE;
	}
	*out = reader.reply;
	*why = oddity(&reader, type);
	return REPLY_OK;
}

/* --- writing a reply ---------------------------------------------------------------------- */

/* A text being written; once something did not fit, nothing is added. */
struct writer {
	char *buf;
	size_t size;
	size_t len;
	bool full;
};

static void put(struct writer *writer, const char *before, const char *text)
{
	int n;

	if (writer->full)
		return;
	n = snprintf(writer->buf + writer->len, writer->size - writer->len, "%s%s", before, text);
	if (n < 0 || (size_t)n >= writer->size - writer->len)
		writer->full = true;
	else
		writer->len += (size_t)n;
}

static void put_address(struct writer *writer, int family, const void *addr)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(family, addr, text, sizeof(text)) == NULL)
		writer->full = true;
	else
		put(writer, " ", text);
}

size_t reply_format(const struct dtcp_reply *reply, char *buf, size_t size)
{
	struct writer writer = {.buf = buf, .size = size};
	char text[PREFIX6_STRLEN];

	/* The other side would reject it. */
	if (reply->udp_port != 0 && reply->session == 0)
		return 0;
	/* By its form, her6 alone would be taken for the client's address. */
	if (reply->n_prefixes > DTCP_PREFIXES_MAX || (reply->has_her6 && !reply->has_me6))
		return 0;
	put(&writer, "+OK", "");
	put_address(&writer, AF_INET, &reply->me);
	put_address(&writer, AF_INET, &reply->her);
	/* Some old clients take the fourth word of a network's reply for the prefix. */
	for (size_t i = 0; i < reply->n_prefixes; i++)
		put(&writer, " ", prefix6_format(&reply->prefixes[i], text));
	if (reply->has_me6)
		put_address(&writer, AF_INET6, &reply->me6);
	if (reply->has_her6)
		put_address(&writer, AF_INET6, &reply->her6);
	if (reply->udp_port != 0) {
		(void)snprintf(text, sizeof(text), "%u", (unsigned int)reply->udp_port);
		put(&writer, " udp=", text);
		(void)snprintf(text, sizeof(text), "%016" PRIx64, reply->session);
		put(&writer, " session=", text);
	}
	/* Always shorter than DTCP_LINE_MAX. */
	return writer.full ? 0 : writer.len;
}
