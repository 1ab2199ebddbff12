/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/reverse_path.h"

#include "base/log.h"
#include "netconf/netlink_talk.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

/* Buffer for one route; one with a thousand next hops is truncated, and then leads nowhere. */
enum { REVERSE_PATH_ANSWER = 16384 };

int reverse_path_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int error = fd == -1 ? -errno : 0;

	if (error)
		log_warn("cannot open a socket to ask for routes");
	return error ? error : fd;
}

/* Receives the answer to this request, skipping late answers to earlier ones. */
static const struct nlmsghdr *reverse_path_answer(int fd, uint32_t sequence, void *buffer,
						  size_t size)
{
	struct iovec iov = {.iov_base = buffer, .iov_len = size};
	const struct nlmsghdr *answer = buffer;
	struct msghdr message;
	ssize_t n;

	do {
		message = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
		n = recvmsg(fd, &message, 0);
		if (n == -1 && errno != EINTR)
			return NULL;
	} while (n == -1 || !mnl_nlmsg_ok(answer, (int)n) || answer->nlmsg_seq != sequence);
	return message.msg_flags & MSG_TRUNC ? NULL : answer;
}

/* Whether one of the next hops of a route is that interface. */
static bool reverse_path_shares(const struct nlattr *multipath, unsigned int index)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	size_t left = mnl_attr_get_payload_len(multipath);

	while (left >= sizeof(*hop) && hop->rtnh_len >= sizeof(*hop)) {
		size_t len = RTNH_ALIGN(hop->rtnh_len);

		if ((unsigned int)hop->rtnh_ifindex == index)
			return true;
		if (len >= left)
			break;
		left -= len;
		hop = RTNH_NEXT(hop);
	}
	return false;
}

bool reverse_path_leads(int fd, const struct in6_addr *addr, unsigned int index)
{
	_Alignas(struct nlmsghdr) char buffer[REVERSE_PATH_ANSWER];
	static uint32_t sequence;
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_GETROUTE, NLM_F_REQUEST);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	const struct nlmsghdr *answer;
	const struct nlattr *multipath;

	route->rtm_family = AF_INET6;
	route->rtm_dst_len = 128;
	/* The table entry with all its next hops, not the one that a packet would take. */
	route->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put(header, RTA_DST, sizeof(*addr), addr);
	header->nlmsg_seq = ++sequence;
	if (write(fd, header, header->nlmsg_len) == -1)
		return false;
	answer = reverse_path_answer(fd, sequence, buffer, sizeof(buffer));
	if (!answer || answer->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(answer) < sizeof(*route))
		return false;
	route = mnl_nlmsg_get_payload(answer);
	if (route->rtm_type != RTN_UNICAST)
		return false;
	multipath = netlink_find(answer, sizeof(*route), RTA_MULTIPATH);
	return netlink_find_number(answer, sizeof(*route), RTA_OIF) == index ||
	       (multipath && reverse_path_shares(multipath, index));
}
