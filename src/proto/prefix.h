/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv6 prefixes, a value type used throughout the project. */
#ifndef DTCP_PROTO_PREFIX_H
#define DTCP_PROTO_PREFIX_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest text of a prefix with its terminating NUL: address, '/', three digits. */
#define PREFIX6_STRLEN (INET6_ADDRSTRLEN + 4)

struct prefix6 {
	struct in6_addr addr; /* bits past len are zero */
	uint8_t len;	      /* 1 to 128 */
};

enum prefix_error {
	PREFIX_OK,
	PREFIX_SYNTAX,	  /* not an IPv6 address, a slash and a decimal number */
	PREFIX_LENGTH,	  /* length outside 1 to 128 */
	PREFIX_HOST_BITS, /* bits set beyond the length */
};

/*
 * Parses "2001:db8::/48". For PREFIX_HOST_BITS *out is the prefix with these bits cleared, for
 * callers that accept it; for other errors it is unchanged.
 */
enum prefix_error prefix6_parse(const char *text, struct prefix6 *out);

/* The error, as the end of a sentence ("has bits set beyond its length"). */
const char *prefix_error_text(enum prefix_error error);

/* Writes the canonical text (RFC 5952) into buf and returns buf. */
const char *prefix6_format(const struct prefix6 *prefix, char buf[static PREFIX6_STRLEN]);

/* True if the length is valid, and no bit is set beyond it. */
bool prefix6_valid(const struct prefix6 *prefix);

bool prefix6_equal(const struct prefix6 *a, const struct prefix6 *b);

/* True if addr lies in prefix. */
bool prefix6_has(const struct prefix6 *prefix, const struct in6_addr *addr);

/* True if inner lies wholly in outer; a prefix contains itself. */
bool prefix6_contains(const struct prefix6 *outer, const struct prefix6 *inner);

/* True if a and b share an address. */
bool prefix6_overlaps(const struct prefix6 *a, const struct prefix6 *b);

/* The address of the prefix that ends in ::1. len is at most 127. */
struct in6_addr prefix6_first(const struct prefix6 *prefix);

/* The last address of the prefix. */
struct in6_addr prefix6_last(const struct prefix6 *prefix);

/* addr with the bits past len cleared. len is 0 to 128. */
struct in6_addr prefix6_mask(const struct in6_addr *addr, uint8_t len);

/* A shorter one is not accepted as a site's prefix, being a default route in disguise. */
#define PREFIX6_SITE_LEN_MIN 16

/* Largest number of prefixes of a user. */
#define PREFIX6_SET_MAX 8

/* A set of prefixes, no two of which overlap. */
struct prefix6_set {
	uint32_t n;
	struct prefix6 list[PREFIX6_SET_MAX];
};

struct prefix6_packed;

/* True if exactly this prefix is one of them. */
bool prefix6_set_has(const struct prefix6_set *set, const struct prefix6 *prefix);

/* True if both have the same, in whatever order. */
bool prefix6_set_equal(const struct prefix6_set *a, const struct prefix6_set *b);

/*
 * The set in as little memory as possible, for large numbers of sets; NULL for an empty one, and if
 * memory is short. prefix6_set_unpack() restores it, and accepts NULL as well.
 */
struct prefix6_packed *prefix6_set_pack(const struct prefix6_set *set);
struct prefix6_set prefix6_set_unpack(const struct prefix6_packed *packed);

/* Adds a prefix; false if it overlaps another one, or the set is full. */
bool prefix6_set_add(struct prefix6_set *set, const struct prefix6 *prefix);

/* True if the prefix lies in global unicast (2000::/3) or unique local (fc00::/7) space. */
bool prefix6_in_unicast(const struct prefix6 *prefix);

/* True if the prefix lies in global unicast space, and is not unique local. */
bool prefix6_is_global(const struct prefix6 *prefix);

/* True if it is in unicast space, and not shorter than PREFIX6_SITE_LEN_MIN. */
bool prefix6_is_unicast(const struct prefix6 *prefix);

#endif
