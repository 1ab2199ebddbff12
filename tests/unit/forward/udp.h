/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP sockets. The room's socket is at 192.0.2.1 port 4028; those of the test play
 * clients and servers at other addresses of 192.0.2.0/24.
 */
#ifndef DTCP_TESTS_FORWARD_UDP_H
#define DTCP_TESTS_FORWARD_UDP_H

#include "room.h"

#include "proto/probe.h"

#include <netinet/in.h>

#define PORT	4028
#define SESSION UINT64_C(0x1122334455667788)

struct sockaddr_in udp_address(const char *address, uint16_t port);

int udp_open(const char *address, uint16_t port);
uint16_t udp_port(int fd);

/* The room's port, of what is sent to it and comes from it; PORT unless a test sets it. */
extern uint16_t udp_room_port;

/* The room's port that the next datagram comes from, and its first octet; it is not taken. */
uint16_t udp_next(int fd, uint8_t *first);

/* Waits until the room has closed its socket with this port. */
void udp_expect_closed(uint16_t port);

/* To the room. */
void udp_send(int fd, const uint8_t *data, size_t len);
void udp_send_hex(int fd, const char *text);

/* From the room, with its TOS octet. */
size_t udp_receive(int fd, uint8_t *data, size_t size, uint8_t *tos);
void udp_expect_hex(int fd, uint8_t tos, const char *text);
void udp_expect_nothing(int fd);

/* A router on the way to that peer tells the room what it takes; port 0: about protocol 41. */
void report_too_big(const char *peer, uint16_t port, uint16_t mtu);

/* Takes all that has come. */
void udp_drain(int fd);

/* The room's own socket, and another one. */
void give_udp(struct room *room);
void give_candidate(struct room *room, uint16_t port);

/* Session id of the address 192.0.2.2, or the client's with a server there. */
struct forward_session udp_session(uint32_t id, uint32_t port);

void probe_send(int fd, const struct forward_session *config, enum probe_type type,
		uint64_t counter, uint32_t clock);
void probe_send_proof(int fd, const struct forward_session *config, enum probe_type type,
		      uint64_t counter, uint32_t clock, uint32_t proof);
struct probe probe_expect(int fd, const struct forward_session *config, enum probe_type type);

#endif
