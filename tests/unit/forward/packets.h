/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets for tests, written as hex text so that each part can be named and explained. */
#ifndef DTCP_TESTS_FORWARD_PACKETS_H
#define DTCP_TESTS_FORWARD_PACKETS_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forward/inner.h"
#include "forward/msg.h"

/* 198.51.100.2 to 192.0.2.1: IPv4 header of 20 octets, protocol 41; its length is not looked at. */
#define OUTER_TO(tos, destination)                                                                 \
	"45" tos "0000 0000 4000 4029 0000"                                                        \
	"c6336402" destination
#define OUTER OUTER_TO("00", "c0000201")

/* Octets 0 to 7 of an IPv6 header: version and class and flow, payload length, next, hops. */
#define HEAD_ECHO  "60000000 0008 3a 40"	      /* 8 octets of ICMPv6, 64 hops */
#define ECHO	   "80 00 0000 0001 0001"	      /* echo request, no data */
#define SITE	   "20010db8010001000000000000000001" /* 2001:db8:100:100::1, the session's */
#define FAR	   "20010db8ffff00000000000000000001" /* 2001:db8:ffff::1, nobody's */
#define LINK_LOCAL "fe8000000000000000000000c6336402" /* fe80::198.51.100.2, the session's */

/* Reads hex digits, blanks ignored, into out; returns how many octets. */
size_t packet_hex(const char *text, uint8_t *out, size_t size);

/* Parses an address, a prefix; fails the test where it is none. */
struct in6_addr packet_address(const char *text);
struct prefix6 packet_prefix(const char *text);

/* An empty packet of len octets from FAR to SITE. */
void packet_fill(uint8_t *packet, size_t len);

/* Session 1, 198.51.100.2 at 192.0.2.1, with 2001:db8:100:100::/56 and its link-local address. */
struct forward_session packet_session(void);

/* An ICMPv6 or other checksum, computed another way than in the program: over 16 bit words of the
 * pseudo-header written out. Returns what stands in the field of a right packet: 0 when summed
 * with the field in place. */
uint16_t packet_checksum(const uint8_t *packet, uint8_t protocol, size_t offset, size_t len);

#endif
