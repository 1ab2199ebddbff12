/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request, one acknowledgement: the socket talks to the kernel only (port 0), sequence numbers
 * are matched by mnl_cb_run(), and extended acknowledgements bring the kernel's own words.
 */
#include "monitor/netlink.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/icmpv6.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct netlink {
	struct mnl_socket *socket;
	unsigned int port;
	unsigned int sequence;
};

/* Large enough for any request of ours and any part of a dump. */
enum { NETLINK_BUFFER = 32768 };

struct netlink_request {
	_Alignas(struct nlmsghdr) char bytes[1024];
};

int netlink_open(struct netlink **out)
{
	struct netlink *netlink = calloc(1, sizeof(*netlink));
	int on = 1;

	*out = NULL;
	if (!netlink)
		return -ENOMEM;
	netlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!netlink->socket || mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) == -1) {
		int error = -errno;

		log_warn("cannot open a routing socket");
		netlink_close(netlink);
		return error;
	}
	/* Not fatal: an old kernel without it still gives the error number. */
	(void)mnl_socket_setsockopt(netlink->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	netlink->port = mnl_socket_get_portid(netlink->socket);
	*out = netlink;
	return 0;
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

/* The first attribute of that type behind offset bytes of the message's payload, or NULL. */
static const struct nlattr *netlink_find(const struct nlmsghdr *message, size_t offset,
					 uint16_t type)
{
	struct netlink_wanted wanted = {.type = type};

	(void)mnl_attr_parse(message, (unsigned int)offset, netlink_on_attribute, &wanted);
	return wanted.found;
}

/* The kernel's sentence in an acknowledgement, or NULL. */
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
 * Sends a request and waits for its acknowledgement, which is returned. accept is an errno that is
 * not logged (0: none). what is for the log: "cannot <what>".
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
		/* A late answer to an earlier request that failed half-way is passed over. */
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

/* The same, where accept counts as success. */
static int netlink_talk(struct netlink *netlink, struct nlmsghdr *request, int accept,
			const char *what)
{
	int error = netlink_ask(netlink, request, accept, what);

	return accept && error == -accept ? 0 : error;
}

/* The same, for what may be there already: 0 where it was, 1 where it was not. */
static int netlink_ensure(struct netlink *netlink, struct nlmsghdr *request, const char *what)
{
	int error = netlink_ask(netlink, request, EEXIST, what);

	if (error == -EEXIST)
		return 0;
	return error == 0 ? 1 : error;
}

static struct nlmsghdr *netlink_start(struct netlink_request *request, uint16_t type,
				      uint16_t flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(request->bytes);

	header->nlmsg_type = type;
	header->nlmsg_flags = flags;
	return header;
}

int netlink_link_setup(struct netlink *netlink, unsigned int index, const char *alias, uint32_t mtu)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_NEWLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));

	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)index;
	mnl_attr_put_str(header, IFLA_IFALIAS, alias);
	mnl_attr_put_u32(header, IFLA_MTU, mtu);

	/* The kernel would make up a random link-local address; ours is known to the other end. */
	struct nlattr *families = mnl_attr_nest_start(header, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(header, AF_INET6);

	mnl_attr_put_u8(header, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(header, inet6);
	mnl_attr_nest_end(header, families);

	int error = netlink_talk(netlink, header, 0, "configure the interface");

	if (error)
		return error;

	/* Up comes second: at that moment the kernel would make the address. */
	header = netlink_start(&request, RTM_NEWLINK, 0);
	link = mnl_nlmsg_put_extra_header(header, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)index;
	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	return netlink_talk(netlink, header, 0, "set the interface up");
}

int netlink_link_delete(struct netlink *netlink, unsigned int index)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_DELLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));

	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)index;
	return netlink_talk(netlink, header, ENODEV, "remove the interface");
}

/* What is to be done about an address. */
enum netlink_verb { NETLINK_ADD, NETLINK_ENSURE, NETLINK_DELETE };

static int netlink_address(struct netlink *netlink, enum netlink_verb verb, unsigned int index,
			   const struct in6_addr *addr, const struct in6_addr *peer, uint8_t len)
{
	static const uint16_t flags[] = {
		[NETLINK_ADD] = NLM_F_CREATE | NLM_F_REPLACE,
		[NETLINK_ENSURE] = NLM_F_CREATE | NLM_F_EXCL,
		[NETLINK_DELETE] = 0,
	};
	bool add = verb != NETLINK_DELETE;
	struct netlink_request request;
	struct nlmsghdr *header =
		netlink_start(&request, add ? RTM_NEWADDR : RTM_DELADDR, flags[verb]);
	struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(header, sizeof(*address));
	char text[INET6_ADDRSTRLEN];
	char what[INET6_ADDRSTRLEN + 32];

	address->ifa_family = AF_INET6;
	address->ifa_prefixlen = len;
	address->ifa_scope = IN6_IS_ADDR_LINKLOCAL(addr) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	address->ifa_index = index;
	mnl_attr_put(header, IFA_LOCAL, sizeof(*addr), addr);
	mnl_attr_put(header, IFA_ADDRESS, sizeof(*addr), peer ? peer : addr);
	/* On a point-to-point link there is nobody to have the same address. */
	if (add)
		mnl_attr_put_u32(header, IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
	(void)snprintf(what, sizeof(what), "%s the address %s", add ? "add" : "remove",
		       inet_ntop(AF_INET6, addr, text, sizeof(text)));
	if (verb == NETLINK_ENSURE)
		return netlink_ensure(netlink, header, what);
	return netlink_talk(netlink, header, add ? 0 : EADDRNOTAVAIL, what);
}

int netlink_address_add(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			const struct in6_addr *peer)
{
	return netlink_address(netlink, NETLINK_ADD, index, addr, peer, 128);
}

int netlink_address_ensure(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			   const struct in6_addr *peer)
{
	return netlink_address(netlink, NETLINK_ENSURE, index, addr, peer, 128);
}

struct in6_addr netlink_link_local(struct in_addr addr)
{
	struct in6_addr local = {.s6_addr = {0xfe, 0x80}};

	memcpy(&local.s6_addr[12], &addr, sizeof(addr));
	return local;
}

int netlink_link_local_add(struct netlink *netlink, unsigned int index, const struct in6_addr *addr)
{
	return netlink_address(netlink, NETLINK_ADD, index, addr, NULL, 64);
}

int netlink_link_local_ensure(struct netlink *netlink, unsigned int index,
			      const struct in6_addr *addr)
{
	return netlink_address(netlink, NETLINK_ENSURE, index, addr, NULL, 64);
}

int netlink_link_local_delete(struct netlink *netlink, unsigned int index,
			      const struct in6_addr *addr)
{
	return netlink_address(netlink, NETLINK_DELETE, index, addr, NULL, 64);
}

/* A route request with its destination; type is an RTN_ value. */
static struct nlmsghdr *netlink_route(struct netlink_request *request, uint16_t message,
				      uint16_t flags, uint8_t type, const struct prefix6 *prefix)
{
	struct nlmsghdr *header = netlink_start(request, message, flags);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));

	route->rtm_family = AF_INET6;
	route->rtm_dst_len = prefix->len;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = NETLINK_ROUTE_PROTOCOL;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = type;
	if (prefix->len > 0)
		mnl_attr_put(header, RTA_DST, sizeof(prefix->addr), &prefix->addr);
	return header;
}

/* "add the route 2000::/3", for the log. */
static const char *netlink_route_what(char buf[static PREFIX6_STRLEN + 40], const char *verb,
				      const struct prefix6 *prefix)
{
	char text[PREFIX6_STRLEN];

	(void)snprintf(buf, PREFIX6_STRLEN + 40, "%s %s", verb, prefix6_format(prefix, text));
	return buf;
}

static int netlink_route_talk(struct netlink *netlink, struct nlmsghdr *header, int accept,
			      const char *verb, const struct prefix6 *prefix)
{
	char what[PREFIX6_STRLEN + 40];

	return netlink_talk(netlink, header, accept, netlink_route_what(what, verb, prefix));
}

static struct nlmsghdr *netlink_route_start(struct netlink_request *request, unsigned int index,
					    const struct prefix6 *prefix, uint32_t metric)
{
	/* Appended, there can be several to the same place, but not the same one twice. */
	struct nlmsghdr *header = netlink_route(request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND,
						RTN_UNICAST, prefix);

	mnl_attr_put_u32(header, RTA_OIF, index);
	mnl_attr_put_u32(header, RTA_PRIORITY, metric);
	/* A native router's advertisement can have the same metric; it wins by preference. */
	mnl_attr_put_u8(header, RTA_PREF, ICMPV6_ROUTER_PREF_LOW);
	return header;
}

int netlink_route_add(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix,
		      uint32_t metric)
{
	struct netlink_request request;

	return netlink_route_talk(netlink, netlink_route_start(&request, index, prefix, metric), 0,
				  "add the route", prefix);
}

int netlink_route_ensure(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix,
			 uint32_t metric)
{
	char what[PREFIX6_STRLEN + 40];
	struct netlink_request request;

	return netlink_ensure(netlink, netlink_route_start(&request, index, prefix, metric),
			      netlink_route_what(what, "add the route", prefix));
}

int netlink_route_delete(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_route(&request, RTM_DELROUTE, 0, RTN_UNICAST, prefix);

	mnl_attr_put_u32(header, RTA_OIF, index);
	return netlink_route_talk(netlink, header, ESRCH, "remove the route", prefix);
}

int netlink_reject_add(struct netlink *netlink, const struct prefix6 *prefix)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_route(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
						RTN_UNREACHABLE, prefix);

	return netlink_route_talk(netlink, header, 0, "add the reject route", prefix);
}

int netlink_reject_ensure(struct netlink *netlink, const struct prefix6 *prefix)
{
	char what[PREFIX6_STRLEN + 40];
	struct netlink_request request;
	struct nlmsghdr *header = netlink_route(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
						RTN_UNREACHABLE, prefix);

	return netlink_ensure(netlink, header,
			      netlink_route_what(what, "add the reject route", prefix));
}

int netlink_reject_delete(struct netlink *netlink, const struct prefix6 *prefix)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_route(&request, RTM_DELROUTE, 0, RTN_UNREACHABLE, prefix);

	return netlink_route_talk(netlink, header, ESRCH, "remove the reject route", prefix);
}

/* Sends a dump request and calls each() for every message of the answer. */
static int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *arg,
			const char *what)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_BUFFER];
	int result = MNL_CB_OK;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) == -1)
		goto failed;
	while (result > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(netlink->socket, buffer, sizeof(buffer));

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			goto failed;
		result =
			mnl_cb_run(buffer, (size_t)n, request->nlmsg_seq, netlink->port, each, arg);
	}
	if (result == MNL_CB_STOP)
		return 0;
failed:;
	int error = errno;

	log_warn("cannot %s", what);
	return -error;
}

struct netlink_alias_search {
	const char *alias;
	void (*each)(unsigned int index, const char *name, void *arg);
	void *arg;
	int count;
};

static int netlink_on_link(const struct nlmsghdr *message, void *data)
{
	struct netlink_alias_search *search = data;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	const struct nlattr *alias = netlink_find(message, sizeof(*link), IFLA_IFALIAS);
	const struct nlattr *name = netlink_find(message, sizeof(*link), IFLA_IFNAME);

	if (alias && name && strcmp(mnl_attr_get_str(alias), search->alias) == 0) {
		search->count++;
		search->each((unsigned int)link->ifi_index, mnl_attr_get_str(name), search->arg);
	}
	return MNL_CB_OK;
}

int netlink_links_by_alias(struct netlink *netlink, const char *alias,
			   void (*each)(unsigned int index, const char *name, void *arg), void *arg)
{
	struct netlink_alias_search search = {.alias = alias, .each = each, .arg = arg};
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_GETLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));

	link->ifi_family = AF_UNSPEC;

	int error = netlink_dump(netlink, header, netlink_on_link, &search, "list the interfaces");

	return error ? error : search.count;
}

struct netlink_stale {
	const struct prefix6 *within; /* NULL: all */
	struct prefix6 *prefixes;
	size_t count;
};

static int netlink_on_route(const struct nlmsghdr *message, void *data)
{
	struct netlink_stale *stale = data;
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	const struct nlattr *destination = netlink_find(message, sizeof(*route), RTA_DST);

	if (route->rtm_protocol != NETLINK_ROUTE_PROTOCOL || route->rtm_type != RTN_UNREACHABLE ||
	    route->rtm_family != AF_INET6 || !destination ||
	    mnl_attr_get_payload_len(destination) < sizeof(struct in6_addr))
		return MNL_CB_OK;

	struct prefix6 *grown = reallocarray(stale->prefixes, stale->count + 1, sizeof(*grown));

	if (!grown)
		return MNL_CB_ERROR;
	stale->prefixes = grown;
	memcpy(&grown[stale->count].addr, mnl_attr_get_payload(destination),
	       sizeof(struct in6_addr));
	grown[stale->count].len = route->rtm_dst_len;
	if (!stale->within || prefix6_contains(stale->within, &grown[stale->count]))
		stale->count++;
	return MNL_CB_OK;
}

int netlink_reject_sweep(struct netlink *netlink, const struct prefix6 *within)
{
	struct netlink_stale stale = {.within = within};
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_GETROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));

	route->rtm_family = AF_INET6;

	int result = netlink_dump(netlink, header, netlink_on_route, &stale, "list the routes");

	for (size_t i = 0; i < stale.count && result == 0; i++)
		result = netlink_reject_delete(netlink, &stale.prefixes[i]);
	if (result == 0)
		result = (int)stale.count;
	free(stale.prefixes);
	return result;
}
