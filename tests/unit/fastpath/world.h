/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server's forward with a few sessions, and the kernel's programs with its maps, to run them on
 * made-up packets (BPF_PROG_TEST_RUN).
 */
#ifndef DTCP_TESTS_UNIT_FASTPATH_WORLD_H
#define DTCP_TESTS_UNIT_FASTPATH_WORLD_H

#include "fastpath/programs.h"
#include "forward/plane.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_HERE "192.0.2.1" /* our end of all sessions; theirs is 192.0.2.10 + id */

enum { ETHERNET = 14, IPV4 = 20, UDP = 8, IPV6 = 40, PACKET_MAX = 1600 };
enum { SESSIONS = 4, ROUTES = 64, LANES = 2, LOOPBACK = 1, OUR_PORT = 4028, PEER_PORT = 40000 };

extern struct world {
	struct programs *programs;
	struct event_base *base;
	struct plane plane;
	struct fast_session *sessions;
	uint64_t packets[SESSIONS]; /* that were taken, by forward's count */
	uint64_t octets[SESSIONS];
} world;

/*
 * Sessions 0 and 2 go over protocol 41, 1 and 3 over UDP; each has 2001:db8:1:id::/64. The test
 * needs the privilege to load programs.
 */
void world_open(void);

/*
 * Joins the program for packets out to that device, which has WORLD_HERE, as if forward had seen
 * the first packet of each session and its peer's had come in there. finishes: as the flag of that
 * name.
 */
void world_join(unsigned int uplink, bool finishes);

/* A teardown. */
int world_close(void **state);

/* True where the program has taken the packet; out then is what it has made of it. */
bool run_program(const struct bpf_program *program, const uint8_t *packet, size_t n,
		 uint8_t out[static PACKET_MAX], size_t *out_n);

/* That the program has counted, out or in, what world.packets and world.octets say. */
void check_counters(bool out);

/* A number below that; the same row each time. */
uint32_t chance(uint32_t below);

/* In network byte order. */
void put16(uint8_t *out, size_t number);

/* The sum of 16-bit words, folded; 0xffff where a checksum in them is right. */
uint32_t sum16(const uint8_t *data, size_t n);

#endif
