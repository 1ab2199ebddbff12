/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole room in a process of its own, with the test as monitor and control. Socket pairs stand
 * for TUN devices: they keep packets apart just the same. The outside is the loopback interface of
 * a network namespace that needs no privilege, where the system allows one.
 */
#ifndef DTCP_TESTS_FORWARD_ROOM_H
#define DTCP_TESTS_FORWARD_ROOM_H

#include "packets.h"

#include "forward/counters.h"
#include "forward/forward.h"
#include "forward/msg.h"
#include "process/ipc.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"

#include <event2/event.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <sys/types.h>

#define SESSIONS 8
#define PATIENCE 10000 /* milliseconds; only a failure takes as long */

#define ROOM_INTERFACE 70 /* what the kernel calls device 0, and so on */

/* What forward has said to control. */
struct room_answer {
	uint32_t type;
	uint32_t id;
	uint32_t value;	     /* LEARNED, PORT: the port; PATH: alive */
	struct in_addr peer; /* LEARNED */
};

struct room {
	pid_t pid;
	struct event_base *base;
	struct ipc *monitor;
	struct ipc *control;
	bool timed_out;
	size_t n_answers;
	struct room_answer answers[16];
	struct counters_page *counters;
	int peer; /* raw socket at 192.0.2.2, the sessions' peer */
};

/* Whether network_make() could. */
extern bool room_network;

#define NEED_NETWORK() need(room_network, "network namespace")

/* Octets that the loopback interface takes; 65536 from the beginning. */
void set_loopback_mtu(int mtu);

void room_start(struct room *room, bool server);

/* Waits for the room's end and checks its status. */
void room_stop(struct room *room, int want);

void to_monitor(struct room *room, uint32_t type, const void *body, size_t size, int fd);
void to_control(struct room *room, uint32_t type, const void *body, size_t size);

/* Waits until the room has taken all that monitor has sent, by asking whether it is alive. */
void room_ping(struct room *room);

/* The next answer; the one that the next answer must be. */
struct room_answer room_next(struct room *room);
struct room_answer room_expect(struct room *room, uint32_t type, uint32_t id);

void give_counters(struct room *room);
void give_raw(struct room *room);
void give_icmp(struct room *room, const char *source);

/* Returns our end. */
int give_device(struct room *room, uint32_t index);

/* Session id from 192.0.2.1 to peer, with the prefix and link-local address of packets.h. */
struct forward_session room_session(uint32_t id, const char *peer);
void room_add(struct room *room, const struct forward_session *config);

/* Waits until there is something to read. */
void await(int fd);

/* Writes and reads packets as the kernel does on a TUN device. */
void tun_send(int tun, const uint8_t *packet, size_t len);
void tun_send_hex(int tun, const char *text);
size_t tun_receive(int tun, struct virtio_net_hdr *header, uint8_t *packet, size_t size);
void tun_expect_hex(int tun, const char *text);
void tun_expect_icmp6(int tun, uint8_t type, uint8_t code, uint32_t mtu);

/* The counters are written by another process, which may not have come to it yet. */
void expect_count(const uint64_t *counter, uint64_t want);

#endif
