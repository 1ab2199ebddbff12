/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/sender.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Limits of one train: fewer than UDP_MAX_SEGMENTS, since kernels before 5.16 count the headers,
 * too; and the size of a datagram.
 */
#define TRAIN_PACKETS 63
#define TRAIN_OCTETS  65507

/*
 * Control data of each message, in the layout of cmsg(3), so that only the values are written each
 * time. A message that is no train ends before the last item.
 */
struct sender_control {
	struct cmsghdr info_header;
	struct in_pktinfo info;
	_Alignas(size_t) struct cmsghdr tos_header;
	int tos;
	_Alignas(size_t) struct cmsghdr size_header;
	uint16_t size;
};

#define CONTROL_SINGLE offsetof(struct sender_control, size_header)

_Static_assert(offsetof(struct sender_control, info) == CMSG_LEN(0),
	       "no gap before the first value");
_Static_assert(offsetof(struct sender_control, tos_header) == CMSG_SPACE(sizeof(struct in_pktinfo)),
	       "the second header is where it is looked for");
_Static_assert(CONTROL_SINGLE == CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int)),
	       "and so is the third");
_Static_assert(sizeof(struct sender_control) == CONTROL_SINGLE + CMSG_SPACE(sizeof(uint16_t)),
	       "nothing follows");

struct sender {
	enum forward_transport transport;
	int fd;
	const struct sender_handlers *handlers;
	void *arg;
	int df;	     /* the socket's setting: 0, 1, -1: unknown */
	bool trains; /* the socket supports trains */
	bool busy;   /* being flushed */
	size_t count;
	struct outer_packet packets[SENDER_QUEUE];
	/* The messages made from the queued packets: */
	size_t n_messages;
	size_t sizes[SENDER_QUEUE]; /* number of packets in each */
	struct mmsghdr messages[SENDER_QUEUE];
	struct sockaddr_in peers[SENDER_QUEUE];
	struct sender_control controls[SENDER_QUEUE];
	struct iovec parts[2 * SENDER_QUEUE];
};

struct sender *sender_new(enum forward_transport transport, int fd,
			  const struct sender_handlers *handlers, void *arg)
{
	struct sender *sender = calloc(1, sizeof(*sender));

	if (!sender)
		return NULL;
	sender->transport = transport;
	sender->fd = fd;
	sender->handlers = handlers;
	sender->arg = arg;
	sender->df = -1;
	sender->trains = transport == FORWARD_UDP;
	/* Initializes what is the same for all messages. */
	for (size_t i = 0; i < SENDER_QUEUE; i++) {
		struct msghdr *msg = &sender->messages[i].msg_hdr;

		sender->peers[i].sin_family = AF_INET;
		msg->msg_name = &sender->peers[i];
		msg->msg_namelen = sizeof(sender->peers[i]);
		msg->msg_control = &sender->controls[i];
		sender->controls[i].info_header = (struct cmsghdr){
			.cmsg_level = IPPROTO_IP,
			.cmsg_type = IP_PKTINFO,
			.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
		};
		sender->controls[i].tos_header = (struct cmsghdr){
			.cmsg_level = IPPROTO_IP,
			.cmsg_type = IP_TOS,
			.cmsg_len = CMSG_LEN(sizeof(int)),
		};
		sender->controls[i].size_header = (struct cmsghdr){
			.cmsg_level = IPPROTO_UDP,
			.cmsg_type = UDP_SEGMENT,
			.cmsg_len = CMSG_LEN(sizeof(uint16_t)),
		};
	}
	return sender;
}

void sender_free(struct sender *sender)
{
	free(sender);
}

void sender_push(struct sender *sender, const struct outer_packet *packet)
{
	if (sender->count == SENDER_QUEUE)
		sender_flush(sender);
	/* The queue is still full if a handler pushes during a flush. */
	if (sender->count == SENDER_QUEUE) {
		sender->handlers->refused(packet, ENOBUFS, sender->arg);
		return;
	}
	sender->packets[sender->count] = *packet;
	sender->packets[sender->count].alone = false;
	sender->packets[sender->count++].retried = false;
}

/* --- trains ------------------------------------------------------------------------------- */

/* The number of packets from first on that can be one message. */
static size_t sender_train(const struct sender *sender, size_t first, size_t end)
{
	const struct outer_packet *a = &sender->packets[first];
	size_t octets = a->len;
	size_t n = 1;

	if (!sender->trains || a->alone)
		return 1;
	for (; first + n < end && n < TRAIN_PACKETS; n++) {
		const struct outer_packet *b = &sender->packets[first + n];

		if (b->alone || b->len > a->len || octets + b->len > TRAIN_OCTETS ||
		    b->peer.s_addr != a->peer.s_addr || b->port != a->port ||
		    b->source.s_addr != a->source.s_addr || b->tos != a->tos)
			break;
		octets += b->len;
		/* Only the last one may be shorter. */
		if (b->len < a->len)
			return n + 1;
	}
	return n;
}

/* Makes messages of the packets from first to end, which have the same DF. */
static void sender_prepare(struct sender *sender, size_t first, size_t end)
{
	struct iovec *parts = sender->parts;
	size_t m = 0;

	for (size_t i = first; i < end; m++) {
		const struct outer_packet *packet = &sender->packets[i];
		struct msghdr *msg = &sender->messages[m].msg_hdr;
		size_t n = sender_train(sender, i, end);

		sender->sizes[m] = n;
		sender->peers[m].sin_addr = packet->peer;
		sender->peers[m].sin_port = htons(packet->port);
		sender->controls[m].info.ipi_spec_dst = packet->source;
		sender->controls[m].tos = packet->tos;
		sender->controls[m].size = (uint16_t)packet->len;
		msg->msg_controllen = n > 1 ? sizeof(struct sender_control) : CONTROL_SINGLE;
		msg->msg_iov = parts;
		for (size_t last = i + n; i < last; i++) {
			*parts++ = sender->packets[i].parts[0];
			if (sender->packets[i].parts[1].iov_len)
				*parts++ = sender->packets[i].parts[1];
		}
		msg->msg_iovlen = (size_t)(parts - msg->msg_iov);
	}
	sender->n_messages = m;
}

/* --- sending ------------------------------------------------------------------------------ */

/*
 * IP_PMTUDISC_PROBE sets DF and ignores the kernel's path MTU, since path MTU discovery is done
 * here. IP_PMTUDISC_OMIT is the same without DF. IP_PMTUDISC_DONT would not do: the kernel would
 * discard errors, of which one is nearly always pending on a socket for many peers, and fragment
 * packets according to any forged error.
 */
static int sender_set_df(struct sender *sender, bool df)
{
	int value = df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT;

	if (sender->df == df)
		return 0;
	if (setsockopt(sender->fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof(value)) == -1) {
		sender->df = -1;
		return -errno;
	}
	sender->df = df;
	return 0;
}

/* Sends messages from m on. Returns the number sent, or -errno of the first. */
static int sender_send(struct sender *sender, size_t m, bool df)
{
	int error = sender_set_df(sender, df);
	int n;

	if (error)
		return error;
	n = sendmmsg(sender->fd, sender->messages + m, (unsigned int)(sender->n_messages - m),
		     MSG_DONTWAIT | MSG_NOSIGNAL);
	return n == -1 ? -errno : n;
}

/* Handles an error of one packet. True if it must be sent again at once. */
static bool sender_recover(struct sender *sender, struct outer_packet *packet, int error)
{
	bool retried = packet->retried;

	if (error == EINTR)
		return true;
	packet->retried = true;
	packet->alone = true;
	switch (error) {
	case EAGAIN:
	case ENOBUFS:
		break;
	case EMSGSIZE:
		/* The report contains the permitted size. */
		sender->handlers->reports(packet, sender->arg);
		if (!retried)
			return sender->handlers->too_big(packet, sender->arg);
		break;
	default:
		/*
		 * Most likely an ICMP error about an earlier packet to any peer; reading the
		 * reports clears it.
		 */
		sender->handlers->reports(NULL, sender->arg);
		if (!retried)
			return true;
		break;
	}
	sender->handlers->refused(packet, error, sender->arg);
	return false;
}

/*
 * Handles an error of the message of n packets from first on. Returns how many are done; the others
 * must be sent again, each alone.
 */
static size_t sender_failed(struct sender *sender, size_t first, size_t n, int error)
{
	if (n == 1)
		return sender_recover(sender, &sender->packets[first], error) ? 0 : 1;
	if (error == EINTR)
		return 0;
	if (error == EAGAIN || error == ENOBUFS) {
		for (size_t i = 0; i < n; i++)
			sender->handlers->refused(&sender->packets[first + i], error, sender->arg);
		return n;
	}
	/* The kernel lacks this offload, or the network card cannot compute checksums. */
	if (error == EIO || error == ENOPROTOOPT || error == EOPNOTSUPP) {
		log_debug("no segmentation of UDP here");
		sender->trains = false;
	}
	/* Otherwise too large for the path, or an error about another packet. */
	sender->handlers->reports(NULL, sender->arg);
	for (size_t i = 0; i < n; i++)
		sender->packets[first + i].alone = true;
	return 0;
}

/* Sends the packets from first on that have the same DF; returns the index behind them. */
static size_t sender_run(struct sender *sender, size_t first)
{
	bool df = sender->packets[first].df;
	size_t end = first + 1;
	size_t m = 0;

	while (end < sender->count && sender->packets[end].df == df)
		end++;
	sender_prepare(sender, first, end);
	while (m < sender->n_messages) {
		int n = sender_send(sender, m, df);

		if (n < 0) {
			size_t done = sender_failed(sender, first, sender->sizes[m], -n);

			/* Packets to be sent again form other messages. */
			if (done < sender->sizes[m])
				return first;
			first += done;
			m++;
			continue;
		}
		for (; n > 0; n--, m++) {
			for (size_t i = 0; i < sender->sizes[m]; i++)
				sender->handlers->sent(&sender->packets[first + i], sender->arg);
			first += sender->sizes[m];
		}
	}
	return end;
}

void sender_flush(struct sender *sender)
{
	if (sender->busy)
		return;
	sender->busy = true;
	for (size_t first = 0; first < sender->count;)
		first = sender_run(sender, first);
	sender->count = 0;
	sender->busy = false;
}
