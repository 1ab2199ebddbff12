/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/outer.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUTER_TTL     64
#define OUTER_ROUNDS  4 /* batches read before others get their turn */
#define OUTER_REPORTS 64

/*
 * What goes with each packet, in the layout that cmsg(3) gives it, so that only the two values
 * have to be written each time.
 */
struct outer_control {
	struct cmsghdr info_header;
	struct in_pktinfo info;
	_Alignas(size_t) struct cmsghdr tos_header;
	int tos;
};

_Static_assert(offsetof(struct outer_control, info) == CMSG_LEN(0),
	       "no gap before the first value");
_Static_assert(offsetof(struct outer_control, tos_header) == CMSG_SPACE(sizeof(struct in_pktinfo)),
	       "the second header is where it is looked for");
_Static_assert(sizeof(struct outer_control) ==
		       CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int)),
	       "nothing follows");

/* Room for what comes with each UDP packet: its TOS octet and where it was sent. */
struct outer_notes {
	_Alignas(struct cmsghdr) unsigned char room[CMSG_SPACE(sizeof(int)) +
						    CMSG_SPACE(sizeof(struct in_pktinfo))];
};

struct outer {
	enum forward_transport transport;
	int fd;
	struct event *readable;
	struct event *writable;
	const struct outer_handlers *handlers;
	void *arg;
	int df; /* what the socket is set to: 0, 1, or -1 where that is not known */
	bool blocked;
	size_t first; /* of the packets, those from first up to count are to be sent */
	size_t count;
	struct outer_packet packets[OUTER_BATCH];
	struct mmsghdr out[OUTER_BATCH];
	struct iovec out_iov[OUTER_BATCH];
	struct sockaddr_in out_peer[OUTER_BATCH];
	struct outer_control out_control[OUTER_BATCH];
	struct mmsghdr in[OUTER_BATCH];
	struct iovec in_iov[OUTER_BATCH];
	struct sockaddr_in in_peer[OUTER_BATCH];
	struct outer_notes in_notes[OUTER_BATCH];
	uint8_t *buffers; /* OUTER_BATCH to receive into, then OUTER_BATCH to send from */
};

static void outer_on_readable(evutil_socket_t fd, short what, void *arg);
static void outer_on_writable(evutil_socket_t fd, short what, void *arg);

static int outer_set(int fd, int option, int value)
{
	return setsockopt(fd, IPPROTO_IP, option, &value, sizeof(value)) == -1 ? -errno : 0;
}

static int outer_setup(enum forward_transport transport, int fd)
{
	int error = outer_set(fd, IP_TTL, OUTER_TTL);

	if (!error)
		error = outer_set(fd, IP_RECVERR, 1);
	/* A raw socket gives the header itself. */
	if (!error && transport == FORWARD_UDP)
		error = outer_set(fd, IP_RECVTOS, 1);
	if (!error && transport == FORWARD_UDP)
		error = outer_set(fd, IP_PKTINFO, 1);
	if (!error && evutil_make_socket_nonblocking(fd) == -1)
		error = -errno;
	return error;
}

/* What stays the same from packet to packet. */
static void outer_prepare(struct outer *outer)
{
	for (size_t i = 0; i < OUTER_BATCH; i++) {
		outer->in_iov[i].iov_base = outer->buffers + i * OUTER_PACKET_SIZE;
		outer->in_iov[i].iov_len = OUTER_PACKET_SIZE;
		outer->in[i].msg_hdr.msg_iov = &outer->in_iov[i];
		outer->in[i].msg_hdr.msg_iovlen = 1;
		outer->in[i].msg_hdr.msg_name = &outer->in_peer[i];
		outer->in[i].msg_hdr.msg_control = &outer->in_notes[i];

		outer->packets[i].data = outer->buffers + (OUTER_BATCH + i) * OUTER_PACKET_SIZE;
		outer->out_iov[i].iov_base = outer->packets[i].data;
		outer->out_peer[i].sin_family = AF_INET;

		struct msghdr *msg = &outer->out[i].msg_hdr;

		msg->msg_iov = &outer->out_iov[i];
		msg->msg_iovlen = 1;
		msg->msg_name = &outer->out_peer[i];
		msg->msg_namelen = sizeof(outer->out_peer[i]);
		msg->msg_control = &outer->out_control[i];
		msg->msg_controllen = sizeof(outer->out_control[i]);
		outer->out_control[i].info_header = (struct cmsghdr){
			.cmsg_level = IPPROTO_IP,
			.cmsg_type = IP_PKTINFO,
			.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
		};
		outer->out_control[i].tos_header = (struct cmsghdr){
			.cmsg_level = IPPROTO_IP,
			.cmsg_type = IP_TOS,
			.cmsg_len = CMSG_LEN(sizeof(int)),
		};
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
	outer->transport = transport;
	outer->fd = fd;
	outer->handlers = handlers;
	outer->arg = arg;
	outer->df = -1;
	outer->buffers = malloc((size_t)2 * OUTER_BATCH * OUTER_PACKET_SIZE);
	outer->readable = event_new(base, fd, EV_READ | EV_PERSIST, outer_on_readable, outer);
	outer->writable = event_new(base, fd, EV_WRITE, outer_on_writable, outer);
	if (!outer->buffers || !outer->readable || !outer->writable ||
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
	if (outer->writable)
		event_free(outer->writable);
	close(outer->fd);
	free(outer->buffers);
	free(outer);
}

/* --- receiving ---------------------------------------------------------------------------- */

/* refused: the packet that the kernel has just found too big, or NULL. */
static void outer_read_reports(struct outer *outer, const struct outer_packet *refused)
{
	struct errqueue_report report;

	for (int i = 0; i < OUTER_REPORTS && errqueue_next(outer->fd, &report); i++) {
		/* For what it refuses itself the kernel leaves out the port. */
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

	if (outer->transport == FORWARD_UDP)
		arrival_from_udp(data, in->msg_len, &in->msg_hdr, &outer->in_peer[i], &arrival);
	else
		arrival_from_ipv4(data, in->msg_len, &arrival);
	arrival.outer = outer;
	outer->handlers->received(&arrival, outer->arg);
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
			/* A report waits, which also wakes us when there is no packet. */
			bool empty = errno == EAGAIN;

			outer_read_reports(outer, NULL);
			if (empty)
				return;
			continue;
		}
		for (int i = 0; i < n; i++)
			outer_receive(outer, (size_t)i);
		if (n < OUTER_BATCH)
			return;
	}
}

/* --- sending ------------------------------------------------------------------------------ */

struct outer_packet *outer_slot(struct outer *outer)
{
	if (outer->count == OUTER_BATCH)
		outer_flush(outer);
	if (outer->blocked)
		return NULL;
	return &outer->packets[outer->count];
}

void outer_push(struct outer *outer)
{
	size_t i = outer->count++;
	struct outer_packet *packet = &outer->packets[i];

	packet->retried = false;
	outer->out_iov[i].iov_len = packet->len;
	outer->out_peer[i].sin_addr = packet->peer;
	outer->out_peer[i].sin_port = htons(packet->port);
	outer->out_control[i].info.ipi_spec_dst = packet->source;
	outer->out_control[i].tos = packet->tos;
}

/*
 * IP_PMTUDISC_PROBE: with DF, whatever the kernel remembers of the path, for that is our job.
 * IP_PMTUDISC_OMIT: without, and with all the rest the same. Many peers share the socket, so there
 * is always somebody whose report is about to come: with IP_PMTUDISC_DONT the kernel would discard
 * it, and cut packets as small as any forged report says.
 */
static int outer_set_df(struct outer *outer, bool df)
{
	int error;

	if (outer->df == df)
		return 0;
	error = outer_set(outer->fd, IP_MTU_DISCOVER, df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT);
	outer->df = error ? -1 : df;
	return error;
}

static bool outer_is_writable(const struct outer *outer)
{
	struct pollfd poll_fd = {.fd = outer->fd, .events = POLLOUT};

	return poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLOUT;
}

/* Sends the packets from first on that have the same DF. Returns how many, or -errno. */
static int outer_send_run(struct outer *outer)
{
	bool df = outer->packets[outer->first].df;
	size_t end = outer->first + 1;
	int error = outer_set_df(outer, df);

	if (error)
		return error;
	while (end < outer->count && outer->packets[end].df == df)
		end++;

	int n = sendmmsg(outer->fd, outer->out + outer->first, (unsigned)(end - outer->first),
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	return n == -1 ? -errno : n;
}

/* True where the packet is to be tried again, at once or (with blocked set) later. */
static bool outer_recover(struct outer *outer, struct outer_packet *packet, int error)
{
	bool retried = packet->retried;

	switch (error) {
	case EINTR:
		return true;
	case EAGAIN:
	case ENOBUFS:
		/* The queue of the interface gives the same error as our own, but waiting for
		 * room would end at once then. */
		if (!outer_is_writable(outer) && event_add(outer->writable, NULL) == 0) {
			outer->blocked = true;
			return true;
		}
		break;
	case EMSGSIZE:
		/* The report of it says how large is right. */
		outer_read_reports(outer, packet);
		packet->retried = true;
		if (retried)
			break;
		if (outer->handlers->too_big(packet, outer->arg))
			return true;
		return false;
	default:
		/* Most likely an ICMP error about an earlier packet, to whomever that was; with the
		 * reports read the socket has no more of them. */
		outer_read_reports(outer, NULL);
		packet->retried = true;
		if (!retried)
			return true;
		break;
	}
	outer->handlers->refused(packet, error, outer->arg);
	return false;
}

void outer_flush(struct outer *outer)
{
	if (outer->blocked)
		return;
	while (outer->first < outer->count) {
		int n = outer_send_run(outer);

		if (n < 0) {
			if (!outer_recover(outer, &outer->packets[outer->first], -n))
				outer->first++;
			else if (outer->blocked)
				return;
			continue;
		}
		for (; n > 0; n--)
			outer->handlers->sent(&outer->packets[outer->first++], outer->arg);
	}
	outer->first = 0;
	outer->count = 0;
}

static void outer_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct outer *outer = arg;

	(void)fd;
	(void)what;
	outer->blocked = false;
	outer_flush(outer);
	if (!outer->blocked)
		outer->handlers->ready(outer->arg);
}

void outer_discard(struct outer *outer)
{
	bool blocked = outer->blocked;

	(void)event_del(outer->writable);
	outer->blocked = false;
	for (; outer->first < outer->count; outer->first++)
		outer->handlers->refused(&outer->packets[outer->first], ENOBUFS, outer->arg);
	outer->first = 0;
	outer->count = 0;
	if (blocked)
		outer->handlers->ready(outer->arg);
}
