/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/outer.h"

#include "base/log.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUTER_TTL     64
#define OUTER_ROUNDS  4 /* batches read per turn */
#define OUTER_REPORTS 64

/* Size of the control data of a UDP message: TOS octet, destination, size of merged packets. */
struct outer_notes {
	_Alignas(struct cmsghdr) unsigned char room[2 * CMSG_SPACE(sizeof(int)) +
						    CMSG_SPACE(sizeof(struct in_pktinfo))];
};

struct outer {
	enum forward_transport transport;
	int fd;
	struct event *readable;
	const struct outer_handlers *handlers;
	void *arg;
	struct sender *sender;
	struct mmsghdr in[OUTER_BATCH];
	struct iovec in_iov[OUTER_BATCH];
	struct sockaddr_in in_peer[OUTER_BATCH];
	struct outer_notes in_notes[OUTER_BATCH];
	uint8_t *buffers; /* OUTER_BATCH receive buffers */
};

static void outer_on_readable(evutil_socket_t fd, short what, void *arg);
static void outer_on_sent(const struct outer_packet *packet, void *arg);
static void outer_on_refused(const struct outer_packet *packet, int error, void *arg);
static bool outer_on_too_big(struct outer_packet *packet, void *arg);
static void outer_on_reports(const struct outer_packet *refused, void *arg);

static int outer_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == -1 ? -errno : 0;
}

static int outer_setup(enum forward_transport transport, int fd)
{
	int error = outer_set(fd, IPPROTO_IP, IP_TTL, OUTER_TTL);

	if (!error)
		error = outer_set(fd, IPPROTO_IP, IP_RECVERR, 1);
	/* A raw socket delivers the IPv4 header, too. */
	if (!error && transport == FORWARD_UDP)
		error = outer_set(fd, IPPROTO_IP, IP_RECVTOS, 1);
	if (!error && transport == FORWARD_UDP)
		error = outer_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	/* Without it (before Linux 5.0) each packet comes alone. */
	if (!error && transport == FORWARD_UDP)
		(void)outer_set(fd, IPPROTO_UDP, UDP_GRO, 1);
	if (!error && evutil_make_socket_nonblocking(fd) == -1)
		error = -errno;
	return error;
}

/* Initializes what is the same for all messages. */
static void outer_prepare(struct outer *outer)
{
	for (size_t i = 0; i < OUTER_BATCH; i++) {
		outer->in_iov[i].iov_base = outer->buffers + i * OUTER_PACKET_SIZE;
		outer->in_iov[i].iov_len = OUTER_PACKET_SIZE;
		outer->in[i].msg_hdr.msg_iov = &outer->in_iov[i];
		outer->in[i].msg_hdr.msg_iovlen = 1;
		outer->in[i].msg_hdr.msg_name = &outer->in_peer[i];
		outer->in[i].msg_hdr.msg_control = &outer->in_notes[i];
	}
}

struct outer *outer_new(struct event_base *base, enum forward_transport transport, int fd,
			const struct outer_handlers *handlers, void *arg)
{
	const char *name = transport == FORWARD_UDP ? "UDP socket" : "raw socket";
	struct outer *outer = calloc(1, sizeof(*outer));
	int error = outer_setup(transport, fd);

	if (error) {
		errno = -error;
		log_warn("%s", name);
		free(outer);
		close(fd);
		return NULL;
	}
	if (!outer) {
		log_warnx("%s: out of memory", name);
		close(fd);
		return NULL;
	}

	static const struct sender_handlers sending = {
		.sent = outer_on_sent,
		.refused = outer_on_refused,
		.too_big = outer_on_too_big,
		.reports = outer_on_reports,
	};

	outer->transport = transport;
	outer->fd = fd;
	outer->handlers = handlers;
	outer->arg = arg;
	outer->sender = sender_new(transport, fd, &sending, outer);
	outer->buffers = malloc((size_t)OUTER_BATCH * OUTER_PACKET_SIZE);
	outer->readable = event_new(base, fd, EV_READ | EV_PERSIST, outer_on_readable, outer);
	if (!outer->sender || !outer->buffers || !outer->readable ||
	    event_add(outer->readable, NULL) == -1) {
		log_warnx("%s: out of memory", name);
		outer_free(outer);
		return NULL;
	}
	outer_prepare(outer);
	return outer;
}

void outer_free(struct outer *outer)
{
	if (!outer)
		return;
	if (outer->readable)
		event_free(outer->readable);
	sender_free(outer->sender);
	close(outer->fd);
	free(outer->buffers);
	free(outer);
}

/* --- sending ------------------------------------------------------------------------------ */

static void outer_on_sent(const struct outer_packet *packet, void *arg)
{
	const struct outer *outer = arg;

	outer->handlers->sent(packet, outer->arg);
}

static void outer_on_refused(const struct outer_packet *packet, int error, void *arg)
{
	const struct outer *outer = arg;

	outer->handlers->refused(packet, error, outer->arg);
}

static bool outer_on_too_big(struct outer_packet *packet, void *arg)
{
	const struct outer *outer = arg;

	return outer->handlers->too_big(packet, outer->arg);
}

void outer_push(struct outer *outer, const struct outer_packet *packet)
{
	sender_push(outer->sender, packet);
}

void outer_flush(struct outer *outer)
{
	sender_flush(outer->sender);
}

/* --- receiving ---------------------------------------------------------------------------- */

static void outer_on_reports(const struct outer_packet *refused, void *arg)
{
	const struct outer *outer = arg;
	struct errqueue_report report;

	for (int i = 0; i < OUTER_REPORTS && errqueue_next(outer->fd, &report); i++) {
		/* For packets that the kernel itself refuses, it leaves out the port. */
		if (refused && !report.icmp && report.peer.s_addr == refused->peer.s_addr)
			report.port = refused->port;
		outer->handlers->report(outer->transport, &report, outer->arg);
	}
}

static void outer_receive(struct outer *outer, size_t i)
{
	struct mmsghdr *in = &outer->in[i];
	uint8_t *data = outer->in_iov[i].iov_base;
	struct arrival arrival;
	size_t size;

	if (outer->transport != FORWARD_UDP) {
		arrival_from_ipv4(data, in->msg_len, &arrival);
		arrival.outer = outer;
		outer->handlers->received(&arrival, outer->arg);
		return;
	}
	size = arrival_from_udp(data, in->msg_len, &in->msg_hdr, &outer->in_peer[i], &arrival);
	arrival.outer = outer;
	/* An empty datagram counts as one packet. */
	for (size_t at = 0; at == 0 || at < in->msg_len; at += size) {
		arrival.payload = data + at;
		arrival.len = in->msg_len - at < size ? in->msg_len - at : size;
		outer->handlers->received(&arrival, outer->arg);
	}
}

static void outer_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct outer *outer = arg;

	(void)fd;
	(void)what;
	for (int round = 0; round < OUTER_ROUNDS; round++) {
		for (size_t i = 0; i < OUTER_BATCH; i++) {
			outer->in[i].msg_hdr.msg_namelen = sizeof(outer->in_peer[i]);
			outer->in[i].msg_hdr.msg_controllen = sizeof(outer->in_notes[i]);
		}

		int n = recvmmsg(outer->fd, outer->in, OUTER_BATCH, MSG_DONTWAIT, NULL);

		if (n == -1) {
			/* Errors in the queue make the socket readable, too. */
			bool empty = errno == EAGAIN;

			outer_on_reports(NULL, outer);
			if (empty)
				return;
			continue;
		}
		for (int i = 0; i < n; i++)
			outer_receive(outer, (size_t)i);
		outer->handlers->batch_end(outer->arg);
		if (n < OUTER_BATCH)
			return;
	}
}
