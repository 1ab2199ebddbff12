/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request, one acknowledgement: the socket talks to the kernel only (port 0), sequence numbers
 * are matched by mnl_cb_run(), and extended acknowledgements have the kernel's own error texts.
 */
#include "netconf/netlink_talk.h"

#include "base/log.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Large enough for any request of ours and any part of a dump. */
enum { NETLINK_BUFFER = 32768 };

int netlink_open_bus(int bus, struct netlink **out)
{
	struct netlink *netlink = calloc(1, sizeof(*netlink));
	int on = 1;

	*out = NULL;
	if (!netlink)
		return -ENOMEM;
	netlink->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!netlink->socket || mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) == -1) {
		int error = -errno;

		netlink_close(netlink);
		return error;
	}
	/* Not fatal: an old kernel without it still gives the error number. */
	(void)mnl_socket_setsockopt(netlink->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	netlink->port = mnl_socket_get_portid(netlink->socket);
	*out = netlink;
	return 0;
}

int netlink_open(struct netlink **out)
{
	int error = netlink_open_bus(NETLINK_ROUTE, out);

	if (error) {
		errno = -error;
		log_warn("cannot open a routing socket");
	}
	return error;
}

void netlink_close(struct netlink *netlink)
{
	if (!netlink)
		return;
	if (netlink->socket)
		(void)mnl_socket_close(netlink->socket);
	free(netlink);
}

struct netlink_wanted {
	uint16_t type;
	const struct nlattr *found;
};

static int netlink_on_attribute(const struct nlattr *attr, void *data)
{
	struct netlink_wanted *wanted = data;

	if (mnl_attr_get_type(attr) != wanted->type)
		return MNL_CB_OK;
	wanted->found = attr;
	return MNL_CB_STOP;
}

const struct nlattr *netlink_find(const struct nlmsghdr *message, size_t offset, uint16_t type)
{
	struct netlink_wanted wanted = {.type = type};

	(void)mnl_attr_parse(message, (unsigned int)offset, netlink_on_attribute, &wanted);
	return wanted.found;
}

uint32_t netlink_find_number(const struct nlmsghdr *message, size_t offset, uint16_t type)
{
	const struct nlattr *attr = netlink_find(message, offset, type);

	return attr && mnl_attr_validate(attr, MNL_TYPE_U32) == 0 ? mnl_attr_get_u32(attr) : 0;
}

bool netlink_find_ipv6(const struct nlmsghdr *message, size_t offset, uint16_t type,
		       struct in6_addr *out)
{
	const struct nlattr *attr = netlink_find(message, offset, type);

	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(*out))
		return false;
	memcpy(out, mnl_attr_get_payload(attr), sizeof(*out));
	return true;
}

/* The kernel's error text in an acknowledgement, or NULL. */
static const char *netlink_reason(const struct nlmsghdr *reply)
{
	const struct nlmsgerr *ack = mnl_nlmsg_get_payload(reply);
	size_t offset = sizeof(*ack);

	if (!(reply->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(reply->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(
			&(const struct nlmsghdr){.nlmsg_len = ack->msg.nlmsg_len});
	if (offset > mnl_nlmsg_get_payload_len(reply))
		return NULL;
	const struct nlattr *attr = netlink_find(reply, offset, NLMSGERR_ATTR_MSG);

	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return NULL;
	return mnl_attr_get_str(attr);
}

/*
 * Sends a request, waits for its acknowledgement and returns that. accept is an errno that is not
 * logged (0: none). what is for the log: "cannot <what>".
 */
static int netlink_ask(struct netlink *netlink, struct nlmsghdr *request, int accept,
		       const char *what)
{
	union {
		struct nlmsghdr header;
		char bytes[NETLINK_BUFFER];
	} buffer;
	const struct nlmsghdr *reply = &buffer.header;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) == -1)
		goto failed;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(netlink->socket, &buffer, sizeof(buffer));

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			goto failed;
		if (mnl_nlmsg_ok(reply, (int)n) && reply->nlmsg_seq == request->nlmsg_seq &&
		    reply->nlmsg_type == NLMSG_ERROR &&
		    mnl_nlmsg_get_payload_len(reply) >= sizeof(struct nlmsgerr))
			break;
		/* Skips a late answer to an earlier request that has failed. */
	}
	const struct nlmsgerr *ack = mnl_nlmsg_get_payload(reply);

	if (ack->error == 0 || ack->error == -accept)
		return ack->error;

	const char *reason = netlink_reason(reply);

	errno = -ack->error;
	if (reason)
		log_warn("cannot %s: %s", what, reason);
	else
		log_warn("cannot %s", what);
	return ack->error;
failed:;
	int error = errno;

	log_warn("cannot %s: routing socket", what);
	return -error;
}

int netlink_talk(struct netlink *netlink, struct nlmsghdr *request, int accept, const char *what)
{
	int error = netlink_ask(netlink, request, accept, what);

	return accept && error == -accept ? 0 : error;
}

int netlink_ensure(struct netlink *netlink, struct nlmsghdr *request, const char *what)
{
	int error = netlink_ask(netlink, request, EEXIST, what);

	if (error == -EEXIST)
		return 0;
	return error == 0 ? 1 : error;
}

struct nlmsghdr *netlink_start(struct netlink_request *request, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *header;

	/* libmnl does not set padding behind an attribute, which would leak stack contents. */
	*request = (struct netlink_request){.bytes = {0}};
	header = mnl_nlmsg_put_header(request->bytes);
	header->nlmsg_type = type;
	header->nlmsg_flags = flags;
	return header;
}

struct nlmsghdr *netlink_start_link(struct netlink_request *request, uint16_t type,
				    unsigned int index)
{
	struct nlmsghdr *header = netlink_start(request, type, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));

	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)index;
	return header;
}

/* Discards the rest of the answer to an earlier request that has failed. */
static void netlink_drain(const struct netlink *netlink)
{
	char octet;

	while (recv(mnl_socket_get_fd(netlink->socket), &octet, 1, MSG_DONTWAIT) != -1 ||
	       errno == EINTR || errno == ENOBUFS)
		;
}

/*
 * An object that changes during a dump may be listed or not; notifications report the change.
 * libmnl would abort a dump that is flagged as interrupted.
 */
static void netlink_unmark(struct nlmsghdr *message, int size)
{
	for (; mnl_nlmsg_ok(message, size); message = mnl_nlmsg_next(message, &size))
		message->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
}

/* Sends a request and passes each message of its answer to each(), up to the last. */
static int netlink_read(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *arg)
{
	union {
		struct nlmsghdr header;
		char bytes[NETLINK_BUFFER];
	} buffer;
	int result = MNL_CB_OK;

	netlink_drain(netlink);
	request->nlmsg_flags |= NLM_F_REQUEST;
	request->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) == -1)
		return -errno;
	while (result > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(netlink->socket, &buffer, sizeof(buffer));

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		netlink_unmark(&buffer.header, (int)n);
		result = mnl_cb_run(&buffer, (size_t)n, request->nlmsg_seq, netlink->port, each,
				    arg);
	}
	return result == MNL_CB_STOP ? 0 : -errno;
}

int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *arg,
		 const char *what)
{
	int error;

	request->nlmsg_flags |= NLM_F_DUMP;
	error = netlink_read(netlink, request, each, arg);
	if (error) {
		errno = -error;
		log_warn("cannot %s", what);
	}
	return error;
}

int netlink_list(struct netlink *netlink, uint16_t type, unsigned char family, mnl_cb_t each,
		 void *arg, const char *what)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, type, 0);
	struct rtgenmsg *about = mnl_nlmsg_put_extra_header(header, sizeof(*about));

	about->rtgen_family = family;
	return netlink_dump(netlink, header, each, arg, what);
}

int netlink_get(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *arg)
{
	/* The acknowledgement ends it. */
	request->nlmsg_flags |= NLM_F_ACK;
	return netlink_read(netlink, request, each, arg);
}
