/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From outside to TUN, without any socket: the outer header or what came with a datagram, and the
 * verdict on what is inside, which is judged a second time by packets.c. Also what a socket's error
 * queue may have in it.
 */
#include "packets.h"

#include "forward/decap.h"
#include "forward/errqueue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SESSIONS = 3 };

#define NOW 100000

/* --- the socket's error queue ------------------------------------------------------------- */

static struct fuzz_input *queue;

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);

/* Control messages and a name as the kernel might give them, and as it never would. */
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	(void)fd;
	FUZZ_CHECK(flags == (MSG_ERRQUEUE | MSG_DONTWAIT));
	if (queue->left == 0) {
		errno = EAGAIN;
		return -1;
	}
	packets_control(queue, msg);
	fuzz_fill(queue, msg->msg_name, sizeof(struct sockaddr_in));
	return 0;
}

static void try_queue(struct fuzz_input *input)
{
	struct errqueue_report report;
	size_t left = input->left;

	queue = input;
	while (errqueue_next(-1, &report)) {
		/* Every report is another one. */
		FUZZ_CHECK(input->left < left);
		left = input->left;
	}
	FUZZ_CHECK(input->left == 0);
}

/* --- packets ------------------------------------------------------------------------------ */

static void datagram(struct fuzz_input *input, uint8_t *payload, size_t len,
		     struct arrival *arrival)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(fuzz_16(input))};
	_Alignas(struct cmsghdr) uint8_t control[256];
	struct msghdr msg = {.msg_control = control, .msg_controllen = sizeof(control)};

	peer.sin_addr.s_addr = htonl(0xc6336402 + fuzz_below(input, 8));
	packets_control(input, &msg);
	arrival_from_udp(payload, len, &msg, &peer, arrival);
	FUZZ_CHECK(arrival->payload == payload && arrival->len == len);
	/* Else hardly any would be right. */
	if (fuzz_bool(input))
		arrival->local = fuzz_ipv4("192.0.2.1");
}

/* A whole packet of a raw socket, whose header can be wrong; the caller frees it. */
static uint8_t *raw(struct fuzz_input *input, const uint8_t *payload, size_t len,
		    struct arrival *arrival)
{
	uint8_t what = fuzz_byte(input);
	size_t header = 20 + (what & 1 ? (size_t)fuzz_below(input, 11) * 4 : 0);
	size_t n = header + len;
	uint8_t *packet = malloc(n);

	FUZZ_CHECK(packet);
	memset(packet, 1, header);
	memcpy(packet + header, payload, len);
	packet[0] = (uint8_t)(0x40 + header / 4);
	packet[1] = fuzz_byte(input);
	memcpy(packet + 12, &(struct in_addr){htonl(0xc6336402 + fuzz_below(input, 8))}, 4);
	memcpy(packet + 16, &(struct in_addr){htonl(what & 2 ? 0xcb007101 : 0xc0000201)}, 4);
	if (what & 4)
		fuzz_fill(input, packet, 20);
	/* Cut short, in memory of just that size. */
	if (what & 8) {
		uint8_t *cut = fuzz_copy(packet, n < what ? n : what);

		n = n < what ? n : what;
		free(packet);
		packet = cut;
	}
	arrival_from_ipv4(packet, n, arrival);
	if (arrival->payload)
		FUZZ_CHECK(arrival->payload >= packet + 20 &&
			   arrival->payload + arrival->len == packet + n);
	return packet;
}

static void check_passed(const struct decap *decap, const struct arrival *arrival, bool server)
{
	const struct forward_session *config = session_config(decap->session);
	const struct table_peer *peer = session_peer(decap->session);
	struct in_addr to = config->local.s_addr ? config->local : arrival->local;

	/* RFC 4213, section 4.1: from the session's peer only. */
	FUZZ_CHECK(peer->transport == arrival->peer.transport &&
		   peer->address.s_addr == arrival->peer.address.s_addr);
	FUZZ_CHECK(decap->learned ? peer->port == 0 && server : peer->port == arrival->peer.port);
	FUZZ_CHECK(session_is_up(decap->session));
	FUZZ_CHECK(decap->inner.packet == arrival->payload && decap->inner.len <= arrival->len);
	/* Of a user's own device the routes decide, or nobody. */
	FUZZ_CHECK(!decap->ask || (server && config->device > 0 && !config->any_source));
	packets_check_inbound(decap->inner.packet, decap->inner.len, config,
			      server && config->device == 0, to);
	packets_check_header(&decap->vnet, decap->inner.packet, decap->inner.len);
}

static void judge(const struct table *table, bool server, const struct arrival *arrival)
{
	uint8_t *before = arrival->payload ? fuzz_copy(arrival->payload, arrival->len) : NULL;
	struct decap decap;

	decap_packet(table, server, arrival, NOW, &decap);
	FUZZ_CHECK(decap.drop < DROP_REASONS && *drop_reason_name(decap.drop));
	if (decap.drop == DROP_NONE) {
		check_passed(&decap, arrival, server);
		/* Nothing but the congestion mark is written. */
		before[1] = (uint8_t)((before[1] & 0xcf) | (arrival->payload[1] & 0x30));
	}
	if (before)
		FUZZ_CHECK(memcmp(before, arrival->payload, arrival->len) == 0);
	free(before);
}

static struct table *make_table(bool udp, bool server, uint8_t down)
{
	static const uint64_t key[2] = {1, 2};
	struct table *table = table_new(server, SESSIONS, key);

	FUZZ_CHECK(table);
	for (unsigned int i = 0; i < SESSIONS; i++) {
		struct forward_session config = packets_session(i, udp, server);
		struct session *session;

		/* A client that may be anywhere. */
		if (!server && udp && i == 1)
			config.local.s_addr = 0;
		FUZZ_CHECK(table_add(table, &config, &session) == 0);
		if (!(down & 1u << i))
			table_set_up(table, session);
	}
	return table;
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t what = fuzz_byte(&input);
	bool udp = what & 1, server = what & 2;
	struct table *table;
	struct arrival arrival;

	if (what & 4) {
		try_queue(&input);
		return;
	}
	table = make_table(udp, server, what >> 5);
	while (input.left > 0) {
		size_t len;
		uint8_t *packet = packets_make(&input, &len);
		uint8_t *whole = NULL;

		if (udp)
			datagram(&input, packet, len, &arrival);
		else
			whole = raw(&input, packet, len, &arrival);
		judge(table, server, &arrival);
		free(whole);
		free(packet);
	}
	table_free(table);
}
