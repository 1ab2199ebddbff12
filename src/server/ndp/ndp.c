/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ndp/ndp.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "process/ipc.h"
#include "server/ndp/answerer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Packets read before other events get a turn; size of a packet buffer. */
enum { NDP_BATCH = 64, NDP_PACKET = 2048 };

/* Interval of the log line about too many solicitations. */
enum { NDP_COMPLAIN_MS = 60000 };

/* The Ethernet address of ff02::1 (RFC 2464, section 7). */
static const uint8_t ndp_all_nodes[NEIGHBOUR_MAC_SIZE] = {0x33, 0x33, 0, 0, 0, 1};

struct ndp {
	struct event_base *base;
	struct ipc *root;
	struct answerer *answerer;
	int socket;
	struct event *readable;
	uint64_t too_many;   /* since that was last logged */
	int64_t complain_at; /* ms: next log line not before then */
	int status;
};

static void ndp_end(struct ndp *ndp, int status)
{
	ndp->status = status;
	(void)event_base_loopbreak(ndp->base);
}

static void ndp_no_memory(struct ndp *ndp)
{
	log_warnx("out of memory");
	ndp_end(ndp, 1);
}

/* --- the link ----------------------------------------------------------------------------- */

/* Sends to the Ethernet address that the solicitation came from. */
static void ndp_send(const struct ndp *ndp, struct answerer_answer *answer, struct sockaddr_ll *to)
{
	struct iovec iov = {.iov_base = answer->packet, .iov_len = sizeof(answer->packet)};
	struct msghdr msg = {
		.msg_name = to,
		.msg_namelen = sizeof(*to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	char text[INET6_ADDRSTRLEN];

	if (answer->for_all)
		memcpy(to->sll_addr, ndp_all_nodes, sizeof(ndp_all_nodes));
	/* A solicitation whose answer could not be sent is repeated. */
	if (sendmsg(ndp->socket, &msg, MSG_NOSIGNAL) == -1)
		log_debug("cannot answer a neighbour solicitation: %s", strerror(errno));
	else if (log_is_debug())
		log_debug("answered a neighbour solicitation for %s",
			  inet_ntop(AF_INET6, &answer->target, text, sizeof(text)));
}

static void ndp_too_many(struct ndp *ndp, int64_t now)
{
	struct log_record record;

	ndp->too_many++;
	if (now < ndp->complain_at)
		return;
	log_record_begin(&record, LOG_WARNING, "solicitations-left-out",
			 "too many neighbour solicitations, some are not answered");
	log_record_number(&record, "count", ndp->too_many);
	log_event(&record);
	ndp->too_many = 0;
	ndp->complain_at = now + NDP_COMPLAIN_MS;
}

/* False if there is none. */
static bool ndp_read_one(struct ndp *ndp)
{
	uint8_t packet[NDP_PACKET];
	struct sockaddr_ll from = {.sll_family = AF_PACKET};
	struct iovec iov = {.iov_base = packet, .iov_len = sizeof(packet)};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	struct answerer_answer answer;
	int64_t now = clock_ms();
	ssize_t n;

	n = recvmsg(ndp->socket, &msg, 0);
	if (n == -1)
		/* The interface was set down, which is reported once. */
		return errno == EINTR || errno == ENETDOWN;
	/* From an interface that it answered on before. */
	if ((unsigned int)from.sll_ifindex != answerer_interface(ndp->answerer) ||
	    from.sll_halen != NEIGHBOUR_MAC_SIZE)
		return true;
	switch (answerer_ask(ndp->answerer, packet, (size_t)n, (uint64_t)now, &answer)) {
	case ANSWERER_ANSWER:
		ndp_send(ndp, &answer, &from);
		break;
	case ANSWERER_TOO_MANY:
		ndp_too_many(ndp, now);
		break;
	case ANSWERER_NOT_OURS:
		break;
	}
	return true;
}

static void ndp_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct ndp *ndp = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < NDP_BATCH && ndp_read_one(ndp); i++)
		;
}

/* --- messages of the root process --------------------------------------------------------- */

static void ndp_on_socket(int fd, void *arg)
{
	struct ndp *ndp = arg;

	if (ndp->readable) {
		close(fd);
		return;
	}
	ndp->socket = fd;
	ndp->readable = event_new(ndp->base, fd, EV_READ | EV_PERSIST, ndp_on_readable, ndp);
	if (ndp->readable)
		loop_add(ndp->readable, NULL);
	else
		ndp_no_memory(ndp);
}

static void ndp_on_add(const void *body, void *arg)
{
	struct ndp *ndp = arg;

	if (!answerer_add(ndp->answerer, body, (uint64_t)clock_ms()))
		ndp_no_memory(ndp);
}

static void ndp_on_remove(const void *body, void *arg)
{
	const struct ndp *ndp = arg;

	answerer_remove(ndp->answerer, body);
}

static void ndp_on_stop(void *arg)
{
	const struct ndp *ndp = arg;

	answerer_stop(ndp->answerer);
}

static void ndp_on_never(const void *body, void *arg)
{
	struct ndp *ndp = arg;

	if (!answerer_never(ndp->answerer, body))
		ndp_no_memory(ndp);
}

static void ndp_on_start(const void *body, void *arg)
{
	const struct ndp *ndp = arg;

	answerer_start(ndp->answerer, body);
}

static void ndp_on_forget(void *arg)
{
	const struct ndp *ndp = arg;

	answerer_forget(ndp->answerer);
}

static void ndp_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	ndp_end(arg, violated ? 1 : 0);
}

static const struct ipc_row ndp_root_rows[] = {
	IPC_FD(SERVER_MSG_NDP_SOCKET, ndp_on_socket),
	IPC_BODY(SERVER_MSG_NDP_ADD, struct prefix6, ndp_on_add),
	IPC_BODY(SERVER_MSG_NDP_REMOVE, struct prefix6, ndp_on_remove),
	IPC_EVENT(SERVER_MSG_NDP_STOP, ndp_on_stop),
	IPC_BODY(SERVER_MSG_NDP_NEVER, struct prefix6, ndp_on_never),
	IPC_BODY(SERVER_MSG_NDP_START, struct server_ndp_link, ndp_on_start),
	IPC_EVENT(SERVER_MSG_NDP_FORGET, ndp_on_forget),
	IPC_ANSWERS_PINGS,
};

int server_ndp_run(int root_fd)
{
	struct ndp ndp = {.base = event_base_new(), .socket = -1, .status = 1};

	ndp.answerer = answerer_new((uint64_t)clock_ms());
	if (ndp.base && ndp.answerer)
		ndp.root = ipc_new(ndp.base, root_fd, "monitor", ndp_root_rows,
				   sizeof(ndp_root_rows) / sizeof(ndp_root_rows[0]), ndp_on_closed,
				   &ndp);
	if (ndp.root)
		(void)event_base_dispatch(ndp.base);
	else
		log_warnx("out of memory");
	ipc_free(&ndp.root);
	if (ndp.readable)
		event_free(ndp.readable);
	if (ndp.socket != -1)
		close(ndp.socket);
	answerer_free(ndp.answerer);
	if (ndp.base)
		event_base_free(ndp.base);
	return ndp.status;
}
