/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/prefix.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDR_BITS 128u

/* The address space of sites: global unicast (RFC 4291), unique local (RFC 4193). */
static const struct prefix6 global_unicast = {.addr = {.s6_addr = {0x20}}, .len = 3};
static const struct prefix6 unique_local = {.addr = {.s6_addr = {0xfc}}, .len = 7};

/* An address as two words: packets are looked up by prefix, and octets would take twice as long. */
struct words {
	uint64_t word[2];
};

static struct words words_of(const struct in6_addr *addr)
{
	struct words words;

	memcpy(&words, addr, sizeof(words));
	return words;
}

static struct in6_addr words_address(const struct words *words)
{
	struct in6_addr addr;

	memcpy(&addr, words, sizeof(addr));
	return addr;
}

/* A mask of the first len bits, in the byte order of addresses. */
static struct words words_mask(unsigned int len)
{
	if (len == 0)
		return (struct words){{0, 0}};
	if (len <= 64)
		return (struct words){{htobe64(UINT64_MAX << (64 - len)), 0}};
	return (struct words){{UINT64_MAX, htobe64(UINT64_MAX << (ADDR_BITS - len))}};
}

static bool same_bits(const struct in6_addr *a, const struct in6_addr *b, uint8_t len)
{
	const struct words x = words_of(a), y = words_of(b), mask = words_mask(len);

	return !((x.word[0] ^ y.word[0]) & mask.word[0]) &&
	       !((x.word[1] ^ y.word[1]) & mask.word[1]);
}

/*
 * Parses the number after the slash: only digits, without leading zeros, which some programs would
 * read as octal. A number that is too large has valid syntax, but an invalid length.
 */
static enum prefix_error parse_length(const char *text, uint8_t *out)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value = strtoul(text, NULL, 10);

	if (digits == 0 || text[digits] != '\0' || (digits > 1 && text[0] == '0'))
		return PREFIX_SYNTAX;
	if (value == 0 || value > ADDR_BITS)
		return PREFIX_LENGTH;
	*out = (uint8_t)value;
	return PREFIX_OK;
}

enum prefix_error prefix6_parse(const char *text, struct prefix6 *out)
{
	const char *slash = strchr(text, '/');
	char addr_text[INET6_ADDRSTRLEN];
	struct prefix6 prefix;
	enum prefix_error error;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(addr_text))
		return PREFIX_SYNTAX;
	memcpy(addr_text, text, (size_t)(slash - text));
	addr_text[slash - text] = '\0';
	if (inet_pton(AF_INET6, addr_text, &prefix.addr) != 1)
		return PREFIX_SYNTAX;
	error = parse_length(slash + 1, &prefix.len);
	if (error != PREFIX_OK)
		return error;
	/* Including its padding, since it is sent between processes. */
	memset(out, 0, sizeof(*out));
	out->addr = prefix6_mask(&prefix.addr, prefix.len);
	out->len = prefix.len;
	return prefix6_valid(&prefix) ? PREFIX_OK : PREFIX_HOST_BITS;
}

const char *prefix_error_text(enum prefix_error error)
{
	switch (error) {
	case PREFIX_OK:
		return "is a valid prefix";
	case PREFIX_SYNTAX:
		return "is not an IPv6 address, a slash and a number";
	case PREFIX_LENGTH:
		return "has a length outside 1 to 128";
	case PREFIX_HOST_BITS:
		return "has bits set beyond its length";
	}
	return "is not a valid prefix";
}

const char *prefix6_format(const struct prefix6 *prefix, char buf[static PREFIX6_STRLEN])
{
	size_t len;

	/* This cannot fail: the family is valid, and the buffer has space for the length. */
	if (inet_ntop(AF_INET6, &prefix->addr, buf, INET6_ADDRSTRLEN) == NULL)
		buf[0] = '\0';
	len = strlen(buf);
	(void)snprintf(buf + len, PREFIX6_STRLEN - len, "/%u", (unsigned int)prefix->len);
	return buf;
}

bool prefix6_valid(const struct prefix6 *prefix)
{
	if (prefix->len < 1 || prefix->len > ADDR_BITS)
		return false;

	struct in6_addr masked = prefix6_mask(&prefix->addr, prefix->len);

	return IN6_ARE_ADDR_EQUAL(&masked, &prefix->addr);
}

bool prefix6_equal(const struct prefix6 *a, const struct prefix6 *b)
{
	return a->len == b->len && IN6_ARE_ADDR_EQUAL(&a->addr, &b->addr);
}

bool prefix6_has(const struct prefix6 *prefix, const struct in6_addr *addr)
{
	return same_bits(&prefix->addr, addr, prefix->len);
}

bool prefix6_contains(const struct prefix6 *outer, const struct prefix6 *inner)
{
	return inner->len >= outer->len && prefix6_has(outer, &inner->addr);
}

bool prefix6_overlaps(const struct prefix6 *a, const struct prefix6 *b)
{
	/* Two prefixes are either nested or disjoint. */
	return prefix6_contains(a, b) || prefix6_contains(b, a);
}

struct in6_addr prefix6_first(const struct prefix6 *prefix)
{
	struct in6_addr first = prefix->addr;

	first.s6_addr[15] |= 1;
	return first;
}

struct in6_addr prefix6_last(const struct prefix6 *prefix)
{
	const struct words mask = words_mask(prefix->len);
	struct words words = words_of(&prefix->addr);

	words.word[0] |= ~mask.word[0];
	words.word[1] |= ~mask.word[1];
	return words_address(&words);
}

struct in6_addr prefix6_mask(const struct in6_addr *addr, uint8_t len)
{
	const struct words mask = words_mask(len);
	struct words words = words_of(addr);

	words.word[0] &= mask.word[0];
	words.word[1] &= mask.word[1];
	return words_address(&words);
}

bool prefix6_is_global(const struct prefix6 *prefix)
{
	return prefix6_contains(&global_unicast, prefix);
}

bool prefix6_in_unicast(const struct prefix6 *prefix)
{
	return prefix6_is_global(prefix) || prefix6_contains(&unique_local, prefix);
}

bool prefix6_is_unicast(const struct prefix6 *prefix)
{
	return prefix->len >= PREFIX6_SITE_LEN_MIN && prefix6_in_unicast(prefix);
}

bool prefix6_set_has(const struct prefix6_set *set, const struct prefix6 *prefix)
{
	for (uint32_t i = 0; i < set->n; i++) {
		if (prefix6_equal(&set->list[i], prefix))
			return true;
	}
	return false;
}

bool prefix6_set_equal(const struct prefix6_set *a, const struct prefix6_set *b)
{
	for (uint32_t i = 0; i < a->n; i++) {
		if (!prefix6_set_has(b, &a->list[i]))
			return false;
	}
	return a->n == b->n;
}

struct prefix6_packed {
	uint32_t n;
	struct prefix6 list[];
};

struct prefix6_packed *prefix6_set_pack(const struct prefix6_set *set)
{
	const size_t size = set->n * sizeof(set->list[0]);
	struct prefix6_packed *packed = set->n > 0 ? malloc(sizeof(*packed) + size) : NULL;

	if (!packed)
		return NULL;
	packed->n = set->n;
	memcpy(packed->list, set->list, size);
	return packed;
}

struct prefix6_set prefix6_set_unpack(const struct prefix6_packed *packed)
{
	struct prefix6_set set = {.n = packed ? packed->n : 0};

	if (packed)
		memcpy(set.list, packed->list, set.n * sizeof(set.list[0]));
	return set;
}

bool prefix6_set_add(struct prefix6_set *set, const struct prefix6 *prefix)
{
	for (uint32_t i = 0; i < set->n; i++) {
		if (prefix6_overlaps(&set->list[i], prefix))
			return false;
	}
	if (set->n == PREFIX6_SET_MAX)
		return false;
	set->list[set->n++] = *prefix;
	return true;
}
